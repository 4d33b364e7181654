"""Reflections over the wire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.pages import NextCursor
from api.schemas.gems import StateView
from api.schemas.recall import FilterBody, PassageView, Question, ReachField, to_filters, to_question
from api.schemas.wire import Body, View
from axiom import TERM_NAMES
from llm_router import DEFAULT_MODEL, Attempt
from reflection import AxiomScore, Reflection, ReflectionRequest, ReflectionSummary

Grounding = Annotated[
    Literal["grounded", "uncited", "invented", "unanswered"],
    Meta(
        description="`grounded` cites what it was given; `uncited` cites nothing; `invented` cites what it was not "
        "given; `unanswered` says that the evidence does not answer."
    ),
]


class NewReflection(Body, frozen=True, kw_only=True):
    """A question to a gem."""

    question: Question
    k: Annotated[int, Meta(ge=1, le=200, description="How many passages the model is shown at the most.")] = 8
    max_tokens: Annotated[int, Meta(ge=1, le=100_000, description="How many tokens they may have together.")] = 3_000
    max_output_tokens: Annotated[int, Meta(ge=1, le=100_000, description="How long the answer may be.")] = 1_000
    filters: Annotated[FilterBody | None, Meta(description="Which documents may be recalled.")] = None
    model: Annotated[str, Meta(min_length=1, max_length=200, description="The LLM model that shall answer.")] = (
        DEFAULT_MODEL
    )
    reach: ReachField = "own"
    stream: Annotated[
        bool | None,
        Meta(description="Answer by server-sent events; null streams if the request accepts text/event-stream."),
    ] = None


class Feedback(Body, frozen=True, kw_only=True):
    """What a user thinks of an answer."""

    rating: Annotated[float, Meta(ge=-1, le=1, description="From −1 (wrong) to 1 (right).")]


class CitedPassageView(View, frozen=True, kw_only=True):
    """A passage as the model was shown it."""

    label: Annotated[int, Meta(description="The number by which the answer cites it.")]
    passage_id: Annotated[UUID, Meta(description="The passage.")]
    gem_id: Annotated[UUID, Meta(description="Its gem.")]
    gem_name: Annotated[
        str | None, Meta(description="Its gem's name; null if that gem is gone and its documents were moved.")
    ]
    entanglement: Annotated[
        float | None,
        Meta(description="How strongly its gem was entangled with the one that was asked; null if it was not."),
    ]
    document_id: Annotated[UUID, Meta(description="Its document.")]
    external_id: Annotated[str | None, Meta(description="The `id` that its document was sent with.")]
    title: Annotated[str | None, Meta(description="Its document's title.")]
    source: Annotated[str | None, Meta(description="Where its document came from.")]
    text: Annotated[str, Meta(description="The passage as it was then.")]
    cited: Annotated[bool, Meta(description="Whether the answer cites it.")]
    score: Annotated[float, Meta(description="How much it mattered to the question.")]
    scores: Annotated[dict[str, float], Meta(description="The score taken apart.")]


class AxiomView(View, frozen=True, kw_only=True):
    """What the axiom says of the evidence: I = E·(1 + F)·X·Y·Z·(A·B·C)."""

    score: Annotated[float, Meta(description="The product of all terms.")]
    terms: Annotated[dict[str, float], Meta(description="The eight terms by their letters.")]
    shares: Annotated[
        dict[str, float | None], Meta(description="What each adds to ln(score); null where a term of 0 makes it 0.")
    ]
    limiting_term: Annotated[str | None, Meta(description="The term that holds the score back most.")]


class UsageView(View, frozen=True, kw_only=True):
    """Tokens spent; each is in one of these counts only."""

    input_tokens: Annotated[int, Meta(description="Of the prompt, not from or into the provider's cache.")]
    output_tokens: Annotated[int, Meta(description="Of the answer, without reasoning.")]
    cache_read_tokens: Annotated[int, Meta(description="Of the prompt, read from the provider's cache.")]
    cache_write_tokens: Annotated[int, Meta(description="Of the prompt, put into the provider's cache.")]
    reasoning_tokens: Annotated[int, Meta(description="Spent on thinking.")]
    cache_write_1h_tokens: Annotated[int, Meta(description="Of the prompt, put into the provider's cache for an hour.")]
    estimated: Annotated[bool, Meta(description="At least one count is a guess.")]


class AttemptView(View, frozen=True, kw_only=True):
    """One call of one LLM target."""

    target: Annotated[str, Meta(description="Its name in the settings.")]
    provider: Annotated[str, Meta(description="The adapter that spoke to it.")]
    model: Annotated[str, Meta(description="The model.")]
    outcome: Annotated[Literal["answered", "failed", "cancelled"], Meta(description="How it ended.")]
    error: Annotated[str | None, Meta(description="The kind of fault; null if it answered.")]
    status: Annotated[int | None, Meta(description="The HTTP status of a fault that had one.")]
    started_at: Annotated[datetime, Meta(description="When it began.")]
    seconds: Annotated[float, Meta(description="How long it took.")]
    usage: Annotated[UsageView | None, Meta(description="Tokens spent, where known.")]
    first_token_s: Annotated[float | None, Meta(description="Until the first sign of a streamed answer.")]
    cost_usd: Annotated[float | None, Meta(description="In US dollars; null if the price is unknown.")]
    price_version: Annotated[str | None, Meta(description="Of the price list by which the cost was reckoned.")]
    tier: Annotated[str | None, Meta(description="The service tier that the provider says it used.")]


class StateChangeView(View, frozen=True, kw_only=True):
    """What a reflection did to its gem's state."""

    before: Annotated[StateView, Meta(description="The state when the question came.")]
    after: Annotated[StateView, Meta(description="The state after the answer; the same if nothing was cited.")]


class ReflectionView(View, frozen=True, kw_only=True, rename={"reflection_id": "id"}):
    """A question, its answer, and all that the answer rests on."""

    reflection_id: Annotated[UUID, Meta(description="The reflection's id.")]
    gem_id: Annotated[UUID, Meta(description="The gem that was asked.")]
    question: Annotated[str, Meta(description="What was asked.")]
    answer: Annotated[str, Meta(description="With citations in square brackets.")]
    grounding: Grounding
    evidence: Annotated[list[CitedPassageView], Meta(description="The passages that the model was shown.")]
    axiom: Annotated[AxiomView, Meta(description="The score of the evidence, with its eight terms.")]
    target: Annotated[str, Meta(description="The LLM target that answered.")]
    provider: Annotated[str, Meta(description="Its adapter.")]
    model: Annotated[str, Meta(description="Its model.")]
    finish: Annotated[str, Meta(description="Why the answer ended where it does.")]
    usage: Annotated[UsageView, Meta(description="Tokens of the attempt that answered.")]
    cost_usd: Annotated[float | None, Meta(description="Of all attempts, in US dollars; null if a price is unknown.")]
    attempts: Annotated[list[AttemptView], Meta(description="All calls, in order; the last one answered.")]
    variant: Annotated[str | None, Meta(description="Of the experiment that the model is in; null if it is in none.")]
    cached: Annotated[bool, Meta(description="The answer was taken from the cache of exact answers.")]
    seconds: Annotated[float, Meta(description="From question to answer.")]
    rating: Annotated[float | None, Meta(description="The user's, in [−1, 1]; null with none.")]
    created_at: Annotated[datetime, Meta(description="When it was asked.")]
    change: Annotated[
        StateChangeView | None, Meta(description="Of the gem's state; null on a reflection that is read again.")
    ]


class ReflectionSummaryView(View, frozen=True, kw_only=True, rename={"reflection_id": "id"}):
    """A reflection without its evidence and attempts."""

    reflection_id: Annotated[UUID, Meta(description="The reflection's id.")]
    gem_id: Annotated[UUID, Meta(description="The gem that was asked.")]
    question: Annotated[str, Meta(description="What was asked.")]
    answer: Annotated[str, Meta(description="With citations in square brackets.")]
    grounding: Grounding
    provider: Annotated[str, Meta(description="The adapter that answered.")]
    model: Annotated[str, Meta(description="Its model.")]
    score: Annotated[float, Meta(description="The axiom's score of the evidence.")]
    rating: Annotated[float | None, Meta(description="The user's, in [−1, 1]; null with none.")]
    created_at: Annotated[datetime, Meta(description="When it was asked.")]


class ReflectionPage(View, frozen=True, kw_only=True):
    """A page of reflections."""

    items: Annotated[list[ReflectionSummaryView], Meta(description="Newest first.")]
    next_cursor: NextCursor


class EvidenceView(View, frozen=True, kw_only=True):
    """The data of the event `evidence`."""

    passages: Annotated[list[PassageView], Meta(description="What the answer will rest on, best first.")]


class TokenView(View, frozen=True, kw_only=True):
    """The data of an event `token`."""

    text: Annotated[str, Meta(description="To be appended to the texts before.")]


_BUILT = {"axiom", "change", "cost_usd", "evidence", "usage", "attempts"}
_SAME = tuple(set(ReflectionView.__struct_fields__) - _BUILT)


def to_request(body: NewReflection, gem_id: UUID) -> ReflectionRequest:
    """Return the question as the use case takes it."""
    return ReflectionRequest(
        gem_id=gem_id,
        question=to_question(body.question),
        k=body.k,
        max_tokens=body.max_tokens,
        max_output_tokens=body.max_output_tokens,
        filters=to_filters(body.filters),
        model=body.model,
        reach=body.reach,
    )


def to_reflection(reflection: Reflection) -> ReflectionView:
    """Return a reflection as it is shown."""
    return ReflectionView(
        axiom=to_axiom(reflection.axiom),
        evidence=msgspec.convert(reflection.evidence, list[CitedPassageView], from_attributes=True),
        usage=msgspec.convert(reflection.usage, UsageView, from_attributes=True),
        attempts=[_to_attempt(attempt) for attempt in reflection.attempts],
        change=msgspec.convert(reflection.change, StateChangeView | None, from_attributes=True),
        cost_usd=None if reflection.cost_usd is None else float(reflection.cost_usd),
        **{name: getattr(reflection, name) for name in _SAME},
    )


def to_summary(summary: ReflectionSummary) -> ReflectionSummaryView:
    """Return a reflection's summary as it is shown."""
    return msgspec.convert(summary, ReflectionSummaryView, from_attributes=True)


def to_axiom(axiom: AxiomScore) -> AxiomView:
    """Return a score with its terms as it is shown."""
    return AxiomView(
        score=axiom.score,
        terms={name: getattr(axiom.terms, name) for name in TERM_NAMES},
        shares={name: axiom.shares.shares[name] for name in TERM_NAMES},
        limiting_term=axiom.shares.limiting_term,
    )


def _to_attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(
        usage=msgspec.convert(attempt.usage, UsageView | None, from_attributes=True),
        cost_usd=None if attempt.cost_usd is None else float(attempt.cost_usd),
        **{name: getattr(attempt, name) for name in AttemptView.__struct_fields__ if name not in {"usage", "cost_usd"}},
    )

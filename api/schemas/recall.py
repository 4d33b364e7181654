"""Recall over the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.gems import StateView
from api.schemas.wire import Body, Metadata, View
from core.clock import parse_moment
from core.text import clean_object, clean_string
from knowledge import Filters, RecalledPassage, RecallQuery, Surroundings, TimePhrase

QUESTION_LENGTH = 10_000
MOMENT = "an ISO 8601 date or time; UTC if it names no zone"

Sources = Annotated[list[str], Meta(max_length=1_000)]
Tokens = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
ReachField = Annotated[
    Literal["own", "entangled", "lattice"],
    Meta(
        description="Where to look beside the gems that are named: nowhere, in what is entangled with them, or in "
        "every gem that is not archived. The score of a passage counts by how its gem was reached."
    ),
]
Question = Annotated[str, Meta(min_length=1, max_length=QUESTION_LENGTH, description="In plain words.")]


class FilterBody(Body, frozen=True, kw_only=True):
    """Which documents may be recalled; what is left out lets all pass."""

    sources: Annotated[Sources | None, Meta(description="Documents from one of these.")] = None
    since: Annotated[str | None, Meta(description=f"That occurred then or later: {MOMENT}.")] = None
    until: Annotated[str | None, Meta(description=f"That occurred before: {MOMENT}.")] = None
    metadata: Annotated[Metadata | None, Meta(description="Whose metadata contains all of this.")] = None


class RecallBody(Body, frozen=True, kw_only=True):
    """A question to the lattice."""

    question: Question
    gem_ids: Annotated[
        list[UUID], Meta(max_length=1_000, description="Where to look; none means every gem that is not archived.")
    ] = msgspec.field(default_factory=list)
    k: Annotated[int, Meta(ge=1, le=200, description="How many passages at the most.")] = 10
    filters: Annotated[FilterBody | None, Meta(description="Which documents may be recalled.")] = None
    max_tokens: Annotated[Tokens | None, Meta(description="How many tokens the texts may have together.")] = None
    as_of: Annotated[str | None, Meta(description=f"Recall what the lattice held then: {MOMENT}.")] = None
    dates: Annotated[bool, Meta(description="Let a time that the question names narrow what may be found.")] = False
    min_score: Annotated[Share | None, Meta(description="The least probability that a passage matters.")] = None
    fold: Annotated[bool, Meta(description="Show what says the same as a better passage with that one only.")] = True
    diversity: Annotated[float, Meta(ge=0, lt=1, description="How much unlikeness counts against worth.")] = 0.0
    expand: Annotated[
        Literal["section", "document"] | None, Meta(description="The unit that is shown around each passage.")
    ] = None
    rerank: Annotated[bool, Meta(description="Let the configured cross-encoder order the best anew.")] = False
    explain: Annotated[bool, Meta(description="Tell what each score was computed from.")] = False
    reach: ReachField = "own"
    measure: Annotated[
        bool, Meta(description="Strengthen what is returned and the gems that hold it, as a use; else nothing changes.")
    ] = False


class ScoresView(View, frozen=True, kw_only=True):
    """A score taken apart: the parts sum to it."""

    late: Annotated[float, Meta(description="From the likeness of each word of the question in its context.")]
    dense: Annotated[float, Meta(description="From the likeness of meaning.")]
    lexical: Annotated[float, Meta(description="From the words in common.")]
    speaker: Annotated[float, Meta(description="From the speaker that the question names.")]
    title: Annotated[float, Meta(description="From the title that the question says.")]
    link: Annotated[float, Meta(description="From one of the best passages, which links to it.")]
    coherence: Annotated[float, Meta(description="What the passage's coherence added or took.")]
    interference: Annotated[float, Meta(description="What its phase among the other candidates added or took.")]
    novelty: Annotated[float, Meta(description="For what it covers of the question and those above it do not.")]
    reach: Annotated[float, Meta(description="What was taken because its gem was reached and not asked.")] = 0.0


class ExplanationView(View, frozen=True, kw_only=True):
    """What a score was computed from."""

    cosine: Annotated[float, Meta(description="Similarity of question and passage as embedded, in [−1, 1].")]
    bm25: Annotated[float, Meta(description="The lexical score as computed.")]
    coverage: Annotated[float, Meta(description="The lexical score over the greatest possible one.")]
    max_sim: Annotated[float | None, Meta(description="Mean likeness of the question's words; null if not known.")]
    field: Annotated[float, Meta(description="Interference with the other candidates, in [−1, 1].")]
    state: Annotated[StateView, Meta(description="The passage's state now.")]


class PartView(View, frozen=True, kw_only=True):
    """A piece of one document."""

    document_id: Annotated[UUID, Meta(description="Its document.")]
    speaker: Annotated[str | None, Meta(description="Who says it.")]
    start: Annotated[int, Meta(description="Where it begins in the document's text, in characters.")]
    end: Annotated[int, Meta(description="Where it ends.")]
    text: Annotated[str, Meta(description="The text between.")]
    passage_ids: Annotated[list[UUID], Meta(description="The passages that it covers, in order.")]


class AroundView(View, frozen=True, kw_only=True):
    """The section or document around a passage."""

    text: Annotated[str, Meta(description="All of it; each turn of a thread on a line of its own.")]
    tokens: Annotated[int, Meta(description="How many tokens it has.")]
    found: Annotated[list[UUID], Meta(description="The passages found in it, best first.")]
    parts: Annotated[list[PartView], Meta(description="In order; more than one only in a thread.")]


class WindowView(View, frozen=True, kw_only=True):
    """The time that a question was understood to name."""

    phrase: Annotated[str, Meta(description="The words that name it.")]
    since: Annotated[datetime | None, Meta(description="Then or later; null is open.")]
    until: Annotated[datetime | None, Meta(description="Before then; null is open.")]


class PassageView(View, frozen=True, kw_only=True, rename={"passage_id": "id"}):
    """A passage that answers."""

    passage_id: Annotated[UUID, Meta(description="The passage's id.")]
    document_id: Annotated[UUID, Meta(description="Its document.")]
    external_id: Annotated[str | None, Meta(description="The `id` that its document was sent with.")]
    gem_id: Annotated[UUID, Meta(description="Its gem.")]
    gem_name: Annotated[str, Meta(description="Its gem's name.")]
    entanglement: Annotated[
        float | None, Meta(description="How strongly its gem is entangled with one that was asked; null if it is not.")
    ]
    text: Annotated[str, Meta(description="The passage.")]
    title: Annotated[str | None, Meta(description="Its document's title.")]
    heading: Annotated[str | None, Meta(description="The headings it stands under.")]
    source: Annotated[str | None, Meta(description="Where its document came from.")]
    thread: Annotated[str | None, Meta(description="The conversation or log it belongs to.")]
    speaker: Annotated[str | None, Meta(description="Who says it.")]
    occurred_at: Annotated[datetime | None, Meta(description="When what it tells happened.")]
    metadata: Metadata
    ordinal: Annotated[int, Meta(description="Its place among the passages of its document, from 0.")]
    start: Annotated[int, Meta(description="Where it begins in the document's text, in characters.")]
    end: Annotated[int, Meta(description="Where it ends.")]
    tokens: Annotated[int, Meta(description="How many tokens it has.")]
    score: Annotated[float, Meta(description="How much it matters to the question.")]
    scores: Annotated[ScoresView, Meta(description="The score taken apart.")]
    probability: Annotated[float, Meta(description="That it matters to the question, comparable between questions.")]
    also_in: Annotated[list[UUID], Meta(description="Other documents that say the same.")]
    around: Annotated[
        AroundView | None, Meta(description="What stands around it, on the best of the passages that share it.")
    ] = None
    explanation: Annotated[ExplanationView | None, Meta(description="Null unless `explain` was asked for.")] = None


class RecallView(View, frozen=True, kw_only=True):
    """What was recalled."""

    passages: Annotated[list[PassageView], Meta(description="Best first.")]
    window: Annotated[
        WindowView | None,
        Meta(description="The time that the question names; null if it names none or `dates` was not asked for."),
    ] = None


_SAME = tuple(set(PassageView.__struct_fields__) - {"score", "scores", "explanation", "also_in", "around"})


def to_query(body: RecallBody) -> RecallQuery:
    """Return the question as the use case takes it."""
    return RecallQuery(
        question=to_question(body.question),
        gem_ids=tuple(dict.fromkeys(body.gem_ids)),
        k=body.k,
        filters=to_filters(body.filters),
        max_tokens=body.max_tokens,
        as_of=None if body.as_of is None else parse_moment(body.as_of, "as_of"),
        min_score=body.min_score,
        fold=body.fold,
        diversity=body.diversity,
        expand=body.expand,
        rerank=body.rerank,
        dates=body.dates,
        reach=body.reach,
    )


def to_question(question: str) -> str:
    """Return a question as it can be stored."""
    return clean_string(question, "question", QUESTION_LENGTH)


def to_filters(body: FilterBody | None) -> Filters:
    """Return the filters as the use case takes them."""
    if body is None:
        return Filters()
    metadata = None if body.metadata is None else clean_object(body.metadata, "filters.metadata")
    sources = None if body.sources is None else tuple(_clean_sources(body.sources))
    since = None if body.since is None else parse_moment(body.since, "filters.since")
    until = None if body.until is None else parse_moment(body.until, "filters.until")
    return Filters(sources, since, until, metadata)


def to_recall(passages: Sequence[RecalledPassage], *, explain: bool, phrase: TimePhrase | None = None) -> RecallView:
    """Return what was recalled as it is shown."""
    shown = [to_passage(each, explain=explain) for each in passages]
    if phrase is None or phrase.window is None:
        return RecallView(passages=shown)
    window = WindowView(phrase=phrase.phrase, since=phrase.window.since, until=phrase.window.until)
    return RecallView(passages=shown, window=window)


def to_passage(passage: RecalledPassage, *, explain: bool = False) -> PassageView:
    """Return a passage as it is shown."""
    score = passage.score
    state = msgspec.convert(passage.state, StateView, from_attributes=True)
    explanation = ExplanationView(
        cosine=score.cosine,
        bm25=score.bm25,
        coverage=score.coverage,
        max_sim=score.max_sim,
        field=score.field,
        state=state,
    )
    return PassageView(
        score=score.score,
        scores=msgspec.convert(score, ScoresView, from_attributes=True),
        explanation=explanation if explain else None,
        also_in=list(passage.also_in),
        around=None if passage.around is None else to_around(passage.around),
        **{name: getattr(passage, name) for name in _SAME},
    )


def to_around(around: Surroundings) -> AroundView:
    """Return what stands around a passage as it is shown."""
    return msgspec.convert(around, AroundView, from_attributes=True)


def _clean_sources(sources: Sequence[str]) -> list[str]:
    return [clean_string(source, f"filters.sources[{i}]") for i, source in enumerate(sources)]

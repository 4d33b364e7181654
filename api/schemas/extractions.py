"""Extractions and links between passages that are alike, over the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.wire import Body, View
from core.errors import InvalidInputError
from knowledge.graph import (
    MOST,
    THRESHOLD,
    Counts,
    ExtractionPlan,
    ExtractionRun,
    ExtractionWish,
    Linking,
    LinkingWish,
    PassageNeighbour,
)

Usd = Annotated[str | None, Meta(description="In US dollars; null if the model's prices are not known.")]


class ExtractionBody(Body, frozen=True, kw_only=True):
    """What is to be extracted."""

    model: Annotated[str, Meta(min_length=1, max_length=200, description="The LLM model that is asked.")] = "default"
    dry_run: Annotated[bool, Meta(description="Tell what it would take, and do nothing.")] = False
    max_usd: Annotated[
        float | str | None, Meta(description="What may be spent; it is stopped before it is more. Null: no limit.")
    ] = None
    limit: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="Passages that are dealt with at the most.")
    ] = None


class EstimateView(View, frozen=True, kw_only=True):
    """What an extraction would take."""

    passages: Annotated[int, Meta(description="That are still to be dealt with.")]
    known: Annotated[int, Meta(description="Of these, those that need not be asked about: equal ones were.")]
    calls: Annotated[int, Meta(description="Of the model.")]
    input_tokens: Annotated[int, Meta(description="About how many.")]
    output_tokens: Annotated[int, Meta(description="About how many.")]
    cost_usd: Usd
    most_usd: Annotated[str | None, Meta(description="The same at the most, if each call is answered at once.")]


class ExtractionErrorView(View, frozen=True, kw_only=True):
    """Why an extraction failed, or why it waits to be repeated."""

    code: Annotated[str, Meta(description="A code of docs/errors.md, or `interrupted`.")]
    message: Annotated[str, Meta(description="What is wrong and what mends it.")]


class ExtractionView(View, frozen=True, kw_only=True):
    """An extraction as it stands."""

    id: Annotated[UUID, Meta(description="The extraction's id.")]
    gem_id: Annotated[UUID, Meta(description="Of which gem.")]
    state: Annotated[str, Meta(description="queued, running, done, stopped (by max_usd), failed or cancelled.")]
    model: Annotated[str, Meta(description="The LLM model that is asked.")]
    max_usd: Annotated[str | None, Meta(description="What may be spent.")]
    limit: Annotated[int | None, Meta(description="Passages that are dealt with at the most.")]
    passages: Annotated[int, Meta(description="Dealt with so far.")]
    known: Annotated[int, Meta(description="Of these, those that were not asked about: equal ones were before.")]
    failed: Annotated[int, Meta(description="Passages of which the model gave no answer that can be read.")]
    calls: Annotated[int, Meta(description="That were answered.")]
    entities: Annotated[int, Meta(description="Found, counted in each passage.")]
    relations: Annotated[int, Meta(description="Found, counted in each passage.")]
    dropped: Annotated[Mapping[str, int], Meta(description="Of what the model said, by reason.")]
    input_tokens: Annotated[int, Meta(description="Of the calls that were answered.")]
    output_tokens: Annotated[int, Meta(description="Of the calls that were answered.")]
    cost_usd: Usd
    error: Annotated[ExtractionErrorView | None, Meta(description="Why it failed, or waits to be repeated.")]
    created_at: Annotated[datetime, Meta(description="When it was asked for.")]
    started_at: Annotated[datetime | None, Meta(description="When a worker first took it up.")]
    finished_at: Annotated[datetime | None, Meta(description="When it ended.")]


class ExtractionList(View, frozen=True, kw_only=True):
    """Extractions of a gem."""

    items: Annotated[list[ExtractionView], Meta(description="Newest first.")]


class LinkBody(Body, frozen=True, kw_only=True):
    """Which passages are linked."""

    threshold: Annotated[float, Meta(gt=0, le=1, description="The least cosine.")] = THRESHOLD
    most: Annotated[int, Meta(ge=1, le=50, description="Links that one passage has to others.")] = MOST


class LinkingView(View, frozen=True, kw_only=True):
    """How far a gem's passages are linked."""

    threshold: Annotated[float | None, Meta(description="The least cosine; null if they are not linked.")]
    most: Annotated[int | None, Meta(description="Links that one passage has to others.")]
    pending: Annotated[int, Meta(description="Passages that are not linked yet.")]
    links: Annotated[int, Meta(description="That there are, each from a passage to one of its nearest.")]
    linked_at: Annotated[datetime | None, Meta(description="When the last of them were made.")]


class PassageNeighbourView(View, frozen=True, kw_only=True, rename={"passage_id": "id"}):
    """A passage that another one is linked to."""

    passage_id: Annotated[UUID, Meta(description="The passage's id.")]
    document_id: Annotated[UUID, Meta(description="Of its document.")]
    external_id: Annotated[str | None, Meta(description="The id that its document was sent with.")]
    title: Annotated[str | None, Meta(description="Of its document.")]
    text: Annotated[str, Meta(description="The passage.")]
    cosine: Annotated[float | None, Meta(description="By which they are alike; null if not linked by that.")]
    link: Annotated[float, Meta(description="The weight of what both name, or of a title that one says.")]


class PassageNeighbourList(View, frozen=True, kw_only=True):
    """What a passage is linked to."""

    passages: Annotated[list[PassageNeighbourView], Meta(description="Those that are alike first, the nearest first.")]


def to_wish(body: ExtractionBody) -> ExtractionWish:
    """Return what is asked for.

    Raises:
        InvalidInputError: the cost is no amount.
    """
    try:
        most = None if body.max_usd is None else Decimal(str(body.max_usd))
    except ArithmeticError as e:
        raise InvalidInputError("max_usd", "must be an amount above 0") from e
    return ExtractionWish(most, body.limit)


def to_estimate(plan: ExtractionPlan) -> EstimateView:
    """Return a plan as it is shown."""
    return EstimateView(
        passages=plan.passages,
        known=plan.known,
        calls=plan.calls,
        input_tokens=plan.input_tokens,
        output_tokens=plan.output_tokens,
        cost_usd=_show(plan.cost_usd),
        most_usd=_show(plan.most_usd),
    )


def to_extraction(run: ExtractionRun) -> ExtractionView:
    """Return an extraction as it is shown."""
    return ExtractionView(
        id=run.run_id,
        gem_id=run.gem_id,
        state=run.state,
        model=run.model,
        max_usd=_show(run.max_usd),
        limit=run.most,
        error=ExtractionErrorView(code=run.error_code, message=run.error or "") if run.error_code else None,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        **to_counts(run.counts),
    )


def to_counts(counts: Counts) -> dict[str, Any]:
    """Return how far an extraction has come, by the names that an ExtractionView has for it."""
    told = {name: getattr(counts, name) for name in counts.__slots__ if name != "unpriced"}
    return {**told, "cost_usd": None if counts.unpriced else _show(counts.cost_usd)}


def to_linking(linking: Linking) -> LinkingView:
    """Return how a gem is linked as it is shown."""
    wish = linking.wish
    return LinkingView(
        threshold=None if wish is None else wish.threshold,
        most=None if wish is None else wish.most,
        pending=linking.pending,
        links=linking.links,
        linked_at=linking.linked_at,
    )


def to_linking_wish(body: LinkBody) -> LinkingWish:
    """Return what is asked for."""
    return LinkingWish(body.threshold, body.most)


def to_neighbours(found: Sequence[PassageNeighbour]) -> PassageNeighbourList:
    """Return neighbours as they are shown."""
    return PassageNeighbourList(
        passages=[msgspec.convert(each, PassageNeighbourView, from_attributes=True) for each in found]
    )


def _show(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"

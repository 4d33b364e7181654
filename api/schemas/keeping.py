"""Exports, imports and forgetting over the wire."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.wire import Body, View
from knowledge.keeping import ForgettingPlan, ForgettingPolicy, ForgettingRun, ImportedGem

SHOWN = 1_000  # documents of a plan; the counts tell of all


class ForgettingWish(Body, frozen=True, kw_only=True):
    """What may be forgotten, and whether it is."""

    below: Annotated[float, Meta(description="Coherence in (0, 1] below which every passage must have fallen.")] = 0.05
    for_days: Annotated[float, Meta(ge=0, le=36_500, description="And stayed there, in days.")] = 180.0
    keep_used: Annotated[bool, Meta(description="Whether what an answer ever cited stays.")] = True
    most_share: Annotated[float, Meta(description="Of the open documents, how much one run may close, in [0, 1].")] = (
        0.5
    )
    dry_run: Annotated[bool, Meta(description="Whether to tell only; false closes.")] = True


class FadedDocumentView(View, frozen=True, kw_only=True, rename={"document_id": "id"}):
    """A document that has faded."""

    document_id: Annotated[UUID, Meta(description="The document's id.")]
    external_id: Annotated[str | None, Meta(description="The `id` it was sent with.")]
    title: Annotated[str | None, Meta(description="One line.")]
    source: Annotated[str | None, Meta(description="Where it came from.")]
    passages: Annotated[int, Meta(description="How many it has.")]
    coherence: Annotated[float, Meta(description="Of its most coherent passage, now.")]
    faded_at: Annotated[datetime, Meta(description="When the last of its passages fell below the bound.")]


class ForgettingView(View, frozen=True, kw_only=True):
    """What a run of forgetting closed, or would close."""

    run_id: Annotated[UUID | None, Meta(description="By which it can be undone; null if nothing was closed.")]
    closed: Annotated[int, Meta(description="Documents that were closed; 0 for a dry run.")]
    planned: Annotated[int, Meta(description="Documents that a run closes at this moment.")]
    faded: Annotated[int, Meta(description="All that have faded, those included that the share leaves for later.")]
    open: Annotated[int, Meta(description="Documents of the gem that were not closed before.")]
    documents: Annotated[list[FadedDocumentView], Meta(description="The first 1,000, longest faded first.")]


class ForgettingUndoneView(View, frozen=True, kw_only=True):
    """A run of forgetting that was undone."""

    run_id: Annotated[UUID | None, Meta(description="Of the run.")]
    documents: Annotated[int, Meta(description="How many hold again.")]


class ImportedGemView(View, frozen=True, kw_only=True, rename={"gem_id": "id"}):
    """A gem that was imported."""

    gem_id: Annotated[UUID, Meta(description="The gem's id: as it was, or a new one for a copy.")]
    name: Annotated[str, Meta(description="Unique in the lattice.")]
    documents: Annotated[int, Meta(description="How many it holds.")]
    passages: Annotated[int, Meta(description="How many it holds.")]
    entanglements: Annotated[
        int, Meta(description="With gems before it in the file, so that each pair is counted once.", ge=0)
    ]
    reembedded: Annotated[bool, Meta(description="Whether its texts were embedded anew.")]


class ImportView(View, frozen=True, kw_only=True):
    """What an import stored."""

    gems: Annotated[list[ImportedGemView], Meta(description="In the order of the file.")]


def to_policy(wish: ForgettingWish) -> ForgettingPolicy:
    """Return the policy that a body asks for.

    Raises:
        InvalidInputError: a value is out of its bounds.
    """
    return ForgettingPolicy(
        below=wish.below,
        for_at_least=timedelta(days=wish.for_days),
        keep_used=wish.keep_used,
        most_share=wish.most_share,
    )


def to_forgetting(plan: ForgettingPlan, run: ForgettingRun | None) -> ForgettingView:
    """Return a plan as it is shown, with what was carried out of it."""
    return ForgettingView(
        run_id=run.run_id if run else None,
        closed=run.documents if run else 0,
        planned=len(plan.documents),
        faded=plan.faded,
        open=plan.open,
        documents=[msgspec.convert(each, FadedDocumentView, from_attributes=True) for each in plan.documents[:SHOWN]],
    )


def to_undone(run: ForgettingRun) -> ForgettingUndoneView:
    """Return an undoing as it is shown."""
    return msgspec.convert(run, ForgettingUndoneView, from_attributes=True)


def to_import(gems: list[ImportedGem]) -> ImportView:
    """Return an import as it is shown."""
    return ImportView(gems=[msgspec.convert(each, ImportedGemView, from_attributes=True) for each in gems])

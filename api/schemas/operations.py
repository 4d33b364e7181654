"""Merges, splits and what else was done to whole gems, over the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from api.pages import NextCursor
from api.schemas.wire import Body, Metadata, View
from gems import Operation
from knowledge.moving import Moved, SplitWish

DryRun = Annotated[bool, Meta(description="Whether to tell only; false does it.")]


class MergeWish(Body, frozen=True, kw_only=True, rename={"sources": "from"}):
    """Which gems go into this one."""

    sources: Annotated[list[UUID], Meta(min_length=1, max_length=100, description="Ids, in the order they come in.")]
    dry_run: DryRun = True


class NewSplit(Body, frozen=True, kw_only=True):
    """Which documents become a gem of their own: those that are all of what is given."""

    name: Annotated[str, Meta(description="Of the new gem; new to the lattice.")]
    document_ids: Annotated[list[UUID] | None, Meta(description="By their ids.")] = None
    source: Annotated[str | None, Meta(description="Where they came from.")] = None
    thread: Annotated[str | None, Meta(description="That they belong to.")] = None
    metadata: Metadata | None = None
    dry_run: DryRun = True


class MoveView(View, frozen=True, kw_only=True):
    """What a merge or a split did, or would do."""

    dry_run: Annotated[bool, Meta(description="Whether nothing was changed.")]
    undoable: Annotated[bool, Meta(description="Whether it can be undone; merges and splits can.")]
    gem_id: Annotated[UUID | None, Meta(description="Where the documents are then; null if the gem is not made yet.")]
    operation_id: Annotated[UUID | None, Meta(description="By which it is undone; null of a dry run.")]
    documents: Annotated[int, Meta(description="That go.")]
    passages: Annotated[int, Meta(description="That go with them, each with its state and its log.")]
    entities: Annotated[int, Meta(description="That these name.")]
    relations: Annotated[int, Meta(description="That these claim to hold.")]
    repeated: Annotated[int, Meta(description="Documents that stay, since the other gem has them as they are.")]
    differing: Annotated[
        list[str], Meta(description="Ids of documents that stay, since the other gem has another text of the same id.")
    ]


class OperationView(View, frozen=True, kw_only=True, rename={"operation_id": "id"}):
    """Something that was done to whole gems."""

    operation_id: Annotated[UUID, Meta(description="Its id.")]
    kind: Annotated[str, Meta(description="archive, restore, merge or split.")]
    gem_id: Annotated[UUID, Meta(description="The gem that was archived, restored or split, or merged into.")]
    gem: Annotated[str, Meta(description="Its name at that time.")]
    other_ids: Annotated[list[UUID], Meta(description="Those that were merged into it, or that was split off.")]
    others: Annotated[list[str], Meta(description="Their names at that time.")]
    documents: Annotated[int, Meta(description="That were moved.")]
    passages: Annotated[int, Meta(description="That were moved.")]
    made_at: Annotated[datetime, Meta(description="When it was done.")]
    undone_at: Annotated[datetime | None, Meta(description="When it was undone; null while it stands.")]


class OperationPage(View, frozen=True, kw_only=True):
    """A page of operations."""

    items: Annotated[list[OperationView], Meta(description="The last one first.")]
    next_cursor: NextCursor


class DeletionView(View, frozen=True, kw_only=True):
    """What would go if a gem were deleted."""

    dry_run: Annotated[bool, Meta(description="Always true: nothing was changed.")]
    undoable: Annotated[bool, Meta(description="Always false: a deletion cannot be undone.")]
    rows: Annotated[dict[str, int], Meta(description="How many rows of each table, by its name.")]


def to_wish(body: NewSplit) -> SplitWish:
    """Return which documents a split means."""
    ids = None if body.document_ids is None else tuple(body.document_ids)
    return SplitWish(body.name, ids, body.source, body.thread, body.metadata)


def to_move(moved: Moved, *, dry_run: bool) -> MoveView:
    """Return what a merge or a split did as it is shown."""
    amount = moved.amount
    return MoveView(
        dry_run=dry_run,
        undoable=True,
        gem_id=moved.gem_id,
        operation_id=moved.operation_id,
        documents=amount.documents,
        passages=amount.passages,
        entities=amount.entities,
        relations=amount.relations,
        repeated=amount.repeated,
        differing=list(amount.differing),
    )


def to_operation(operation: Operation) -> OperationView:
    """Return an operation as it is shown."""
    facts = operation.facts
    return OperationView(
        operation_id=operation.operation_id,
        kind=operation.kind,
        gem_id=operation.subject_id,
        gem=facts.get("gem", ""),
        other_ids=list(operation.others),
        others=list(facts.get("others", ())),
        documents=facts.get("documents", 0),
        passages=facts.get("passages", 0),
        made_at=operation.made_at,
        undone_at=operation.undone_at,
    )


def to_deletion(rows: Mapping[str, int]) -> DeletionView:
    """Return what would go, as it is shown."""
    return DeletionView(dry_run=True, undoable=False, rows={name: count for name, count in rows.items() if count})

"""What differs between two moments of gems, over the wire."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.wire import View
from knowledge.keeping import GemDifference

# tables by what people call their rows
ROWS = {
    "entity": "entities",
    "entity_name": "names",
    "graph_predicate": "predicates",
    "relation": "relations",
    "graph_change": "graph_changes",
    "measurement": "measurements",
    "reflection": "reflections",
    "reflection_evidence": "evidence",
    "reflection_attempt": "attempts",
    "entanglement": "entanglements",
}
TOLD_APART = ("entities", "relations", "entanglements")


class FieldChangeView(View, frozen=True, kw_only=True):
    """A field that differs."""

    before: Annotated[Any, Meta(description="On the side before.")]
    after: Annotated[Any, Meta(description="On the side after.")]


class RowChangeView(View, frozen=True, kw_only=True):
    """A row that differs."""

    change: Annotated[str, Meta(description="`added`, `removed` or `changed`.")]
    before: Annotated[dict[str, Any] | None, Meta(description="The row before; null if there was none.")]
    after: Annotated[dict[str, Any] | None, Meta(description="The row after; null if there is none.")]


class RowsView(View, frozen=True, kw_only=True):
    """What differs among rows of one kind."""

    added: Annotated[int, Meta(description="Rows that only the side after has.")] = 0
    removed: Annotated[int, Meta(description="Rows that only the side before has.")] = 0
    changed: Annotated[int, Meta(description="Rows of both that are not alike.")] = 0
    shown: Annotated[list[RowChangeView], Meta(description="The first 100 of them.")] = msgspec.field(
        default_factory=list
    )


class DocumentChangeView(View, frozen=True, kw_only=True):
    """A document that differs."""

    document_id: Annotated[UUID, Meta(description="The document's id.")]
    external_id: Annotated[str | None, Meta(description="The `id` it was sent with.")]
    title: Annotated[str | None, Meta(description="One line.")]
    change: Annotated[str, Meta(description="`added`, `removed` or `changed`.")]
    fields: Annotated[list[str], Meta(description="Of its fields, those that differ.")]
    passages: Annotated[int, Meta(description="Passages of it that came, went or are others.")]
    vectors: Annotated[bool, Meta(description="Whether its vectors or token states differ.")]
    graph: Annotated[bool, Meta(description="Whether its mentions, or what it supersedes, differ.")]


class DocumentsView(View, frozen=True, kw_only=True):
    """What differs among documents."""

    added: Annotated[int, Meta(description="Documents that only the side after has.")]
    removed: Annotated[int, Meta(description="Documents that only the side before has.")]
    changed: Annotated[int, Meta(description="Documents of both that are not alike; states do not count.")]
    states_changed: Annotated[int, Meta(description="Passages of both whose states differ.")]
    shown: Annotated[list[DocumentChangeView], Meta(description="The first 100 of them.")]


class GemDifferenceView(View, frozen=True, kw_only=True):
    """What differs in a gem."""

    gem_id: Annotated[UUID, Meta(description="The gem's id.")]
    name: Annotated[str, Meta(description="After; before, if it is gone.")]
    change: Annotated[str | None, Meta(description="`added` or `removed` if one side alone has it; else null.")]
    gem: Annotated[dict[str, FieldChangeView], Meta(description="Its fields that differ, its state among them.")]
    documents: DocumentsView
    entities: RowsView
    relations: RowsView
    entanglements: RowsView
    others: Annotated[dict[str, RowsView], Meta(description="Other kinds of rows, where some differ.")]


class SnapshotDifferenceView(View, frozen=True, kw_only=True):
    """What changed from one moment to another."""

    snapshot_id: Annotated[UUID, Meta(description="The side before.")]
    against: Annotated[UUID | None, Meta(description="The side after; null is the present.")]
    gems: Annotated[list[GemDifferenceView], Meta(description="Those that changed.")]


def to_difference(found: GemDifference) -> GemDifferenceView:
    """Return what differs in a gem as it is shown."""
    rows = {
        ROWS.get(name, name): msgspec.convert(each, RowsView, from_attributes=True)
        for name, each in found.tables.items()
    }
    documents = found.documents
    return GemDifferenceView(
        gem_id=found.gem_id,
        name=found.name,
        change=found.change,
        gem={
            "metadata" if name == "meta" else name: FieldChangeView(before=each.before, after=each.after)
            for name, each in found.fields.items()
        },
        documents=DocumentsView(
            added=documents.added,
            removed=documents.removed,
            changed=documents.changed,
            states_changed=documents.states,
            shown=[msgspec.convert(each, DocumentChangeView, from_attributes=True) for each in documents.shown],
        ),
        **{name: rows.pop(name, RowsView()) for name in TOLD_APART},
        others=rows,
    )

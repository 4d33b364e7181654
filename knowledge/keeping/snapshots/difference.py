"""What differs between two moments of a gem. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

Change = Literal["added", "removed", "changed"]
SHOWN = 100  # of documents, and of rows of each table; counts tell of all

STATE = frozenset({"energy", "phase", "coherence", "uncertainty", "measured_at"})
# of a gem, what only says how often it was written
BESIDE = frozenset({"version", "next_slot", "sealed_slot", "updated_at"})
# numbers of places within a gem say nothing by themselves; vectors of names are made as they are needed
UNTOLD = frozenset({"slot", "embedding"})

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field, before and after; JSON values."""

    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A document that differs.

    Attributes:
        change: whether only one side has it, or both do.
        fields: of the document that differ, if both have it.
        passages: of it that came, went or have another text or place in it.
        vectors: whether its vectors or token states differ.
        graph: whether what it says of entities, or what it takes the place of, differs.
    """

    document_id: UUID
    external_id: str | None
    title: str | None
    change: Change
    fields: tuple[str, ...] = ()
    passages: int = 0
    vectors: bool = False
    graph: bool = False


@dataclass(frozen=True, slots=True)
class DocumentsDifference:
    """What differs in the documents of a gem.

    Attributes:
        changed: documents that both sides have, and not alike; one of which only states differ is none of them.
        states: passages of documents of both sides whose states differ.
        places: documents whose passages have other slots, which nobody sees.
        shown: the first SHOWN of those that came, went or changed.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    states: int = 0
    places: int = 0
    shown: tuple[DocumentChange, ...] = ()


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that differs; on the side that has none, None."""

    change: Change
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class RowsDifference:
    """What differs in a table.

    Attributes:
        shown: the first SHOWN of them.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    shown: tuple[RowChange, ...] = ()

    @property
    def total(self) -> int:
        """How many rows differ."""
        return self.added + self.removed + self.changed


@dataclass(frozen=True, slots=True)
class GemDifference:
    """What differs between two moments of a gem.

    Attributes:
        name: as it is afterwards; as it was, if it is gone.
        change: whether only one side has the gem; None if both do.
        fields: of the gem that differ, by name; its state among them.
        tables: by name, those in which rows differ.
    """

    gem_id: UUID
    name: str
    change: Change | None = None
    fields: Mapping[str, FieldChange] = field(default_factory=dict)
    documents: DocumentsDifference = DocumentsDifference()
    tables: Mapping[str, RowsDifference] = field(default_factory=dict)

    @property
    def is_none(self) -> bool:
        """Whether nothing that anybody sees differs."""
        found = self.documents
        return not (
            self.change or self.fields or self.tables or found.added + found.removed + found.changed + found.states
        )


def compare_gems(before: Row | None, after: Row | None) -> dict[str, FieldChange]:
    """Return the fields of a gem's row in which two sides differ; none if one of them has no such gem."""
    if before is None or after is None:
        return {}
    return {
        name: FieldChange(before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if name not in BESIDE and before.get(name) != after.get(name)
    }


def compare_rows(before: Iterable[Row], after: Iterable[Row], key: Sequence[str]) -> RowsDifference:
    """Compare rows of a table, told apart by their keys; those that are alike on both sides may be among them."""
    was = {tuple(row[name] for name in key): row for row in before}
    counts = {"added": 0, "removed": 0, "changed": 0}
    shown: list[RowChange] = []

    def tell(change: Change, old: Row | None, new: Row | None) -> None:
        counts[change] += 1
        if len(shown) < SHOWN:
            shown.append(RowChange(change, old, new))

    for row in after:
        old, new = was.pop(tuple(row[name] for name in key), None), row
        if old != new:
            tell("added" if old is None else "changed", old, new)
    for old in was.values():
        tell("removed", old, None)
    return RowsDifference(**counts, shown=tuple(shown))


def compare_document(document_id: UUID, before: Row | None, after: Row | None, *, vectors: bool) -> DocumentChange:
    """Compare the contents of a document, by table; None where a side does not have it."""
    (told,) = (after or before or {})["document"]
    change: Change = "added" if before is None else "removed" if after is None else "changed"
    known = {"document_id": document_id, "external_id": told["external_id"], "title": told["title"]}
    if before is None or after is None:
        return DocumentChange(**known, change=change, passages=len((after or before or {})["passage"] or ()))
    (old,), (new,) = before["document"], after["document"]
    passages = compare_rows(before["passage"] or (), after["passage"] or (), ("passage_id",))
    return DocumentChange(
        **known,
        change=change,
        fields=tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))),
        passages=passages.total,
        vectors=vectors,
        graph=any(before[name] != after[name] for name in ("supersession", "extracted_passage", "mention")),
    )


@dataclass(frozen=True, slots=True)
class StatesDifference:
    """How many passages of a document have another state, and whether any has another place in the gem."""

    states: int
    places: bool


def compare_states(before: Sequence[Row], after: Sequence[Row]) -> StatesDifference:
    """Compare the states of a document's passages; a passage that only one side has is none of them."""
    was = {row["passage_id"]: row for row in before}
    both = [(was[row["passage_id"]], row) for row in after if row["passage_id"] in was]
    return StatesDifference(
        states=sum(any(old[name] != new[name] for name in STATE) for old, new in both),
        places=any((old["slot"], old["around"]) != (new["slot"], new["around"]) for old, new in both),
    )


def tell_row(row: Row) -> Row:
    """Return what of a row is told."""
    return {name: value for name, value in row.items() if name not in UNTOLD}

"""Which documents a merge or a split takes, told before it runs and chosen again under the locks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from core.errors import DocumentNotFoundError, InvalidInputError
from core.text import clean_object, clean_string
from gems import GemChange
from knowledge.keeping.vectors import fetch
from knowledge.moving.way import SQL
from knowledge.store import Connection

MOST_SOURCES = 100  # gems merged into one at a time
MOST_DOCUMENTS = 10_000  # named by their ids; a source, a thread or metadata may mean any number


@dataclass(frozen=True, slots=True)
class ChosenDocument:
    """A document that goes, and where it stands in its thread."""

    document_id: UUID
    position: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a gem goes.

    Attributes:
        passages: how many the documents have.
        repeated: how many documents stay since the other gem has them as they are.
        differing: the ids of those that stay since the other gem has another text of the same id.
    """

    documents: tuple[ChosenDocument, ...]
    passages: int
    repeated: int = 0
    differing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Amount:
    """How much a merge or a split moves.

    Attributes:
        entities: that the moved passages and relations name.
        relations: that the moved documents claim to hold.
        repeated, differing: as in `Choice`.
    """

    documents: int = 0
    passages: int = 0
    entities: int = 0
    relations: int = 0
    repeated: int = 0
    differing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitWish:
    """Which documents become a gem of their own: those that are all of what is given.

    Attributes:
        name: of the new gem.
        document_ids: by their ids.
        source: where they came from.
        thread: that they belong to.
        metadata: that theirs contains.
    """

    name: str
    document_ids: tuple[UUID, ...] | None = None
    source: str | None = None
    thread: str | None = None
    metadata: Mapping[str, Any] | None = None

    def checked(self) -> "SplitWish":
        """Return the wish with its texts as they are stored.

        Raises:
            InvalidInputError: a bad name, nothing that says which documents, or too many of them.
        """
        name = GemChange(name=self.name).checked().name
        if self.document_ids is None and self.source is None and self.thread is None and not self.metadata:
            raise InvalidInputError("document_ids", "or source, thread or metadata must say which documents go")
        if self.document_ids is not None and not 1 <= len(set(self.document_ids)) <= MOST_DOCUMENTS:
            raise InvalidInputError("document_ids", f"must be 1 to {MOST_DOCUMENTS:,}, are {len(self.document_ids):,}")
        return SplitWish(
            name=name or self.name,
            document_ids=None if self.document_ids is None else tuple(dict.fromkeys(self.document_ids)),
            source=None if self.source is None else clean_string(self.source, "source"),
            thread=None if self.thread is None else clean_string(self.thread, "thread"),
            metadata=clean_object(self.metadata, "metadata") if self.metadata else None,
        )


@dataclass(slots=True)
class Merging:
    """What several gems give to one, in their order: what one brings, a later one does not bring again."""

    brought: dict[str | bytes, bytes] = field(default_factory=dict)

    async def choose(self, conn: Connection, source: UUID, target: UUID) -> Choice:
        """Return what the next gem brings."""
        rows = await fetch(conn, SQL["list_merged"], {"source": source, "target": target})
        goes: list[dict[str, Any]] = []
        repeated, differing = 0, []
        for row in rows:
            identity, digest = row["external_id"] or bytes(row["content_hash"]), bytes(row["content_hash"])
            known = self.brought.get(identity) or row["known_hash"]
            if known is None:
                self.brought[identity] = digest
                goes.append(row)
            elif bytes(known) == digest:
                repeated += 1
            else:
                differing.append(str(row["external_id"]))
        return _to_choice(goes, repeated, tuple(differing))


async def choose_split(conn: Connection, gem_id: UUID, wish: SplitWish) -> Choice:
    """Return what a checked wish means.

    Raises:
        DocumentNotFoundError: a document that is named is not in the gem.
        InvalidInputError: it means no document.
    """
    values = {
        "source": gem_id,
        "document_ids": None if wish.document_ids is None else list(wish.document_ids),
        "source_name": wish.source,
        "thread": wish.thread,
        "metadata": None if wish.metadata is None else Jsonb(dict(wish.metadata)),
    }
    if wish.document_ids is not None:
        named = await fetch(conn, SQL["list_named"], values)
        if missing := sorted({str(i) for i in wish.document_ids} - {str(row["document_id"]) for row in named}):
            raise DocumentNotFoundError(f"no document with id {', '.join(missing)} in this gem", document_ids=missing)
    rows = await fetch(conn, SQL["list_split"], values)
    if not rows:
        asked = [name for name in ("document_ids", "source", "thread", "metadata") if getattr(wish, name) is not None]
        raise InvalidInputError(", ".join(asked), "no document of the gem is all of what was asked for")
    return _to_choice(rows, 0, ())


async def measure(conn: Connection, source: UUID, choice: Choice) -> Amount:
    """Say how much a choice is."""
    ids = [each.document_id for each in choice.documents]
    (row,) = await fetch(conn, SQL["count_graph"], {"source": source, "document_ids": ids})
    return Amount(
        documents=len(ids),
        passages=choice.passages,
        entities=row["entities"],
        relations=row["relations"],
        repeated=choice.repeated,
        differing=choice.differing,
    )


def add_up(amounts: Sequence[Amount]) -> Amount:
    """Return what several gems give, together; an entity that two of them name counts for each."""
    return Amount(
        documents=sum(each.documents for each in amounts),
        passages=sum(each.passages for each in amounts),
        entities=sum(each.entities for each in amounts),
        relations=sum(each.relations for each in amounts),
        repeated=sum(each.repeated for each in amounts),
        differing=tuple(name for each in amounts for name in each.differing),
    )


def _to_choice(rows: Sequence[Mapping[str, Any]], repeated: int, differing: tuple[str, ...]) -> Choice:
    documents = tuple(ChosenDocument(row["document_id"], row["position"]) for row in rows)
    return Choice(documents, sum(row["passages"] for row in rows), repeated, differing)

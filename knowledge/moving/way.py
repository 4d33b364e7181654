"""A move of documents from one gem to another: from where to where, and what it did beside moving them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from core.sql import load_queries
from gems import Moment

SQL = load_queries("knowledge.sql", "moving.sql")


@dataclass(frozen=True, slots=True)
class Way:
    """Where documents go.

    Attributes:
        column: of the lattice's vectors.
        tables: beside those of knowledge, that name the gem of a document and follow it.
    """

    source: UUID
    target: UUID
    column: str
    at: Moment
    tables: tuple[str, ...] = ()

    @property
    def ends(self) -> dict[str, Any]:
        """The two gems, as queries name them."""
        return {"source": self.source, "target": self.target}


@dataclass(frozen=True, slots=True)
class TakenDocument:
    """A document to be moved, and the place in its thread that it is to have; None: the one it has, if that is free."""

    document_id: UUID
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Renaming:
    """An entity that goes by another id in the other gem."""

    source_id: UUID
    target_id: UUID


@dataclass(frozen=True, slots=True)
class Naming:
    """A name that an entity of the other gem got."""

    key: str
    entity_id: UUID


@dataclass(frozen=True, slots=True)
class Wording:
    """A passage that was found to say the title of a document."""

    passage_id: UUID
    entity_id: UUID


@dataclass(frozen=True, slots=True)
class JoinedMention:
    """A mention of one of several entities that became one."""

    passage_id: UUID
    entity_id: UUID
    role: int


@dataclass(frozen=True, slots=True)
class JoinedClaim:
    """A claim about one of several entities that became one."""

    claim_id: UUID
    subject_id: UUID
    object_id: UUID


@dataclass(frozen=True, slots=True)
class Closing:
    """How a document was closed before a move, or that it was open."""

    document_id: UUID
    closed_at: datetime | None
    closed_by: UUID | None
    closed_reason: str | None


@dataclass(frozen=True, slots=True)
class Trace:
    """What a move did beside moving, so that a move back can take it back.

    Attributes:
        renamed: of the entities that went along, those of another id in the other gem.
        made: those that are new there.
        named: names that entities of the other gem got.
        worded: what was found between the texts and titles of both.
        mentions, claims: as they were, where several entities became one.
        marked: predicates of which the other gem took over what users said.
        closings: of documents that superseded ones closed or opened.
        changes: the last change of the other gem's graph before it.
    """

    source: UUID
    target: UUID
    moved_at: datetime
    renamed: tuple[Renaming, ...] = ()
    made: tuple[UUID, ...] = ()
    named: tuple[Naming, ...] = ()
    worded: tuple[Wording, ...] = ()
    mentions: tuple[JoinedMention, ...] = ()
    claims: tuple[JoinedClaim, ...] = ()
    marked: tuple[str, ...] = ()
    closings: tuple[Closing, ...] = ()
    changes: int = 0


TRACES = TypeAdapter(tuple[Trace, ...])

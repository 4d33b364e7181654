"""Relations between entities, in two times: when they held in the world, and when the lattice took them to hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from core.text import make_storable
from gems import Moment
from knowledge.documents import GivenRelation
from knowledge.graph.mentions import find_entities
from knowledge.graph.names import normalise
from knowledge.graph.predicates import spell_predicate
from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.succession import find_beginning
from knowledge.graph.versions import Group, settle

# a document's id, the slot of its first passage, its relations, and when what it tells happened
Told: TypeAlias = tuple[UUID, int | None, Sequence[GivenRelation], datetime | None]

_SQL = load("relations.sql")


@dataclass(frozen=True, slots=True)
class Relation:
    """One claim that relates two entities, as the lattice takes or took it to hold.

    Attributes:
        relation_id: of this version of the claim.
        claim_id: of the claim.
        origin: who found it: "given" by the caller, or a model.
        valid_from, valid_to: when it held in the world, as far as is known.
        known_from, known_to: when the lattice took it to hold; `known_to` is None while it does.
        closed_by: the claim that ended it, or that was kept instead of it.
        closed_reason: "replaced" if its end follows from a later claim; else why it is no longer taken to hold.
        support: how many documents say so.
    """

    relation_id: UUID
    claim_id: UUID
    subject_id: UUID
    subject: str
    predicate: str
    object_id: UUID
    object: str
    origin: str
    valid_from: datetime | None
    valid_to: datetime | None
    known_from: datetime
    known_to: datetime | None
    learned_at: datetime
    closed_by: UUID | None
    closed_reason: str | None
    document_id: UUID | None
    title: str | None
    external_id: str | None
    support: int


@dataclass(frozen=True, slots=True)
class RelationQuery:
    """Which relations are asked for.

    Attributes:
        as_of: as they were known then; None means now.
        valid_at: only those that held then in the world; where a bound is unknown, it does not exclude.
        subject_id, object_id: of these entities.
        entity_id: with this one at either end.
        predicate: in any spelling.
    """

    as_of: datetime | None = None
    valid_at: datetime | None = None
    subject_id: UUID | None = None
    object_id: UUID | None = None
    entity_id: UUID | None = None
    predicate: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """One claim to be stored, its names as they were given."""

    document_id: UUID
    slot: int | None
    given: GivenRelation
    predicate: str
    begins_at: datetime | None
    relation_id: UUID = field(default_factory=uuid4)


async def write_relations(conn: Connection, gem_id: UUID, documents: Sequence[Told], at: Moment, origin: str) -> None:
    """Store what documents claim, and close what that replaces; the gem is locked.

    A relation without a subject, predicate or object is left out. What a document says twice is stored once; what
    several documents say is stored for each, so that it stands as long as one of them does.
    """
    rows = [row for told in documents for row in _plan_rows(told, at.now)]
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in (row.given.subject, row.given.object)))
    entities = await find_entities(conn, gem_id, names, create=True)
    await conn.execute(_SQL["insert_relations"], _values(gem_id, rows, entities, at.now, origin))
    groups = (Group(entities[normalise(row.given.subject)], row.predicate) for row in rows)
    await settle(conn, gem_id, groups, at)


async def close_unsupported(
    conn: Connection, gem_id: UUID, document_ids: Sequence[UUID], at: Moment, reason: str
) -> None:
    """Close what these documents claim; what others claim too stands. What they had replaced holds again."""
    if not document_ids:
        return
    values = {"gem_id": gem_id, "document_ids": list(document_ids), "now": at.now, "reason": reason}
    rows = await fetch(conn, _SQL["close_documents_relations"], values)
    await conn.execute(_SQL["forget_extracted"], values)
    await settle(conn, gem_id, (Group(**row) for row in rows), at)


async def list_relations(
    conn: Connection,
    gem_id: UUID,
    query: RelationQuery,
    at: Moment,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[Relation]:
    """Return a page of relations, learned last first; what several documents say is one, counted."""
    before_at, before_id = before or (None, None)
    values = {
        "gem_id": gem_id,
        "as_of": query.as_of or at.now,
        "valid_at": query.valid_at,
        "subject_id": query.subject_id,
        "object_id": query.object_id,
        "entity_id": query.entity_id,
        "predicate": None if query.predicate is None else spell_predicate(make_storable(query.predicate)),
        "before_at": before_at,
        "before_id": before_id,
        "limit": limit,
    }
    return [to_relation(row) for row in await fetch(conn, _SQL["list_relations"], values)]


def to_relation(row: dict[str, Any]) -> Relation:
    """Return a relation of a row that has its fields, whatever else it has."""
    return Relation(**{name: row[name] for name in Relation.__dataclass_fields__})


def _plan_rows(told: Told, now: datetime) -> Iterable[_Row]:
    document_id, slot, relations, occurred_at = told
    rows: dict[object, _Row] = {}
    for given in relations:
        predicate = spell_predicate(given.predicate)
        subject, object_ = normalise(given.subject), normalise(given.object)
        if subject and predicate and object_:
            begins_at = find_beginning(given.valid_from, given.valid_to, occurred_at, now)
            key = (subject, predicate, object_, given.valid_from, given.valid_to)
            rows.setdefault(key, _Row(document_id, slot, given, predicate, begins_at))
    return rows.values()


def _values(
    gem_id: UUID, rows: Sequence[_Row], entities: dict[str, UUID], now: datetime, origin: str
) -> dict[str, Any]:
    return {
        "gem_id": gem_id,
        "origin": origin,
        "now": now,
        "ids": [row.relation_id for row in rows],
        "subject_ids": [entities[normalise(row.given.subject)] for row in rows],
        "subject_names": [row.given.subject for row in rows],
        "predicates": [row.predicate for row in rows],
        "object_ids": [entities[normalise(row.given.object)] for row in rows],
        "object_names": [row.given.object for row in rows],
        "document_ids": [row.document_id for row in rows],
        "slots": [row.slot for row in rows],
        "valid_froms": [row.given.valid_from for row in rows],
        "valid_tos": [row.given.valid_to for row in rows],
        "begins": [row.begins_at for row in rows],
    }

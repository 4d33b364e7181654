"""What models found in passages, in Postgres: kept by content, and written into the graph of a gem.

Every function takes a connection in a transaction that the caller owns.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from gems import Moment, advance_gem
from knowledge.documents import GivenRelation
from knowledge.graph.belief import Believed
from knowledge.graph.extraction import ShownPassage
from knowledge.graph.mentions import NAME, find_entities
from knowledge.graph.names import LONGEST_TEXT, normalise
from knowledge.graph.predicates import spell_predicate
from knowledge.graph.relations import write_relations
from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.versions import Group, settle

ORIGIN = "llm"  # of relations that a model found
TAKEN_BACK = "not found again"
KEPT_DAYS = 30  # that what was found is kept for a text that no passage has any more

_SQL = load("extraction.sql")


@dataclass(frozen=True, slots=True)
class Mark:
    """Who looked into a passage: which version of the question, and which model."""

    version: str
    model: str


@dataclass(frozen=True, slots=True)
class PendingPassage:
    """A passage that is to be looked into; `key` is that of what is shown of it."""

    slot: int
    document_id: UUID
    shown: ShownPassage
    key: bytes


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a relation says, told apart from others of its passage."""

    slot: int
    subject_id: UUID
    predicate: str
    object_id: UUID
    valid_from: datetime | None
    valid_to: datetime | None


async def list_pending(conn: Connection, gem_id: UUID, mark: Mark, *, after: int, limit: int) -> list[PendingPassage]:
    """Return the next passages into which nobody of this mark has looked, from after a slot on."""
    values = {"gem_id": gem_id, "after": after, "limit": limit, "version": mark.version, "model": mark.model}
    rows = await fetch(conn, _SQL["pending_passages"], {**values, "longest": LONGEST_TEXT})
    return [_to_pending(row) for row in rows]


async def find_known(conn: Connection, keys: Iterable[bytes], mark: Mark) -> dict[bytes, Believed]:
    """Return what is known already of passages of these keys."""
    values = {"hashes": list(set(keys)), "version": mark.version, "model": mark.model}
    rows = await fetch(conn, _SQL["find_extractions"], values)
    return {bytes(row["content_hash"]): Believed.from_json(row["found"]) for row in rows}


async def list_known(conn: Connection, keys: Iterable[bytes], mark: Mark) -> set[bytes]:
    """Return of which of these keys something is known."""
    values = {"hashes": list(set(keys)), "version": mark.version, "model": mark.model}
    return {bytes(row["hash"]) for row in await fetch(conn, _SQL["list_extractions"], values)}


async def keep_found(conn: Connection, found: Mapping[bytes, Believed], mark: Mark, at: Moment) -> None:
    """Keep what was found, by the keys of the passages."""
    values = {"hashes": list(found), "found": [Jsonb(each.as_json()) for each in found.values()], "now": at.now}
    await conn.execute(_SQL["put_extractions"], {**values, "version": mark.version, "model": mark.model})


async def forget_unused(conn: Connection) -> None:
    """Forget what was found in texts that are gone."""
    await conn.execute(_SQL["forget_extractions"], {"kept_days": KEPT_DAYS})


async def write_found(
    conn: Connection, gem_id: UUID, found: Sequence[tuple[PendingPassage, Believed]], mark: Mark, at: Moment
) -> None:
    """Write what was found in passages into the graph, in the place of what was found there before.

    Passages that are gone or closed meanwhile are left out. The gem is locked.
    """
    values = {"gem_id": gem_id, "slots": [passage.slot for passage, _ in found]}
    opened = {row["slot"] for row in await fetch(conn, _SQL["list_open"], values)}
    found = [(passage, believed) for passage, believed in found if passage.slot in opened]
    if not found:
        return
    named = [(passage.slot, entity) for passage, believed in found for entity in believed.entities]
    ids = await find_entities(conn, gem_id, [entity.name for _, entity in named], create=True)
    mentions = [(slot, ids[normalise(entity.name)]) for slot, entity in named]
    await _name(conn, gem_id, mentions)
    kinds = {ids[normalise(entity.name)]: entity.kind for _, entity in named if entity.kind}
    values = {"gem_id": gem_id, "entity_ids": list(kinds), "kinds": list(kinds.values())}
    await conn.execute(_SQL["put_kinds"], values)
    await _relate(conn, gem_id, found, ids, at)
    marked = {"slots": [passage.slot for passage, _ in found], "hashes": [passage.key for passage, _ in found]}
    await conn.execute(
        _SQL["mark_extracted"], {"gem_id": gem_id, "version": mark.version, "model": mark.model, **marked}
    )
    # what is remembered of questions knows the gem by its version, and links have changed
    await advance_gem(conn, gem_id, versions=1, slots=0, speakers=(), now=at.now)


async def _name(conn: Connection, gem_id: UUID, mentions: Sequence[tuple[int, UUID]]) -> None:
    slots, entity_ids = [slot for slot, _ in mentions], [entity_id for _, entity_id in mentions]
    values = {"gem_id": gem_id, "slots": slots, "entity_ids": entity_ids, "role": NAME}
    await conn.execute(_SQL["add_names"], values)


async def _relate(
    conn: Connection,
    gem_id: UUID,
    found: Sequence[tuple[PendingPassage, Believed]],
    ids: Mapping[str, UUID],
    at: Moment,
) -> None:
    """Take back what is not found again, leave what is, and write what is new."""
    values: dict[str, Any] = {
        "gem_id": gem_id,
        "origin": ORIGIN,
        "slots": [passage.slot for passage, _ in found],
        "document_ids": list({passage.document_id for passage, _ in found}),
    }
    rows = await fetch(conn, _SQL["list_told"], values)
    told = [(_Claim(**{name: row[name] for name in _Claim.__slots__}), row) for row in rows]
    known = {claim for claim, _ in told}
    again = {_to_claim(passage.slot, each, ids) for passage, believed in found for each in believed.relations}
    stale = [row["relation_id"] for claim, row in told if row["stands"] and claim not in again]
    if stale:
        values = {"gem_id": gem_id, "relation_ids": stale, "now": at.now, "reason": TAKEN_BACK}
        groups = await fetch(conn, _SQL["take_back"], values)
        await settle(conn, gem_id, (Group(**row) for row in groups), at)
    new = [
        (passage.document_id, passage.slot, relations, passage.shown.occurred_at)
        for passage, believed in found
        if (relations := [r for r in believed.relations if _to_claim(passage.slot, r, ids) not in known])
    ]
    await write_relations(conn, gem_id, new, at, ORIGIN)


def _to_claim(slot: int, relation: GivenRelation, ids: Mapping[str, UUID]) -> _Claim:
    ends = ids[normalise(relation.subject)], ids[normalise(relation.object)]
    return _Claim(slot, ends[0], spell_predicate(relation.predicate), ends[1], relation.valid_from, relation.valid_to)


def _to_pending(row: Mapping[str, Any]) -> PendingPassage:
    shown = ShownPassage(
        text=row["body"],
        tokens=min(row["tokens"], LONGEST_TEXT),
        title=row["title"],
        heading=row["heading"],
        speaker=row["speaker"],
        occurred_at=row["occurred_at"],
    )
    return PendingPassage(row["slot"], row["document_id"], shown, shown.key)

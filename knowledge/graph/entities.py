"""Entities as they are read: with their names, and with the passages that mention them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.errors import EntityNotFoundError
from core.text import make_storable
from knowledge.graph.mentions import find_entities
from knowledge.graph.names import normalise
from knowledge.graph.rows import Connection, fetch, load

MOST_COUNTED = 1_000  # passages; a name that half a gem says is not counted to its end

_SQL = load("graph.sql")


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that passages of a gem name.

    Attributes:
        name: as it was first met.
        kind: what it is, if somebody said.
        names: all it goes by, as they are compared.
        passages: how many mention it, counted up to MOST_COUNTED.
    """

    entity_id: UUID
    name: str
    kind: str | None
    names: tuple[str, ...]
    passages: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MentioningPassage:
    """A passage that mentions an entity."""

    passage_id: UUID
    document_id: UUID
    text: str
    title: str | None
    external_id: str | None
    occurred_at: datetime | None


async def list_entities(
    conn: Connection, gem_id: UUID, *, part: str | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Entity]:
    """Return a page of a gem's entities, newest first; only those of whose names one has `part` in it."""
    before_at, before_id = before or (None, None)
    key = None if part is None else normalise(make_storable(part))
    values = {"gem_id": gem_id, "part": key, "before_at": before_at, "before_id": before_id, "limit": limit}
    rows = await fetch(conn, _SQL["list_entities"], {**values, "most": MOST_COUNTED})
    return [_to_entity(row) for row in rows]


async def get_entities(conn: Connection, gem_id: UUID, entity_ids: Sequence[UUID]) -> list[Entity]:
    """Return entities in the order asked for.

    Raises:
        EntityNotFoundError: one of them is not in the gem.
    """
    values = {"gem_id": gem_id, "entity_ids": list(entity_ids), "most": MOST_COUNTED}
    found = {row["entity_id"]: _to_entity(row) for row in await fetch(conn, _SQL["get_entities"], values)}
    if missing := [str(each) for each in entity_ids if each not in found]:
        raise EntityNotFoundError(f"no entity with id {', '.join(missing)} in this gem", entity_ids=missing)
    return [found[each] for each in entity_ids]


async def resolve_entity(conn: Connection, gem_id: UUID, reference: str) -> UUID:
    """Return the id of the entity of this id or, failing that, of this name.

    Raises:
        EntityNotFoundError: there is none.
    """
    try:
        return (await get_entities(conn, gem_id, [UUID(reference)]))[0].entity_id
    except (ValueError, EntityNotFoundError):
        found = await find_entities(conn, gem_id, [reference], create=False)
    if entity_id := found.get(normalise(reference)):
        return entity_id
    raise EntityNotFoundError(f"no entity with id or name {reference!r} in this gem", entity=reference)


async def list_mentioning(conn: Connection, gem_id: UUID, entity_id: UUID, *, limit: int) -> list[MentioningPassage]:
    """Return the newest passages that mention an entity; those of closed documents are left out."""
    values = {"gem_id": gem_id, "entity_id": entity_id, "limit": limit}
    return [MentioningPassage(**row) for row in await fetch(conn, _SQL["list_mentioning"], values)]


def _to_entity(row: dict[str, Any]) -> Entity:
    return Entity(**{**row, "names": tuple(row["names"])})

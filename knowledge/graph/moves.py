"""What merging, splitting and undoing have in common: names, mentions and claims that go from one entity to another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.errors import EntityNotFoundError
from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.versions import Group

_SQL = load("resolution.sql")


@dataclass(frozen=True, slots=True)
class StoredEntity:
    """An entity as its row has it; the embedding in the words of Postgres, which are exact."""

    entity_id: UUID
    name: str
    kind: str | None
    embedding: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NameMove:
    """A name that goes from one entity to another."""

    key: str
    source: UUID
    target: UUID

    def reverse(self) -> "NameMove":
        """Return the way back."""
        return NameMove(self.key, self.target, self.source)


@dataclass(frozen=True, slots=True)
class ClaimMove:
    """A claim of which one end goes from one entity to another."""

    claim_id: UUID
    source: UUID
    target: UUID

    def reverse(self) -> "ClaimMove":
        """Return the way back."""
        return ClaimMove(self.claim_id, self.target, self.source)


@dataclass(frozen=True, slots=True)
class Mention:
    """A passage, by its slot, that mentions an entity."""

    entity_id: UUID
    slot: int
    role: int


@dataclass(frozen=True, slots=True)
class NamedClaim:
    """A claim with the names that its document gave to its ends."""

    claim_id: UUID
    subject_id: UUID
    subject_name: str
    object_id: UUID
    object_name: str
    slot: int | None


async def get_stored(conn: Connection, gem_id: UUID, entity_ids: Sequence[UUID]) -> list[StoredEntity]:
    """Return entities in the order asked for.

    Raises:
        EntityNotFoundError: one of them is not in the gem.
    """
    rows = await fetch(conn, _SQL["read_entities"], {"gem_id": gem_id, "entity_ids": list(entity_ids)})
    found = {row["entity_id"]: StoredEntity(**row) for row in rows}
    if missing := [str(each) for each in entity_ids if each not in found]:
        raise EntityNotFoundError(f"no entity with id {', '.join(missing)} in this gem", entity_ids=missing)
    return [found[each] for each in entity_ids]


async def insert_entities(conn: Connection, gem_id: UUID, entities: Sequence[StoredEntity]) -> None:
    """Store entities, without names."""
    values = {
        "gem_id": gem_id,
        "entity_ids": [each.entity_id for each in entities],
        "names": [each.name for each in entities],
        "kinds": [each.kind for each in entities],
        "embeddings": [each.embedding for each in entities],
        "created": [each.created_at for each in entities],
    }
    await conn.execute(_SQL["insert_entities"], values)


async def delete_entities(conn: Connection, gem_id: UUID, entity_ids: Sequence[UUID]) -> None:
    """Delete entities with what names and mentions they have left."""
    await conn.execute(_SQL["delete_entities"], {"gem_id": gem_id, "entity_ids": list(entity_ids)})


async def read_names(conn: Connection, gem_id: UUID, entity_ids: Sequence[UUID]) -> dict[str, UUID]:
    """Return the names of entities, each with its entity."""
    rows = await fetch(conn, _SQL["read_names"], {"gem_id": gem_id, "entity_ids": list(entity_ids)})
    return {row["key"]: row["entity_id"] for row in rows}


async def read_mentions(conn: Connection, gem_id: UUID, entity_ids: Sequence[UUID]) -> list[Mention]:
    """Return where entities are mentioned."""
    rows = await fetch(conn, _SQL["read_mentions"], {"gem_id": gem_id, "entity_ids": list(entity_ids)})
    return [Mention(**row) for row in rows]


async def read_claims(conn: Connection, gem_id: UUID, entity_ids: Sequence[UUID]) -> list[NamedClaim]:
    """Return the claims at whose ends entities stand, those no longer taken to hold included."""
    rows = await fetch(conn, _SQL["read_claims"], {"gem_id": gem_id, "entity_ids": list(entity_ids)})
    return [NamedClaim(**row) for row in rows]


async def add_names(conn: Connection, gem_id: UUID, entity_id: UUID, keys: Sequence[str]) -> None:
    """Let an entity go by names that are new to the gem."""
    await conn.execute(_SQL["insert_names"], {"gem_id": gem_id, "entity_id": entity_id, "keys": list(keys)})


async def remove_names(conn: Connection, gem_id: UUID, entity_id: UUID, keys: Sequence[str]) -> None:
    """Let an entity no longer go by names."""
    await conn.execute(_SQL["delete_names"], {"gem_id": gem_id, "entity_id": entity_id, "keys": list(keys)})


async def move_names(conn: Connection, gem_id: UUID, moves: Sequence[NameMove]) -> None:
    """Move names; one that stands for another entity than the move says stays."""
    values = {"keys": [each.key for each in moves], **_ends(moves)}
    await conn.execute(_SQL["move_names"], {"gem_id": gem_id, **values})


async def add_mentions(conn: Connection, gem_id: UUID, mentions: Iterable[Mention]) -> list[Mention]:
    """Store mentions of passages that are still there; return those that were not stored yet."""
    rows = await fetch(conn, _SQL["insert_mentions"], {"gem_id": gem_id, **_columns(mentions)})
    return [Mention(**row) for row in rows]


async def remove_mentions(conn: Connection, gem_id: UUID, mentions: Iterable[Mention]) -> None:
    """Delete mentions."""
    await conn.execute(_SQL["delete_mentions"], {"gem_id": gem_id, **_columns(mentions)})


async def move_claims(
    conn: Connection, gem_id: UUID, subjects: Sequence[ClaimMove], objects: Sequence[ClaimMove]
) -> set[Group]:
    """Move ends of claims in all their versions; return the groups they came from or went to."""
    claims = list({each.claim_id for each in (*subjects, *objects)})
    if not claims:
        return set()
    before = await fetch(conn, _SQL["list_claims_groups"], {"gem_id": gem_id, "claims": claims})
    for query, moves in (("move_subjects", subjects), ("move_objects", objects)):
        values = {"claims": [each.claim_id for each in moves], **_ends(moves)}
        await conn.execute(_SQL[query], {"gem_id": gem_id, **values})
    after = await fetch(conn, _SQL["list_claims_groups"], {"gem_id": gem_id, "claims": claims})
    return {Group(**row) for row in (*before, *after)}


def _ends(moves: Sequence[NameMove] | Sequence[ClaimMove]) -> dict[str, Any]:
    return {"sources": [each.source for each in moves], "targets": [each.target for each in moves]}


def _columns(mentions: Iterable[Mention]) -> dict[str, Any]:
    mentions = list(mentions)
    return {
        "entity_ids": [each.entity_id for each in mentions],
        "slots": [each.slot for each in mentions],
        "roles": [each.role for each in mentions],
    }

"""The log of what people changed in a gem's graph, and undoing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from core.errors import ChangeFollowedError, ChangeNotFoundError
from gems import Moment, advance_gem
from knowledge.graph import moves
from knowledge.graph.moves import ClaimMove, Mention, NameMove, StoredEntity
from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.versions import Group, Revision, settle, take_back

ChangeKind: TypeAlias = Literal["merge", "split", "alias", "resolve"]

_SQL = load("graph.sql")


@dataclass(frozen=True, slots=True)
class Change:
    """One change that was made to a gem's graph.

    Attributes:
        entities: that it touched.
        facts: what was done, in names; JSON values.
        undone_at: None while it stands.
    """

    change_id: UUID
    kind: ChangeKind
    entities: tuple[UUID, ...]
    facts: Mapping[str, Any]
    made_at: datetime
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Undo:
    """What a change did, row by row, so that it can be undone.

    Attributes:
        removed: entities that it removed.
        created: the entity that it made, and the one that this was split off.
        names_added: names that were new to the gem, and the entity that they were given to.
        names_moved, subjects, objects: from where to where.
        mentions_added, mentions_removed: of entities that are still there, or come back.
        revisions: of relations.
    """

    removed: tuple[StoredEntity, ...] = ()
    created: tuple[UUID, UUID] | None = None
    names_added: tuple[tuple[str, UUID], ...] = ()
    names_moved: tuple[NameMove, ...] = ()
    mentions_added: tuple[Mention, ...] = ()
    mentions_removed: tuple[Mention, ...] = ()
    subjects: tuple[ClaimMove, ...] = ()
    objects: tuple[ClaimMove, ...] = ()
    revisions: tuple[Revision, ...] = ()


_UNDO = TypeAdapter(Undo)


async def record_change(
    conn: Connection,
    gem_id: UUID,
    kind: ChangeKind,
    at: Moment,
    *,
    entities: Sequence[UUID],
    facts: Mapping[str, Any],
    undo: Undo,
) -> UUID:
    """Log a change, and let whoever cached something of the gem know; return the change's id."""
    change_id = uuid4()
    values = {"gem_id": gem_id, "change_id": change_id, "kind": kind, "entities": list(entities), "now": at.now}
    contents = {"facts": Jsonb(dict(facts)), "undo": Jsonb(_UNDO.dump_python(undo, mode="json"))}
    await conn.execute(_SQL["insert_change"], {**values, **contents})
    await _touch(conn, gem_id, at)
    return change_id


async def get_change(conn: Connection, gem_id: UUID, change_id: UUID) -> Change:
    """Return a change.

    Raises:
        ChangeNotFoundError: there is none of this id in the gem.
    """
    return _to_change(await _get_row(conn, gem_id, change_id))


async def list_changes(
    conn: Connection, gem_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Change]:
    """Return a page of changes, the last one first."""
    values = {"gem_id": gem_id, "before_id": before and before[1], "limit": limit}
    return [_to_change(row) for row in await fetch(conn, _SQL["list_changes"], values)]


async def undo_change(conn: Connection, gem_id: UUID, change_id: UUID | None, at: Moment) -> Change:
    """Undo a change, the last one that stands if none is named; the gem is locked.

    What came by ingestion since then stays: with the entity that a merge kept, or that a split was made of.

    Raises:
        ChangeNotFoundError: there is none of this id, it is undone already, or none stands.
        ChangeFollowedError: a later change touched the same entities and still stands.
    """
    row = await _get_row(conn, gem_id, change_id)
    if row["undone_at"] is not None:
        raise ChangeNotFoundError(f"the change {change_id} is undone already", change_id=str(change_id))
    values = {"gem_id": gem_id, "ordinal": row["ordinal"], "entities": row["entities"]}
    if followers := [str(each["change_id"]) for each in await fetch(conn, _SQL["list_followers"], values)]:
        raise ChangeFollowedError(
            f"later changes touched the same entities; undo first {', '.join(followers)}", change_ids=followers
        )
    await _take_back(conn, gem_id, _UNDO.validate_python(row["undo"]), at)
    await conn.execute(_SQL["mark_undone"], {"gem_id": gem_id, "change_id": row["change_id"], "now": at.now})
    await _touch(conn, gem_id, at)
    return _to_change({**row, "undone_at": at.now})


async def _take_back(conn: Connection, gem_id: UUID, undo: Undo, at: Moment) -> None:
    if undo.removed:
        await moves.insert_entities(conn, gem_id, undo.removed)
    await moves.remove_mentions(conn, gem_id, undo.mentions_added)
    await moves.add_mentions(conn, gem_id, undo.mentions_removed)
    await moves.move_names(conn, gem_id, [each.reverse() for each in undo.names_moved])
    for key, entity_id in undo.names_added:
        await moves.remove_names(conn, gem_id, entity_id, [key])
    subjects, objects = ([move.reverse() for move in ends] for ends in (undo.subjects, undo.objects))
    groups = await moves.move_claims(conn, gem_id, subjects, objects)
    if undo.created is not None:
        groups |= await _absorb(conn, gem_id, *undo.created)
    await take_back(conn, undo.revisions)
    await settle(conn, gem_id, groups, at)


async def _absorb(conn: Connection, gem_id: UUID, created: UUID, origin: UUID) -> set[Group]:
    """Give back what an entity that is to vanish has met since it was made."""
    names = [NameMove(key, created, origin) for key in await moves.read_names(conn, gem_id, [created])]
    await moves.move_names(conn, gem_id, names)
    met = await moves.read_mentions(conn, gem_id, [created])
    await moves.add_mentions(conn, gem_id, [Mention(origin, each.slot, each.role) for each in met])
    claims = await moves.read_claims(conn, gem_id, [created])
    subjects = [ClaimMove(each.claim_id, created, origin) for each in claims if each.subject_id == created]
    objects = [ClaimMove(each.claim_id, created, origin) for each in claims if each.object_id == created]
    groups = await moves.move_claims(conn, gem_id, subjects, objects)
    await moves.delete_entities(conn, gem_id, [created])
    return groups


async def _get_row(conn: Connection, gem_id: UUID, change_id: UUID | None) -> dict[str, Any]:
    rows = await fetch(conn, _SQL["find_change"], {"gem_id": gem_id, "change_id": change_id})
    if not rows:
        problem = "nothing is left to undo" if change_id is None else f"no change with id {change_id} in this gem"
        raise ChangeNotFoundError(problem, **({} if change_id is None else {"change_id": str(change_id)}))
    return rows[0]


async def _touch(conn: Connection, gem_id: UUID, at: Moment) -> None:
    await advance_gem(conn, gem_id, versions=1, slots=0, speakers=(), now=at.now)


def _to_change(row: Mapping[str, Any]) -> Change:
    return Change(row["change_id"], row["kind"], tuple(row["entities"]), row["facts"], row["made_at"], row["undone_at"])

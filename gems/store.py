"""Gems in Postgres. Every function takes a connection in a transaction that the caller owns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg import AsyncConnection, errors
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from core.errors import GemArchivedError, GemNameTakenError, GemNotFoundError
from core.sql import load_queries
from gems.gem import Gem, GemChange, to_gem

_SQL = load_queries("gems.sql", "gems.sql")
FEEDBACK_WEIGHT = 0.3  # how much the newest rating counts in F_n

Connection = AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is looked at, and how long a τ is: all that evolution needs to know of time."""

    now: datetime
    time_unit: timedelta

    @property
    def tau_s(self) -> float:
        """The length of τ in seconds."""
        return self.time_unit.total_seconds()


@dataclass(frozen=True, slots=True)
class Measurement:
    """One entry of a gem's log.

    Attributes:
        measurement_id: its place in the log of its lattice.
        passage_id: the passage that was measured; None for the gem itself.
        via_gem_id: the gem whose use reached this one through an entanglement.
        state_at: the moment whose state a restore set; None for that of the entry itself.
    """

    measurement_id: int
    gem_id: UUID
    passage_id: UUID | None
    reflection_id: UUID | None
    cause: str
    gain: float
    energy: float
    phase: float
    coherence: float
    uncertainty: float
    measured_at: datetime
    via_gem_id: UUID | None = None
    state_at: datetime | None = None


async def insert_gem(conn: Connection, change: GemChange, at: Moment) -> Gem:
    """Store a new gem, and its birth in its log.

    Raises:
        GemNameTakenError: the lattice has a gem of this name.
    """
    texts = {"name": change.name, "description": change.description or ""}
    values = {"gem_id": uuid4(), **texts, "meta": Jsonb(change.metadata or {}), "now": at.now, "tau_s": at.tau_s}
    return to_gem(await _one_named(conn, "insert_gem", values), at.now, at.time_unit)


async def get_gems(conn: Connection, gem_ids: Sequence[UUID], at: Moment) -> list[Gem]:
    """Return gems in the order asked for.

    Raises:
        GemNotFoundError: one of them is not in the lattice.
    """
    rows = {row["gem_id"]: row for row in await _all(conn, "get_gems", {"gem_ids": list(gem_ids)})}
    if missing := [str(gem_id) for gem_id in gem_ids if gem_id not in rows]:
        raise GemNotFoundError(f"no gem with id {', '.join(missing)}", gem_ids=missing)
    return [to_gem(rows[gem_id], at.now, at.time_unit) for gem_id in gem_ids]


async def find_gem(conn: Connection, name: str, at: Moment) -> Gem | None:
    """Return the gem of this name, or None."""
    rows = await _all(conn, "find_by_name", {"name": name})
    return to_gem(rows[0], at.now, at.time_unit) if rows else None


async def lock_gem(conn: Connection, gem_id: UUID, at: Moment) -> Gem:
    """Return a gem for writing; others who want to write into it wait until this transaction ends.

    Raises:
        GemNotFoundError: it is not in the lattice.
        GemArchivedError: it is archived.
    """
    gem = to_gem(await _one(conn, "lock_gem", gem_id, {}), at.now, at.time_unit)
    if gem.archived_at is not None:
        raise GemArchivedError(f"gem {gem.name!r} is archived and read only; restore it first", gem_id=str(gem_id))
    return gem


async def list_gems(
    conn: Connection, at: Moment, *, archived: bool | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Gem]:
    """Return a page of gems, newest first."""
    before_at, before_id = before or (None, None)
    values = {"archived": archived, "before_at": before_at, "before_id": before_id, "limit": limit}
    return [to_gem(row, at.now, at.time_unit) for row in await _all(conn, "list_gems", values)]


async def list_active(conn: Connection) -> list[UUID]:
    """Return the ids of all gems that are not archived."""
    return [row["gem_id"] for row in await _all(conn, "list_active", {})]


async def update_gem(conn: Connection, gem_id: UUID, change: GemChange, at: Moment) -> Gem:
    """Change what is given."""
    meta = None if change.metadata is None else Jsonb(change.metadata)
    values = {"gem_id": gem_id, "name": change.name, "description": change.description, "meta": meta, "now": at.now}
    return to_gem(await _one_named(conn, "update_gem", values), at.now, at.time_unit)


async def archive_gem(conn: Connection, gem_id: UUID, at: Moment) -> Gem:
    """Make a gem read only."""
    return to_gem(await _one(conn, "archive_gem", gem_id, {"now": at.now}), at.now, at.time_unit)


async def restore_gem(conn: Connection, gem_id: UUID, at: Moment) -> Gem:
    """Make an archived gem writable again."""
    return to_gem(await _one(conn, "restore_gem", gem_id, {"now": at.now}), at.now, at.time_unit)


async def delete_gem(conn: Connection, gem_id: UUID) -> None:
    """Delete a gem and everything under it."""
    await _one(conn, "delete_gem", gem_id, {})


async def advance_gem(
    conn: Connection, gem_id: UUID, *, versions: int, slots: int, speakers: Sequence[str], now: datetime
) -> tuple[int, int]:
    """Take versions for a write and slots for its passages; return the last of the versions, the first of the slots."""
    values = {"versions": versions, "slots": slots, "speakers": list(speakers), "now": now}
    row = await _one(conn, "advance_gem", gem_id, values)
    return row["version"], row["first_slot"]


async def rate_gem(conn: Connection, gem_id: UUID, rating: float, at: Moment) -> Gem:
    """Let a user's rating in [−1, 1] move the gem's feedback F_n."""
    values = {"rating": rating, "weight": FEEDBACK_WEIGHT}
    return to_gem(await _one(conn, "rate_gem", gem_id, values), at.now, at.time_unit)


async def list_measurements(
    conn: Connection, gem_id: UUID, *, before: tuple[datetime, int] | None, limit: int
) -> list[Measurement]:
    """Return a page of a gem's log, newest first, after an entry's moment and id."""
    moment, measurement_id = before or (None, None)
    values = {"gem_id": gem_id, "moment": moment, "measurement_id": measurement_id, "limit": limit}
    rows = await _all(conn, "list_measurements", values)
    return [Measurement(**{name: row[name] for name in Measurement.__dataclass_fields__}) for row in rows]


async def _all(conn: Connection, query: LiteralString, values: Mapping[str, Any]) -> list[DictRow]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()


async def _one(conn: Connection, query: LiteralString, gem_id: UUID, values: Mapping[str, Any]) -> DictRow:
    rows = await _all(conn, query, {"gem_id": gem_id, **values})
    if not rows:
        raise GemNotFoundError(f"no gem with id {gem_id}", gem_ids=[str(gem_id)])
    return rows[0]


async def _one_named(conn: Connection, query: LiteralString, values: Mapping[str, Any]) -> DictRow:
    try:
        return await _one(conn, query, values["gem_id"], values)
    except errors.UniqueViolation as e:
        raise GemNameTakenError(f"a gem named {values['name']!r} exists already", name=values["name"]) from e

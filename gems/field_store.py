"""What the questions of the field read from Postgres, in transactions that the caller owns."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from core.pg import Connection
from core.sql import load_queries
from gems.forecast import Point, falls_at
from gems.gem import Gem
from gems.history import LogEntry, open_log
from gems.packets import GemStates, Spans, unpack_log, unpack_states
from gems.state import QuantumState, evolve
from gems.store import Moment, get_gems

_SQL = load_queries("gems.sql", "field.sql")
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)  # before it was measured, a gem counts as it was stored
MOST_ENTRIES = 5_000  # of a log that a curve is drawn from; what is older is left out


@dataclass(frozen=True, slots=True)
class GemAtRisk:
    """A gem that fades.

    Attributes:
        state: evolved to the moment of the question.
        falls_at: when its coherence falls below the threshold if nobody uses it; a past moment if it is below.
    """

    gem_id: UUID
    name: str
    state: QuantumState[float]
    falls_at: datetime | None


async def read_origin(conn: Connection, gem_id: UUID, at: Moment) -> tuple[Gem, Point]:
    """Return a gem as it is now, and the state that it was left in last, from which its curve goes on.

    Raises:
        GemNotFoundError: it is not in the lattice.
    """
    (stored,) = await get_gems(conn, [gem_id], Moment(_LONG_AGO, at.time_unit))
    elapsed = max(timedelta(0), at.now - stored.measured_at) / at.time_unit
    return replace(stored, state=evolve(stored.state, elapsed)), Point(stored.measured_at, stored.state)


async def read_log(conn: Connection, gem: Gem, at: Moment, until: datetime) -> list[LogEntry]:
    """Return the log of a gem up to a moment, in its order; its newest part if it is long.

    The entry after the moment is the last one, since it tells how long a τ was in the time before it. A log that is cut
    begins with the first entry that was read, not with the birth of the gem.
    """
    values = {"gem_id": gem.gem_id, "until": until, "tau_s": at.tau_s, "limit": MOST_ENTRIES}
    entries = [_to_entry(row) for row in reversed(await _all(conn, "read_log", values))]
    return entries if len(entries) >= MOST_ENTRIES else open_log(gem.created_at, entries, at.time_unit)


async def list_risks(conn: Connection, at: Moment, *, below: float, within: timedelta, limit: int) -> list[GemAtRisk]:
    """Return the gems whose coherence falls below a threshold within a time, or has, soonest first."""
    values = {"now": at.now, "tau_s": at.tau_s, "below": below, "within_s": within.total_seconds(), "limit": limit}
    found = []
    for row in await _all(conn, "list_risks", values):
        state = _to_state(row)
        elapsed = max(timedelta(0), at.now - row["measured_at"]) / at.time_unit
        falls = falls_at(state, row["measured_at"], at.time_unit, below)
        found.append(GemAtRisk(row["gem_id"], row["name"], evolve(state, elapsed), falls))
    return found


async def read_states(conn: Connection, at: Moment) -> GemStates:
    """Return the states of all gems that are not archived."""
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(_SQL["read_states"])
        return unpack_states([packet for (packet,) in await cursor.fetchall()], at.now, at.time_unit)


async def read_lattice_log(conn: Connection, at: Moment) -> list[Spans]:
    """Return the logs of all gems that are not archived; an entry tells how long a τ was in the time before it."""
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(_SQL["read_lattice_log"], {"tau_s": at.tau_s})
        return [unpack_log(packet, at.time_unit) for (packet,) in await cursor.fetchall()]


async def name_gems(conn: Connection, gem_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of gems by id; without those that are gone."""
    return {row["gem_id"]: row["name"] for row in await _all(conn, "name_gems", {"gem_ids": list(gem_ids)})}


async def _all(conn: Connection, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()


def _to_entry(row: dict[str, Any]) -> LogEntry:
    same = {name: row[name] for name in ("cause", "gain", "state_at", "reflection_id", "via_gem_id")}
    return LogEntry(**same, since=row["measured_at"], state=_to_state(row), time_unit=timedelta(seconds=row["tau_s"]))


def _to_state(row: dict[str, Any]) -> QuantumState[float]:
    return QuantumState(row["energy"], row["phase"], row["coherence"], row["uncertainty"])

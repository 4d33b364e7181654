"""Using gems: what an answer rested on is measured, and what is entangled with it, one hop.

Every function takes a connection in a transaction that the caller owns, which is that of the use itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from core.errors import InvalidInputError
from core.observing import tell
from core.pg import Connection
from core.sql import load_queries
from gems.forecast import Point
from gems.happenings import StateChanged
from gems.state import QuantumState, evolve, measure
from gems.store import Moment

_SQL = load_queries("gems.sql", "dynamics.sql")
_STATE = ("energy", "phase", "coherence", "uncertainty")
LEAST_GAIN = 1e-6  # below it nothing would change that anyone could see


@dataclass(frozen=True, slots=True)
class UsedGem:
    """A gem that a use measured.

    Attributes:
        origin: its state as it was left last before, and of which moment that is.
        before: the same, evolved to the moment of the use.
        after: its state as the use left it, and of which moment that is.
        gain: α, weighted by the strength of the entanglement if it was reached through one.
        via_gem_id: the gem through which; None for one that was used itself.
    """

    gem_id: UUID
    name: str
    origin: Point
    before: QuantumState[float]
    after: Point
    gain: float
    via_gem_id: UUID | None


async def use_gems(
    conn: Connection, gains: Mapping[UUID, float], at: Moment, *, cause: str, reflection_id: UUID | None = None
) -> list[UsedGem]:
    """Measure gems and their partners, and log why; rows are locked in the order of ids.

    A partner of several is reached through the one that gives it the greatest gain; a gem that is used itself is not
    reached as a partner, and an archived one is left alone.

    Args:
        conn: in the transaction of the use.
        gains: α in [1e-6, 1] of each gem that was used.
        at: when; a moment before the last measurement counts as that one.
        cause: of the gems' own measurement; that of partners is `entanglement`.
        reflection_id: of the answer that used them.

    Returns:
        The gems in the order of ids, those that were used and their partners.
    """
    rows = await _all(conn, "use_gems", gains, at, {"cause": cause, "reflection_id": reflection_id})
    used = [_to_used(row, at, _point(row)) for row in rows]
    for each in used:
        why = cause if each.via_gem_id is None else "entanglement"
        tell(conn, StateChanged(each.gem_id, why, each.before, each.after.state, each.via_gem_id))
    return used


async def plan_use(conn: Connection, gains: Mapping[UUID, float], at: Moment) -> list[UsedGem]:
    """Return what `use_gems` would do, and change nothing."""
    return [_to_used(row, at, None) for row in await _all(conn, "plan_use", gains, at, {})]


def _to_used(row: Mapping[str, Any], at: Moment, after: Point | None) -> UsedGem:
    origin, gain = _point(row, "old_"), row["gain"]
    before = evolve(origin.state, max(0.0, (at.now - origin.at) / at.time_unit))
    after = after or Point(max(origin.at, at.now), measure(before, gain))
    return UsedGem(row["gem_id"], row["name"], origin, before, after, gain, row["via_gem_id"])


def _point(row: Mapping[str, Any], prefix: str = "") -> Point:
    return Point(row[f"{prefix}measured_at"], QuantumState(*(row[f"{prefix}{name}"] for name in _STATE)))


async def _all(
    conn: Connection, query: str, gains: Mapping[UUID, float], at: Moment, more: Mapping[str, Any]
) -> list[dict[str, Any]]:
    for gain in gains.values():
        if not LEAST_GAIN <= gain <= 1:
            raise InvalidInputError("gain", f"must be from {LEAST_GAIN:f} to 1, not {gain}")
    values = {"gem_ids": list(gains), "gains": list(gains.values()), "now": at.now, "tau_s": at.tau_s, **more}
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()

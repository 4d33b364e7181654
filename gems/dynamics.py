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
from gems.gem import Gem, to_gem
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
        gem: as the use left it.
        origin: its state as it was left last before, and of which moment that is.
        before: the same, evolved to the moment of the use.
        gain: α, weighted by the strength of the entanglement if it was reached through one.
        via_gem_id: the gem through which; None for one that was used itself.
    """

    gem: Gem
    origin: Point
    before: QuantumState[float]
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
    used = []
    for row in rows:
        origin = _origin(row, "old_")
        before = evolve(origin.state, max(0.0, (at.now - origin.at) / at.time_unit))
        used.append(UsedGem(to_gem(row, at.now, at.time_unit), origin, before, row["gain"], row["via_gem_id"]))
    for each in used:
        why = cause if each.via_gem_id is None else "entanglement"
        tell(conn, StateChanged(each.gem.gem_id, why, each.before, each.gem.state, each.via_gem_id))
    return used


async def plan_use(conn: Connection, gains: Mapping[UUID, float], at: Moment) -> list[UsedGem]:
    """Return what `use_gems` would do, and change nothing."""
    planned = []
    for row in await _all(conn, "plan_use", gains, at, {}):
        gem = to_gem(row, at.now, at.time_unit)
        after = measure(gem.state, row["gain"])
        measured_at = max(gem.measured_at, at.now)
        planned.append(
            UsedGem(
                to_gem(row | _columns(after) | {"measured_at": measured_at}, at.now, at.time_unit),
                _origin(row),
                gem.state,
                row["gain"],
                row["via_gem_id"],
            )
        )
    return planned


def _origin(row: Mapping[str, Any], prefix: str = "") -> Point:
    return Point(row[f"{prefix}measured_at"], QuantumState(*(row[f"{prefix}{name}"] for name in _STATE)))


def _columns(state: QuantumState[float]) -> dict[str, float]:
    return {name: getattr(state, name) for name in _STATE}


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

"""The states of a gem's passages: one after another, and how they interfere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import dict_row

from core.errors import InvalidInputError
from core.pg import Connection, Database
from core.sql import load_queries
from gems import (
    BELOW_DEFAULT,
    Moment,
    QuantumState,
    check_below,
    falls_at,
    follow,
    get_gems,
    interference_matrix,
    order_parameter,
)

_SQL = load_queries("knowledge.sql", "passage_states.sql")
MOST_COMPARED = 200  # passages in one interference matrix
_NIL = UUID(int=0)
_LAST_SLOT = 2**31 - 1

PassageOrder = Literal["coherence", "-coherence", "position"]


@dataclass(frozen=True, slots=True)
class PassagePlace:
    """Where a passage stands in an order: its key, and its id where keys are the same."""

    key: float
    passage_id: UUID


@dataclass(frozen=True, slots=True)
class PassageState:
    """A passage with its state.

    Attributes:
        place: in the order that was asked for.
        ordinal: its position in its document, from 0.
        state: evolved to the moment of the question.
        falls_at: when its coherence falls below the threshold if nobody uses it; None if beyond the year 9999.
        closed_at: since when it is forgotten or superseded; None if it can be recalled.
    """

    place: PassagePlace
    passage_id: UUID
    document_id: UUID
    ordinal: int
    heading: str | None
    text: str
    state: QuantumState[float]
    measured_at: datetime
    falls_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class PassageInterference:
    """How n passages interfere: `matrix` is of shape (n, n), in their order."""

    passages: tuple[PassageState, ...]
    matrix: NDArray[np.float64]
    order_parameter: float


@dataclass(frozen=True, slots=True)
class PassageStates:
    """Tells the states of passages. Changes nothing."""

    database: Database

    async def list_page(
        self,
        tenant: UUID,
        gem_id: UUID,
        at: Moment,
        *,
        order: PassageOrder = "-coherence",
        after: PassagePlace | None = None,
        below: float = BELOW_DEFAULT,
        limit: int = 50,
    ) -> list[PassageState]:
        """Return a page of a gem's passages, closed ones among them, as they are at a moment.

        Args:
            tenant: who asks.
            gem_id: the gem.
            at: the moment, the same for all pages.
            order: by rising or falling coherence, or as they were stored.
            after: the place of the last passage of the page before.
            below: the threshold of `falls_at`.
            limit: how many at the most.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        check_below(below)
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            await get_gems(conn, [gem_id], at)
            rows = await _read(conn, gem_id, at, order=order, after=after, open_only=False, limit=limit)
        return [_to_passage(row, at, below) for row in rows]

    async def interference(self, tenant: UUID, gem_id: UUID, at: Moment, *, limit: int = 30) -> PassageInterference:
        """Return how the most coherent open passages of a gem interfere, in the order of their phases.

        Raises:
            GemNotFoundError: it is not in the lattice.
            InvalidInputError: `limit` is out of bounds.
        """
        if not 1 <= limit <= MOST_COMPARED:
            raise InvalidInputError("limit", f"must be from 1 to {MOST_COMPARED}, not {limit}")
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            await get_gems(conn, [gem_id], at)
            rows = await _read(conn, gem_id, at, order="-coherence", after=None, open_only=True, limit=limit)
        passages = sorted((_to_passage(row, at, BELOW_DEFAULT) for row in rows), key=lambda each: each.state.phase)
        columns = [[getattr(each.state, name) for each in passages] for name in _STATE]
        states = QuantumState(*(np.array(column, np.float64) for column in columns))
        return PassageInterference(tuple(passages), interference_matrix(states), order_parameter(states))


_STATE = ("energy", "phase", "coherence", "uncertainty")


async def _read(
    conn: Connection,
    gem_id: UUID,
    at: Moment,
    *,
    order: PassageOrder,
    after: PassagePlace | None,
    open_only: bool,
    limit: int,
) -> list[dict[str, Any]]:
    place = after or PassagePlace(float("-inf"), _NIL)
    values = {
        "gem_id": gem_id,
        "now": at.now,
        "tau_s": at.tau_s,
        "sign": -1.0 if order == "-coherence" else 1.0,
        "after_key": place.key,
        "after_slot": int(min(max(place.key, -1.0), _LAST_SLOT)),  # whatever number a cursor names
        "after_id": place.passage_id,
        "open_only": open_only,
        "limit": limit,
    }
    query = _SQL["list_by_position" if order == "position" else "list_by_coherence"]
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


def _to_passage(row: dict[str, Any], at: Moment, below: float) -> PassageState:
    stored = QuantumState(*(row[name] for name in _STATE))
    (point,) = follow(stored, row["measured_at"], at.time_unit, [at.now])
    same = ("passage_id", "document_id", "ordinal", "heading", "measured_at", "closed_at")
    return PassageState(
        **{name: row[name] for name in same},
        place=PassagePlace(row["key"], row["passage_id"]),
        text=row["body"],
        state=point.state,
        falls_at=falls_at(stored, row["measured_at"], at.time_unit, below),
    )

"""Entanglements in Postgres: pairs of gems of which a use of one also strengthens the other.

Every function takes a connection in a transaction that the caller owns.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from core.errors import GemNotFoundError, InvalidInputError
from core.pg import Connection
from core.sql import load_queries

_SQL = load_queries("gems.sql", "dynamics.sql")
MOST_LISTED = 100_000


@dataclass(frozen=True, slots=True)
class Entanglement:
    """A pair of gems.

    Attributes:
        gem_id: the smaller id.
        other_id: the greater one.
        strength: w in [0, 1]: a use of one with gain α measures the other with gain α·w.
    """

    gem_id: UUID
    other_id: UUID
    strength: float
    created_at: datetime
    updated_at: datetime

    def partner_of(self, gem_id: UUID) -> UUID:
        """Return the other gem of the pair."""
        return self.other_id if gem_id == self.gem_id else self.gem_id


@dataclass(frozen=True, slots=True)
class EntanglementCount:
    """How many pairs some gems have.

    Attributes:
        among: of which both gems are among them.
        leading_out: of which one gem is, and the other is not.
    """

    among: int
    leading_out: int


async def set_entanglement(
    conn: Connection, gem_id: UUID, other_id: UUID, strength: float, now: datetime
) -> Entanglement:
    """Entangle two gems, or change how strongly they are.

    Raises:
        InvalidInputError: a gem with itself, or a strength out of [0, 1].
        GemNotFoundError: one of them is not in the lattice.
    """
    if gem_id == other_id:
        raise InvalidInputError("gem_id", "must be another gem: none is entangled with itself")
    if not (math.isfinite(strength) and 0 <= strength <= 1):
        raise InvalidInputError("strength", f"must be from 0 to 1, not {strength}")
    values = _pair(gem_id, other_id) | {"strength": strength, "now": now}
    async with conn.cursor(row_factory=class_row(Entanglement)) as cursor:
        try:
            await cursor.execute(_SQL["set_entanglement"], values)
        except psycopg.errors.ForeignKeyViolation as e:
            raise GemNotFoundError(
                f"no gem with id {gem_id} or {other_id}", gem_ids=[str(gem_id), str(other_id)]
            ) from e
        found = await cursor.fetchone()
    if found is None:
        raise AssertionError
    return found


async def list_entanglements(
    conn: Connection, gem_ids: Collection[UUID] | None = None, limit: int | None = MOST_LISTED
) -> list[Entanglement]:
    """Return the pairs of some gems, or of all, strongest first; a limit of None means all of them."""
    values = {"gem_ids": None if gem_ids is None else list(gem_ids), "limit": limit}
    async with conn.cursor(row_factory=class_row(Entanglement)) as cursor:
        await cursor.execute(_SQL["list_entanglements"], values)
        return await cursor.fetchall()


async def count_entanglements(conn: Connection, gem_ids: Collection[UUID] | None = None) -> EntanglementCount:
    """Count the pairs of some gems, or of all."""
    values = {"gem_ids": None if gem_ids is None else list(gem_ids)}
    async with conn.cursor(row_factory=class_row(EntanglementCount)) as cursor:
        await cursor.execute(_SQL["count_entanglements"], values)
        found = await cursor.fetchone()
    if found is None:
        raise AssertionError
    return found


async def add_entanglements(conn: Connection, pairs: Sequence[Entanglement]) -> None:
    """Store pairs as they were, with their times; none of them may be there.

    Raises:
        GemNotFoundError: a gem of one of them is not in the lattice.
    """
    async with conn.cursor() as cursor:
        try:
            await cursor.executemany(_SQL["add_entanglement"], [asdict(pair) for pair in pairs])
        except psycopg.errors.ForeignKeyViolation as e:
            raise GemNotFoundError("a gem that shall be entangled is not in the lattice") from e


async def delete_entanglement(conn: Connection, gem_id: UUID, other_id: UUID) -> bool:
    """Take a pair apart; return whether there was one."""
    cursor = await conn.execute(_SQL["delete_entanglement"], _pair(gem_id, other_id))
    return cursor.rowcount > 0


def _pair(gem_id: UUID, other_id: UUID) -> dict[str, object]:
    first, second = sorted((gem_id, other_id))  # as Postgres orders them: by their bytes
    return {"gem_id": first, "other_id": second}

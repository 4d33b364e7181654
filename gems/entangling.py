"""The use cases of entanglement: each is one transaction."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import EntanglementNotFoundError, GemArchivedError
from core.pg import Connection, Database
from gems.entanglement import Entanglement, delete_entanglement, list_entanglements, set_entanglement
from gems.gem import Gem
from gems.neighbours import Neighbour, Suggestion, list_neighbours, suggest_partners
from gems.state import interference
from gems.store import Moment, get_gems

LOOKED_AT = 1_000  # neighbours among which suggestions are looked for


@dataclass(frozen=True, slots=True)
class Partner:
    """A gem that is entangled with another one.

    Attributes:
        gem: as it is at the moment of the question.
        strength: w in [0, 1].
        interference: of both states, in [−1, 1].
        created_at: since when they are entangled.
    """

    gem: Gem
    strength: float
    interference: float
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Entanglements:
    """Entangles gems, takes them apart, and says which are worth it."""

    database: Database

    async def list_partners(self, tenant: UUID, gem_id: UUID, at: Moment) -> list[Partner]:
        """Return what is entangled with a gem, strongest first.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            (gem,) = await get_gems(conn, [gem_id], at)
            pairs = await list_entanglements(conn, [gem_id])
            partners = await get_gems(conn, [pair.partner_of(gem_id) for pair in pairs], at)
        return [_to_partner(gem, other, pair) for other, pair in zip(partners, pairs, strict=True)]

    async def entangle(self, tenant: UUID, gem_id: UUID, other_id: UUID, strength: float, at: Moment) -> Partner:
        """Entangle two gems, or change how strongly they are; return the other one.

        Raises:
            GemNotFoundError, GemArchivedError: one of them.
            InvalidInputError: a gem with itself, or a strength out of [0, 1].
        """

        async def carry_out(conn: Connection) -> Partner:
            gem, other = await get_gems(conn, [gem_id, other_id], at)
            for each in (gem, other):
                if each.archived_at is not None:
                    raise GemArchivedError(
                        f"gem {each.name!r} is archived and read only; restore it first", gem_id=str(each.gem_id)
                    )
            return _to_partner(gem, other, await set_entanglement(conn, gem_id, other_id, strength, at.now))

        return await self.database.retrying(tenant, carry_out)

    async def disentangle(self, tenant: UUID, gem_id: UUID, other_id: UUID, at: Moment) -> None:
        """Take two gems apart.

        Raises:
            GemNotFoundError: the first is not in the lattice.
            EntanglementNotFoundError: they are not entangled.
        """
        async with self.database.transaction(tenant) as conn:
            (gem,) = await get_gems(conn, [gem_id], at)
            if not await delete_entanglement(conn, gem_id, other_id):
                raise EntanglementNotFoundError(f"gem {gem.name!r} is not entangled with {other_id}")

    async def list_pairs(self, tenant: UUID, limit: int) -> list[Entanglement]:
        """Return the pairs of the whole lattice, strongest first."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await list_entanglements(conn, limit=limit)

    async def list_neighbours(self, tenant: UUID, gem_id: UUID, at: Moment, limit: int) -> list[Neighbour]:
        """Return the gems that are most like one, the most alike first.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            await get_gems(conn, [gem_id], at)
            return await list_neighbours(conn, gem_id, at, limit)

    async def suggest(self, tenant: UUID, gem_id: UUID, at: Moment, limit: int) -> list[Suggestion]:
        """Return the gems that are worth entangling with one, the strongest first; nothing is entangled.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            (gem,) = await get_gems(conn, [gem_id], at)
            neighbours = await list_neighbours(conn, gem_id, at, LOOKED_AT)
            pairs = await list_entanglements(conn, [gem_id])
        return suggest_partners(gem, neighbours, {pair.partner_of(gem_id) for pair in pairs}, limit)


def _to_partner(gem: Gem, other: Gem, pair: Entanglement) -> Partner:
    return Partner(other, pair.strength, float(interference(gem.state, other.state)), pair.created_at)

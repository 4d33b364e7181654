"""Gems that are alike, and which of them are worth entangling."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import dict_row

from core.pg import Connection
from core.sql import load_queries
from gems.gem import Gem, to_gem
from gems.state import interference
from gems.store import Moment

_SQL = load_queries("gems.sql", "embeddings.sql")

LEAST_RESONANCE = 0.5  # below it two gems are about different things; docs/gems.md, "Entanglement"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A gem that is like another one.

    Attributes:
        gem: as it is at the moment of the question.
        resonance: the cosine of both embeddings, in [0, 1]; a gem's embedding is the mean of its open passages'.
    """

    gem: Gem
    resonance: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A gem that may be worth entangling with another one.

    Attributes:
        gem: as it is at the moment of the question.
        resonance: of both embeddings, in [0, 1].
        interference: of both states, in (0, 1].
        strength: that is suggested, in (0, 1].
        reason: for people.
    """

    gem: Gem
    resonance: float
    interference: float
    strength: float
    reason: str


async def list_neighbours(conn: Connection, gem_id: UUID, at: Moment, limit: int) -> list[Neighbour]:
    """Return the gems that are most like one, archived ones left out, the most alike first; none if it is empty."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["nearest_gems"], {"gem_id": gem_id, "limit": limit})
        rows = await cursor.fetchall()
    return [Neighbour(to_gem(row, at.now, at.time_unit), row["resonance"]) for row in rows]


def suggest_partners(
    gem: Gem, neighbours: Iterable[Neighbour], entangled: Collection[UUID], limit: int
) -> list[Suggestion]:
    """Return the neighbours that are worth entangling with a gem, the strongest first. Pure.

    Worth it are those of a resonance r ≥ 0.5 and a constructive interference i > 0 that are not entangled with it yet;
    the strength is r·(1 + i)/2, so that likeness decides and a shared rhythm confirms it.
    """
    found = []
    for each in neighbours:
        overlap = float(interference(gem.state, each.gem.state))
        if each.gem.gem_id in entangled or each.resonance < LEAST_RESONANCE or overlap <= 0:
            continue
        strength = round(each.resonance * (1.0 + overlap) / 2.0, 3)
        reason = f"alike in what they hold (resonance {each.resonance:.2f}) and in phase (interference {overlap:+.2f})"
        found.append(Suggestion(each.gem, each.resonance, overlap, strength, reason))
    return sorted(found, key=lambda each: (-each.strength, each.gem.gem_id))[:limit]

"""Reaching beyond the gems that are asked: into what is entangled with them, or into every gem."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from core.pg import Connection
from gems import Entanglement, Gem, Moment, get_gems, list_active, list_entanglements
from knowledge.query import Reach

ELSEWHERE = 0.9  # what a passage of a gem that nothing entangles is worth; docs/recall.md, "Reach"


async def find_partners(conn: Connection, gem_ids: Sequence[UUID]) -> dict[UUID, float]:
    """Return the gems entangled with some gems and with none of them the same, by the strength w > 0 of the link."""
    return strongest_links(gem_ids, await list_entanglements(conn, gem_ids))


async def list_reached(
    conn: Connection, gem_ids: Sequence[UUID], reach: Reach, strengths: Mapping[UUID, float], at: Moment
) -> list[Gem]:
    """Return the gems that a question to some gems reaches beside them; archived ones are left alone."""
    if reach == "own":
        return []
    found = strengths if reach == "entangled" else await list_active(conn)
    gems = await get_gems(conn, [gem_id for gem_id in found if gem_id not in set(gem_ids)], at)
    return [gem for gem in gems if gem.archived_at is None]


def strongest_links(gem_ids: Iterable[UUID], pairs: Iterable[Entanglement]) -> dict[UUID, float]:
    """Return the partners of some gems by strength; of several links to one the strongest counts. Pure."""
    asked, found = set(gem_ids), dict[UUID, float]()
    for pair in pairs:
        for own, other in ((pair.gem_id, pair.other_id), (pair.other_id, pair.gem_id)):
            if own in asked and other not in asked and pair.strength > 0:
                found[other] = max(found.get(other, 0.0), pair.strength)
    return found


def weigh_reached(gem_ids: Iterable[UUID], reach: Reach, strengths: Mapping[UUID, float]) -> dict[UUID, float]:
    """Return what the passages of reached gems are worth, in (0, 1]; those of a gem that is asked are worth 1. Pure.

    Through an entanglement of strength w that is w; where the whole lattice is looked at, ELSEWHERE for a gem that
    nothing entangles, and from there up to 1 with the strength.
    """
    if reach == "entangled":
        return {gem_id: strengths[gem_id] for gem_id in gem_ids}
    return {gem_id: ELSEWHERE + (1.0 - ELSEWHERE) * strengths.get(gem_id, 0.0) for gem_id in gem_ids}

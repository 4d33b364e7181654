"""What a passage is linked to: passages that are alike, and such as name the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import PassageNotFoundError
from core.pg import Database
from gems import Gem, Moment, get_gems
from knowledge.graph.links import Link, fetch_links, fetch_resonance
from knowledge.graph.rows import Connection, fetch, load

_SQL = load("resonance.sql")


@dataclass(frozen=True, slots=True)
class PassageNeighbour:
    """A passage that another one is linked to.

    Attributes:
        cosine: by which they are alike; None if they are not linked by that.
        link: the weight of what both name, or of a title that one says; 0 if there is none.
    """

    passage_id: UUID
    document_id: UUID
    text: str
    title: str | None
    external_id: str | None
    cosine: float | None
    link: float


async def list_passage_neighbours(
    database: Database,
    tenant: UUID,
    gem_id: UUID,
    passage_id: UUID,
    at: Moment,
    *,
    limit: int,
    as_of: datetime | None = None,
) -> list[PassageNeighbour]:
    """Return the passages that one is linked to, alike or by what both name, the nearest first.

    Raises:
        GemNotFoundError, PassageNotFoundError: one of them is not in the lattice.
    """
    async with database.transaction(tenant, read_only=True, snapshot=True) as conn:
        (gem,) = await get_gems(conn, [gem_id], at)
        rows = await fetch(conn, _SQL["place_passage"], {"gem_id": gem_id, "passage_id": passage_id})
        if not rows:
            raise PassageNotFoundError(f"no passage with id {passage_id} in this gem", passage_id=str(passage_id))
        alike, named = await _fetch(conn, gem, rows[0]["slot"], as_of)
        slots = list(dict.fromkeys(link.target[1] for link in (*alike, *named)))[:limit]
        shown = await fetch(conn, _SQL["show_passages"], {"gem_id": gem_id, "slots": slots})
    cosines = {link.target[1]: link.weight for link in alike}
    weights = {link.target[1]: link.weight for link in named}
    found = {row.pop("slot"): row for row in shown}
    return [
        PassageNeighbour(**found[slot], cosine=cosines.get(slot), link=weights.get(slot, 0.0))
        for slot in slots
        if slot in found
    ]


async def _fetch(
    conn: Connection, gem: Gem, slot: int, as_of: datetime | None
) -> tuple[Sequence[Link], Sequence[Link]]:
    seeds = [(gem.gem_id, slot)]
    alike = await fetch_resonance(conn, seeds, as_of=as_of)
    return alike, await fetch_links(conn, seeds, {gem.gem_id: gem.slots}, as_of=as_of)

"""The graph of the whole lattice within a budget: gems, what they are most about, relations and entanglements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.pg import Database
from core.text import make_storable
from gems import Entanglement, Moment, QuantumState, get_gems, list_entanglements
from knowledge.graph.names import normalise
from knowledge.graph.rows import Connection, fetch, load
from knowledge.graph.subgraph import FAN

MOST_SHOWN = 5_000  # gems and entities together
LOOKED = 60_000  # mentions and relations that are looked at, over all gems
LEAST_LOOKED, MOST_LOOKED = 50, 5_000  # of one gem
LEAST_ENTITIES = 3  # of a gem, however many gems there are

_SQL = load("lattice_graph.sql")


@dataclass(frozen=True, slots=True)
class GemNode:
    """A gem, and the state that it was in at the moment looked at.

    Attributes:
        passages: how many it was ever given.
    """

    gem_id: UUID
    name: str
    passages: int
    created_at: datetime
    state: QuantumState[float]


@dataclass(frozen=True, slots=True)
class EntityNode:
    """An entity of a gem.

    Attributes:
        amount: how often what was looked at speaks of it; 1 for what was searched.
    """

    gem_id: UUID
    entity_id: UUID
    name: str
    kind: str | None
    amount: int


@dataclass(frozen=True, slots=True)
class RelationEdge:
    """What relates two entities of a gem: the predicates, and how many claims these are."""

    gem_id: UUID
    source: UUID
    target: UUID
    predicates: tuple[str, ...]
    claims: int


@dataclass(frozen=True, slots=True)
class LatticeGraph:
    """A part of the lattice as a graph.

    Attributes:
        since: when the first gem was made; None if there is none.
        cut: whether there would have been more.
    """

    as_of: datetime
    since: datetime | None
    gems: tuple[GemNode, ...]
    entities: tuple[EntityNode, ...]
    relations: tuple[RelationEdge, ...]
    entanglements: tuple[Entanglement, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class LatticeWish:
    """What of the lattice is asked for.

    Attributes:
        nodes: gems and entities together at the most; of relations and of entanglements there may be twice as many.
        gem_ids: only these gems; none means all that are not archived.
        as_of: as it was known then; None means now.
        part: only entities of whose names one has this in it.
    """

    nodes: int = 1_000
    gem_ids: tuple[UUID, ...] = ()
    as_of: datetime | None = None
    part: str | None = None


async def load_lattice(database: Database, tenant: UUID, wish: LatticeWish, at: Moment) -> LatticeGraph:
    """Return the lattice's graph: the largest gems, and of each what its newest passages are most about.

    Raises:
        GemNotFoundError: a gem that is asked for is not in the lattice.
    """
    as_of = wish.as_of or at.now

    async def read(conn: Connection) -> LatticeGraph:
        await get_gems(conn, wish.gem_ids, at)
        (span,) = await fetch(conn, _SQL["read_span"], {})
        rows = await _list_gems(conn, wish, as_of, at)
        gems = tuple(_to_gem(row) for row in rows[: wish.nodes])
        entities, more = await _load_entities(conn, gems, wish, as_of)
        limit = 2 * wish.nodes
        related = await _load_relations(conn, entities, limit, as_of)
        pairs = await list_entanglements(conn, [gem.gem_id for gem in gems])
        shown = {gem.gem_id for gem in gems}
        bound = [each for each in pairs if {each.gem_id, each.other_id} <= shown and each.created_at <= as_of]
        cut = more or len(rows) > wish.nodes or max(len(related), len(bound)) > limit
        return LatticeGraph(as_of, span["since"], gems, entities, tuple(related[:limit]), tuple(bound[:limit]), cut)

    return await database.retrying(tenant, read, read_only=True, snapshot=True)


def share_out(nodes: int, passages: Sequence[int]) -> list[int]:
    """Return how many entities of each gem are shown: a few of each, the rest by the square root of its size. Pure."""
    if not passages:
        return []
    left = max(0, nodes - len(passages) * (1 + LEAST_ENTITIES))
    roots = [size**0.5 for size in passages]
    whole = sum(roots) or 1.0
    return [LEAST_ENTITIES + int(left * root / whole) for root in roots]


async def _list_gems(conn: Connection, wish: LatticeWish, as_of: datetime, at: Moment) -> list[dict[str, Any]]:
    values = {
        "as_of": as_of,
        "tau_s": at.tau_s,
        "gem_ids": list(wish.gem_ids) or None,
        "limit": wish.nodes + 1,
    }
    return await fetch(conn, _SQL["list_gems"], values)


async def _load_entities(
    conn: Connection, gems: Sequence[GemNode], wish: LatticeWish, as_of: datetime
) -> tuple[tuple[EntityNode, ...], bool]:
    gem_ids = [gem.gem_id for gem in gems]
    shares = share_out(wish.nodes, [gem.passages for gem in gems])
    most = [wish.nodes] * len(gems) if wish.part else shares
    values = {
        "gem_ids": gem_ids,
        "most": most,
        "looked": min(MOST_LOOKED, max(LEAST_LOOKED, LOOKED // max(1, len(gems)))),
        "as_of": as_of,
        "part": normalise(make_storable(wish.part)) if wish.part else None,
    }
    found = [EntityNode(**row) for row in await fetch(conn, _SQL["load_entities"], values)]
    found.sort(key=lambda each: (-each.amount, each.name, each.entity_id))
    room = dict(zip(gem_ids, most, strict=True))
    kept: list[EntityNode] = []
    for each in found:
        if room[each.gem_id] > 0 and len(kept) < wish.nodes:
            room[each.gem_id] -= 1
            kept.append(each)
    return tuple(kept), len(kept) < len(found)


async def _load_relations(
    conn: Connection, entities: Sequence[EntityNode], limit: int, as_of: datetime
) -> list[RelationEdge]:
    values = {
        "gem_ids": [each.gem_id for each in entities],
        "entity_ids": [each.entity_id for each in entities],
        "as_of": as_of,
        "fan": FAN,
        "limit": limit,
    }
    rows = await fetch(conn, _SQL["load_relations"], values)
    return [RelationEdge(**{**row, "predicates": tuple(row["predicates"])}) for row in rows]


def _to_gem(row: dict[str, Any]) -> GemNode:
    state = QuantumState(*(row[name] for name in ("energy", "phase", "coherence", "uncertainty")))
    return GemNode(row["gem_id"], row["name"], row["passages"], row["created_at"], state)

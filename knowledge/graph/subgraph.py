"""A bounded part of a gem's graph: its most prominent entities or those around some, and what binds them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Any
from uuid import UUID

from gems import Moment
from knowledge.graph.rows import Connection, fetch, load

MOST_DEPTH = 3
MOST_NODES = 2_000
MOST_EDGES = 10_000
FAN = 200  # entities that are followed from one
PASSAGES = 50  # of one entity that are looked at, the newest
TOGETHER = 30  # entities that one passage may name to bind them
_ROWS_A_NODE = 5  # an entity is reached over many ways before as many nodes are

_SQL = load("neighbourhood.sql")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a subgraph may be, and when it is looked at.

    Attributes:
        nodes: entities at the most, up to MOST_NODES.
        as_of: edges as they were known then; None means now.
    """

    nodes: int = 500
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """An entity, and how many edges away from the nearest seed it was found; 0 without seeds."""

    entity_id: UUID
    name: str
    depth: int


@dataclass(frozen=True, slots=True)
class Edge:
    """What binds two entities.

    Attributes:
        predicates: of open relations, in either direction.
        claims: how many claims these are.
        passages: how many passages name both.
        weight: the claims, and for each of the passages 1 / (k - 1) if it names k entities.
    """

    source: UUID
    target: UUID
    predicates: tuple[str, ...]
    claims: int
    passages: int
    weight: float


@dataclass(frozen=True, slots=True)
class Subgraph:
    """Entities and edges; `cut` says whether there would have been more."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    cut: bool = False


async def load_subgraph(
    conn: Connection, gem_id: UUID, seeds: Sequence[UUID] | None, at: Moment, *, depth: int, bounds: Bounds
) -> Subgraph:
    """Load, in one query, what is up to `depth` edges around seeds, or without seeds the most prominent entities."""
    values = {
        "gem_id": gem_id,
        "seeds": None if seeds is None else list(seeds),
        "depth": depth,
        "as_of": bounds.as_of or at.now,
        "nodes": bounds.nodes,
        "edges": MOST_EDGES,
        "rows": bounds.nodes * _ROWS_A_NODE,
        "fan": FAN,
        "passages": PASSAGES,
        "together": TOGETHER,
    }
    rows = await fetch(conn, _SQL["load_subgraph"], values)
    return await asyncio.to_thread(build_subgraph, rows, bounds.nodes)


def build_subgraph(rows: Sequence[dict[str, Any]], most_nodes: int) -> Subgraph:
    """Return the subgraph that the rows of the query tell, nearest and strongest first."""
    found = [Node(row["source"], row["labels"][0], row["amount"]) for row in rows if row["kind"] == "entity"]
    found.sort(key=lambda node: (node.depth, node.name, node.entity_id))
    nodes = found[:most_nodes]
    inside = {node.entity_id for node in nodes}
    related = [row for row in rows if row["kind"] == "related"]
    ties: dict[tuple[UUID, UUID], _Tie] = {}
    for row in related:
        if row["source"] in inside and row["target"] in inside:
            tie = ties.setdefault(_ends(row["source"], row["target"]), _Tie())
            tie.predicates.update(row["labels"])
            tie.claims += row["amount"]
    for named in (set(row["named"]) for row in rows if row["kind"] == "passage"):
        if 2 <= len(named) <= TOGETHER:
            for pair in combinations(sorted(named & inside), 2):
                tie = ties.setdefault(pair, _Tie())
                tie.passages += 1
                tie.weight += 1 / (len(named) - 1)
    edges = [
        Edge(*ends, tuple(sorted(tie.predicates)), tie.claims, tie.passages, tie.claims + tie.weight)
        for ends, tie in ties.items()
    ]
    edges.sort(key=lambda edge: (-edge.weight, edge.source, edge.target))
    cut = len(found) > most_nodes or max(len(edges), len(related)) > MOST_EDGES
    return Subgraph(tuple(nodes), tuple(edges[:MOST_EDGES]), cut)


@dataclass(slots=True)
class _Tie:
    """An edge while it is added up; the weight is that of passages alone."""

    predicates: set[str] = field(default_factory=set)
    claims: int = 0
    passages: int = 0
    weight: float = 0.0


def _ends(a: UUID, b: UUID) -> tuple[UUID, UUID]:
    return (a, b) if a < b else (b, a)

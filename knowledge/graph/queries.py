"""What a graph is asked: who is near, how two are bound, which belong together, which are central. Pure."""

import importlib
from dataclasses import dataclass
from itertools import islice, pairwise
from types import ModuleType
from typing import Any, Literal, TypeAlias
from uuid import UUID

from knowledge.graph.subgraph import Edge, Node, Subgraph

Centrality: TypeAlias = Literal["degree", "betweenness"]

SEED = 0  # of what draws lots, so that equal graphs give equal answers
SAMPLES = 50  # entities from which betweenness is estimated
MOST_TRIED = 1_000  # paths of equal length that are compared by weight


@dataclass(frozen=True, slots=True)
class Path:
    """A chain of entities from one to another, and the edges between neighbours in it."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Community:
    """Entities that are bound to each other more than to others, the most strongly bound first.

    Attributes:
        weight: of all edges within it.
    """

    members: tuple[Node, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class CentralEntity:
    """An entity and how central it is, in [0, 1]."""

    node: Node
    score: float


def keep_connected(subgraph: Subgraph, seed: UUID, depth: int) -> Subgraph:
    """Return what can be reached from an entity over the edges that are there, with distances along these."""
    graph = _to_networkx(subgraph)
    lengths = _networkx().single_source_shortest_path_length(graph, seed, cutoff=depth)
    nodes = [Node(n.entity_id, n.name, lengths[n.entity_id]) for n in subgraph.nodes if n.entity_id in lengths]
    edges = tuple(each for each in subgraph.edges if each.source in lengths and each.target in lengths)
    strength = dict(graph.degree(weight="weight"))
    nodes.sort(key=lambda node: (node.depth, -strength[node.entity_id], node.name, node.entity_id))
    return Subgraph(tuple(nodes), edges, subgraph.cut)


def find_paths(subgraph: Subgraph, source: UUID, target: UUID, limit: int) -> list[Path]:
    """Return the shortest paths between two entities, if there are any; the most strongly bound first."""
    graph = _to_networkx(subgraph)
    nodes = {node.entity_id: node for node in subgraph.nodes}
    edges = {frozenset((edge.source, edge.target)): edge for edge in subgraph.edges}
    try:
        found = list(islice(_networkx().all_shortest_paths(graph, source, target), MOST_TRIED))
    except (_networkx().NetworkXNoPath, _networkx().NodeNotFound):
        return []
    paths = [
        Path(
            tuple(nodes[each] for each in ids),
            tuple(edges[frozenset(ends)] for ends in pairwise(ids)),
        )
        for ids in found
    ]
    # a chain is as strong as its weakest link
    paths.sort(key=lambda path: (-min((e.weight for e in path.edges), default=0.0), [n.name for n in path.nodes]))
    return paths[:limit]


def find_communities(subgraph: Subgraph, limit: int) -> list[Community]:
    """Return communities of two entities or more (Louvain, by weight), those with the strongest edges first."""
    graph = _to_networkx(subgraph)
    nodes = {node.entity_id: node for node in subgraph.nodes}
    communities = []
    for members in _networkx().community.louvain_communities(graph, weight="weight", seed=SEED):
        if len(members) > 1:
            inner = graph.subgraph(members)
            strength = dict(inner.degree(weight="weight"))
            order = sorted(members, key=lambda each: (-strength[each], nodes[each].name, each))
            communities.append(Community(tuple(nodes[each] for each in order), inner.size(weight="weight")))
    communities.sort(key=lambda each: (-each.weight, each.members[0].name, each.members[0].entity_id))
    return communities[:limit]


def find_central(subgraph: Subgraph, by: Centrality, limit: int) -> list[CentralEntity]:
    """Return the most central entities.

    Args:
        subgraph: where they are looked for.
        by: "degree", the weight of an entity's edges as a share of the greatest; or "betweenness", the share of
            shortest paths that lead over it, estimated from SAMPLES entities where there are more.
        limit: how many.
    """
    graph = _to_networkx(subgraph)
    if by == "degree":
        strength = dict(graph.degree(weight="weight"))
        greatest = max(strength.values(), default=0.0) or 1.0
        scores = {each: value / greatest for each, value in strength.items()}
    else:
        scores = _networkx().betweenness_centrality(graph, k=min(SAMPLES, len(graph)), seed=SEED) if graph else {}
    found = [CentralEntity(node, float(scores[node.entity_id])) for node in subgraph.nodes]
    found.sort(key=lambda each: (-each.score, each.node.name, each.node.entity_id))
    return found[:limit]


def _to_networkx(subgraph: Subgraph) -> Any:  # noqa: ANN401 - a Graph of networkx, which has no types
    graph = _networkx().Graph()
    graph.add_nodes_from(node.entity_id for node in subgraph.nodes)
    graph.add_weighted_edges_from((edge.source, edge.target, edge.weight) for edge in subgraph.edges)
    return graph


def _networkx() -> ModuleType:
    return importlib.import_module("networkx")  # slow to load, and asked for by few

"""Answers to what a graph is asked, on small graphs by hand."""

from typing import Any
from uuid import UUID

import numpy as np

from knowledge.graph.queries import find_central, find_communities, find_paths, keep_connected
from knowledge.graph.subgraph import Edge, Node, Subgraph, build_subgraph
from knowledge.graph.suggestions import NamedEntity, find_alike


def graph(*edges: tuple[int, int, float], nodes: int = 6) -> Subgraph:
    found = tuple(Node(UUID(int=i), f"n{i}", 0) for i in range(nodes))
    made = tuple(Edge(UUID(int=a), UUID(int=b), (), 0, 1, weight) for a, b, weight in edges)
    return Subgraph(found, made)


def names(nodes: tuple[Node, ...]) -> str:
    return " ".join(node.name for node in nodes)


def test_of_paths_of_one_length_the_strongest_comes_first() -> None:
    square = graph((0, 1, 1.0), (1, 3, 5.0), (0, 2, 2.0), (2, 3, 2.0), (3, 4, 1.0))
    found = find_paths(square, UUID(int=0), UUID(int=3), 5)
    assert [names(path.nodes) for path in found] == ["n0 n2 n3", "n0 n1 n3"]
    assert [edge.weight for edge in found[0].edges] == [2.0, 2.0]
    assert len(find_paths(square, UUID(int=0), UUID(int=3), 1)) == 1
    assert find_paths(square, UUID(int=0), UUID(int=5), 5) == []
    assert find_paths(square, UUID(int=0), UUID(int=99), 5) == []


def test_only_what_is_connected_is_kept_nearest_and_strongest_first() -> None:
    kept = keep_connected(graph((0, 1, 1.0), (0, 2, 3.0), (2, 3, 1.0), (4, 5, 9.0)), UUID(int=0), 1)
    assert names(kept.nodes) == "n0 n2 n1"
    assert [node.depth for node in kept.nodes] == [0, 1, 1]
    assert len(kept.edges) == 2


def test_communities_are_what_is_bound_within() -> None:
    two = graph((0, 1, 2.0), (1, 2, 2.0), (0, 2, 2.0), (3, 4, 1.0), (2, 3, 0.1))
    found = find_communities(two, 5)
    assert [names(each.members) for each in found] == ["n2 n0 n1", "n3 n4"] or [
        sorted(node.name for node in each.members) for each in found
    ] == [["n0", "n1", "n2"], ["n3", "n4"]]
    assert found[0].weight == 6.0
    assert len(find_communities(two, 1)) == 1


def test_central_is_who_has_weight_or_stands_between() -> None:
    bridge = graph((0, 1, 5.0), (1, 2, 1.0), (2, 3, 1.0), (3, 4, 1.0), nodes=5)
    assert [each.node.name for each in find_central(bridge, "degree", 1)] == ["n1"]
    assert [each.node.name for each in find_central(bridge, "betweenness", 1)] == ["n2"]
    assert find_central(Subgraph((), ()), "betweenness", 3) == []


def test_rows_become_a_bounded_graph_with_one_edge_for_two_directions() -> None:
    a, b, c = (UUID(int=i) for i in (1, 2, 3))
    empty = {"source": None, "target": None, "labels": None, "amount": None, "named": None}
    rows: list[dict[str, Any]] = [
        {**empty, "kind": "entity", "source": each, "labels": [name], "amount": depth}
        for each, name, depth in ((a, "a", 0), (b, "b", 1), (c, "c", 2))
    ]
    rows += [
        {**empty, "kind": "related", "source": b, "target": a, "labels": ["knows"], "amount": 1},
        {**empty, "kind": "related", "source": a, "target": b, "labels": ["likes"], "amount": 2},
        *({**empty, "kind": "passage", "named": [a, b, UUID(int=9 + i), a]} for i in range(2)),
        {**empty, "kind": "passage", "named": [b, c, UUID(int=9)]},
        {**empty, "kind": "passage", "named": [c]},
        {**empty, "kind": "passage", "named": [UUID(int=i) for i in range(1, 40)]},
    ]
    whole = build_subgraph(rows, 3)
    assert (len(whole.nodes), len(whole.edges), whole.cut) == (3, 2, False)
    assert whole.edges[0] == Edge(a, b, ("knows", "likes"), 3, 2, 4.0)
    cut = build_subgraph(rows, 2)
    assert (len(cut.nodes), len(cut.edges), cut.cut) == (2, 1, True)


def test_names_that_differ_in_a_number_are_not_alike() -> None:
    entities = [
        NamedEntity(UUID(int=i), name)
        for i, name in enumerate(("Pier 1", "Pier 2", "Pier no 1", "Gull", "Pier X", "Pier XI"))
    ]
    vectors = np.array([[2, 0], [1, 0], [1, 0.01], [0, 1], [1, 0.02], [1, 0.03]], np.float32)
    (pair,) = find_alike(entities, vectors, 0.9, 5)
    assert (pair.first, pair.second) == ("Pier 1", "Pier no 1")
    assert find_alike([], np.empty((0, 2), np.float32), 0.9, 5) == []

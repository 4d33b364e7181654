"""The nearest passages of other documents, found exactly."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.graph.likeness import Block, Likeness, find_nearest
from knowledge.graph.links import Link, add_links

ONE, TWO = UUID(int=1), UUID(int=2)


def block(vectors: np.ndarray, documents: list[int], first: int = 0) -> Block:
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    slots = np.arange(first, first + len(vectors))
    return Block(slots, [UUID(int=each) for each in documents], units.astype(np.float32))


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 20), st.integers(1, 5), st.floats(-1, 1))
def test_it_is_what_comparing_one_by_one_finds(seed: int, n: int, m: int, most: int, threshold: float) -> None:
    random = np.random.default_rng(seed)
    sources = block(random.normal(size=(n, 4)), random.integers(0, 5, n).tolist())
    targets = block(random.normal(size=(m, 4)), random.integers(0, 5, m).tolist(), first=100)
    cosines = sources.vectors @ targets.vectors.T
    expected = []
    for i in range(n):
        near = [j for j in range(m) if cosines[i, j] >= threshold and sources.documents[i] != targets.documents[j]]
        near.sort(key=lambda j, i=i: (-cosines[i, j], j))  # type: ignore[misc]
        expected += [(i, 100 + j) for j in near[:most]]
    found = find_nearest(sources, targets, threshold, most)
    assert [(each.slot, each.target) for each in found] == expected
    assert all(threshold <= each.cosine <= 1 or each.cosine == 1 for each in found)


def test_passages_of_one_document_are_not_compared_nor_one_with_itself() -> None:
    same = np.ones((3, 2))
    found = find_nearest(each := block(same, [1, 1, 2]), each, 0.8, 5)
    assert [(like.slot, like.target) for like in found] == [(0, 2), (1, 2), (2, 0), (2, 1)]
    assert [like.cosine for like in found] == [pytest.approx(1.0)] * 4


def test_of_nothing_there_is_nothing() -> None:
    some, none = block(np.ones((1, 2)), [1]), block(np.ones((0, 2)), [])
    assert find_nearest(none, some, 0.5, 5) == find_nearest(some, none, 0.5, 5) == []
    assert isinstance(find_nearest(some, block(np.ones((1, 2)), [2], 9), 0.5, 5)[0], Likeness)


def test_links_of_two_kinds_add_and_the_strongest_stay() -> None:
    a, b, c = (ONE, 1), (ONE, 2), (TWO, 3)
    named = [Link(a, b, 0.25)]
    alike = [Link(a, b, 1.0), Link(a, c, 0.75)]
    assert add_links(named, alike, 0.5, 10) == [Link(a, b, 0.75), Link(a, c, 0.375)]
    assert add_links(named, alike, 0.5, 1) == [Link(a, b, 0.75)]

import numpy as np
import pytest

from knowledge.shaping.diversity import select_diverse

RELEVANCE = [0.9, 0.88, 0.5, 0.87]
VECTORS = np.array([[1, 0, 0], [1, 0.01, 0], [0, 1, 0], [0.98, 0.05, 0.1]], np.float32)


def test_full_balance_orders_by_relevance() -> None:
    assert select_diverse(RELEVANCE, VECTORS, 4, 1.0) == [0, 1, 3, 2]


def test_what_is_unlike_the_best_comes_before_its_copies() -> None:
    assert select_diverse(RELEVANCE, VECTORS, 2, 0.5) == [0, 2]


def test_no_balance_goes_by_unlikeness_after_the_best() -> None:
    assert select_diverse(RELEVANCE, VECTORS, 4, 0.0) == [0, 2, 3, 1]


def test_choice_is_that_of_the_formula() -> None:
    rng = np.random.default_rng(3)
    vectors, relevance = rng.normal(size=(30, 8)), rng.uniform(0.1, 2, 30)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine, worth = unit @ unit.T, relevance / relevance.max()
    expected = [int(worth.argmax())]
    while len(expected) < 12:
        left = [i for i in range(30) if i not in expected]
        expected.append(max(left, key=lambda i: 0.7 * worth[i] - 0.3 * cosine[i, expected].max()))
    assert select_diverse(relevance, vectors, 12, 0.7) == expected


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_scale_of_relevance_and_length_of_vectors_make_no_difference(scale: float) -> None:
    assert select_diverse(np.array(RELEVANCE) * scale, VECTORS * 7, 3, 0.5) == select_diverse(
        RELEVANCE, VECTORS, 3, 0.5
    )


@pytest.mark.parametrize("k", [0, 1, 4, 9])
def test_it_chooses_each_once_and_no_more_than_there_are(k: int) -> None:
    chosen = select_diverse(RELEVANCE, VECTORS, k, 0.5)
    assert len(chosen) == len(set(chosen)) == min(k, 4)
    assert select_diverse([], np.empty((0, 3)), k, 0.5) == []


def test_zeros_are_no_fault() -> None:
    assert select_diverse([0.0, 0.0, 0.0], np.zeros((3, 4)), 3, 0.5) == [0, 1, 2]

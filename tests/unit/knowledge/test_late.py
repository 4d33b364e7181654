import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.embedding import STATE_SIZE
from knowledge.late import Projection, lend, max_similarities, weigh_tokens

RNG = np.random.default_rng(3)


def unit_rows(n: int) -> np.ndarray:
    rows = RNG.normal(size=(n, STATE_SIZE)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def packed(rows: np.ndarray) -> bytes:
    identity = Projection(np.zeros(STATE_SIZE, np.float32), np.eye(STATE_SIZE, dtype=np.float32))
    return identity.pack(rows).tobytes()


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_likeness_is_the_greatest_cosine_of_each_token(sizes: list[int]) -> None:
    question, passages = unit_rows(5), [unit_rows(size) for size in sizes]
    found = max_similarities(question, [packed(rows) for rows in passages])
    for rows, row in zip(passages, found, strict=True):
        expected = (question @ rows.T).max(axis=1) if len(rows) else np.zeros(5)
        np.testing.assert_allclose(row, expected, atol=0.02)  # what int8 costs


def test_a_token_is_most_like_itself() -> None:
    rows = unit_rows(4)
    np.testing.assert_allclose(max_similarities(rows, [packed(rows)])[0], 1.0, atol=2e-4)


def test_no_passages_or_no_tokens_are_no_errors() -> None:
    assert max_similarities(unit_rows(3), []).shape == (0, 3)
    assert max_similarities(unit_rows(0), [packed(unit_rows(2))]).shape == (1, 0)
    assert max_similarities(unit_rows(3), [b"", b""]).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_neighbours_answer_in_part_and_the_answer_to_a_question_wholly() -> None:
    found = np.array([[0.1], [0.8], [0.2]], np.float32)
    around = np.array([[-1, -1, -1, 1], [0, -1, -1, 2], [1, 0, -1, -1]])
    quiet = lend(found, around, np.zeros(3, np.bool_))
    np.testing.assert_allclose(quiet[:, 0], [0.65 * 0.8, 0.8, 0.85 * 0.8], atol=1e-6)
    answered = lend(found, around, np.array([False, False, True]))
    np.testing.assert_allclose(answered[2], 0.8, atol=1e-6)


def test_neighbours_never_take_anything_away() -> None:
    found = np.array([[-0.5], [-0.9]], np.float32)
    lent = lend(found, np.full((2, 4), -1), np.zeros(2, np.bool_))
    np.testing.assert_array_equal(lent, found)


def test_rare_words_count_more_than_common_ones_and_stop_words_least() -> None:
    question = "Who sold the boats?"
    offsets = np.array([(0, 3), (4, 8), (9, 12), (13, 16), (16, 18), (18, 19)])  # boa ##ts
    weights = weigh_tokens(question, offsets, {"sold": 2.0, "boat": 5.0}.__getitem__)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights / weights[0] * 0.25).tolist() == pytest.approx([0.25, 2.0, 0.25, 5.0, 5.0, 0.25])
    assert weigh_tokens("", np.empty((0, 2), np.int64), lambda term: 1.0).shape == (0,)


def test_the_projection_keeps_directions_and_fills_the_range() -> None:
    mean = np.full(STATE_SIZE, 0.5, np.float32)
    projection = Projection(mean, np.eye(STATE_SIZE, dtype=np.float32))
    states = mean + 3 * unit_rows(6)
    assert np.abs(projection.pack(states)).max(axis=1).tolist() == [127] * 6
    np.testing.assert_allclose(np.linalg.norm(projection.project(states), axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(
        max_similarities(projection.project(states), [projection.pack(states).tobytes()]), 1, atol=1e-3
    )

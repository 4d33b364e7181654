import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gems import QuantumState
from knowledge import FusionWeights
from knowledge.fusion import fuse, split_names

unit = st.floats(0, 1)


def states(coherence: list[float], phase: list[float]) -> QuantumState[np.ndarray]:
    n = len(coherence)
    return QuantumState(np.ones(n), np.array(phase), np.array(coherence), np.full(n, 0.1))


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 40), unit, unit, st.floats(0, 6.28)), min_size=1, max_size=30))
@settings(max_examples=80, deadline=None)
def test_parts_sum_to_the_score_and_the_state_stays_within_its_bounds(
    rows: list[tuple[float, float, float, float, float]],
) -> None:
    cosine, bm25, speaks, coherence, phase = (np.array(column) for column in zip(*rows, strict=True))
    weights = FusionWeights()
    fused = fuse(cosine, bm25, np.round(speaks), states(coherence.tolist(), phase.tolist()), weights)
    relevance = fused.dense + fused.lexical + fused.speaker
    np.testing.assert_allclose(fused.score, relevance + fused.coherence + fused.interference)
    assert relevance.max() == pytest.approx(1.0)
    assert (np.abs(fused.coherence + fused.interference) <= 0.15 * relevance + 1e-12).all()


def test_one_candidate_is_its_own_best() -> None:
    fused = fuse(np.array([0.2]), np.array([0.0]), np.array([0.0]), states([1.0], [0.0]), FusionWeights())
    assert fused.score[0] == pytest.approx(1.0 + 0.10 + 0.05)


def test_no_candidates_give_no_scores() -> None:
    nothing = np.empty(0)
    assert fuse(nothing, nothing, nothing, states([], []), FusionWeights()).score.shape == (0,)


@pytest.mark.parametrize(
    ("question", "nameless", "named"),
    [
        ("What did Ann's brother buy?", "What did brother buy?", {"Ann"}),
        ("Did Ann Lee meet Bob?", "Did meet ?", {"Ann Lee", "Bob"}),
        ("What did Annabel buy?", "What did Annabel buy?", set()),
        ("Ann", "Ann", {"Ann"}),
        ("Who sang?", "Who sang?", set()),
    ],
)
def test_names_of_speakers_are_taken_out_of_a_question(question: str, nameless: str, named: set[str]) -> None:
    assert split_names(question, ["Ann", "Bob", "Ann Lee", "C. (3)"]) == (nameless, frozenset(named))
    assert split_names(question, []) == (question, frozenset())


@pytest.mark.parametrize("name", ["@ann", "(bot)", "Dr. Who?", "C++", "Ann's mum", "安"])
def test_odd_names_of_speakers_are_found_as_they_are_written(name: str) -> None:
    assert split_names(f"What did {name} buy?", [name, "", " "]) == ("What did buy?", frozenset({name}))
    assert split_names(f"What did x{name}x buy?", [name])[1] == frozenset()

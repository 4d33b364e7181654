import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axiom import TERM_NAMES, Terms, bound_terms, intelligence
from gems import QuantumState, evolve
from knowledge import Basis, PassageSample, feed_gem
from knowledge.gem_axiom import FloatArray
from tests.unit.knowledge.states import GEM, NOTHING, draw_state, group, mean_interference

CALM = "The ferry leaves at seven and carries forty cars."
HEATED = "I absolutely HATE this terrible ferry!!! It is always, always a horrible disaster!!!"


@given(size=st.integers(1, 30), seed=st.integers(0, 1_000), after=st.floats(0.0, 20.0))
def test_sums_tell_what_all_passages_tell_now_and_later(size: int, seed: int, after: float) -> None:
    state = draw_state(size, seed)
    then, seen = evolve(state, after), group(state).look(after)
    assert pytest.approx(then.coherence.mean(), abs=1e-12) == seen.C
    assert pytest.approx((1.0 + mean_interference(then)) / 2.0, abs=1e-12) == seen.Y
    assert pytest.approx(1.0 - then.uncertainty.mean(), abs=1e-12) == seen.Z


def test_many_moments_are_seen_as_each_of_them() -> None:
    passages, moments = group(draw_state(7)), np.array([0.0, 0.5, 3.0])
    seen = passages.look(moments)
    for at, moment in enumerate(moments):
        one = passages.look(float(moment))
        told = [np.asarray(each)[at] for each in (seen.C, seen.Y, seen.Z)]
        assert told == pytest.approx([one.C, one.Y, one.Z], abs=1e-15)


def test_opposed_passages_give_no_reason_and_a_single_one_meets_itself() -> None:
    ones = np.ones(2)
    opposed = group(QuantumState(ones, np.array([0.0, math.pi]), ones, 0.1 * ones)).look()
    assert pytest.approx((1.0, 0.0), abs=1e-15) == (opposed.C, opposed.Y)
    single = group(QuantumState(np.ones(1), np.ones(1), np.array([0.5]), np.array([0.1]))).look()
    assert pytest.approx((1.0 + 0.25) / 2.0, abs=1e-15) == single.Y


def test_a_gem_without_passages_scores_nothing() -> None:
    fed = feed_gem(GEM, NOTHING, [Terms(*(0.5,) * 8)], None)
    assert fed.terms == Terms(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, E=1.5, F=0.25)
    assert intelligence(bound_terms(fed.terms)) == 0.0
    assert {fed.bases[name] for name in TERM_NAMES[:6]} == {Basis("passages", 0)}
    assert pytest.approx([0.0, 0.0]) == NOTHING.look(np.array([0.0, 1.0])).C


def test_reflections_count_the_more_the_newer() -> None:
    newest, older = Terms(0.9, 0.2, *(0.1,) * 6), Terms(0.4, 1.0, *(0.7,) * 6)
    fed = feed_gem(GEM, group(draw_state(5)), [newest, older], None)
    assert pytest.approx((0.9 + 0.7 * 0.4) / 1.7) == fed.terms.A
    assert pytest.approx((0.2 + 0.7 * 1.0) / 1.7) == fed.terms.B
    assert pytest.approx((0.1 + 0.7 * 0.7) / 1.7) == fed.terms.X
    assert {fed.bases[name] for name in ("A", "B", "X")} == {Basis("reflections", 2)}
    assert fed.bases["C"] == fed.bases["Y"] == fed.bases["Z"] == Basis("passages", 5)
    assert (fed.bases["E"], fed.bases["F"]) == (Basis("gem", 1), Basis("ratings", 3))


def test_without_reflections_passages_are_read() -> None:
    vectors = np.array([[2.0, 0.0], [0.0, 3.0]])  # their mean lies at 45° to both, whatever their length
    calm, heated = (feed_gem(GEM, group(draw_state(5)), [], PassageSample((text,), vectors)) for text in (CALM, HEATED))
    assert pytest.approx(math.sqrt(0.5)) == calm.terms.A
    assert calm.terms.B == 1.0
    assert 1.0 >= calm.terms.X > heated.terms.X > 0.0
    assert (calm.bases["A"], calm.bases["X"]) == (Basis("passages", 2), Basis("passages", 1))
    assert calm.bases["B"] == Basis("assumed", 0)


@pytest.mark.parametrize("vectors", [np.empty((0, 0)), np.array([[1.0, 0.0], [-1.0, 0.0]])])
def test_vectors_that_are_none_or_cancel_have_no_mean_to_be_close_to(vectors: FloatArray) -> None:
    assert feed_gem(GEM, group(draw_state(5)), [], PassageSample((CALM, CALM), vectors)).terms.A == 0.0

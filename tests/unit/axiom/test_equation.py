import math
from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from axiom import ARGUMENTS, TERM_NAMES, TermName, Terms, bound_terms, compute_intelligence, intelligence
from core.errors import InvalidTermError

quick = settings(deadline=None, max_examples=40)
units = st.floats(0.0, 1.0)
bounded = st.builds(
    Terms[float], units, units, units, units, units, st.floats(0.0, 9.0), st.floats(0.0, 64.0), st.floats(-1.0, 1.0)
)
anything = st.floats(-1e6, 1e6)
unbounded = st.builds(Terms[float], *[anything] * 8)

ONES = Terms(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0)


def test_a_score_by_hand() -> None:
    # 2·(1 + 0.5) = 3; X·Y·Z = 0.5·0.8·0.9 = 0.36; A·B·C = 0.5·0.5·0.4 = 0.1; 3·0.36·0.1 = 0.108
    score, parts = compute_intelligence(0.5, 0.5, 0.4, 0.5, 0.8, 0.9, 2, 0.5, return_components=True)
    assert score == pytest.approx(0.108, rel=1e-14)
    assert list(parts) == ["A", "B", "C", "ABC", "X", "Y", "Z", "XYZ", "E_n", "F_n", "E_factor"]
    assert (parts["ABC"], parts["XYZ"], parts["E_factor"]) == pytest.approx((0.1, 0.36, 3.0), rel=1e-14)
    assert isinstance(score, float)


@quick
@given(st.lists(unbounded, min_size=1, max_size=5))
def test_arrays_score_as_floats_do(rows: list[Terms[float]]) -> None:
    columns = [np.array(column) for column in zip(*map(astuple, rows), strict=True)]
    scores, parts = compute_intelligence(*columns, return_components=True)
    for row, terms in enumerate(rows):
        score, single = compute_intelligence(*astuple(terms), return_components=True)
        assert np.asarray(scores)[row] == score
        assert {name: np.asarray(value)[row] for name, value in parts.items()} == single


def test_terms_broadcast_and_whole_numbers_count() -> None:
    given: list[Any] = [np.array([[0], [1]]), 1, 1, 1, 1, np.array([1.0, 2.0, 3.0]), np.float32(2), np.int64(1)]
    scores = compute_intelligence(*given)
    assert np.array_equal(scores, [[0.0, 0.0, 0.0], [4.0, 8.0, 12.0]])


def test_shapes_that_do_not_fit_are_refused_by_name() -> None:
    # A (3,) and C (2, 1) make (2, 3); F_n (2,) fits neither
    terms = (np.ones(3), 1.0, np.ones((2, 1)), 1.0, 1.0, 1.0, 1.0)
    assert np.shape(compute_intelligence(*terms, 0.0)) == (2, 3)
    with pytest.raises(InvalidTermError, match=r"^F_n: an array of shape \(2,\) .* of shape \(2, 3\)$"):
        compute_intelligence(*terms, np.zeros(2))


@quick
@given(unbounded)
def test_clamping_is_idempotent_and_the_score_never_negative(terms: Terms[float]) -> None:
    once = bound_terms(terms)
    assert bound_terms(once) == once
    assert bound_terms(once, strict_bounds=True) == once
    assert intelligence(once) >= 0.0


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [*[(name, 0.0, 1.0) for name in "ABCXY"], ("Z", 0.0, 7.0), ("E", 0.0, 7.0), ("F", -1.0, 7.0)],
)
def test_clamping_and_strictness(name: TermName, low: float, high: float) -> None:
    def with_value(value: float | NDArray[np.float64]) -> Terms[Any]:
        return replace(ONES, **{name: value})  # type: ignore[arg-type]

    assert getattr(bound_terms(with_value(-3.0)), name) == low
    assert getattr(bound_terms(with_value(7.0)), name) == high
    assert getattr(bound_terms(with_value(np.array([-3.0, 7.0]))), name).tolist() == [low, high]
    assert getattr(bound_terms(with_value(-3.0), clamp_to_unit=False), name) == -3.0
    for bad in (-3.0, np.array([0.5, -3.0])):
        with pytest.raises(InvalidTermError, match=f"^{ARGUMENTS[name]}: must be"):
            bound_terms(with_value(bad), strict_bounds=True)
    if high == 1.0:
        with pytest.raises(InvalidTermError, match=r"in \[0, 1\], not 7.0"):
            bound_terms(with_value(7.0), strict_bounds=True)


@pytest.mark.parametrize("name", TERM_NAMES)
@pytest.mark.parametrize(
    "bad", [math.nan, math.inf, -math.inf, np.array([0.5, math.nan]), 10**309], ids=lambda bad: str(bad)[:9]
)
def test_what_is_not_finite_is_refused_by_name(name: TermName, bad: Any) -> None:
    terms = astuple(replace(ONES, **{name: bad}))
    with pytest.raises(ValueError, match=f"^{ARGUMENTS[name]}: ") as caught:
        compute_intelligence(*terms)
    assert isinstance(caught.value, InvalidTermError)
    assert caught.value.field == ARGUMENTS[name]


@pytest.mark.parametrize("name", TERM_NAMES)
@pytest.mark.parametrize("bad", ["1", None, True, 1j, [1.0], np.array([True]), np.array(["1"]), np.array([1j])])
def test_what_is_no_number_is_refused_by_name(name: TermName, bad: Any) -> None:
    with pytest.raises(TypeError, match=f"^{ARGUMENTS[name]}: must"):
        compute_intelligence(*astuple(replace(ONES, **{name: bad})))


def test_without_validation_nan_goes_through() -> None:
    terms = astuple(replace(ONES, X=math.nan))
    assert math.isnan(float(compute_intelligence(*terms, validate=False)))
    with pytest.raises(InvalidTermError, match=r"^X: "):
        compute_intelligence(*terms, validate=False, strict_bounds=True)


@pytest.mark.parametrize("make", [float, lambda value: np.array([1.0, value])])
def test_a_score_too_large_is_told(make: Callable[[float], float]) -> None:
    terms = astuple(replace(ONES, Z=make(1e200), E=make(1e300)))
    with pytest.raises(InvalidTermError, match=r"^E_n: too large"):
        compute_intelligence(*terms)
    assert np.max(compute_intelligence(*terms, validate=False)) == math.inf


@quick
@given(bounded, st.sampled_from(TERM_NAMES), st.floats(0.0, 1.0))
def test_the_score_rises_with_every_term(terms: Terms[float], name: TermName, more: float) -> None:
    raised = bound_terms(replace(terms, **{name: getattr(terms, name) + more}))
    assert intelligence(raised) >= intelligence(terms) * (1 - 1e-12)

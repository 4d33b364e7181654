import json
import math
from dataclasses import astuple, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from axiom import (
    ARGUMENTS,
    TERM_NAMES,
    TermName,
    Terms,
    bound_terms,
    gradient,
    intelligence,
    limiting_term,
    log_shares,
    sensitivity,
)
from core.errors import InvalidTermError

quick = settings(deadline=None, max_examples=40)
units = st.floats(0.0, 1.0)
bounded = st.builds(
    Terms[float], units, units, units, units, units, st.floats(0.0, 9.0), st.floats(0.0, 64.0), st.floats(-1.0, 1.0)
)
well_inside = st.builds(
    Terms[float], *[st.floats(0.1, 0.9)] * 5, st.floats(0.1, 9.0), st.floats(0.1, 64.0), st.floats(-0.9, 1.0)
)
ONES = Terms(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0)
EXAMPLE = Terms(0.5, 0.5, 0.4, 0.5, 0.8, 0.9, 2.0, 0.5)  # its score is 0.108


def columns(rows: list[Terms[float]]) -> Terms[Any]:
    return Terms(*(np.array(column) for column in zip(*map(astuple, rows), strict=True)))


def factors(terms: Terms[float]) -> list[float]:
    return [1.0 + value if name == "F" else value for name, value in zip(TERM_NAMES, astuple(terms), strict=True)]


@quick
@given(bounded)
def test_log_shares_sum_to_the_log_of_the_score(terms: Terms[float]) -> None:
    told = log_shares(terms)
    assert list(told.shares) == list(TERM_NAMES)
    known = [share for share in told.shares.values() if share is not None]
    if len(known) == 8:
        score = intelligence(terms)
        if score > 1e-290:  # below, the product itself loses digits
            assert math.fsum(known) == pytest.approx(math.log(score), abs=1e-9)
        assert (told.limiting_term is None) == (min(factors(terms)) >= 1.0)
        if told.limiting_term is not None:
            assert told.shares[told.limiting_term] == pytest.approx(min(known), abs=1e-15)
    else:
        assert told.limiting_term is not None
        assert told.shares[told.limiting_term] is None
    json.dumps(told.shares, allow_nan=False)


@pytest.mark.parametrize(
    ("changes", "limiting"),
    [
        ({}, None),
        ({"Y": 0.4, "C": 0.5}, "Y"),
        ({"Y": 1e-300, "F": -1.0}, "F"),
        ({"B": 0.0, "Z": 0.0}, "B"),
        ({"X": 0.5, "Z": 0.5, "E": 9.0}, "X"),
        ({"Y": 0.7, "F": -0.4}, "F"),  # 1 + F = 0.6
        ({"F": -1e-17}, None),  # 1 + F is 1, as the score itself reckons it
    ],
)
def test_the_limiting_term(changes: dict[str, float], limiting: str | None) -> None:
    assert limiting_term(replace(ONES, **changes)) == log_shares(replace(ONES, **changes)).limiting_term == limiting


@quick
@given(st.lists(bounded, min_size=1, max_size=5))
def test_arrays_are_limited_as_floats_are(rows: list[Terms[float]]) -> None:
    names = limiting_term(columns(rows))
    assert isinstance(names, np.ndarray)
    assert names.tolist() == [limiting_term(row) or "" for row in rows]


def test_limiting_terms_broadcast() -> None:
    terms = Terms[Any](np.array([[0.5], [1.0]]), 1.0, np.array([0.9, 0.4, 1.0]), 1.0, 1.0, 1.0, 1.0, 0.0)
    assert np.array_equal(limiting_term(terms), [["A", "C", "A"], ["C", "C", ""]])


@pytest.mark.parametrize(("name", "value"), [("A", -0.1), ("E", math.inf), ("F", -1.5), ("Z", math.nan)])
@pytest.mark.parametrize("shape", [float, lambda value: np.array([0.5, value])])
def test_a_factor_without_a_logarithm_is_refused(name: TermName, value: float, shape: Any) -> None:
    with pytest.raises(InvalidTermError, match=f"^{ARGUMENTS[name]}: .*bound the terms first"):
        limiting_term(replace(ONES, **{name: shape(value)}))


def test_a_gradient_by_hand() -> None:
    # Each is the product of the seven others; the score is 0.108, and it is 0.108 / factor where that is not 0:
    # A: 0.108 / 0.5 = 0.216, B and X the same, C: 0.108 / 0.4 = 0.27, Y: 0.108 / 0.8 = 0.135, Z: 0.108 / 0.9 = 0.12,
    # E: 0.108 / 2 = 0.054, F: 0.108 / (1 + 0.5) = 0.072
    assert astuple(gradient(EXAMPLE)) == pytest.approx(
        (0.216, 0.216, 0.27, 0.216, 0.135, 0.12, 0.054, 0.072), rel=1e-14
    )


def test_the_gradient_is_exact_where_factors_are_0() -> None:
    # with C = 0 the score is 0 and only C can raise it: 0.5·0.5·0.5·0.8·0.9·2·1.5 = 0.27
    slopes = gradient(replace(EXAMPLE, C=0.0))
    assert astuple(slopes)[2] == pytest.approx(0.27, rel=1e-14)
    assert astuple(replace(slopes, C=0.0)) == (0.0,) * 8
    assert astuple(gradient(replace(EXAMPLE, C=0.0, F=-1.0))) == (0.0,) * 8  # two zeros: none alone can


@quick
@given(well_inside, st.sampled_from(TERM_NAMES))
def test_the_gradient_is_what_finite_differences_are(terms: Terms[float], name: TermName) -> None:
    def score(change: float) -> float:
        return intelligence(replace(terms, **{name: getattr(terms, name) + change}))

    # the score is linear in each term, so that a central difference has no error but rounding
    assert getattr(gradient(terms), name) == pytest.approx((score(0.05) - score(-0.05)) / 0.1, rel=1e-9)


@quick
@given(st.lists(bounded, min_size=1, max_size=5))
def test_arrays_have_the_gradients_of_floats(rows: list[Terms[float]]) -> None:
    slopes = gradient(columns(rows))
    for at, row in enumerate(rows):
        assert tuple(column[at] for column in astuple(slopes)) == astuple(gradient(row))


def test_each_gradient_has_the_shape_of_the_score() -> None:
    terms = Terms[Any](np.full((2, 1), 0.5), 1.0, 1.0, 1.0, np.full(3, 0.5), 1.0, 1.0, 0.0)
    assert {np.shape(slope) for slope in astuple(gradient(terms))} == {(2, 3)}


def test_beyond_the_bounds_a_clamped_score_has_no_slope() -> None:
    beyond = replace(EXAMPLE, A=1.5, Z=-1.0, F=7.0)
    # clamped, A is 1 and Z 0; then only Z counts, but more of −1 is still 0
    assert astuple(gradient(beyond)) == (0.0,) * 8
    # as they are: 1.5·0.5·0.4·0.5·0.8·2·(1 + 7) = 1.92 by Z
    assert astuple(gradient(beyond, clamp_to_unit=False))[5] == pytest.approx(1.92, rel=1e-14)
    mixed = Terms[Any](np.array([0.5, 1.0, 1.5]), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0)
    assert gradient(mixed).A.tolist() == [1.0, 1.0, 0.0]
    assert gradient(mixed).B.tolist() == [0.5, 1.0, 1.0]


def test_a_gradient_that_cannot_be_is_refused_by_name() -> None:
    with pytest.raises(InvalidTermError, match=r"^E_n: too large: the gradient"):
        gradient(replace(ONES, Z=1e200, E=1e300))
    with pytest.raises(InvalidTermError, match=r"^F_n: must be a finite number"):
        gradient(replace(ONES, F=math.nan))
    with pytest.raises(TypeError, match=r"^B: must be a number"):
        gradient(replace(ONES, B="1"))  # type: ignore[arg-type]


def test_a_sensitivity_table_by_hand() -> None:
    rows = {row.term: row for row in sensitivity(EXAMPLE)}
    # C raised from 0.4 to 1 gains 0.27·0.6 = 0.162: more than any other, for it is the least of those that end at 1
    assert sensitivity(EXAMPLE)[0] == rows["C"]
    assert rows["C"].gain == pytest.approx(0.162, rel=1e-14)
    assert (rows["C"].raised_to, rows["C"].elasticity) == (1.0, 1.0)
    assert rows["C"].share == math.log(0.4)
    # Z has no upper bound: a tenth more of 0.9 is 0.99, but 1 is more still; it gains 0.12·0.1 = 0.012
    assert (rows["Z"].raised_to, rows["Z"].gain) == pytest.approx((1.0, 0.012), rel=1e-12)
    # E raised from 2 to 2.2 gains a tenth of the score, 0.0108
    assert (rows["E"].raised_to, rows["E"].gain) == pytest.approx((2.2, 0.0108), rel=1e-12)
    # F: the factor 1.5 becomes 1.65, so F 0.65, which gains a tenth as well; 1 % of F is 0.005 of 1.5, a third of 1 %
    assert (rows["F"].raised_to, rows["F"].gain) == pytest.approx((0.65, 0.0108), rel=1e-12)
    assert rows["F"].elasticity == pytest.approx(1 / 3, rel=1e-14)


@quick
@given(bounded)
def test_a_gain_is_what_the_score_gains(terms: Terms[float]) -> None:
    rows = sensitivity(terms)
    assert {row.term for row in rows} == set(TERM_NAMES)
    assert [row.gain for row in rows] == sorted((row.gain for row in rows), reverse=True)
    for row in rows:
        raised = replace(terms, **{row.term: row.raised_to})
        assert bound_terms(raised) == raised
        assume(intelligence(raised) > 1e-290)  # below, the product itself loses digits
        assert intelligence(terms) + row.gain == pytest.approx(intelligence(raised), rel=1e-12)


def test_where_the_score_is_0_the_table_names_what_makes_it_0() -> None:
    rows = sensitivity(replace(EXAMPLE, C=0.0, F=-1.0))
    assert {row.gain for row in rows} == {0.0}
    assert [row.term for row in rows[:2]] == ["C", "F"]
    assert rows[1].elasticity is None
    assert rows[1].raised_to == 0.0
    assert [row.share for row in rows[:2]] == [None, None]
    json.dumps([row.to_dict() for row in rows], allow_nan=False)
    assert list(rows[0].to_dict()) == [field.name for field in fields(rows[0])]


def test_a_gain_too_large_is_told() -> None:
    with pytest.raises(InvalidTermError, match=r"^E_n: too large: what the score would gain"):
        sensitivity(replace(ONES, E=1.7e308))

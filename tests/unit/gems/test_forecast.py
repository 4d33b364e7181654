import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInputError
from gems import QuantumState, evolve, fall_after, falls_at, follow, spread_moments

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
MICROSECOND = timedelta(microseconds=1)

STATES = st.builds(
    QuantumState,
    st.floats(0.01, 64.0),
    st.floats(0.0, 6.28),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
)
THRESHOLDS = st.floats(1e-6, 1.0)


def coherence_at(state: QuantumState[float], moment: datetime) -> float:
    (point,) = follow(state, NOON, MONTH, [moment])
    return point.state.coherence


@given(STATES, THRESHOLDS)
def test_a_state_falls_at_the_told_moment_to_two_microseconds(state: QuantumState[float], below: float) -> None:
    falls = falls_at(state, NOON, MONTH, below)
    assert falls is not None
    slack = 2 * MICROSECOND
    # within two microseconds coherence moves by c·dt/E, and rounding by an ulp or two of the exponent
    near = 1e-12 + below * (slack / MONTH) / state.energy
    if state.coherence > below:
        assert coherence_at(state, falls) == pytest.approx(below, rel=1e-9, abs=near)
        assert coherence_at(state, falls + slack) <= below * (1 + 1e-12)
        assert coherence_at(state, max(NOON, falls - slack)) >= below * (1 - 1e-12)
    else:
        assert falls == NOON


@given(STATES, THRESHOLDS, st.floats(0.0, 5.0))
def test_the_moment_of_the_fall_does_not_depend_on_when_one_asks(
    state: QuantumState[float], below: float, waited: float
) -> None:
    later = evolve(state, waited)
    if later.coherence > below:
        assert waited + fall_after(later, below) == pytest.approx(fall_after(state, below), rel=1e-9, abs=1e-9)


@given(STATES, st.lists(st.floats(0.0, 400.0), min_size=1, max_size=20))
def test_a_curve_is_made_of_the_evolved_states(state: QuantumState[float], days: list[float]) -> None:
    moments = [NOON + timedelta(days=each) for each in days]
    for point, moment in zip(follow(state, NOON, MONTH, moments), moments, strict=True):
        assert point.at == moment
        assert point.state == evolve(state, (moment - NOON) / MONTH)


def test_a_moment_before_the_measurement_counts_as_that_one() -> None:
    state = QuantumState(2.0, 1.0, 0.5, 0.2)
    assert follow(state, NOON, MONTH, [NOON - MONTH])[0].state == state


def test_what_falls_beyond_the_calendar_falls_never() -> None:
    assert falls_at(QuantumState(1e9, 0.0, 1.0, 0.0), NOON, MONTH) is None


def test_a_new_state_falls_below_a_tenth_after_ln_10() -> None:
    assert fall_after(QuantumState.new()) == pytest.approx(math.log(10), rel=1e-15)


@given(st.integers(2, 2_000), st.integers(1, 10**9))
def test_moments_are_spread_evenly_from_the_first_to_the_last(points: int, seconds: int) -> None:
    moments = spread_moments(NOON, NOON + timedelta(seconds=seconds), points)
    assert (moments[0], moments[-1], len(moments)) == (NOON, NOON + timedelta(seconds=seconds), points)
    gaps = np.diff([moment.timestamp() for moment in moments])
    assert np.ptp(gaps) < 1e-5


def test_moments_are_spread_over_the_whole_calendar() -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    moments = spread_moments(first, last, 2_000)
    assert (moments[0], moments[-1]) == (first, last)
    assert np.ptp(np.diff([moment.timestamp() for moment in moments])) < 1e-3


def test_moments_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="until"):
        spread_moments(NOON, NOON - MICROSECOND, 2)


@pytest.mark.parametrize("points", [1, 2_001])
def test_too_few_and_too_many_points_are_refused(points: int) -> None:
    with pytest.raises(InvalidInputError, match="points"):
        spread_moments(NOON, NOON + MONTH, points)

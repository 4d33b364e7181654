import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from axiom.simulation.trends import Half, analyse_trend, analyse_trends
from core.errors import InvalidParameterError

Array = NDArray[np.float64]
quick = settings(deadline=None, max_examples=40)
STEPS = np.arange(251.0)
NOISE = np.random.default_rng(11).normal(size=STEPS.size)
HUGE = 1.7e308


def test_a_trend_by_hand() -> None:
    # 1, 2, 4, 5: around the mean step 1.5 the slope is (−1.5·1 − 0.5·2 + 0.5·4 + 1.5·5) / (2.25 + 0.25 + 0.25 + 2.25)
    # = 7 / 5 = 1.4. The parabola's part t² − 1.25 is 1, −1, −1, 1: (1 − 2 − 4 + 5) / 4 = 0, so no acceleration.
    # Changes 1, 2, 1 have the mean 4/3: √((1/9 + 4/9 + 1/9) / 2) = √(1/3). Halves 1, 2 and 4, 5: means 1.5 and 4.5.
    trend = analyse_trend(np.array([1.0, 2.0, 4.0, 5.0]))
    assert trend.slope == pytest.approx(1.4, rel=1e-14)
    assert trend.acceleration == pytest.approx(0.0, abs=1e-15)
    assert trend.volatility == pytest.approx(math.sqrt(1 / 3), rel=1e-14)
    assert (trend.first_half, trend.second_half) == (Half(1.5, 1.0, 0.0), Half(4.5, 1.0, 0.0))
    assert trend.shift == 3.0
    assert (trend.direction, trend.phase) == ("rising", "steady")
    # ln 1, ln 2, ln 4, ln 5: the slope is (−0.5·ln 2 + 0.5·ln 4 + 1.5·ln 5) / 5 = (ln 2 + 3·ln 5) / 10
    assert trend.growth_rate == pytest.approx(math.expm1((math.log(2) + 3 * math.log(5)) / 10), rel=1e-14)


def test_an_odd_number_of_states_shares_the_middle_one() -> None:
    trend = analyse_trend(np.array([0.0, 1.0, 5.0]))
    assert (trend.first_half.mean, trend.second_half.mean) == (0.5, 3.0)
    assert trend.shift == 2.5


@pytest.mark.parametrize("rate", [-0.5, -0.02, 0.0, 0.02, 1.5])
def test_growth_at_a_rate_is_told_as_that_rate(rate: float) -> None:
    assert analyse_trend((1.0 + rate) ** STEPS[:50]).growth_rate == pytest.approx(rate, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    ("values", "rate"),
    [
        ([-1.0, 0.0, 4.0], 2.5),  # slope 2.5 over the mean 1
        ([-1.0, -2.0, -3.0], -0.5),  # slope −1 over the magnitude 2: downwards
        ([-1.0, 0.0, 1.0], None),  # the mean is 0
        ([0.0, 0.0], None),
        ([5e-324, HUGE], None),  # beyond any float
    ],
)
def test_growth_of_what_is_not_all_positive_is_the_slope_over_the_mean(values: list[float], rate: float | None) -> None:
    assert analyse_trend(np.array(values)).growth_rate == (None if rate is None else pytest.approx(rate, rel=1e-14))


def test_a_parabola_has_its_acceleration() -> None:
    trend = analyse_trend(3.0 + 2.0 * STEPS + 0.5 * 0.04 * STEPS**2)
    assert trend.acceleration == pytest.approx(0.04, rel=1e-9)
    assert (trend.direction, trend.phase) == ("rising", "accelerating")


@pytest.mark.parametrize(
    ("values", "direction", "phase"),
    [
        (np.full(251, 0.3), "flat", "steady"),
        (0.3 + 0.01 * STEPS, "rising", "steady"),
        (1.02**STEPS, "rising", "accelerating"),
        (-(1.02**STEPS), "falling", "accelerating"),
        (np.exp(-0.02 * STEPS), "falling", "decelerating"),
        (1.0 - np.exp(-0.02 * STEPS), "rising", "decelerating"),
        ((STEPS - 125.0) ** 2, "flat", "turning"),
        ((STEPS - 100.0) ** 2, "rising", "turning"),
        ((STEPS + 10.0) ** 2, "rising", "accelerating"),
        (np.sin(2.0 * np.pi * STEPS / 10.0), "flat", "steady"),
        (NOISE, "flat", "steady"),
        (0.05 * STEPS + NOISE, "rising", "steady"),
        (0.5 + 1e-15 * NOISE, "flat", "steady"),
    ],
)
def test_direction_and_phase_say_where_it_goes(values: Array, direction: str, phase: str) -> None:
    trend = analyse_trend(values)
    assert (trend.direction, trend.phase) == (direction, phase)


def test_an_inflection_is_where_the_curvature_changes_its_sign() -> None:
    # 1 / (1 + 99·e^(−0.05·n)) bends over at half its capacity: n = ln 99 / 0.05
    logistic = 1.0 / (1.0 + 99.0 * np.exp(-0.05 * STEPS))
    assert analyse_trend(logistic).inflections == pytest.approx([math.log(99) / 0.05], abs=0.01)
    assert analyse_trend((STEPS - 100.0) ** 3).inflections == pytest.approx([100.0], abs=1e-6)


def test_a_sine_has_an_inflection_each_half_period() -> None:
    assert analyse_trend(np.sin(2.0 * np.pi * STEPS / 50.0)).inflections == pytest.approx(
        np.arange(25, 250, 25), abs=0.01
    )


@pytest.mark.parametrize("values", [np.ones(251), STEPS, (STEPS - 100.0) ** 2, 1.02**STEPS, np.sqrt(STEPS), STEPS[:3]])
def test_what_bends_one_way_has_no_inflection(values: Array) -> None:
    assert analyse_trend(values).inflections == ()


def test_inflections_are_found_in_noise() -> None:
    (inflection,) = analyse_trend(100.0 / (1.0 + np.exp(-(STEPS - 120.0) / 20.0)) + 0.2 * NOISE).inflections
    assert inflection == pytest.approx(120.0, abs=5.0)


def test_change_points_are_told_as_many_as_are_wanted() -> None:
    kinked = np.where(STEPS < 50, STEPS, 100.0 - STEPS)
    assert analyse_trend(kinked).change_points == (50,)
    assert analyse_trend(kinked, most_changes=0).change_points == ()


@quick
@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=15), elements=st.floats(-1e3, 1e3)))
def test_scenarios_have_the_trend_of_each_alone(values: Array) -> None:
    assert analyse_trends(values, 0) == tuple(analyse_trend(values[:, at], 0) for at in range(values.shape[1]))


@quick
@given(
    arrays(np.float64, st.integers(1, 40), elements=st.integers(-50, 50).map(float)),
    st.sampled_from([0.5, 8.0, 2.0**900, 2.0**-900]),
    st.integers(-20, 20),
)
def test_a_trend_moves_with_the_series(values: Array, factor: float, shift: int) -> None:
    before, after = analyse_trend(values, 0), analyse_trend(factor * (values + shift), 0)
    for name in ("slope", "acceleration", "volatility", "shift"):
        assert getattr(after, name) == pytest.approx(factor * getattr(before, name), rel=1e-9, abs=factor * 1e-9)
    assert after.inflections == pytest.approx(before.inflections, abs=1e-6)
    assert after.first_half.mean == pytest.approx(factor * (before.first_half.mean + shift), abs=factor * 1e-9)


@quick
@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(-100.0, 100.0)))
def test_backwards_the_trend_turns_round(values: Array) -> None:
    before, after = analyse_trend(values, 0), analyse_trend(values[::-1], 0)
    assert after.slope == pytest.approx(-before.slope, abs=1e-9)
    assert after.shift == pytest.approx(-before.shift, abs=1e-9)
    assert after.acceleration == pytest.approx(before.acceleration, abs=1e-9)
    assert after.volatility == pytest.approx(before.volatility, abs=1e-9)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_very_short_series_have_a_trend(count: int) -> None:
    trend = analyse_trend(np.arange(1.0, count + 1.0))
    assert trend.slope == pytest.approx(1.0 if count > 1 else 0.0)
    assert (trend.direction, trend.phase) == ("rising" if count > 1 else "flat", "steady")
    assert (trend.inflections, trend.change_points) == ((), ())


def test_the_greatest_floats_do_not_overflow() -> None:
    trend = analyse_trend(np.array([-HUGE, HUGE] * 4))
    assert all(math.isfinite(value) for value in (trend.slope, trend.acceleration, trend.volatility, trend.shift))


def test_a_trend_is_json() -> None:
    told = json.loads(json.dumps(analyse_trend(np.where(STEPS < 50, 1.0, 2.0)).to_dict(), allow_nan=False))
    assert list(told) == [
        "direction",
        "phase",
        "growth_rate",
        "slope",
        "acceleration",
        "inflections",
        "volatility",
        "first_half",
        "second_half",
        "shift",
        "change_points",
    ]
    assert told["change_points"] == [50]
    assert set(told["first_half"]) == {"mean", "slope", "volatility"}


@pytest.mark.parametrize("values", [[], [[1.0], [2.0]], [1.0, float("nan")], 1.0, ["a"]])
def test_what_is_no_series_is_refused(values: Any) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        analyse_trend(np.array(values))
    assert caught.value.field == "values"

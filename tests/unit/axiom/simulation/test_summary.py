import json
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from axiom.simulation.summary import Summary, summarise
from core.errors import InvalidParameterError

Array = NDArray[np.float64]
quick = settings(deadline=None, max_examples=60)
numbers = st.floats(-1e6, 1e6)
HUGE = 1.7e308


def test_a_summary_by_hand() -> None:
    # changes 2, −1, 2 have the mean 1 and the squared distances 1, 4, 1: √(6 / 2) = √3; growth 5/2 − 1 = 1.5
    root: Any = pytest.approx(3**0.5, rel=1e-14)
    assert summarise(np.array([2.0, 4.0, 3.0, 5.0])) == Summary(2.0, 5.0, 2.0, 5.0, 3.5, 1.5, root)


@pytest.mark.parametrize(
    ("values", "growth"),
    [
        ([0.0, 1.0], None),  # from 0
        ([-2.0, -1.0], 0.5),  # up by half of what it was
        ([-1.0, -2.0], -1.0),
        ([4.0, 0.0], -1.0),
        ([5e-324, HUGE], None),  # beyond any float
    ],
)
def test_growth_is_a_share_of_the_initial_magnitude(values: list[float], growth: float | None) -> None:
    assert summarise(np.array(values)).growth == growth


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_a_constant_does_not_move(count: int) -> None:
    assert astuple(summarise(np.full(count, 0.1))) == (0.1, 0.1, 0.1, 0.1, 0.1, 0.0, 0.0)


@quick
@given(arrays(np.float64, st.integers(1, 50), elements=numbers))
def test_initial_final_and_mean_lie_between_the_bounds(values: Array) -> None:
    told: Any = summarise(values)
    for value in (told.initial, told.final, told.mean):
        assert told.minimum <= value <= told.maximum
    assert told.volatility >= 0.0


@quick
@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=numbers))
def test_an_ensemble_is_summarised_as_each_scenario_alone(values: Array) -> None:
    together = summarise(values).to_dict()
    for at in range(values.shape[1]):
        alone = summarise(values[:, at]).to_dict()
        assert {name: column[at] for name, column in together.items()} == alone  # type: ignore[index]


@quick
@given(arrays(np.float64, st.integers(1, 30), elements=numbers), st.sampled_from([0.5, 4.0, 2.0**900, 2.0**-900]))
def test_a_summary_scales_with_the_series(values: Array, factor: float) -> None:
    values = np.round(values, 3)
    before: Any = summarise(values)
    after: Any = summarise(factor * values)
    for name in ("initial", "final", "minimum", "maximum", "mean", "volatility"):
        assert getattr(after, name) == pytest.approx(factor * getattr(before, name), rel=1e-9, abs=factor * 1e-9)
    assert after.growth == (None if before.growth is None else pytest.approx(before.growth))


def test_the_greatest_floats_do_not_overflow() -> None:
    summary: Any = summarise(np.array([HUGE, HUGE, -HUGE, HUGE]))
    assert summary.mean == pytest.approx(HUGE / 2)
    assert summary.volatility == np.finfo(np.float64).max  # it is more, and no float holds it


def test_a_summary_is_json() -> None:
    told = json.loads(json.dumps(summarise(np.array([[0.0, 1.0], [1.0, 3.0]])).to_dict(), allow_nan=False))
    assert told == {
        "initial": [0.0, 1.0],
        "final": [1.0, 3.0],
        "minimum": [0.0, 1.0],
        "maximum": [1.0, 3.0],
        "mean": [0.5, 2.0],
        "growth": [None, 2.0],
        "volatility": [0.0, 0.0],
    }
    assert summarise(np.array([0.0, 1.0])).to_dict()["growth"] is None


@pytest.mark.parametrize("values", [[], [[]], [[[1.0]]], [1.0, float("nan")], [float("-inf")], ["a"], [True]])
def test_what_is_no_series_is_refused(values: Any) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        summarise(np.array(values))
    assert caught.value.field == "values"

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from axiom.simulation.change_points import find_change_points
from core.errors import InvalidParameterError

Array = NDArray[np.float64]
quick = settings(deadline=None, max_examples=30)
STEPS = np.arange(251.0)
NOISE = np.random.default_rng(11).normal(size=STEPS.size)

KINK = np.where(STEPS < 50, 0.01 * STEPS, 1.0 - 0.01 * STEPS)  # up to step 50, down from there
JUMP = np.where(STEPS < 100, 1.0, 2.0)  # the new level from step 100 on
SMOOTH = {
    "a constant": np.full(251, 0.3),
    "a line": 0.3 + 0.01 * STEPS,
    "growth": 1.02**STEPS,
    "decay": np.exp(-0.1 * STEPS),
    "a logistic": 1.0 / (1.0 + 99.0 * np.exp(-0.05 * STEPS)),
    "a logistic that arrived long ago": 1.0 / (1.0 + 99.0 * np.exp(-0.3 * np.arange(1_001.0))),
    "a decay that arrived long ago": np.exp(-0.3 * np.arange(2_001.0)),
    "a sigmoid": 1.0 / (1.0 + np.exp(-(STEPS - 120.0) / 3.0)),
    "a parabola": (STEPS - 100.0) ** 2,
    "an oscillation": np.sin(2.0 * np.pi * STEPS / 20.0),
}


def test_a_corner_is_found_where_it_is() -> None:
    assert find_change_points(KINK) == (50,)


def test_a_jump_is_found_at_the_first_step_after_it() -> None:
    assert find_change_points(JUMP) == (100,)


def test_a_shock_and_its_end_are_two_changes() -> None:
    assert find_change_points(np.where((STEPS >= 100) & (STEPS < 140), 0.2, 0.9)) == (100, 140)


def test_a_corner_between_curves_is_found_where_it_is() -> None:
    # growth of 1 % a step, and from step 80 on a loss of 1 %
    assert find_change_points(np.where(STEPS <= 80, 1.01**STEPS, 1.01**80 * 0.99 ** (STEPS - 80))) == (80,)
    # a shock at step 100 that fades
    assert find_change_points(np.where(STEPS < 100, 0.9, 0.9 - 0.5 * np.exp(-0.05 * (STEPS - 100)))) == (100,)


@pytest.mark.parametrize("values", SMOOTH.values(), ids=SMOOTH.keys())
def test_a_smooth_curve_changes_nowhere(values: Array) -> None:
    assert find_change_points(values) == ()


@pytest.mark.parametrize("values", [NOISE, 0.01 * STEPS + NOISE, 1.02**STEPS + NOISE], ids=["flat", "line", "growth"])
def test_noise_is_no_change(values: Array) -> None:
    assert find_change_points(values) == ()


def test_changes_are_found_in_noise() -> None:
    (corner,) = find_change_points(KINK + 0.02 * NOISE)
    (jump,) = find_change_points(JUMP + 0.2 * NOISE)
    assert abs(corner - 50) <= 3
    assert abs(jump - 100) <= 1


def test_noise_on_one_side_is_no_change_on_the_other() -> None:
    # a line that jumps at step 100 into noise of the same level: one change, and none within the noise
    assert len(find_change_points(np.where(STEPS < 100, 0.0, 8.0 + NOISE))) == 1


def test_the_clearest_changes_are_kept_in_order() -> None:
    stairs = np.array([0.0, 1.0, 5.0, 7.0])[np.arange(200) // 50]
    assert find_change_points(stairs) == (50, 100, 150)
    assert find_change_points(stairs, 2) == (100, 150)
    assert find_change_points(stairs, 0) == ()
    noisy = stairs + 0.1 * NOISE[:200]
    assert len(find_change_points(noisy, 2)) <= 2


@quick
@given(
    st.integers(10, 240), st.floats(-5.0, 5.0), st.floats(0.1, 5.0), st.sampled_from([1e-200, 1e-3, 1.0, 1e3, 1e300])
)
def test_a_change_stays_where_it_is_when_the_series_is_moved_or_scaled(
    at: int, start: float, size: float, factor: float
) -> None:
    values = factor * (start + np.concatenate((np.zeros(at), np.full(STEPS.size - at, size))))
    assert find_change_points(values) == (at,)
    assert find_change_points(-values) == (at,)


def test_long_series_are_searched_in_blocks_and_placed_among_all_steps() -> None:
    steps = np.arange(100_001.0)
    assert find_change_points(np.where(steps < 54_321, 1.0, 2.0)) == (54_321,)
    noise = np.random.default_rng(3).normal(size=steps.size)
    (jump,) = find_change_points(np.where(steps < 54_321, 0.0, 2.0) + noise)
    assert abs(jump - 54_321) <= 10
    assert find_change_points(noise) == ()


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0], [1.0, 9.0, 1.0], [1.7e308] * 9, [-1.7e308, 1.7e308] * 10])
def test_short_and_huge_series_have_no_change(values: list[float]) -> None:
    assert find_change_points(np.array(values)) == ()


@pytest.mark.parametrize(
    ("values", "most", "field"),
    [
        ([1.0, float("nan")], 3, "values"),
        ([[1.0], [2.0]], 3, "values"),
        ([1.0, 2.0], -1, "most"),
        ([1.0, 2.0], 101, "most"),
        ([1.0, 2.0], 1.5, "most"),
    ],
)
def test_what_cannot_be_searched_is_refused_by_name(values: Any, most: Any, field: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        find_change_points(np.array(values), most)
    assert caught.value.field == field


def test_what_is_slow_to_load_is_loaded_when_it_is_needed() -> None:
    code = (
        "import sys; import axiom.simulation.trends, axiom.simulation.events;"
        "print([name for name in ('scipy', 'ruptures') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"

import math
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axiom import e_sequence, fibonacci, fibonacci_floats
from core.errors import InvalidParameterError

quick = settings(deadline=None, max_examples=40)


def test_growth_by_hand() -> None:
    # 1; 3·1 + 2 = 5; 3·5 + 2 = 17; 3·17 + 2 = 53; 3·53 + 2 = 161
    assert e_sequence(1, 4).tolist() == [1.0, 5.0, 17.0, 53.0, 161.0]
    # 8; 8/2 + 1 = 5; 5/2 + 1 = 3.5; 3.5/2 + 1 = 2.75
    assert e_sequence(8, 3, a=0.5, b=1).tolist() == [8.0, 5.0, 3.5, 2.75]
    # a = 1 adds b each time, a = 0 gives b from the first step on, a = −1 goes back and forth: 2 − 5 = −3, 2 + 3 = 5
    assert e_sequence(5, 3, a=1, b=2).tolist() == [5.0, 7.0, 9.0, 11.0]
    assert e_sequence(5, 2, a=0, b=2).tolist() == [5.0, 2.0, 2.0]
    assert e_sequence(5, 3, a=-1, b=2).tolist() == [5.0, -3.0, 5.0, -3.0]
    assert e_sequence(7, 0).tolist() == [7.0]


def test_growth_from_its_fixed_point_stays_there() -> None:
    assert e_sequence(-1, 2_000).tolist() == [-1.0] * 2_001  # 3·(−1) + 2 = −1; 3²⁰⁰⁰ itself is beyond floats


@pytest.mark.parametrize("a", [1 + 1e-12, 1 - 1e-12, 0.999999, 1.0001, 0.5, 0.9, 1.5, 3.0, -0.5, -1.0000001])
@pytest.mark.parametrize("b", [0.0, 2.0, 1e-4])
@pytest.mark.parametrize("initial", [0.0, 1.0, -1 + 1e-15, 1e10])
def test_the_closed_form_is_the_recurrence(a: float, b: float, initial: float) -> None:
    value, largest = Fraction(initial), abs(Fraction(initial))
    for got in e_sequence(initial, 60, a, b):
        largest = max(largest, abs(value))
        assert abs(Fraction(float(got)) - value) <= 40 * Fraction(sys.float_info.epsilon) * largest
        value = Fraction(a) * value + Fraction(b)


def test_runaway_growth_names_its_first_step() -> None:
    # E_n = 2·3ⁿ − 1, and 2·3⁶⁴⁵ = 1.07·10³⁰⁸ is the last one below 1.8·10³⁰⁸
    assert math.isfinite(e_sequence(1, 645)[-1])
    with pytest.raises(InvalidParameterError, match=r"^steps: step 646 is too large") as caught:
        e_sequence(1, 10_000)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", ["initial", "a", "b"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_refused_by_name(name: str, bad: float) -> None:
    with pytest.raises(InvalidParameterError, match=f"^{name}: must be a finite number"):
        e_sequence(steps=3, **({"initial": 1.0} | {name: bad}))


def test_steps_are_a_number_of_steps() -> None:
    with pytest.raises(InvalidParameterError, match=r"^steps: must be at least 0"):
        e_sequence(1, -1)
    with pytest.raises(TypeError):
        e_sequence(1, 2.5)  # type: ignore[arg-type]


def test_fibonacci_numbers_by_addition() -> None:
    here, after = 0, 1
    for n in range(500):
        assert fibonacci(n) == here
        here, after = after, here + after
    assert fibonacci(100) == 354_224_848_179_261_915_075


@quick
@given(st.integers(1, 99_999))
def test_large_fibonacci_numbers_hold_cassini_s_identity(n: int) -> None:
    assert fibonacci(n - 1) * fibonacci(n + 1) - fibonacci(n) ** 2 == (-1) ** n


def test_fibonacci_numbers_go_to_100_000() -> None:
    # log₂ F_n = n·log₂ φ − log₂ √5 = 100,000·0.694242 − 1.161 = 69,423.03, so it has 69,424 bits
    assert fibonacci(100_000).bit_length() == 69_424
    assert fibonacci(100_000) is fibonacci(100_000)  # kept
    for bad in (-1, 100_001):
        with pytest.raises(InvalidParameterError, match=r"^n: must be from 0 to 100,000"):
            fibonacci(bad)
    with pytest.raises(TypeError):
        fibonacci(2.5)


def test_fibonacci_floats_are_the_nearest_ones() -> None:
    n = np.arange(1_477).reshape(7, 211)
    assert np.array_equal(fibonacci_floats(n).ravel(), [float(fibonacci(each)) for each in range(1_477)])
    assert fibonacci_floats(n).shape == (7, 211)
    assert fibonacci_floats(np.array([], dtype=np.int64)).shape == (0,)


def test_fibonacci_floats_beyond_floats_are_refused() -> None:
    with pytest.raises(OverflowError):
        float(fibonacci(1_477))
    for bad in (-1, 1_477):
        with pytest.raises(InvalidParameterError, match=r"^n: must be from 0 to 1,476"):
            fibonacci_floats(np.array([3, bad]))
    with pytest.raises(TypeError, match=r"^n: must hold whole numbers"):
        fibonacci_floats(np.array([2.5]))


def test_a_start_beyond_floats_is_refused_by_name() -> None:
    with pytest.raises(InvalidParameterError, match=r"^initial: must be a finite number that a float can hold$"):
        e_sequence(10**400, 3)

"""Two sequences of the equation: the exponential growth E_n and Fibonacci's numbers."""

import math
import sys
from functools import lru_cache
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axiom.equation import FloatArray
from core.errors import InvalidParameterError

MOST_FIBONACCI = 100_000
LAST_FLOAT = 1476  # the last Fibonacci number that a float can hold


def e_sequence(initial: float, steps: int, a: float = 3.0, b: float = 2.0) -> FloatArray:
    """Return E_0 … E_steps of E_n = a·E_{n−1} + b, in closed form, shape (steps + 1,).

    Raises:
        TypeError: `steps` is not a whole number.
        InvalidParameterError: a value is not finite, `steps` is negative, or a number is too large for a float; names
            the first such step.
    """
    for name, value in (("initial", initial), ("a", a), ("b", b)):
        if not abs(value) <= sys.float_info.max:  # whole numbers of any length can be compared
            raise InvalidParameterError(name, "must be a finite number that a float can hold")
    if index(steps) < 0:
        raise InvalidParameterError("steps", f"must be at least 0, not {steps}")
    with np.errstate(over="ignore", invalid="ignore"):  # told below, with the step
        values = e_values(float(initial), np.arange(steps + 1, dtype=np.float64), float(a), float(b))
    if not np.isfinite(values).all():
        first = int(np.argmin(np.isfinite(values)))
        raise InvalidParameterError("steps", f"step {first} is too large: E_n exceeds what a float can hold there")
    return values


def e_values(initial: float | FloatArray, n: FloatArray, a: float, b: float) -> FloatArray:
    """Return E_n of E_n = a·E_{n−1} + b, unchecked.

    With the fixed point e = b/(1 − a) it is E_n = e + (E_0 − e)·aⁿ. Where aⁿ is near 1, e may be large beside all E_n
    and cancel with its digits; there it is E_0 + ((a − 1)·E_0 + b)·(aⁿ − 1)/(a − 1), whose last factor is n for a = 1.

    Args:
        initial: E_0, of a shape that broadcasts with that of n.
        n: steps, at least 0.
        a: the factor.
        b: what is added.

    Returns:
        Of the broadcast shape, exact to rounding beside the larger of |E_0| and |E_n|, or beside aⁿ times the rounding
        of E_0 if it starts next to e and |a| > 1; infinite or NaN on overflow.
    """
    step = a - 1.0
    powers = np.power(a, n)
    near = (np.abs(powers - 1.0) < 0.5) & (a > 0.0)
    if not near.any():
        return _from_fixed_point(initial, n, a, b)
    moved = initial + (step * initial + b) * (n if step == 0.0 else np.expm1(n * math.log1p(step)) / step)
    return moved if near.all() else np.where(near, moved, _from_fixed_point(initial, n, a, b))


def _from_fixed_point(initial: float | FloatArray, n: FloatArray, a: float, b: float) -> FloatArray:
    fixed = b / (1.0 - a)
    distance = initial - fixed
    half = np.floor(n / 2.0)  # aⁿ in two parts: it may be too large where its product with a small distance is not
    moved = fixed + np.where(distance == 0.0, 0.0, distance * np.power(a, half) * np.power(a, n - half))
    return np.where(n == 0.0, initial, moved)


@lru_cache(maxsize=1_024)
def fibonacci(n: int) -> int:
    """Return the nth Fibonacci number exactly, F_0 = 0 and F_1 = 1, by doubling: F_2k and F_2k+1 from F_k and F_k+1.

    Raises:
        TypeError: n is not a whole number.
        InvalidParameterError: n is not from 0 to 100,000.
    """
    if not 0 <= index(n) <= MOST_FIBONACCI:
        raise InvalidParameterError("n", f"must be from 0 to {MOST_FIBONACCI:,}, not {n}")
    here, after = 0, 1
    for bit in f"{n:b}":
        here, after = here * (2 * after - here), here * here + after * after
        if bit == "1":
            here, after = after, here + after
    return here


def fibonacci_floats(n: NDArray[Any]) -> FloatArray:
    """Return Fibonacci numbers as floats, each the float nearest to the exact one, of the shape of n.

    Raises:
        TypeError: n does not hold whole numbers.
        InvalidParameterError: an n is not from 0 to 1,476, beyond which floats cannot hold them.
    """
    wanted = np.asarray(n)
    if wanted.dtype.kind not in "iu":
        raise TypeError(f"n: must hold whole numbers, not {wanted.dtype}")
    if wanted.size and not (wanted.min() >= 0 and wanted.max() <= LAST_FLOAT):
        raise InvalidParameterError("n", f"must be from 0 to {LAST_FLOAT:,}")
    return _table()[wanted.astype(np.intp)]


@lru_cache(maxsize=1)
def _table() -> FloatArray:
    numbers, here, after = [], 0, 1
    for _ in range(LAST_FLOAT + 1):
        numbers.append(float(here))
        here, after = after, here + after
    return np.array(numbers)

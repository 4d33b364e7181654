"""Two sequences of the equation: the exponential growth E_n and Fibonacci's numbers."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axiom.equation import FloatArray
from core.errors import InvalidInputError

MOST_FIBONACCI = 100_000
LAST_FLOAT = 1476  # the last Fibonacci number that a float can hold


def e_sequence(initial: float, steps: int, a: float = 3.0, b: float = 2.0) -> FloatArray:
    """Return E_0 … E_steps of E_n = a·E_{n−1} + b, in closed form, shape (steps + 1,).

    With the fixed point e = b / (1 − a) it is E_n = e + (E_0 − e)·aⁿ; for a = 1, E_0 + b·n.

    Raises:
        InvalidInputError: a value is no finite number, `steps` is negative, or a number is too large for a float;
            names the first such step.
    """
    for name, value in (("initial", initial), ("a", a), ("b", b)):
        if not math.isfinite(value):
            raise InvalidInputError(name, f"must be a finite number, not {value}")
    if steps < 0:
        raise InvalidInputError("steps", f"must be at least 0, not {steps}")
    n = np.arange(steps + 1, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # told below, with the step
        if a == 1.0:
            values = initial + b * n
        else:
            fixed = b / (1.0 - a)
            values = fixed + (initial - fixed) * np.power(a, n)
            values[0] = initial
    if not np.isfinite(values).all():
        raise InvalidInputError("steps", f"step {int(np.argmin(np.isfinite(values)))} exceeds what a float can hold")
    return values


@lru_cache(maxsize=1_024)
def fibonacci(n: int) -> int:
    """Return the nth Fibonacci number exactly, F_0 = 0 and F_1 = 1, by doubling: F_2k and F_2k+1 from F_k and F_k+1.

    Raises:
        InvalidInputError: n is not from 0 to 100,000.
    """
    if not 0 <= n <= MOST_FIBONACCI:
        raise InvalidInputError("n", f"must be from 0 to {MOST_FIBONACCI:,}, not {n}")
    here, after = 0, 1
    for bit in bin(n)[2:]:
        here, after = here * (2 * after - here), here * here + after * after
        if bit == "1":
            here, after = after, here + after
    return here


def fibonacci_floats(n: NDArray[Any]) -> FloatArray:
    """Return Fibonacci numbers as floats, each the float nearest to the exact one, of the shape of n.

    Raises:
        InvalidInputError: an n is not from 0 to 1,476, beyond which floats cannot hold them.
    """
    wanted = np.asarray(n)
    if wanted.size and not (wanted.min() >= 0 and wanted.max() <= LAST_FLOAT):
        raise InvalidInputError("n", f"must be from 0 to {LAST_FLOAT:,}")
    return _table()[wanted.astype(np.intp)]


@lru_cache(maxsize=1)
def _table() -> FloatArray:
    numbers, here, after = [], 0, 1
    for _ in range(LAST_FLOAT + 1):
        numbers.append(float(here))
        here, after = after, here + after
    return np.array(numbers)

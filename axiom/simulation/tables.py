"""Series as tables: checked, and taken a few scenarios at a time, so that no step of the work needs much memory."""

from collections.abc import Iterator

import numpy as np

from axiom.equation import FloatArray
from core.errors import InvalidParameterError

CELLS = 1 << 18  # of one block: 2 MB


def table(name: str, values: object) -> FloatArray:
    """Return series as an array (n, k): n states, from step 0 on, of k scenarios.

    Args:
        name: what the series is called in faults.
        values: numbers of shape (n,) or (n, k), neither empty.

    Raises:
        InvalidParameterError: they are something else, or not all finite.
    """
    given = np.asarray(values)
    if given.dtype.kind not in "iuf" or given.ndim not in {1, 2} or not given.size:
        raise InvalidParameterError(name, f"must be numbers of shape (n,) or (n, k), not {given.dtype} {given.shape}")
    rows = given.astype(np.float64, copy=False).reshape(given.shape[0], -1)
    if not np.isfinite(rows).all():
        step, scenario = np.argwhere(~np.isfinite(rows))[0]
        where = f"step {step}" + (f" of scenario {scenario}" if given.ndim == 2 else "")
        raise InvalidParameterError(name, f"must hold finite numbers; it has {rows[step, scenario]} at {where}")
    return rows


def blocks(rows: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    """Yield (first scenario, values) of some scenarios at a time, as contiguous rows of shape (c, n)."""
    count = max(1, CELLS // rows.shape[0])
    for first in range(0, rows.shape[1], count):
        yield first, np.ascontiguousarray(rows[:, first : first + count].T)


def shrunk(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return rows (c, n) divided by a power of two each, which loses nothing, and those powers (c,).

    What is divided has squares that neither overflow nor vanish. Rows of usual size are divided by 1.
    """
    largest = np.abs(values).max(axis=1)
    usual = (largest == 0.0) | ((largest > 1e-100) & (largest < 1e100))
    if usual.all():
        return values, np.ones(largest.size)
    exponents = np.where(usual, 0, np.frexp(largest)[1] - 1)
    return np.ldexp(values, -exponents[:, None]), np.ldexp(1.0, exponents)


def grown(values: FloatArray, scale: FloatArray) -> FloatArray:
    """Return values times their scale, at most the greatest float."""
    most = np.finfo(np.float64).max
    with np.errstate(over="ignore"):
        return np.clip(values * scale, -most, most)

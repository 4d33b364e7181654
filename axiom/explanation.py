"""Why a score is what it is: shares in log space, the limiting term, the gradient, and what would raise the score."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from axiom.equation import (
    ARGUMENTS,
    BOUNDS,
    TERM_NAMES,
    Float,
    FloatArray,
    TermName,
    Terms,
    bound_terms,
    tell_too_large,
)
from core.errors import InvalidTermError

Names = NDArray[np.str_]

TENTH_MORE = 1.1


@dataclass(frozen=True, slots=True)
class LogShares:
    """What each factor adds to the logarithm of one score.

    Attributes:
        shares: ln(factor) for each term, the factor of F being 1 + F. They sum to ln(score). None stands for
            the logarithm of 0, which neither JSON nor a chart can hold.
        limiting_term: see the function of this name.
    """

    shares: dict[TermName, float | None]
    limiting_term: TermName | None


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What one term does to a score, and what more of it would do.

    Attributes:
        term: its name.
        value: as it is.
        derivative: by how much the score changes for 1 of the term.
        elasticity: by how many percent the score changes for 1 % of the term: 1, but F/(1 + F) for F. None for F = −1.
        share: ln(factor); None for a factor of 0.
        raised_to: 1 for a term with an upper bound; else what makes its factor a tenth larger, or 1 if that is more.
        gain: what the score would gain then; at least 0.
    """

    term: TermName
    value: float
    derivative: float
    elasticity: float | None
    share: float | None
    raised_to: float
    gain: float

    def to_dict(self) -> dict[str, object]:
        """Return JSON values."""
        return asdict(self)


def log_shares(terms: Terms[float]) -> LogShares:
    """Return each factor's share of one score in log space, and the term that holds it back.

    Args:
        terms: eight floats, within their bounds (see `bound_terms`).

    Raises:
        InvalidTermError: a factor is negative, NaN or infinite: it has no logarithm.
    """
    _check_factors(terms)
    shares: dict[TermName, float | None] = {}
    for name in TERM_NAMES:
        value: float = getattr(terms, name)
        if name == "F":
            shares[name] = None if value == -1.0 else math.log1p(value)  # exact for small F
        else:
            shares[name] = None if value == 0.0 else math.log(value)
    return LogShares(shares, limiting_term(terms))


@overload
def limiting_term(terms: Terms[float]) -> TermName | None: ...
@overload
def limiting_term(terms: Terms[FloatArray] | Terms[Float]) -> TermName | Names | None: ...
def limiting_term(terms: Terms[Any]) -> TermName | Names | None:
    """Return the term with the least factor, and so the least share in log space: it holds the score back most.

    A factor of 0 comes before all others, ties go to the earlier name, and a factor of 1 or more holds nothing back.

    Args:
        terms: within their bounds (see `bound_terms`); floats, or arrays that broadcast to a shape (...).

    Returns:
        For floats the name, None if no factor is below 1. For arrays an array of names, shape (...), "" for none.

    Raises:
        InvalidTermError: a factor is negative, NaN or infinite.
    """
    _check_factors(terms)
    factors = _factors(terms)
    if not any(isinstance(factor, np.ndarray) for factor in factors):
        least = min(range(len(factors)), key=factors.__getitem__)
        return TERM_NAMES[least] if factors[least] < 1.0 else None
    stacked = np.stack(np.broadcast_arrays(*factors))
    at = np.where(stacked.min(axis=0) < 1.0, stacked.argmin(axis=0), len(TERM_NAMES))
    return np.array([*TERM_NAMES, ""])[at]


@overload
def gradient(terms: Terms[float], *, clamp_to_unit: bool = True) -> Terms[float]: ...
@overload
def gradient(terms: Terms[FloatArray] | Terms[Float], *, clamp_to_unit: bool = True) -> Terms[Any]: ...
def gradient(terms: Terms[Any], *, clamp_to_unit: bool = True) -> Terms[Any]:
    """Return the derivative of the score by each term: the product of the seven other factors.

    No division is made, so it is exact to rounding where factors are 0 too.

    Args:
        terms: floats, or arrays that broadcast to a shape (...).
        clamp_to_unit: of the clamped score: beyond a term's bounds its derivative is 0; on them it is the one inwards.

    Returns:
        Eight floats, or eight arrays of shape (...).

    Raises:
        TypeError: a term is neither a number nor an array of numbers.
        InvalidTermError: NaN, infinity, shapes that do not fit, or a derivative too large for a float; names the term.
    """
    given = bound_terms(terms, clamp_to_unit=False)
    bounded = bound_terms(given, validate=False, clamp_to_unit=clamp_to_unit)
    with np.errstate(over="ignore", invalid="ignore"):  # told below
        slopes = _products_of_others(_factors(bounded))
    if not all(np.all(np.isfinite(slope)) for slope in slopes):
        tell_too_large(given, "the gradient")
    if clamp_to_unit:
        slopes = [_inside(name, getattr(given, name), slope) for name, slope in zip(TERM_NAMES, slopes, strict=True)]
    return Terms(*slopes)


def sensitivity(terms: Terms[float]) -> tuple[Sensitivity, ...]:
    """Return what each term does to one score, first the one that would gain it most.

    Terms of equal gain come in the order of their shares, the least first.

    Args:
        terms: eight floats, within their bounds (see `bound_terms`).

    Raises:
        InvalidTermError: a factor is negative, NaN or infinite, or a derivative or gain too large for a float.
    """
    shares = log_shares(terms).shares
    slopes = gradient(terms, clamp_to_unit=False)
    rows = []
    for name, factor in zip(TERM_NAMES, _factors(terms), strict=True):
        value, slope = getattr(terms, name), getattr(slopes, name)
        more = factor if math.isfinite(BOUNDS[name][1]) else factor * TENTH_MORE
        raised = max(1.0, more)
        gain = slope * (raised - factor)  # exact: the score is linear in each term
        if not math.isfinite(gain):
            tell_too_large(terms, "what the score would gain")
        elasticity = 1.0 if name != "F" else value / factor if factor else None
        raised_to = raised - 1.0 if name == "F" else raised
        rows.append(Sensitivity(name, value, slope, elasticity, shares[name], raised_to, gain))
    return tuple(sorted(rows, key=lambda row: (-row.gain, -math.inf if row.share is None else row.share)))


def _factors(terms: Terms[Any]) -> list[Any]:
    """Return what the score is the product of, as the score itself reckons it."""
    return [1.0 + terms.F if name == "F" else getattr(terms, name) for name in TERM_NAMES]


def _check_factors(terms: Terms[Any]) -> None:
    for name in TERM_NAMES:
        value, lowest = getattr(terms, name), BOUNDS[name][0]
        if isinstance(value, np.ndarray):
            if not np.all(np.isfinite(value) & (value >= lowest)):
                raise InvalidTermError(ARGUMENTS[name], "a value of the array has no share; bound the terms first")
        elif not (math.isfinite(value) and value >= lowest):
            raise InvalidTermError(ARGUMENTS[name], f"{value} has no share; bound the terms first")


def _products_of_others(factors: Sequence[Any]) -> list[Any]:
    """Return for each factor the product of all others: of those before it, times those after it."""
    shape = np.broadcast_shapes(*map(np.shape, factors))
    one = np.ones(shape) if any(isinstance(factor, np.ndarray) for factor in factors) else 1.0
    before: list[Any] = [one]
    for factor in factors[:-1]:
        before.append(before[-1] * factor)
    after: list[Any] = [one]
    for factor in factors[:0:-1]:
        after.append(after[-1] * factor)
    return [left * right for left, right in zip(before, reversed(after), strict=True)]


def _inside(name: TermName, value: Float, slope: Float) -> Float:
    """Return the slope where the value is within its bounds, else 0."""
    lowest, highest = BOUNDS[name]
    if isinstance(value, np.ndarray):
        return np.where((value >= lowest) & (value <= highest), slope, 0.0)
    return slope if lowest <= value <= highest else slope * 0.0  # of the slope's shape

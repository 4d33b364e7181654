"""The intelligence equation, I = E·(1 + F)·X·Y·Z·(A·B·C), on floats and on arrays."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Generic, Literal, NoReturn, TypeAlias, TypedDict, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidTermError

FloatArray: TypeAlias = NDArray[np.float64]
Float: TypeAlias = float | FloatArray
T_co = TypeVar("T_co", bound=Float, covariant=True)
T = TypeVar("T", bound=Float)

TermName = Literal["A", "B", "C", "X", "Y", "Z", "E", "F"]
TERM_NAMES: tuple[TermName, ...] = ("A", "B", "C", "X", "Y", "Z", "E", "F")

_UNIT = (0.0, 1.0)
BOUNDS: Mapping[TermName, tuple[float, float]] = {
    **dict.fromkeys(("A", "B", "C", "X", "Y"), _UNIT),
    "Z": (0.0, math.inf),  # bounded below only
    "E": (0.0, math.inf),
    "F": (-1.0, math.inf),  # 1 + F never turns the score's sign
}
# what a caller knows them as
ARGUMENTS: Mapping[TermName, str] = {name: {"E": "E_n", "F": "F_n"}.get(name, name) for name in TERM_NAMES}


@dataclass(frozen=True)  # without slots: Python 3.11 cannot call a slotted frozen generic as Terms[float](...)
class Terms(Generic[T_co]):
    """The eight terms of a score, dimensionless; floats, or arrays that broadcast together.

    Attributes:
        A: impulses, in [0, 1].
        B: elements, in [0, 1].
        C: pressure, in [0, 1].
        X: subjectivity scale as objectivity (1 is objective), in [0, 1].
        Y: why axis, in [0, 1].
        Z: time sphere, at least 0.
        E: exponential growth E_n, at least 0.
        F: Fibonacci or feedback F_n, at least -1.
    """

    A: T_co
    B: T_co
    C: T_co
    X: T_co
    Y: T_co
    Z: T_co
    E: T_co
    F: T_co


class Components(TypedDict):
    """A score taken apart; E_factor is E_n·(1 + F_n), and I = E_factor·XYZ·ABC."""

    A: Float
    B: Float
    C: Float
    ABC: Float
    X: Float
    Y: Float
    Z: Float
    XYZ: Float
    E_n: Float
    F_n: Float
    E_factor: Float


def intelligence(terms: Terms[T]) -> T:
    """Return I = E(1 + F)·X·Y·Z·(A·B·C) of the terms as they are, unchecked.

    Args:
        terms: the eight terms, each of shape (...), dimensionless; they broadcast together.

    Returns:
        I, of the broadcast shape (...), dimensionless. NaN in gives NaN out.
    """
    t = cast("Terms[Any]", terms)
    return cast("T", t.E * (1.0 + t.F) * t.X * t.Y * t.Z * (t.A * t.B * t.C))


def bound_terms(
    terms: Terms[T], *, validate: bool = True, clamp_to_unit: bool = True, strict_bounds: bool = False
) -> Terms[T]:
    """Return the terms as finite float64 within their bounds; doing it twice changes nothing.

    Args:
        terms: what came from outside.
        validate: refuse what is not a number, NaN and infinity.
        clamp_to_unit: move a value outside its term's bounds to the nearer one.
        strict_bounds: refuse such a value instead; comes before clamping.

    Raises:
        TypeError: a term is neither a number nor an array of numbers (a bool is not one).
        InvalidTermError: NaN, infinity, out of bounds when these are strict, or an array whose shape does not fit the
            ones before it; names the term.
    """
    bounded = []
    for name in TERM_NAMES:
        value: Float = getattr(terms, name)
        argument = ARGUMENTS[name]
        if validate:
            value = _finite(argument, value)
        if strict_bounds:
            _check_bounds(argument, value, *BOUNDS[name])
        elif clamp_to_unit:
            value = _clamp(value, *BOUNDS[name])
        bounded.append(cast("T", value))
    if validate:
        _check_shapes(bounded)
    return Terms(*bounded)


@overload
def compute_intelligence(
    A: Float,
    B: Float,
    C: Float,
    X: Float,
    Y: Float,
    Z: Float,
    E_n: Float,
    F_n: Float,
    *,
    validate: bool = True,
    clamp_to_unit: bool = True,
    strict_bounds: bool = False,
    return_components: Literal[False] = False,
) -> Float: ...
@overload
def compute_intelligence(
    A: Float,
    B: Float,
    C: Float,
    X: Float,
    Y: Float,
    Z: Float,
    E_n: Float,
    F_n: Float,
    *,
    validate: bool = True,
    clamp_to_unit: bool = True,
    strict_bounds: bool = False,
    return_components: Literal[True],
) -> tuple[Float, Components]: ...
def compute_intelligence(  # noqa: PLR0917 - the order of the formula is its interface
    A: Float,
    B: Float,
    C: Float,
    X: Float,
    Y: Float,
    Z: Float,
    E_n: Float,
    F_n: Float,
    *,
    validate: bool = True,
    clamp_to_unit: bool = True,
    strict_bounds: bool = False,
    return_components: bool = False,
) -> Float | tuple[Float, Components]:
    """Return I_n = E_n·(1 + F_n)·X·Y·Z·(A·B·C) of checked and clamped terms.

    Args:
        A: impulses, clamped to [0, 1]. All eight are floats or arrays that broadcast together.
        B: elements, clamped to [0, 1].
        C: pressure, clamped to [0, 1].
        X: subjectivity scale, clamped to [0, 1].
        Y: why axis, clamped to [0, 1].
        Z: time sphere, raised to 0.
        E_n: exponential growth, raised to 0.
        F_n: Fibonacci or feedback, raised to -1.
        validate: refuse what is not a number, NaN, infinity and a score too large for a float.
        clamp_to_unit: clamp as said; otherwise the values are used as they are.
        strict_bounds: raise where clamping would have moved a value.
        return_components: return also what the score is made of.

    Returns:
        The score: a float for floats, else an array of the broadcast shape; with `return_components` the pair
        (score, components), whose values are the clamped ones.

    Raises:
        TypeError: a term is neither a number nor an array of numbers.
        InvalidTermError: a ValueError that names the term.
    """
    given = Terms[Float](A, B, C, X, Y, Z, E_n, F_n)
    t = bound_terms(given, validate=validate, clamp_to_unit=clamp_to_unit, strict_bounds=strict_bounds)
    with np.errstate(over="ignore", invalid="ignore"):  # told below, by name
        score = intelligence(t)
        components = _components(t) if return_components else None
    if validate and not np.all(np.isfinite(score)):
        tell_too_large(t, "the score")
    return score if components is None else (score, components)


def tell_too_large(terms: Terms[Float], what: str) -> NoReturn:
    """Name the largest term as the one that makes a result too large.

    Raises:
        InvalidTermError: always.
    """
    name = max(TERM_NAMES, key=lambda name: float(np.max(np.abs(getattr(terms, name)))))
    raise InvalidTermError(ARGUMENTS[name], f"too large: {what} exceeds what a float can hold")


def _finite(name: str, value: object) -> Float:
    """Return the value as float64, or say which term is not a finite number."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "iuf":
            raise TypeError(f"{name}: must hold real numbers, not {value.dtype}")
        array = value.astype(np.float64, copy=False)
        if not np.all(np.isfinite(array)):
            raise InvalidTermError(name, "must hold finite numbers; it has NaN or infinity")
        return array
    return finite_number(name, value, "a number or a numpy array of numbers")


def finite_number(name: str, value: object, wanted: str = "a number") -> float:
    """Return a number as a float.

    Raises:
        TypeError: it is not a number; a bool is not one.
        InvalidTermError: it is NaN or infinite, or too large for a float.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: must be {wanted}, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidTermError(name, f"must be a finite number, not {number}")
    return number


def _check_bounds(name: str, value: Float, lowest: float, highest: float) -> None:
    if not np.all((value >= lowest) & (value <= highest)):  # written so that NaN fails
        bounds = f"at least {lowest:g}" if math.isinf(highest) else f"in [{lowest:g}, {highest:g}]"
        shown = "an array beyond it" if isinstance(value, np.ndarray) else f"{value}"
        raise InvalidTermError(name, f"must be {bounds}, not {shown}")


def _check_shapes(values: Sequence[Float]) -> None:
    shape: tuple[int, ...] = ()
    for name, value in zip(TERM_NAMES, values, strict=True):
        if isinstance(value, np.ndarray):
            try:
                shape = np.broadcast_shapes(shape, value.shape)
            except ValueError:
                fault = f"an array of shape {value.shape} does not fit the terms before it, of shape {shape}"
                raise InvalidTermError(ARGUMENTS[name], fault) from None


def _clamp(value: Float, lowest: float, highest: float) -> Float:
    if isinstance(value, np.ndarray):
        return np.clip(value, lowest, highest)
    return min(max(value, lowest), highest)  # in this order NaN stays NaN


def _components(t: Terms[Float]) -> Components:
    abc, xyz, e_factor = t.A * t.B * t.C, t.X * t.Y * t.Z, t.E * (1.0 + t.F)
    return Components(A=t.A, B=t.B, C=t.C, ABC=abc, X=t.X, Y=t.Y, Z=t.Z, XYZ=xyz, E_n=t.E, F_n=t.F, E_factor=e_factor)

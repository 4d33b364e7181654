"""The state of a gem or passage: its evolution, its measurement, its interference with others.

One code for one state (floats) and for a million (numpy arrays). Time is in units of τ, the lattice's `time_unit`.
The same formulas stand in SQL, with the same operations in the same order, so that the two agree.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Generic, TypeAlias, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidStateError

FloatArray: TypeAlias = NDArray[np.float64]
Float: TypeAlias = float | FloatArray
T = TypeVar("T", bound=Float)
T_co = TypeVar("T_co", bound=Float, covariant=True)

ALPHA_DEFAULT = 0.3  # gain of a measurement: the share of the lost coherence that comes back
BETA = 0.5  # spacing effect: a measurement of at least the default gain adds E·β·(1 − c) to the energy
ENERGY_MAX = 64.0  # where measurements stop adding energy: coherence then halves in 44 τ (3.6 years of 30-day units)
UNCERTAINTY_SPAN = 10.0  # τ in which a state that is never measured becomes wholly uncertain
PHASE_MAX = math.nextafter(math.tau, 0.0)  # the largest float below 2π
NAMES = ("energy", "phase", "coherence", "uncertainty")
TOO_LONG = "is so long that the phase overflows; give a shorter time"
BLOCK = 16_384  # states that are evolved at a time: so few fit a core's cache, which is twice as quick as all at once


@dataclass(frozen=True, eq=False)  # without slots: Python 3.11 cannot call a slotted frozen QuantumState[float](...)
class QuantumState(Generic[T_co]):  # noqa: PLW1641 - arrays have no hash, so states have none
    """One state as four floats, or many as four arrays of one shape.

    Attributes:
        energy: E > 0, finite; how slowly coherence fades, in τ.
        phase: φ in [0, 2π), radians; when the memory was formed.
        coherence: c in [0, 1]; how strongly the memory holds.
        uncertainty: u in [0, 1]; how stale it is.

    Raises:
        InvalidStateError: a value is out of its bounds, or the shapes differ; names the field.
    """

    energy: T_co
    phase: T_co
    coherence: T_co
    uncertainty: T_co

    def __post_init__(self) -> None:
        for name in NAMES:
            value = _real(name, getattr(self, name))
            object.__setattr__(self, name, value)
            if isinstance(value, float) and isinstance(self.energy, float):
                continue
            if np.shape(value) != np.shape(self.energy):
                problem = f"shape {np.shape(value)} is not energy's {np.shape(self.energy)}; give all four one shape"
                raise InvalidStateError(name, problem)
        _check("energy", self.energy, math.ulp(0.0), sys.float_info.max, "must be finite and above 0")
        _check("phase", self.phase, 0.0, PHASE_MAX, "must be in [0, 2π), reduce it modulo 2π")
        _check("coherence", self.coherence, 0.0, 1.0, "must be in [0, 1]")
        _check("uncertainty", self.uncertainty, 0.0, 1.0, "must be in [0, 1]")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, QuantumState):
            return NotImplemented
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in NAMES)

    @staticmethod
    def new() -> "QuantumState[float]":
        """Return the state of what has just been stored."""
        return QuantumState(1.0, 0.0, 1.0, 0.1)


@overload
def evolve(state: QuantumState[float], dt: float) -> QuantumState[float]: ...
@overload
def evolve(state: QuantumState[FloatArray], dt: Float) -> QuantumState[FloatArray]: ...
@overload
def evolve(state: QuantumState[float], dt: FloatArray) -> QuantumState[FloatArray]: ...
def evolve(state: QuantumState[Any], dt: Float) -> QuantumState[Any]:
    """Return the state dt later; evolving by a and then by b is evolving by a + b.

        c ← c·exp(−dt/E)      φ ← (φ + E·dt) mod 2π      u ← min(1, u + dt/10)

    Args:
        state: of shape (...).
        dt: time passed in τ, at least 0; a float, or an array that broadcasts with the state.

    Returns:
        The state, of the broadcast shape.

    Raises:
        InvalidStateError: dt is negative, not finite, of an unfit shape, or so long that the phase overflows.
    """
    dt = _real("dt", dt)
    _check("dt", dt, 0.0, sys.float_info.max, "must be finite and at least 0, states evolve forwards only")
    if isinstance(dt, float) and isinstance(state.energy, float):
        return _move_one(state, dt)
    shape = _broadcast("dt", dt, state)
    given = [_flat(each, shape) for each in (state.energy, state.phase, state.coherence, state.uncertainty, dt)]
    moved = [np.empty(math.prod(shape)) for _ in range(3)]
    try:
        for start in range(0, moved[0].size, BLOCK):
            block = slice(start, start + BLOCK)
            values = [each if isinstance(each, float) else each[block] for each in given]
            _move(values, [each[block] for each in moved])
    except FloatingPointError:
        raise InvalidStateError("dt", TOO_LONG) from None
    return _trusted(np.broadcast_to(state.energy, shape), *(each.reshape(shape) for each in moved))


def _move_one(state: QuantumState[float], dt: float) -> QuantumState[float]:
    """Evolve one state as `_move` does many, in floats, which is a tenth of the work."""
    turned = state.phase + state.energy * dt
    if math.isinf(turned):
        raise InvalidStateError("dt", TOO_LONG)
    turned -= math.floor(turned / math.tau) * math.tau
    with np.errstate(under="ignore"):
        held = np.exp(-(dt / state.energy))  # numpy's, since that of `math` may differ in the last bit
    return _trusted(
        state.energy,
        min(max(turned, 0.0), PHASE_MAX),
        state.coherence * float(held),
        min(state.uncertainty + dt / UNCERTAINTY_SPAN, 1.0),
    )


def _move(given: Sequence[Any], moved: Sequence[FloatArray]) -> None:
    """Write phase, coherence and uncertainty dt later into `moved`, with no array beside these.

    The phase is reduced by hand, since Postgres has no float remainder and this floor stands there too. Rounding can
    leave the difference an ulp of the phase outside [0, 2π); both ends are one point of the circle.
    """
    energy, phase, coherence, uncertainty, dt = given
    turned, held, stale = moved
    with np.errstate(over="raise"):
        np.add(phase, np.multiply(energy, dt, out=turned), out=turned)
    turns = np.floor(np.divide(turned, math.tau, out=held), out=held)
    np.subtract(turned, np.multiply(turns, math.tau, out=held), out=turned)
    np.minimum(np.maximum(turned, 0.0, out=turned), PHASE_MAX, out=turned)
    with np.errstate(over="ignore", under="ignore"):  # a memory older than exp can tell is at 0
        np.exp(np.negative(np.divide(dt, energy, out=held), out=held), out=held)
        np.multiply(coherence, held, out=held)
    np.add(uncertainty, np.divide(dt, UNCERTAINTY_SPAN, out=stale), out=stale)
    np.minimum(stale, 1.0, out=stale)


@overload
def measure(
    state: QuantumState[float], gain: float = ALPHA_DEFAULT, energy_max: float = ENERGY_MAX
) -> QuantumState[float]: ...
@overload
def measure(
    state: QuantumState[FloatArray], gain: Float = ALPHA_DEFAULT, energy_max: float = ENERGY_MAX
) -> QuantumState[FloatArray]: ...
@overload
def measure(
    state: QuantumState[float], gain: FloatArray, energy_max: float = ENERGY_MAX
) -> QuantumState[FloatArray]: ...
def measure(state: QuantumState[Any], gain: Float = ALPHA_DEFAULT, energy_max: float = ENERGY_MAX) -> QuantumState[Any]:
    """Return the state after a use: surer, longer lived, more coherent; the phase stays.

        u ← u(1 − α)      E ← max(E, min(E_max, E(1 + β'(1 − c))))      c ← c + α(1 − c)

    with β' = β·min(1, α/0.3): a gain that goes to 0, as through a weak entanglement, leaves a state as it is. The
    energy gains most just before the memory would be lost (spacing effect). One that is above E_max already, because
    the ceiling was lowered, keeps its energy: a use never weakens a memory.

    Args:
        state: of shape (...), evolved to the moment of the use.
        gain: α in [0, 1]; a float, or an array that broadcasts with the state.
        energy_max: E_max > 0, in τ.

    Raises:
        InvalidStateError: gain or energy_max is out of its bounds; names it.
    """
    gain = _real("gain", gain)
    _check("gain", gain, 0.0, 1.0, "must be in [0, 1]")
    _check("energy_max", _real("energy_max", energy_max), math.ulp(0.0), sys.float_info.max, "must be above 0")
    shape = _broadcast("gain", gain, state)
    lost = 1.0 - state.coherence
    beta = BETA * np.minimum(1.0, gain / ALPHA_DEFAULT)
    with np.errstate(over="ignore"):  # what overflows is cut to energy_max
        energy = np.maximum(state.energy, np.minimum(energy_max, np.multiply(state.energy, 1.0 + beta * lost)))
    return _trusted(
        np.broadcast_to(energy, shape),
        np.broadcast_to(state.phase, shape),
        state.coherence + gain * lost,  # at most 1 in floats too: 1 − c errs by less than half an ulp of 1
        state.uncertainty * (1.0 - gain),
    )


@overload
def interference(x: QuantumState[float], y: QuantumState[float]) -> float: ...
@overload
def interference(x: QuantumState[Float], y: QuantumState[Float]) -> Float: ...
def interference(x: QuantumState[Any], y: QuantumState[Any]) -> Float:
    """Return cos(φx − φy)·cx·cy in [−1, 1], of the broadcast shape; above 0 is constructive."""
    overlap: Float = _plain(np.cos(x.phase - y.phase) * (x.coherence * y.coherence))
    return overlap


def interference_matrix(state: QuantumState[FloatArray]) -> FloatArray:
    """Return the interference of every two of n states: shape (n, n), symmetric, with c² on the diagonal.

    For n in the hundreds; for more, `field` gives the sums of its rows in O(n).
    """
    re, im = _waves(state)
    overlaps: FloatArray = np.outer(re, re) + np.outer(im, im)
    return np.clip(overlaps, -1.0, 1.0, out=overlaps)


def field(state: QuantumState[T]) -> T:
    """Return how far each state swings with all: f_i = Re(z_i·conj(Σz))/Σc with z = c·e^{iφ}, in O(n).

    Returns:
        Of the state's shape, in [−1, 1]; 0 everywhere when no state is coherent.
    """
    re, im = _waves(state)
    total = np.sum(state.coherence) or 1.0  # with Σc = 0 every z is 0, and so is the field
    # Σz is divided first, so that tiny coherences do not underflow
    overlaps = re * (np.sum(re) / total) + im * (np.sum(im) / total)
    return cast("T", _plain(np.clip(overlaps, -1.0, 1.0)))


def order_parameter(state: QuantumState[Float]) -> float:
    """Return |Σz|/Σc in [0, 1]: how much of the lattice moves together; 0 when no state is coherent."""
    re, im = _waves(state)
    total = float(np.sum(state.coherence)) or 1.0
    return min(1.0, math.hypot(np.sum(re), np.sum(im)) / total)


def _waves(state: QuantumState[Any]) -> tuple[Any, Any]:
    """Return the real and the imaginary part of z = c·e^{iφ}."""
    return state.coherence * np.cos(state.phase), state.coherence * np.sin(state.phase)


def _flat(value: Float, shape: tuple[int, ...]) -> Float:
    return value if isinstance(value, float) else np.broadcast_to(value, shape).reshape(-1)


def _trusted(*values: Any) -> QuantumState[Any]:  # noqa: ANN401 - floats or arrays
    """Return a state of values that are in bounds by construction, without checking a million rows again."""
    state: QuantumState[Any] = object.__new__(QuantumState)
    for name, value in zip(NAMES, values, strict=True):
        object.__setattr__(state, name, _plain(value))
    return state


def _plain(value: Any) -> Any:  # noqa: ANN401 - a float or an array
    """Return a numpy scalar or 0-d array as a float, arrays as they are."""
    return value if type(value) is float or np.ndim(value) else float(value)


def _real(name: str, value: object) -> Float:
    """Return the value as float64 (0-d as a float), or say which field is not real numbers."""
    if type(value) is float:
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        return cast("Float", _plain(value.astype(np.float64, copy=False)))
    if isinstance(value, bool) or not isinstance(value, Real):
        problem = f"must be a number or a numpy array of numbers, not {type(value).__name__}"
        raise InvalidStateError(name, problem)
    try:
        return float(value)
    except OverflowError:  # a whole number beyond all floats: out of every bound below
        return math.inf


def _check(name: str, value: Float, lowest: float, highest: float, problem: str) -> None:
    """Refuse a value outside [lowest, highest]; two passes without a copy, and NaN does not get through."""
    if isinstance(value, np.ndarray):
        if value.size == 0 or (value.min() >= lowest and value.max() <= highest):
            return
        row = int(np.flatnonzero(~((value >= lowest) & (value <= highest)))[0])
        raise InvalidStateError(name, f"{problem}, not {value.flat[row]} (row {row})", row=row)
    if not lowest <= value <= highest:
        raise InvalidStateError(name, f"{problem}, not {value}")


def _broadcast(name: str, value: Float, state: QuantumState[Any]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(np.shape(value), np.shape(state.energy))
    except ValueError:
        problem = f"shape {np.shape(value)} does not broadcast with the state's {np.shape(state.energy)}"
        raise InvalidStateError(name, problem) from None

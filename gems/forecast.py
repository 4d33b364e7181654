"""What becomes of a state that is left alone: closed forms, nothing is simulated."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.errors import InvalidInputError
from gems.state import FloatArray, QuantumState, evolve

BELOW_DEFAULT = 0.1  # coherence below which a memory counts as fading
LEAST_BELOW = 1e-6
MOST_POINTS = 2_000


@dataclass(frozen=True, slots=True)
class Point:
    """A state at a moment."""

    at: datetime
    state: QuantumState[float]


def check_below(below: float) -> float:
    """Return a threshold of coherence.

    Raises:
        InvalidInputError: it is out of (0, 1].
    """
    if not LEAST_BELOW <= below <= 1:
        raise InvalidInputError("below", f"must be from {LEAST_BELOW:f} to 1, not {below}")
    return float(below)


def fall_after(state: QuantumState[float], below: float = BELOW_DEFAULT) -> float:
    """Return in how many τ the coherence c reaches a threshold m if nobody uses what it belongs to: E·ln(c/m).

    0 if it is there, or below, already.
    """
    return state.energy * math.log(max(1.0, state.coherence / below))


def falls_at(
    state: QuantumState[float], measured_at: datetime, time_unit: timedelta, below: float = BELOW_DEFAULT
) -> datetime | None:
    """Return the moment from which coherence is below a threshold: measured_at + τ·E·ln(c/m), to the microsecond.

    Args:
        state: as it was at `measured_at`.
        measured_at: its moment; the answer for a state that was below then.
        time_unit: τ.
        below: the threshold m, above 0.

    Returns:
        The moment; None if it lies beyond the year 9999.
    """
    try:
        return measured_at + fall_after(state, below) * time_unit
    except OverflowError:
        return None


def spread_moments(since: datetime, until: datetime, points: int) -> list[datetime]:
    """Return moments at equal distances, the first and the last among them; one if both are the same.

    Raises:
        InvalidInputError: `until` lies before `since`, or the number is out of bounds.
    """
    if not 2 <= points <= MOST_POINTS:
        raise InvalidInputError("points", f"must be from 2 to {MOST_POINTS:,}, not {points}")
    if until < since:
        raise InvalidInputError("until", f"must not be before {since:%Y-%m-%dT%H:%M:%SZ}")
    if until == since:
        return [since]
    return [since + (until - since) * (i / (points - 1)) for i in range(points - 1)] + [until]


def follow(
    state: QuantumState[float], measured_at: datetime, time_unit: timedelta, moments: Sequence[datetime]
) -> list[Point]:
    """Return a state at moments; one before it was measured counts as that one."""
    nothing = timedelta(0)
    elapsed = np.array([max(nothing, moment - measured_at) / time_unit for moment in moments], np.float64)
    return to_points(moments, evolve(state, elapsed))


def to_points(moments: Sequence[datetime], states: QuantumState[FloatArray]) -> list[Point]:
    """Return states of shape (n,) with their n moments."""
    columns = (states.energy, states.phase, states.coherence, states.uncertainty)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Point(at, QuantumState(*row)) for at, row in zip(moments, rows, strict=True)]

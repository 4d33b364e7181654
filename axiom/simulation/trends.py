"""Where a series goes: its growth, its bend, where the bend turns, how restless it is, and where its course changes."""

import math
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axiom.equation import FloatArray
from axiom.simulation.change_points import MOST, find_change_points
from axiom.simulation.summary import volatility
from axiom.simulation.tables import blocks, grown, shrunk, table
from core.errors import InvalidParameterError

Direction = Literal["rising", "falling", "flat"]
Phase = Literal["accelerating", "decelerating", "turning", "steady"]

PERCEPTIBLE = 0.01  # of a series' range: a rise or bend of less is none
SURE = 3.0  # standard errors that it must exceed
ROUNDING = 1e-12  # of the largest value: a range of less is noise of the arithmetic
TURNING = 0.1  # of the steeper half's slope: the other half must go back by more
CURVATURE = np.array([2.0, -1.0, -2.0, -1.0, 2.0]) / 7.0  # second derivative of the parabola through 5 points
FEWEST = 8  # points in which inflections are looked for


@dataclass(frozen=True, slots=True)
class Half:
    """One half of a series; the middle state of an odd number belongs to both.

    Attributes:
        mean: of its states.
        slope: of the line through them, per step.
        volatility: standard deviation of the changes from step to step.
    """

    mean: float
    slope: float
    volatility: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Where a series goes.

    Attributes:
        direction: of the line through all states; flat if its rise is noise, or too little to see.
        phase: whether the second half is steeper or flatter than the first, or turns back; steady if the bend of the
            parabola through all states is noise, or too little to see.
        growth_rate: share per step, 0.02 is 2 %: of the exponential through all states if all are positive, else the
            slope over the mean's magnitude; None if the mean is 0 or the rate beyond any float.
        slope: of the line through all states, per step.
        acceleration: second derivative of the parabola through all states, per step².
        inflections: the steps where the curvature changes its sign, interpolated.
        volatility: standard deviation of the changes from step to step.
        first_half: the states up to the middle.
        second_half: those from the middle on.
        shift: the second half's mean less the first one's.
        change_points: the steps from which the series takes another course.
    """

    direction: Direction
    phase: Phase
    growth_rate: float | None
    slope: float
    acceleration: float
    inflections: tuple[float, ...]
    volatility: float
    first_half: Half
    second_half: Half
    shift: float
    change_points: tuple[int, ...]

    def to_dict(self) -> dict[str, object]:
        """Return JSON values."""
        return asdict(self) | {"inflections": list(self.inflections), "change_points": list(self.change_points)}


def analyse_trend(values: FloatArray, most_changes: int = MOST) -> Trend:
    """Return the trend of a series (n,).

    Args:
        values: states from step 0 on.
        most_changes: how many change points to tell at most; 0 looks for none.

    Raises:
        InvalidParameterError: the values are no finite numbers of this shape.
    """
    if np.ndim(values) != 1:
        raise InvalidParameterError("values", f"must be of shape (n,), not {np.shape(values)}")
    return analyse_trends(values, most_changes)[0]


def analyse_trends(values: FloatArray, most_changes: int = MOST) -> tuple[Trend, ...]:
    """Return the trend of each of k scenarios (n, k), as `analyse_trend` does of one.

    Change points are the dear part: some milliseconds a scenario.

    Raises:
        InvalidParameterError: the values are no finite numbers of this shape.
    """
    return tuple(trend for _, rows in blocks(table("values", values)) for trend in _trends(rows, most_changes))


def _trends(rows: FloatArray, most_changes: int) -> list[Trend]:
    small, scale = shrunk(rows)
    n = small.shape[1]
    line, bend = _fit(small)
    rates = _growth_rates(rows, small, line.slope)
    first, second = _halves(small[:, : (n + 1) // 2], scale), _halves(small[:, n // 2 :], scale)
    shifts = grown(small[:, n // 2 :].mean(axis=1) - small[:, : (n + 1) // 2].mean(axis=1), scale)
    slopes, accelerations = grown(line.slope, scale), grown(2.0 * bend.slope, scale)
    restless = grown(volatility(small), scale)
    return [
        Trend(
            direction=_direction(float(line.slope[at]), clear=bool(line.clear[at])),
            phase=_phase(first[at].slope, second[at].slope, clear=bool(bend.clear[at])),
            growth_rate=rates[at],
            slope=float(slopes[at]),
            acceleration=float(accelerations[at]),
            inflections=_inflections(small[at]),
            volatility=float(restless[at]),
            first_half=first[at],
            second_half=second[at],
            shift=float(shifts[at]),
            change_points=find_change_points(rows[at], most_changes),
        )
        for at in range(len(rows))
    ]


class _Fit(NamedTuple):
    """The coefficients of one function of the step, shape (c,), and whether each is more than noise and can be seen."""

    slope: FloatArray
    clear: NDArray[np.bool_]


def _fit(rows: FloatArray) -> tuple[_Fit, _Fit]:
    """Return the line through each row (c, n), and the parabola on top of it."""
    n = rows.shape[1]
    times = np.arange(n) - (n - 1) / 2.0
    squares = times * times - (times @ times) / n
    left = rows - rows[:, :1]  # makes constants exact
    spread = np.ptp(rows, axis=1)
    spread = np.where(spread > ROUNDING * np.abs(rows).max(axis=1), spread, np.inf)
    left -= left.mean(axis=1, keepdims=True)
    fits = []
    for shape, rise, parameters in ((times, n - 1.0, 2), (squares, (n - 1.0) ** 2 / 4.0, 3)):
        weight = float(shape @ shape)
        if n < parameters:
            fits.append(_Fit(np.zeros(len(rows)), np.zeros(len(rows), dtype=bool)))
            continue
        slope = (left * shape).sum(axis=1) / weight
        left = left - slope[:, None] * shape
        noise = np.sqrt((left * left).sum(axis=1) / max(1, n - parameters) / weight)
        fits.append(_Fit(slope, (np.abs(slope) > SURE * noise) & (np.abs(slope) * rise > PERCEPTIBLE * spread)))
    return fits[0], fits[1]


def _direction(slope: float, *, clear: bool) -> Direction:
    if not clear:
        return "flat"
    return "rising" if slope > 0.0 else "falling"


def _phase(first: float, second: float, *, clear: bool) -> Phase:
    """Return the phase from the slopes of the two halves, and whether there is a clear bend."""
    if not clear:
        return "steady"
    if math.copysign(1.0, first) != math.copysign(1.0, second) and min(abs(first), abs(second)) > TURNING * max(
        abs(first), abs(second)
    ):
        return "turning"
    return "accelerating" if abs(second) > abs(first) else "decelerating"


def _growth_rates(rows: FloatArray, small: FloatArray, slopes: FloatArray) -> list[float | None]:
    """Return the growth rates of rows (c, n), from themselves and from what they were shrunk to."""
    means, largest = small.mean(axis=1), np.abs(small).max(axis=1)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        rates = np.where(np.abs(means) > ROUNDING * largest, slopes / np.abs(means), np.nan)
        positive = (rows > 0.0).all(axis=1)
        if positive.any():
            rates[positive] = np.expm1(_fit(np.log(rows[positive]))[0].slope)
    return [rate if math.isfinite(rate) else None for rate in rates.tolist()]


def _halves(small: FloatArray, scale: FloatArray) -> list[Half]:
    columns = (small.mean(axis=1), _fit(small)[0].slope, volatility(small))
    return [Half(*each) for each in zip(*(grown(column, scale).tolist() for column in columns), strict=True)]


def _inflections(values: FloatArray) -> tuple[float, ...]:
    """Return where the curvature of a series (n,) changes its sign.

    Noise bends at every step: the series is looked at as it is, then as means of 2 steps, of 4, and so on, until bends
    to both sides stand out from what its fourth differences, which a smooth curve hardly has, say of its noise.
    """
    width = 1
    floor = 2.0 * np.finfo(np.float64).eps * np.abs(values).max()
    while values.size >= FEWEST:
        bends = np.convolve(values, CURVATURE, mode="valid")
        noise = max(floor, float(np.median(np.abs(np.diff(values, 4)))) / (0.6745 * math.sqrt(70.0)))
        limit = 2.0 * math.sqrt(2.0 * math.log(values.size)) * noise * float(np.linalg.norm(CURVATURE))
        clear = np.flatnonzero(np.abs(bends) > limit)
        turns = np.flatnonzero(np.sign(bends[clear[1:]]) != np.sign(bends[clear[:-1]]))
        if turns.size:
            left, right = clear[turns], clear[turns + 1]
            share = bends[left] / (bends[left] - bends[right])
            middle = 2.0 + left + share * (right - left)  # a bend is that of the middle of its 5 points
            return tuple((middle * width + (width - 1) / 2.0).tolist())
        values = values[: values.size // 2 * 2].reshape(-1, 2).mean(axis=1)
        width *= 2
    return ()

"""Where a series takes another course.

First the corners and jumps that stand out by themselves, as where one rule follows another. Between these, where there
is noise: candidates from ruptures (bottom-up: many short lines, joined while that costs little), of which those stay
that neither noise nor a smooth curve explains.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axiom.equation import FloatArray
from axiom.simulation.parameters import integer
from axiom.simulation.tables import shrunk, table
from core.errors import InvalidParameterError

MOST = 10
POINTS = 1_000  # what a longer series is thinned to, by means of blocks of steps
LEAST = 4  # points of one line
CURVE = 6  # parameters of the curve that two lines must beat
STRAIGHT = 1e-9  # share of the variance that a line may leave to rounding
LITTLE = 1e-4  # share of what one line leaves that a change must explain
NEARBY = 8  # steps on each side in which a corner stands alone
SHARP = 10.0  # times the other bends: a corner
PENALTY = 6.0  # of a change, in noise variances times ln n

Indices = NDArray[np.intp]


def find_change_points(values: FloatArray, most: int = MOST) -> tuple[int, ...]:
    """Return the steps from which a series (n,) takes another course than before, the clearest ones, in order.

    Of a jump it is the first step after it; of a corner, the step of the corner. A smooth curve changes nowhere, as
    much as it bends, unless it does so within a few steps. In noise, a change counts if two lines explain the stretch
    around it better than noise would let them, and better than one curve; noise that remembers, such as a random
    walk's, is allowed for.

    Args:
        values: states from step 0 on. Where noise needs a search among more than 1,000, it is done on means of blocks,
            and what is found is then placed among all of them.
        most: how many to return at most, up to 100; 0 looks for none.

    Raises:
        InvalidParameterError: the values are no finite numbers of this shape; `most` is out of bounds.
    """
    most = integer("most", most, 0, 100)
    if np.ndim(values) != 1:
        raise InvalidParameterError("values", f"must be of shape (n,), not {np.shape(values)}")
    series = shrunk(table("values", values).T)[0][0]
    cuts = _corners(series, most)
    parts = sorted(pairwise([0, *sorted(cuts), series.size]), key=lambda part: part[0] - part[1])
    for start, end in parts:
        if len(cuts) < most:
            cuts += [start + cut for cut in _search(series[start:end], most - len(cuts))]
    return tuple(sorted(cuts))


def _corners(values: FloatArray, most: int) -> list[int]:
    """Return the states at which the series bends far more than at any other nearby, the sharpest first."""
    if values.size < 2 * NEARBY:
        return []
    bends = np.zeros(values.size)
    bends[1:-1] = np.abs(np.diff(values, 2))
    padded = np.pad(bends, NEARBY)
    shifts = [by for by in range(2 * NEARBY + 1) if abs(by - NEARBY) > 1]
    highest = np.maximum.reduce([padded[by : by + bends.size] for by in shifts])
    sharp = bends > np.maximum(SHARP * highest, STRAIGHT * np.ptp(values))
    sharp[:LEAST] = sharp[values.size - LEAST :] = False
    sharp[:-1] &= ~sharp[1:]  # a jump bends one way before it, the other way at it
    at = np.flatnonzero(sharp)
    cuts: list[int] = at[np.argsort(-bends[at], kind="stable")][:most].tolist()
    return cuts


def _search(values: FloatArray, most: int) -> list[int]:
    """Return where a series without corners changes, if it is not smooth."""
    if values.size < 2 * LEAST:
        return []
    width = math.ceil(values.size / POINTS)
    lines = _Lines(values[: values.size // width * width].reshape(-1, width).mean(axis=1))
    if lines.whole <= STRAIGHT * lines.size or _is_smooth(values):
        return []
    cuts = _weed(lines, _candidates(lines, most), most)
    if width > 1 and cuts:
        cuts = _place(_Lines(values), [cut * width for cut in cuts], 2 * width)
    return cuts


def _is_smooth(values: FloatArray) -> bool:
    """Return whether differences get smaller with their order, as those of curves do; those of noise get larger.

    Where it does not move but for rounding, as a curve that has arrived, a series says nothing of that.
    """
    second, fourth = np.abs(np.diff(values, 2))[1:-1], np.abs(np.diff(values, 4))
    moves = np.maximum(second, fourth) > STRAIGHT * np.ptp(values)
    return bool(moves.any() and np.median(fourth[moves]) < np.median(second[moves]))


class _Moments(NamedTuple):
    """Of stretches: the means of t and v, and the sums of t², tv and v² around those."""

    t: FloatArray
    v: FloatArray
    tt: FloatArray
    tv: FloatArray
    vv: FloatArray


class _Lines:
    """Lines through stretches of a series, by least squares, from running sums: no stretch costs more than another.

    Attributes:
        values: the series with mean 0 and variance 1; all 0 if it is constant but for rounding.
        size: how many there are.
        whole: the squared error of one line through all.
    """

    def __init__(self, values: FloatArray) -> None:
        self.size = values.size
        centred = values - values.mean()
        spread = centred.std()
        flat = spread <= 1e-12 * np.abs(values).max()
        self.values = np.zeros(values.size) if flat else centred / spread
        self._times = (np.arange(self.size) - (self.size - 1) / 2.0) / self.size
        v, t = self.values, self._times
        self._sums = np.zeros((3, self.size + 1))
        np.cumsum((v, t * v, v * v), axis=1, out=self._sums[:, 1:])
        self.whole = float(self.errors(np.array([0]), np.array([self.size]))[0])

    def errors(self, starts: Indices, ends: Indices) -> FloatArray:
        """Return the squared errors of the lines through [start, end), each of at least 2 points."""
        of = self._moments(starts, ends)
        return np.asarray(np.maximum(of.vv - of.tv * of.tv / of.tt, 0.0))

    def residuals(self, edges: Indices) -> FloatArray:
        """Return what the lines between the edges leave of each point."""
        starts, ends = edges[:-1], edges[1:]
        of, lengths = self._moments(starts, ends), ends - starts
        times = self._times - np.repeat(of.t, lengths)
        return np.asarray(self.values - np.repeat(of.v, lengths) - np.repeat(of.tv / of.tt, lengths) * times)

    def curve_error(self, start: int, end: int) -> float:
        """Return the squared error of the polynomial through [start, end) that has a line's and one for its change."""
        orthogonal, _ = np.linalg.qr(np.vander(np.linspace(-1.0, 1.0, end - start), CURVE))
        part = self.values[start:end]
        return float(np.square(part - orthogonal @ (orthogonal.T @ part)).sum())

    def _moments(self, starts: Indices, ends: Indices) -> _Moments:
        n = (ends - starts).astype(np.float64)
        v, tv, vv = self._sums[:, ends] - self._sums[:, starts]
        t = ((starts + ends - 1) - (self.size - 1)) / (2.0 * self.size)
        return _Moments(t, v / n, n * (n * n - 1.0) / (12.0 * self.size**2), tv - t * v, vv - v * v / n)


def _candidates(lines: _Lines, most: int) -> list[int]:
    from ruptures import BottomUp  # noqa: PLC0415 - slow to load, and few need it
    from ruptures.base import BaseCost  # noqa: PLC0415 - as above

    class LineCost(BaseCost):  # type: ignore[misc] # ruptures has no types
        """The squared error of a line."""

        model = "line"
        min_size = LEAST

        def fit(self, signal: FloatArray) -> "LineCost":
            self.signal = signal
            return self

        def error(self, start: int, end: int) -> float:
            return float(lines.errors(np.array([start]), np.array([end]))[0])

    count = min(2 * most, lines.size // (2 * LEAST) - 1)
    search = BottomUp(custom_cost=LineCost(), min_size=LEAST, jump=1)
    cuts: list[int] = search.fit_predict(lines.values, n_bkps=count)[:-1] if count > 0 else [lines.size // 2]
    return cuts


def _weed(lines: _Lines, cuts: list[int], most: int) -> list[int]:
    """Return the candidates that stay, each at its best place, after the weakest were taken away one by one."""
    while cuts:
        cuts = _place(lines, cuts, lines.size)
        edges = np.array([0, *cuts, lines.size])
        parts = lines.errors(edges[:-1], edges[1:])
        gains = lines.errors(edges[:-2], edges[2:]) - parts[:-1] - parts[1:]
        least = _least_gain(lines, edges)
        weakest = int(gains.argmin())
        if len(cuts) <= most and gains[weakest] >= least:
            weakest = _needless(lines, edges, parts, gains, least)
        if weakest < 0:
            break
        del cuts[weakest]
    return cuts


def _needless(lines: _Lines, edges: Indices, parts: FloatArray, gains: FloatArray, least: float) -> int:
    """Return which cut a curve replaces, or the others do once they are moved; −1 if none is needless."""
    cuts = edges[1:-1].tolist()
    for at in np.argsort(gains).tolist():
        points = int(edges[at + 2] - edges[at])
        curve = lines.curve_error(int(edges[at]), int(edges[at + 2])) / (points - CURVE)
        if curve <= (parts[at] + parts[at + 1]) / (points - 5):  # 2 lines and their place
            return int(at)
        others = np.array([0, *_place(lines, cuts[:at] + cuts[at + 1 :], lines.size), lines.size])
        if lines.errors(others[:-1], others[1:]).sum() - parts.sum() < least:
            return int(at)
    return -1


def _least_gain(lines: _Lines, edges: Indices) -> float:
    """Return by how much a change must lessen the squared error."""
    left = lines.residuals(edges)
    squares = float(left @ left)
    memory = min(max(float(left[1:] @ left[:-1]) / squares, 0.0), 0.99) if squares > 0.0 else 0.0
    noise = squares / max(1, lines.size - 2 * (edges.size - 1)) * (1.0 + memory) / (1.0 - memory)
    return max(PENALTY * noise * math.log(lines.size), LITTLE * lines.whole, STRAIGHT * lines.size)


def _place(lines: _Lines, cuts: list[int], reach: int) -> list[int]:
    """Return each cut moved to the best place between its neighbours, at most so far; the earliest if several are."""
    placed = [0, *cuts, lines.size]
    for at in range(1, len(placed) - 1):
        before, after = placed[at - 1], placed[at + 1]
        places = np.arange(max(before + LEAST, placed[at] - reach), min(after - LEAST, placed[at] + reach) + 1)
        if places.size:
            errors = lines.errors(np.full_like(places, before), places) + lines.errors(
                places, np.full_like(places, after)
            )
            best = errors.min()
            placed[at] = int(places[np.argmax(errors <= best + 1e-6 * best + 1e-10 * lines.size)])
    return placed[1:-1]

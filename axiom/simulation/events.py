"""Detectors: crossings of a level, milestones, peaks and troughs, plateaus.

Each looks at one series of all scenarios, without a loop over steps; a few scenarios at a time, laid one after another.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axiom.equation import FloatArray
from axiom.simulation.detection import Event
from axiom.simulation.inputs import SERIES, SeriesName
from axiom.simulation.parameters import Parameters, Taken, choice, finite, number, parameter, sequence, whole
from axiom.simulation.tables import blocks, table
from core.errors import InvalidParameterError

MOST_LEVELS = 100
WIDEST = 1e300  # so that a plateau's mean cannot overflow

Indices = NDArray[np.intp]


class Find(NamedTuple):
    """Some events of a block, as columns of one length.

    Attributes:
        rows: of which scenario of the block.
        steps: when.
        values: of the variable then.
        kind: of all of them.
        details: of each, or one for all of them.
    """

    rows: Indices
    steps: FloatArray | Indices
    values: FloatArray
    kind: str
    details: list[str] | str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector(Parameters):
    """A detector that is its parameters: it can be told as JSON."""

    tag: ClassVar[str] = "event"
    variable: SeriesName = choice(SERIES, "score", help="The series it looks at.")

    @property
    def variables(self) -> frozenset[SeriesName]:
        """The series that it needs: its own."""
        return frozenset({self.variable})

    def detect(self, series: Mapping[SeriesName, FloatArray], /) -> Iterator[Event]:
        """Yield what it finds in the series, of shape (n,) or (n, k).

        Raises:
            InvalidParameterError: the series is missing, or not of finite numbers; names it.
        """
        if self.variable not in series:
            raise InvalidParameterError(self.variable, "is needed, and is not among the series")
        for first, values in blocks(table(self.variable, series[self.variable])):
            for find in self.find(values):
                details = [find.details] * find.rows.size if isinstance(find.details, str) else find.details
                columns = (find.steps.tolist(), find.values.tolist(), find.rows.tolist(), details)
                for step, value, row, detail in zip(*columns, strict=True):
                    yield Event(find.kind, self.variable, float(step), value, first + row, detail)

    def find(self, values: FloatArray) -> Iterable[Find]:
        """Return what is in a block of scenarios, of shape (c, n)."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Threshold(Detector):
    """Each crossing of a level, interpolated between steps; a touch that turns back is none.

    A series that stays on the level before it goes on crosses it when it gets there.
    """

    kind: ClassVar[str] = "threshold"
    level: float = number(help="The level.")
    direction: str = choice(("both", "up", "down"), "both", help="Which crossings count.")

    def find(self, values: FloatArray) -> Iterable[Find]:  # noqa: D102
        with np.errstate(over="ignore"):
            side = np.sign(values - self.level)
        off = np.flatnonzero(side)  # states that are not on the level; a crossing lies between two of them
        sides, rows = side.ravel()[off], off // values.shape[1]
        crossed = np.flatnonzero((sides[1:] != sides[:-1]) & (rows[1:] == rows[:-1]))
        if self.direction != "both":
            crossed = crossed[(sides[crossed] < 0.0) == (self.direction == "up")]
        left = off[crossed]
        steps = left % values.shape[1] + _share(values.ravel(), left, self.level)
        details = [f"{'rises' if side < 0.0 else 'falls'} through {self.level:g}" for side in sides[crossed].tolist()]
        yield Find(left // values.shape[1], steps, np.full(left.size, self.level), self.kind, details)


def _check_levels(path: str, value: object) -> tuple[float, ...]:
    levels = [finite(f"{path}[{at}]", each) for at, each in enumerate(sequence(path, value))]
    if not 1 <= len(levels) <= MOST_LEVELS:
        raise InvalidParameterError(path, f"must have 1 to {MOST_LEVELS} levels, not {len(levels):,}")
    return tuple(sorted(set(levels)))


_LEVELS = Taken(_check_levels, "a list of finite numbers", "The levels.", write=list)


@dataclass(frozen=True, slots=True)
class Milestones(Detector):
    """The first time each level is reached, from below or from above, interpolated between steps."""

    kind: ClassVar[str] = "milestones"
    levels: tuple[float, ...] = parameter(_LEVELS)

    def find(self, values: FloatArray) -> Iterable[Find]:  # noqa: D102
        start = values[:, :1]
        for level in self.levels:
            reached = np.where(start < level, values >= level, values <= level)
            first = reached.argmax(axis=1)
            rows = np.flatnonzero(reached[np.arange(first.size), first])
            left = np.maximum(first[rows] - 1, 0)
            steps = left + np.where(first[rows] > 0, _share(values.ravel(), rows * values.shape[1] + left, level), 0.0)
            yield Find(rows, steps, np.full(rows.size, level), "milestone", f"reached {level:g}")


@dataclass(frozen=True, slots=True)
class Peaks(Detector):
    """Local peaks and troughs: higher, or lower, than what is on both sides. The middle of a flat one counts.

    The prominence of a peak is how far one must go down from it to get to anything higher, or to an end of the series.
    """

    kind: ClassVar[str] = "peaks"
    prominence: float = number(0.0, low=0.0, help="The least prominence that counts.")
    which: str = choice(("both", "peaks", "troughs"), "both", help="Which count.")

    def find(self, values: FloatArray) -> Iterable[Find]:  # noqa: D102
        if values.shape[1] < 3:
            return
        for which, kind, sign in (("peaks", "peak", 1.0), ("troughs", "trough", -1.0)):
            if self.which in {"both", which}:
                at = _peaks(sign * values, self.prominence)
                yield Find(at // values.shape[1], at % values.shape[1], values.ravel()[at], kind)


@dataclass(frozen=True, slots=True)
class Plateaus(Detector):
    """Stretches in which no step changes the series by more than the tolerance; told at the start, with the mean."""

    kind: ClassVar[str] = "plateaus"
    tolerance: float = number(1e-3, low=0.0, high=WIDEST, help="The largest change of a step.")
    least_steps: int = whole(10, low=1, high=1_000_000, help="The least number of steps.")

    def find(self, values: FloatArray) -> Iterable[Find]:  # noqa: D102
        count, n = values.shape
        still = np.zeros((count, n + 1), dtype=bool)  # whether the change before a state is small; none at both ends
        with np.errstate(over="ignore"):
            still[:, 1:n] = np.abs(np.diff(values, axis=1)) <= self.tolerance
        turns = np.flatnonzero(np.diff(still.ravel(), prepend=False))
        starts, ends = turns[::2] - 1, turns[1::2] - 1  # of states, in rows of n + 1
        long = ends - starts >= self.least_steps
        starts, ends = starts[long], ends[long]
        rows, steps, lengths = starts // (n + 1), starts % (n + 1), ends - starts + 1
        means = _means(values.ravel(), rows * n + steps, lengths)
        yield Find(rows, steps, means, "plateau", [f"until step {end}" for end in (ends % (n + 1)).tolist()])


def _share(flat: FloatArray, left: Indices, level: float) -> FloatArray:
    """Return how much of the way to the next state is done where the level is reached, in [0, 1]."""
    if not left.size:
        return np.empty(0)
    before, after = flat[left], flat[np.minimum(left + 1, flat.size - 1)]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        share = (level - before) / (after - before)
        if not np.isfinite(after - before).all():
            share = (level / 4.0 - before / 4.0) / (after / 4.0 - before / 4.0)
    return np.clip(share, 0.0, 1.0)


def _peaks(values: FloatArray, prominence: float) -> Indices:
    """Return where the rows (c, n), one after another, have peaks of at least this prominence."""
    flat, n = values.ravel(), values.shape[1]
    changes = flat[1:] != flat[:-1]
    changes[n - 1 :: n] = True
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))  # of runs of one value
    heights = flat[starts]
    top = (heights[1:-1] > heights[:-2]) & (heights[1:-1] > heights[2:])
    inside = (starts[1:-1] % n != 0) & (starts[2:] % n != 0)
    runs = np.flatnonzero(top & inside) + 1
    peaks = (starts[runs] + starts[runs + 1] - 1) // 2
    return _prominent(flat, n, peaks, prominence) if prominence else peaks


def _prominent(flat: FloatArray, n: int, peaks: Indices, least: float) -> Indices:
    """Return the peaks that stand out, by taking away what does not, round by round.

    A peak beside a higher one stands out by no more than the dip between them is deep: if that is too little, it goes,
    and the dips on its two sides become one. The ends of each row count as higher than all.
    """
    ends = np.arange(0, flat.size, n)
    at = np.sort(np.concatenate((peaks, ends)))
    heights = np.append(np.where(at % n == 0, np.inf, flat[at]), np.inf)
    dips = np.minimum.reduceat(flat, at)
    with np.errstate(over="ignore"):
        while True:
            gone = np.zeros(heights.size, dtype=bool)
            gone[:-1] |= (heights[1:] > heights[:-1]) & (heights[:-1] - dips < least)
            gone[1:] |= (heights[:-1] > heights[1:]) & (heights[1:] - dips < least)
            if not gone.any():
                return np.asarray(at[np.isfinite(heights[:-1])])
            kept = np.flatnonzero(~gone)
            dips = np.minimum.reduceat(dips, kept[:-1])
            heights, at = heights[kept], at[kept[:-1]]


def _means(flat: FloatArray, starts: Indices, lengths: Indices) -> FloatArray:
    """Return the means of stretches that do not overlap; exact where nothing changes."""
    if not starts.size:
        return np.empty(0)
    firsts = np.concatenate(([0], np.cumsum(lengths)[:-1]))  # of each stretch among their cells
    cells = np.arange(lengths.sum()) - np.repeat(firsts - starts, lengths)
    base = flat[starts]
    parts = (flat[cells] - np.repeat(base, lengths)) / np.repeat(lengths, lengths)
    return base + np.add.reduceat(parts, firsts)

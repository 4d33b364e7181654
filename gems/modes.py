"""Modes: which groups of gems move together.

A gem's phase is a point on a circle and its coherence how much it weighs there. The modes are the hills of that weight,
smoothed: each gem belongs to the hill on whose slope it stands, and two hills are one unless the valley between them is
deep. So the number of modes follows from the gems, each gem is in exactly one, and gems that are spread evenly are one
mode with an order parameter near 0, not many that chance made.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gems.state import PHASE_MAX, FloatArray, QuantumState, order_parameter

SMOOTHING = math.pi / 8  # standard deviation: crowds less than an eighth of a turn apart are one
DEEP = 0.5  # a valley parts two hills where it is lower than this share of the lower one
CELLS = 720  # in which the circle is looked at: half a degree each
HARMONICS = 24  # beyond, the smoothed weight has less than 1e-19 of its first


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """A group of gems that move together.

    Attributes:
        members: their indices, most coherent first; at least one.
        order_parameter: of the group, in [0, 1].
        phase: of its wave Σz, in [0, 2π).
        coherence: their mean.
        share: of the coherence of all gems, in [0, 1].
    """

    members: NDArray[np.int64]
    order_parameter: float
    phase: float
    coherence: float
    share: float


def find_modes(state: QuantumState[FloatArray]) -> list[Mode]:
    """Return the modes of n states, shape (n,), the one with the most coherence first; they part the states. O(n)."""
    if not len(state.energy):
        return []
    cells = np.minimum((state.phase * (CELLS / math.tau)).astype(np.int64), CELLS - 1)
    weights = np.bincount(cells, state.coherence, CELLS).astype(np.float64)
    hills = _part(_smooth(weights))[cells]
    groups = [np.flatnonzero(hills == hill) for hill in np.unique(hills)]
    total = float(state.coherence.sum()) or 1.0
    modes = [_describe(state, members, total) for members in groups]
    return sorted(modes, key=lambda mode: (-mode.share, mode.phase))


def _describe(state: QuantumState[FloatArray], members: NDArray[np.int64], total: float) -> Mode:
    part = QuantumState(
        state.energy[members], state.phase[members], state.coherence[members], state.uncertainty[members]
    )
    wave = complex(np.sum(part.coherence * np.exp(1j * part.phase)))
    return Mode(
        members=members[np.argsort(-part.coherence, kind="stable")],
        order_parameter=order_parameter(part),
        phase=min(math.atan2(wave.imag, wave.real) % math.tau, PHASE_MAX),  # as a whole turn it would be out of bounds
        coherence=float(part.coherence.mean()),
        share=float(part.coherence.sum()) / total,
    )


def _smooth(weights: FloatArray) -> FloatArray:
    """Return the weights of the cells of a circle blurred by a wrapped normal distribution, exactly."""
    spectrum = np.fft.rfft(weights)
    harmonic = np.arange(len(spectrum))
    blurred = spectrum * np.exp(-0.5 * (harmonic * SMOOTHING) ** 2)
    blurred[HARMONICS:] = 0.0
    return np.fft.irfft(blurred, len(weights))


def _part(heights: FloatArray) -> NDArray[np.int64]:
    """Return for each cell the number of its hill: the circle is cut at the bottoms of deep valleys."""
    tops = np.flatnonzero((heights > np.roll(heights, 1)) & (heights >= np.roll(heights, -1)))
    hills = [int(top) for top in tops]
    while len(hills) > 1:
        valleys = [_valley(heights, hill, hills[(i + 1) % len(hills)]) for i, hill in enumerate(hills)]
        depths = [
            heights[valley] / min(heights[hill], heights[hills[(i + 1) % len(hills)]])
            for i, (hill, valley) in enumerate(zip(hills, valleys, strict=True))
        ]
        shallowest = int(np.argmax(depths))
        if depths[shallowest] < DEEP:
            return _number(valleys, len(heights))
        pair = (hills[shallowest], hills[(shallowest + 1) % len(hills)])
        hills.remove(min(pair, key=lambda hill: (heights[hill], hill)))
    return np.zeros(len(heights), np.int64)


def _valley(heights: FloatArray, first: int, second: int) -> int:
    """Return the lowest cell on the way from one hill up to the next."""
    way = np.arange(first, second + (len(heights) if second <= first else 0)) % len(heights)
    return int(way[np.argmin(heights[way])])


def _number(valleys: Sequence[int], cells: int) -> NDArray[np.int64]:
    """Return which piece of the circle each cell is in; a valley belongs to the hill after it."""
    ordered = np.sort(np.asarray(valleys))
    return np.searchsorted(ordered, np.arange(cells), side="right") % len(ordered)

"""What rewards say of variants: Beta posteriors, exact up to a quadrature, without drawing. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_router.config import ExperimentConfig

Float = NDArray[np.float64]

OFFSETS_SD = 2.0 * np.sinh(np.linspace(-4.1, 4.1, 601))
"""Where a posterior is looked at, in standard deviations from its mean: every 0.03 at the mean, less and less outside.

They reach to ±60, since a posterior may fall as slowly as an exponential, and steps across [0, 1] are wide."""

COARSE_POINTS = 201
"""Of the whole of [0, 1], so many are looked at besides."""

TAIL = 0.025
"""Outside a 95 % interval, on either side."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted for one variant.

    Attributes:
        trials: rewards.
        reward_sum: of them all; each is in [0, 1].
    """

    trials: int = 0
    reward_sum: float = 0.0


NOTHING = Tally()


@dataclass(frozen=True, slots=True)
class Judgement:
    """Posteriors of k variants, each array of shape (k,), dimensionless.

    Attributes:
        mean: of the reward that can be expected.
        low: lower end of the central 95 % credible interval of that mean.
        high: its upper end.
        best: the probability that no other variant has a higher mean; they add up to 1.
    """

    mean: Float
    low: Float
    high: Float
    best: Float


def judge(tallies: Sequence[Tally]) -> Judgement:
    """Return what the rewards of k variants say of each and of all together.

    The posterior is Beta(1 + r, 1 + n − r) for n rewards of the sum r. For rewards of 0 and 1 it is the exact one under
    a uniform prior; rewards between scatter less than that, so for them it is cautious: wider than need be.
    """
    trials = np.array([tally.trials for tally in tallies], dtype=np.float64)
    gained = np.clip([tally.reward_sum for tally in tallies], 0.0, trials)
    a, b = 1.0 + gained, 1.0 + trials - gained
    mean = a / (a + b)
    grid = _make_grid(mean, np.sqrt(mean * (1.0 - mean) / (a + b + 1.0)))
    below = _accumulate(grid, a, b)
    low, high = (np.array([np.interp(q, each, grid) for each in below]) for q in (TAIL, 1.0 - TAIL))
    return Judgement(mean, low, high, _compare(below))


def share_traffic(experiment: ExperimentConfig, tallies: Sequence[Tally]) -> Float:
    """Return each variant's share of the traffic, shape (k,), adding up to 1.

    Under "thompson" a variant is drawn with the probability that it is the best one, which is what drawing from the
    posteriors and taking the highest does; the configured shares are how probable that was held before any reward.
    """
    shares = np.array([variant.share for variant in experiment.variants])
    if experiment.method == "split":
        return np.asarray(shares / shares.sum())
    odds = shares * judge(tallies).best
    return np.asarray(experiment.floor + (1.0 - experiment.floor * len(shares)) * odds / odds.sum())


def _make_grid(mean: Float, sd: Float) -> Float:
    """Return points in [0, 1], ascending, dense wherever a posterior is."""
    around = np.clip(mean + np.outer(OFFSETS_SD, sd), 0.0, 1.0)
    return np.unique(np.concatenate([np.linspace(0.0, 1.0, COARSE_POINTS), around.ravel()]))


def _accumulate(grid: Float, a: Float, b: Float) -> Float:
    """Return the distribution functions on the grid, shape (k, points), by the trapezoidal rule."""
    x = np.clip(grid, 1e-300, 1.0 - 1e-16)  # the densities are bounded, as a and b are at least 1; logarithms are not
    logs = np.outer(a - 1.0, np.log(x)) + np.outer(b - 1.0, np.log1p(-x))
    density = np.exp(logs - logs.max(axis=1, keepdims=True))
    cells = (density[:, 1:] + density[:, :-1]) * np.diff(grid)
    below = np.concatenate([np.zeros((len(a), 1)), np.cumsum(cells, axis=1)], axis=1)
    return np.asarray(below / below[:, -1:])


def _compare(below: Float) -> Float:
    """Return ∫ Π_{j≠i} F_j dF_i for each variant i, shape (k,)."""
    best = np.empty(len(below))
    for i, each in enumerate(below):
        others = np.delete(below, i, axis=0).prod(axis=0)
        best[i] = np.diff(each) @ (others[1:] + others[:-1])
    return np.asarray(best / best.sum())

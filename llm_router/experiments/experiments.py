"""Experiments under way: who gets the next call, what rewards have said so far, and the report."""

import asyncio
import time
from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import random as random_number
from uuid import UUID

import structlog
from cachetools import LRUCache

from core.errors import LatticeError
from core.pg import Database
from llm_router.config import ExperimentConfig, Variant
from llm_router.experiments.posterior import NOTHING, Tally, judge, share_traffic
from llm_router.experiments.rewards import HeldRewards, Reward, Rewards, StoredRewards, Tallies

log = structlog.get_logger(__name__)

MOST_BELIEFS = 10_000
"""Pairs of tenant and experiment that are remembered; others are read anew when they come again."""


@dataclass(frozen=True, slots=True)
class VariantReport:
    """How a variant fares.

    Attributes:
        trials: rewards.
        reward_sum: of them all.
        mean_reward: posterior mean of the reward, in [0, 1]; 0.5 without any trial.
        low: lower end of its central 95 % credible interval.
        high: its upper end.
        best: the probability that no other variant of the experiment is better.
        share: of the traffic that it gets by these rewards.
    """

    experiment: str
    variant: str
    trials: int
    reward_sum: float
    mean_reward: float
    low: float
    high: float
    best: float
    share: float


class _Belief:
    """What this process holds of one tenant's experiment.

    Attributes:
        bounds: cumulative shares of the variants.
        due: when the rewards are to be read again, on the clock.
    """

    __slots__ = ("bounds", "due", "experiment", "is_loading", "tallies")

    def __init__(self, experiment: ExperimentConfig, tallies: Tallies, due: float) -> None:
        self.due = due
        self.is_loading = False
        self.learn(experiment, tallies)

    def learn(self, experiment: ExperimentConfig, tallies: Tallies) -> None:
        """Share the traffic anew."""
        self.experiment = experiment
        self.tallies = tallies
        self.bounds = list(accumulate(share_traffic(experiment, _line_up(tallies, experiment)).tolist()))


class Experiments:
    """Splits traffic between the variants of experiments and, by what is rewarded, shifts it.

    A choice takes microseconds: it draws from shares held in memory. These are read again in the background at most
    every `refresh_s`; until the first reading, and while Postgres does not answer, the last known ones stand. A variant
    is known by its name: one that means something new should get a new one, or it inherits the old one's rewards.

    Args:
        database: where all replicas count rewards; None counts them in this process alone.
        random: gives independent numbers, uniform in [0, 1).
        clock: seconds, monotonic.
        refresh_s: how old shares may grow.
    """

    def __init__(
        self,
        database: Database | None,
        *,
        random: Callable[[], float] = random_number,
        clock: Callable[[], float] = time.monotonic,
        refresh_s: float = 30.0,
    ) -> None:
        self._rewards: Rewards = HeldRewards() if database is None else StoredRewards(database)
        self._random = random
        self._clock = clock
        self._refresh_s = refresh_s
        self._beliefs: LRUCache[tuple[UUID, str], _Belief] = LRUCache(MOST_BELIEFS)
        self._loading: set[asyncio.Task[None]] = set()

    async def choose(self, tenant: UUID, experiment: ExperimentConfig) -> Variant:
        """Return the variant of the next call, without waiting for anything."""
        key = (tenant, experiment.name)
        belief = self._beliefs.get(key)
        if belief is None:
            belief = self._beliefs[key] = _Belief(experiment, {}, self._clock())
        elif belief.experiment is not experiment and belief.experiment != experiment:
            belief.learn(experiment, belief.tallies)
        if experiment.method == "thompson" and not belief.is_loading and self._clock() >= belief.due:
            self._refresh(tenant, belief)
        drawn = self._random() * belief.bounds[-1]
        return experiment.variants[min(bisect(belief.bounds, drawn), len(experiment.variants) - 1)]

    async def reward(
        self, tenant: UUID, experiment: str, variant: str, reward: float, *, replaces: float | None = None
    ) -> None:
        """Count a reward for a variant.

        Args:
            tenant: whose experiment it is.
            experiment: its name.
            variant: the name of the variant that did well or badly.
            reward: in [0, 1].
            replaces: what was counted before for the same answer, as when a user changes a rating.

        Raises:
            InvalidInputError: a reward is out of its bounds.
            StoreUnavailableError: Postgres did not answer.
        """
        await self._rewards.add(tenant, Reward(experiment, variant, reward, replaces))

    async def report(self, tenant: UUID, experiments: Sequence[ExperimentConfig]) -> list[VariantReport]:
        """Return how each variant fares by the rewards counted until now, experiment by experiment."""
        tallies = await self._rewards.load(tenant, [experiment.name for experiment in experiments])
        return [row for experiment in experiments for row in _report(experiment, tallies)]

    async def aclose(self) -> None:
        """Leave off reading."""
        for task in self._loading:
            task.cancel()
        await asyncio.gather(*self._loading, return_exceptions=True)

    def _refresh(self, tenant: UUID, belief: _Belief) -> None:
        belief.is_loading = True
        task = asyncio.get_running_loop().create_task(self._load(tenant, belief))
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)

    async def _load(self, tenant: UUID, belief: _Belief) -> None:
        name = belief.experiment.name
        try:
            tallies = await self._rewards.load(tenant, [name])
        except LatticeError as e:
            log.warning("rewards_not_read", experiment=name, code=e.code)
        else:
            belief.learn(belief.experiment, tallies)
        finally:
            belief.is_loading = False
            belief.due = self._clock() + self._refresh_s


def _report(experiment: ExperimentConfig, tallies: Tallies) -> list[VariantReport]:
    counted = _line_up(tallies, experiment)
    judgement = judge(counted)
    columns = (judgement.mean, judgement.low, judgement.high, judgement.best, share_traffic(experiment, counted))
    numbers = zip(*(column.tolist() for column in columns), strict=True)
    return [
        VariantReport(experiment.name, variant.name, tally.trials, tally.reward_sum, *row)
        for variant, tally, row in zip(experiment.variants, counted, numbers, strict=True)
    ]


def _line_up(tallies: Tallies, experiment: ExperimentConfig) -> list[Tally]:
    """Return the tallies in the order of the variants."""
    return [tallies.get((experiment.name, variant.name), NOTHING) for variant in experiment.variants]

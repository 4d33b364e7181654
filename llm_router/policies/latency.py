"""The quickest target first."""

from collections.abc import Callable, Sequence

from llm_router.policies.arrangement import arrange
from llm_router.prompt import Prompt
from llm_router.route import Route

ENOUGH_SAMPLES = 10
"""Fewer whole answers in the window say nothing sure of a target: it is cold."""

EXPLORATION = 0.1
"""Of the calls, so many go to a cold target first; the share falls to nothing as its samples come."""

MARGIN = 0.1
"""Targets within so much of the quickest, relatively, are as quick: the next sample may turn the difference round."""


class LowestLatency:
    """The quickest by a percentile of its latency first, targets within a margin of each other at random.

    A cold target is asked after those that are known, but for a small share of calls which warms it. So a new target
    neither takes all traffic by a lucky first answer nor stays unknown, and one that was slow is tried again once its
    old samples have left the window. As long as all are cold, all are asked alike.
    """

    def __init__(self, random: Callable[[], float], quantile: float = 0.5) -> None:
        self._random = random
        self._quantile = quantile

    def order(self, routes: Sequence[Route], prompt: Prompt) -> Sequence[Route]:
        """Return the routes in the order to ask; local ones last."""
        warm: list[tuple[float, Route]] = []
        cold: list[Route] = []
        for route in routes:
            if not route.local:
                seconds = self._measure(route)
                cold.append(route) if seconds is None else warm.append((seconds, route))
        ranks = self._rank_warm(warm)
        if cold:
            self._rank_cold(cold, ranks)
        return arrange(routes, ranks.__getitem__)

    def _measure(self, route: Route) -> float | None:
        """Return a target's latency in seconds; None for a cold one."""
        latency = route.health.latency
        return latency.percentile(self._quantile) if latency.count >= ENOUGH_SAMPLES else None

    def _rank_warm(self, warm: list[tuple[float, Route]]) -> dict[Route, tuple[float, float]]:
        ranks: dict[Route, tuple[float, float]] = {}
        quickest = -1.0
        for seconds, route in sorted(warm, key=lambda each: each[0]):
            if seconds > quickest * (1.0 + MARGIN):
                quickest = seconds
            ranks[route] = quickest, self._random()
        return ranks

    def _rank_cold(self, cold: list[Route], ranks: dict[Route, tuple[float, float]]) -> None:
        ranks.update({route: (float("inf"), self._random()) for route in cold})
        chosen = min(cold, key=ranks.__getitem__)
        if self._random() < EXPLORATION * (1.0 - chosen.health.latency.count / ENOUGH_SAMPLES):
            ranks[chosen] = -1.0, 0.0

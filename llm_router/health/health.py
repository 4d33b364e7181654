"""How one target fares."""

import random as chance
from collections.abc import Callable
from dataclasses import dataclass

from llm_router.config import BreakerConfig
from llm_router.health.breaker import Breaker, BreakerState
from llm_router.health.latency import LatencyWindow


@dataclass(frozen=True, slots=True)
class HealthView:
    """How a target fares at one moment.

    Attributes:
        reopens_in_s: after how many seconds the breaker may admit a call; 0.0 for now.
        busy: calls under way.
        calls: that ended in the breaker's window; those of the caller's own fault are not among them.
        failures: how many of these the target failed.
        latency_p50_s: median of recent whole answers, to the first token where known; None if there were none.
        latency_p95_s: the same for the slowest twentieth.
        samples: answers that the latencies are made of.
    """

    enabled: bool
    state: BreakerState
    reopens_in_s: float
    busy: int
    calls: int
    failures: int
    latency_p50_s: float | None
    latency_p95_s: float | None
    samples: int


class Health:
    """All that the router remembers of one target, in this process.

    Attributes:
        busy: calls under way; whoever makes them counts them.
        enabled: an operator's switch; the router asks no target that is switched off.

    Args:
        clock: monotonic seconds.
        random: a number in [0, 1); see `Breaker`.
        told: hears of openings and closings; see `Breaker`.
    """

    __slots__ = ("breaker", "busy", "enabled", "latency")

    def __init__(
        self,
        config: BreakerConfig,
        clock: Callable[[], float],
        *,
        random: Callable[[], float] = chance.random,
        told: Callable[[BreakerState, float], None] = lambda _, __: None,
    ) -> None:
        self.breaker = Breaker(config, clock, random=random, told=told)
        self.latency = LatencyWindow(clock)
        self.busy = 0
        self.enabled = True

    def describe(self) -> HealthView:
        """Return how the target fares now."""
        counts = self.breaker.count()
        return HealthView(
            enabled=self.enabled,
            state=self.breaker.state,
            reopens_in_s=self.breaker.reopens_in_s(),
            busy=self.busy,
            calls=counts.calls,
            failures=counts.failures,
            latency_p50_s=self.latency.percentile(0.5),
            latency_p95_s=self.latency.percentile(0.95),
            samples=self.latency.count,
        )

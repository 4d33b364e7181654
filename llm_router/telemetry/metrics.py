"""Prometheus metrics of calls, attempts and caches. Labels are names from the configuration, never ids."""

import math
from functools import cache
from operator import attrgetter

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector

from llm_router.reply import Attempt
from llm_router.telemetry.outcome import Outcome

SECONDS = tuple(0.01 * 2.0**power for power in range(14))
"""Bounds of the histograms, from 10 ms to 82 s: those that the conventions for generative AI advise."""

BUCKETS = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning")
"""Of tokens; disjoint, so that their sum is all that was processed."""

_count_tokens = attrgetter(*(f"{bucket}_tokens" for bucket in BUCKETS))


def build_registry() -> CollectorRegistry:
    """Return a registry that knows the process, for one application: two in one process do not share theirs."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class Metrics:
    """Counts. What a set of labels stands for is looked up once and kept, since this runs within every call."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = cache(
            Counter(
                "lattice_llm_calls_total",
                "Calls of a logical model that were not answered from the cache, by how they ended.",
                ("model", "outcome"),
                registry=registry,
            ).labels
        )
        self._attempts = cache(
            Counter(
                "lattice_llm_attempts_total",
                "Calls of a target: retries, fallbacks and hedges included.",
                ("target", "outcome", "error"),
                registry=registry,
            ).labels
        )
        self._durations = cache(
            Histogram(
                "lattice_llm_attempt_duration_seconds",
                "From an attempt's start to its answer's end, its fault or its caller's leaving.",
                ("target", "outcome"),
                registry=registry,
                buckets=SECONDS,
            ).labels
        )
        self._first_tokens = cache(
            Histogram(
                "lattice_llm_time_to_first_token_seconds",
                "From an attempt's start to its first piece, of streams that were answered whole.",
                ("target",),
                registry=registry,
                buckets=SECONDS,
            ).labels
        )
        self._tokens = cache(
            Counter(
                "lattice_llm_tokens_total",
                "Tokens in disjoint buckets, also of failed attempts; estimated where the provider did not tell.",
                ("target", "bucket"),
                registry=registry,
            ).labels
        )
        self._costs = cache(
            Counter(
                "lattice_llm_cost_usd_total",
                "What attempts cost in US dollars, where the target's prices are known.",
                ("target",),
                registry=registry,
            ).labels
        )
        self._lookups = cache(
            Counter(
                "lattice_llm_cache_lookups_total",
                "Looks into a cache, and whether it had what was looked for.",
                ("cache", "hit"),
                registry=registry,
            ).labels
        )

    def count_call(self, model: str, outcome: Outcome) -> None:
        """Count a call that has ended."""
        self._calls(model, outcome).inc()

    def count_attempt(self, attempt: Attempt) -> None:
        """Count an attempt that has ended, what it took and what it cost."""
        target, outcome = attempt.target, attempt.outcome
        self._attempts(target, outcome, attempt.error or "").inc()
        self._durations(target, outcome).observe(attempt.seconds)
        if attempt.first_token_s is not None and outcome == "answered":
            self._first_tokens(target).observe(attempt.first_token_s)
        if attempt.usage is not None:
            for bucket, tokens in zip(BUCKETS, _count_tokens(attempt.usage), strict=True):
                if tokens > 0:
                    self._tokens(target, bucket).inc(tokens)
        if attempt.cost_usd is not None:
            cost_usd = float(attempt.cost_usd)
            if 0 < cost_usd < math.inf:  # a provider that names its own cost may name anything, and counters refuse it
                self._costs(target).inc(cost_usd)

    def count_lookup(self, name: str, *, hit: bool) -> None:
        """Count a look into the cache of this name."""
        self._lookups(name, "true" if hit else "false").inc()

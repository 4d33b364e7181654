"""Metrics of recall, as Prometheus reads them."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from knowledge import ResonanceCache


class RecallMetrics(Collector):
    """What the resonance cache counts."""

    def __init__(self, cache: ResonanceCache) -> None:
        self._cache = cache

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the cache's counts as they are now."""
        lookups = CounterMetricFamily(
            "lattice_recall_cache_lookups", "Questions looked for in the resonance cache.", labels=("hit",)
        )
        lookups.add_metric(["true"], self._cache.hits)
        lookups.add_metric(["false"], self._cache.misses)
        yield lookups
        yield GaugeMetricFamily(
            "lattice_recall_cache_entries",
            "Questions of which the resonance cache keeps what was found.",
            len(self._cache),
        )

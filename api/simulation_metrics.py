"""Metrics of simulations, as Prometheus reads them."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from reflection.simulations import SimulationCache


class SimulationMetrics(Collector):
    """What the cache of simulations counts."""

    def __init__(self, cache: SimulationCache) -> None:
        self._cache = cache

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the cache's counts as they are now."""
        lookups = CounterMetricFamily(
            "lattice_simulation_cache_lookups", "Scenarios looked for in the cache of simulations.", labels=("hit",)
        )
        lookups.add_metric(["true"], self._cache.hits)
        lookups.add_metric(["false"], self._cache.misses)
        yield lookups
        yield GaugeMetricFamily(
            "lattice_simulation_cache_entries", "Simulations that the cache keeps.", len(self._cache)
        )
        yield GaugeMetricFamily(
            "lattice_simulation_cache_bytes",
            "How large the simulations are that the cache keeps.",
            self._cache.bytes_held,
        )

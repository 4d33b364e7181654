"""Prometheus gauges of targets, read from the router when somebody asks: they cost calls nothing."""

from collections.abc import Callable, Iterable, Iterator
from typing import get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from llm_router.health.breaker import BreakerState
from llm_router.route import Route

STATES: tuple[BreakerState, ...] = get_args(BreakerState)


class RouteGauges(Collector):
    """Shows the targets in force, also after the configuration was read anew.

    Args:
        list_routes: returns the targets; of two with one name the later is shown.
    """

    def __init__(self, list_routes: Callable[[], Iterable[Route]]) -> None:
        self._list_routes = list_routes

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges without values, so that a registry refuses a second collector of theirs."""
        yield from self._gauge({})

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges as they stand now."""
        yield from self._gauge({route.name: route for route in self._list_routes()})

    def _gauge(self, routes: dict[str, Route]) -> Iterator[GaugeMetricFamily]:
        state = GaugeMetricFamily(
            "lattice_llm_target_breaker_state",
            "1 for the state that the target's breaker is in, 0 for the others.",
            labels=("target", "state"),
        )
        busy = GaugeMetricFamily("lattice_llm_target_busy", "Calls of the target under way.", labels=("target",))
        enabled = GaugeMetricFamily(
            "lattice_llm_target_enabled", "0 if an operator switched the target off.", labels=("target",)
        )
        for name, route in routes.items():
            found = route.health.breaker.state
            for each in STATES:
                state.add_metric((name, each), float(each == found))
            busy.add_metric((name,), route.health.busy)
            enabled.add_metric((name,), float(route.health.enabled))
        yield from (state, busy, enabled)

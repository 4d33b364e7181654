"""Metrics of the live side, as Prometheus reads them."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.alerts.rules import SEVERITIES, Severity
from api.live.broadcast import Broadcast


class LiveMetrics(Collector):
    """How many alerts fire, and how many viewers watch."""

    def __init__(self, broadcast: Broadcast, count_firing: Callable[[], Mapping[Severity, int]]) -> None:
        self._broadcast, self._count_firing = broadcast, count_firing

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the counts as they are now."""
        firing = self._count_firing()
        alerts = GaugeMetricFamily("lattice_alerts_firing", "Alerts that are open.", labels=("severity",))
        for severity in SEVERITIES:
            alerts.add_metric([severity], firing.get(severity, 0))
        yield alerts
        yield GaugeMetricFamily(
            "lattice_stream_viewers", "Who watches the lattice live, in this process.", self._broadcast.viewers
        )

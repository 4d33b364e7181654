"""What the service looks like from outside: metrics, spans and lines in the log of all that it does."""

from api.telemetry.observation import Observation
from api.telemetry.requests import RequestMetrics, RequestWatch
from api.telemetry.tracing import open_tracing

__all__ = ["Observation", "RequestMetrics", "RequestWatch", "open_tracing"]

"""What calls look like from outside: spans, OpenTelemetry's metrics and those of Prometheus."""

from llm_router.telemetry.metrics import build_registry
from llm_router.telemetry.observer import Telemetry

__all__ = ["Telemetry", "build_registry"]

"""Our router with the observer that the service gives it: metrics, and spans where there is an SDK for them."""

from benchmarks.contenders.ours import Ours
from llm_router import Parts
from llm_router.telemetry import Telemetry, build_registry


def build(address: str) -> Ours:
    """Return the router, its calls counted."""
    return Ours(address, Parts(observer=Telemetry(build_registry())))

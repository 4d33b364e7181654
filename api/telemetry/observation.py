"""All that watches one service, wired."""

from typing import Any

from opentelemetry.trace import TracerProvider, get_tracer
from prometheus_client import CollectorRegistry, Info
from psycopg import AsyncCursor

from api.telemetry.gauges import LatticeGauges
from api.telemetry.requests import RequestMetrics
from api.telemetry.statements import trace_statements
from api.telemetry.work import WorkObserver
from api.version import read_version
from api.vitals import Vitals

SCOPE = "crystal_lattice"
"""The instrumentation scope of our spans."""


class Observation:
    """Watches a service: its requests, the work of the packages below, and its lattice.

    Args:
        registry: where metrics are counted; no other observation may count there.
        provider: of spans; None makes none.

    Attributes:
        vitals: what happened in the last minutes.
        requests: over HTTP.
        work: what packages below tell; the observer of the database.
        gauges: of the lattice, to be refreshed before they are read.
        cursors: what the database shall run statements by.
    """

    def __init__(self, registry: CollectorRegistry, provider: TracerProvider | None = None) -> None:
        tracer = None if provider is None else get_tracer(SCOPE, tracer_provider=provider)
        self.vitals = Vitals()
        self.requests = RequestMetrics(registry, self.vitals, tracer)
        self.work = WorkObserver(registry, self.vitals, tracer)
        self.gauges = LatticeGauges()
        self.cursors: type[AsyncCursor[Any]] = AsyncCursor if tracer is None else trace_statements(tracer)
        registry.register(self.gauges)
        Info("lattice_build", "What runs here.", registry=registry).info({"version": read_version()})

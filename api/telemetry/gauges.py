"""The lattice as Prometheus reads it: how its gems hold, and what waits to be ingested."""

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from uuid import UUID

import structlog
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from core.errors import LatticeError
from core.pg import Database
from gems import FieldSummary, Moment, read_field
from knowledge.jobs import Backlog, OpenJobs, list_open_jobs, measure_backlog

FRESH_S = 5.0  # what was read is shown for so long at the least: scrapers may come as often as they like
SHARE = 0.1  # of its time that the database may spend on this at the most, however large the lattice is
READ_WITHIN_S = 5.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """The lattice at one moment."""

    field: FieldSummary
    backlog: Backlog
    jobs: Sequence[OpenJobs]
    seconds: float


class LatticeGauges(Collector):
    """Shows the lattice of one tenant as it was when it was read last; whoever scrapes refreshes it first."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._reading: Reading | None = None
        self._fresh_until = -math.inf

    async def refresh(self, database: Database, tenant: UUID, at: Moment) -> None:
        """Read the lattice, unless that was done of late. If it cannot be read, that is what is shown."""
        async with self._lock:
            if time.monotonic() < self._fresh_until:
                return
            started = time.perf_counter()
            try:
                async with asyncio.timeout(READ_WITHIN_S):
                    self._reading = await _read(database, tenant, at, started)
            except (LatticeError, TimeoutError) as e:
                self._reading = None
                _log.warning("lattice_not_measured", reason=str(e) or f"it took longer than {READ_WITHIN_S:g} s")
            took_s = time.perf_counter() - started
            self._fresh_until = time.monotonic() + max(FRESH_S, took_s / SHARE)

    def collect(self) -> Iterator[GaugeMetricFamily | GaugeHistogramMetricFamily]:
        """Yield what was read last."""
        reading = self._reading
        yield GaugeMetricFamily(
            "lattice_readable",
            "1 if the lattice could be read from the database, 0 if not.",
            float(reading is not None),
        )
        if reading is None:
            return
        yield GaugeMetricFamily(
            "lattice_read_duration_seconds", "How long it took to read the metrics of the lattice.", reading.seconds
        )
        yield from _show_field(reading.field)
        yield from _show_work(reading)


async def _read(database: Database, tenant: UUID, at: Moment, started: float) -> Reading:
    async with database.transaction(tenant, read_only=True) as conn:
        found = await read_field(conn, at)
        backlog, jobs = await measure_backlog(conn), await list_open_jobs(conn)
        return Reading(found, backlog, jobs, time.perf_counter() - started)


def _show_field(field: FieldSummary) -> Iterator[GaugeMetricFamily | GaugeHistogramMetricFamily]:
    yield GaugeMetricFamily("lattice_gems", "Gems that are not archived.", field.gems)
    yield GaugeMetricFamily(
        "lattice_order_parameter_ratio", "How much of the lattice moves together, from 0 to 1.", field.order_parameter
    )
    yield GaugeMetricFamily(
        "lattice_gems_incoherent", f"Gems whose coherence is below {field.threshold:g}.", field.below
    )
    yield GaugeMetricFamily("lattice_gem_energy_mean", "Mean energy of the gems, in τ.", field.energy_mean)
    yield _histogram("coherence", field.edges, field.coherence_counts, field.coherence_mean * field.gems)
    yield _histogram("uncertainty", field.edges, field.uncertainty_counts, field.uncertainty_mean * field.gems)


def _histogram(name: str, edges: Sequence[float], counts: Sequence[int], total: float) -> GaugeHistogramMetricFamily:
    sums = [*accumulate(counts)]
    buckets = [(str(round(edge, 9)), float(held)) for edge, held in zip(edges[1:], sums, strict=True)]
    return GaugeHistogramMetricFamily(
        f"lattice_gem_{name}_ratio",
        f"How the gems are spread over {name}, from 0 to 1.",
        [*buckets, ("+Inf", float(sums[-1]))],
        total,
    )


def _show_work(reading: Reading) -> Iterator[GaugeMetricFamily]:
    ingestions = GaugeMetricFamily("lattice_ingestions", "Ingestions that have not ended.", labels=("state",))
    ingestions.add_metric(("queued",), reading.backlog.waiting)
    ingestions.add_metric(("running",), reading.backlog.running)
    yield ingestions
    yield GaugeMetricFamily(
        "lattice_ingestion_lag_seconds",
        "For how long the ingestion has waited that has waited longest; 0 if none waits.",
        reading.backlog.lag_s,
    )
    jobs = GaugeMetricFamily("lattice_jobs", "Jobs in the queue that have not ended.", labels=("kind", "state"))
    oldest = GaugeMetricFamily(
        "lattice_jobs_oldest_seconds",
        "For how long the job has waited that could have been begun first; 0 if none is due.",
        labels=("kind",),
    )
    for each in reading.jobs:
        jobs.add_metric((each.kind, "waiting"), each.waiting)
        jobs.add_metric((each.kind, "running"), each.running)
        oldest.add_metric((each.kind,), each.oldest_s)
    yield from (jobs, oldest)

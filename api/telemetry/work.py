"""What the packages below tell, made into metrics, spans and lines in the log."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from types import TracebackType
from typing import Literal, get_args

import structlog
from opentelemetry.trace import StatusCode, Tracer
from prometheus_client import CollectorRegistry, Counter, Histogram

from api.vitals import Vitals
from core.errors import LatticeError
from gems import StateChanged
from knowledge import DocumentsStored, PassagesMeasured
from reflection import ReflectionStored

RECALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
REFLECTION_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0)
JOB_SECONDS = (0.1, 1.0, 10.0, 60.0, 300.0, 1_800.0, 7_200.0, 21_600.0)

Outcome = Literal["done", "failed", "left"]
"""How a piece of work ended; one that was cancelled was left."""

Ended = Callable[[float, Outcome], None]
"""Told the seconds that a piece of work took, and how it ended."""

_log = structlog.get_logger(__name__)


class WorkObserver:
    """The observer of a service's database; see `core.observing`."""

    def __init__(self, registry: CollectorRegistry, vitals: Vitals, tracer: Tracer | None) -> None:
        self._vitals = vitals
        self._tracer = tracer
        self._counts = _Counts(registry)
        self._times = _Times(registry)
        self._ended = cache(self._choose)

    def watch(self, step: str, /) -> AbstractContextManager[None]:
        """Return what sees a piece of work: a span, if anybody wants one, and what it took."""
        return _Watch(step, self._ended(step), self._tracer)

    def see(self, happening: object, /) -> None:
        """See what has happened."""
        match happening:
            case StateChanged():
                self._counts.measurements("gem", happening.cause).inc()
                _log_change(happening)
            case PassagesMeasured():
                self._counts.measurements("passage", happening.cause).inc(happening.passages)
            case DocumentsStored():
                self._counts.count_documents(happening)
                self._vitals.count("passages", time.monotonic(), happening.passages)
            case ReflectionStored():
                self._counts.reflections(happening.grounding).inc()
                self._times.reflection.observe(happening.seconds)
                self._vitals.count("reflections", time.monotonic())
                self._vitals.time("reflections", time.monotonic(), happening.seconds)

    def _choose(self, step: str) -> Ended:
        kind, _, name = step.partition(".")
        match kind, name:
            case "recall", "":
                return self._end_recall
            case "recall", _:
                return _if_done(self._times.recall_steps.labels(name).observe)
            case "job", _:
                return self._times.time_job(name)
        return _nothing

    def _end_recall(self, seconds: float, outcome: Outcome) -> None:
        if outcome == "done":
            self._times.recall.observe(seconds)
            self._vitals.count("recalls", time.monotonic())
            self._vitals.time("recalls", time.monotonic(), seconds)


class _Watch(AbstractContextManager[None]):
    """One piece of work."""

    __slots__ = ("_current", "_ended", "_span", "_started", "_step", "_tracer")

    def __init__(self, step: str, ended: Ended, tracer: Tracer | None) -> None:
        self._step, self._ended, self._tracer = step, ended, tracer

    def __enter__(self) -> None:
        self._started = time.perf_counter()
        if self._tracer is not None:
            self._current = self._tracer.start_as_current_span(
                self._step, record_exception=False, set_status_on_exception=False
            )
            self._span = self._current.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failed: Outcome = "failed" if isinstance(error, Exception) else "left"
        self._ended(time.perf_counter() - self._started, "done" if error is None else failed)
        if self._tracer is not None:
            if isinstance(error, Exception):
                code = error.code if isinstance(error, LatticeError) else ""
                self._span.set_attribute("error.type", code or type(error).__name__)
                self._span.set_status(StatusCode.ERROR)
            self._current.__exit__(None, None, None)


class _Counts:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.measurements = cache(
            Counter(
                "lattice_measurements_total",
                "States that a use strengthened, of gems and of passages, by its cause.",
                ("subject", "cause"),
                registry=registry,
            ).labels
        )
        self.reflections = cache(
            Counter(
                "lattice_reflections_total",
                "Reflections that were stored, by whether the answer cites what it was given.",
                ("grounding",),
                registry=registry,
            ).labels
        )
        self._documents = Counter(
            "lattice_ingested_documents_total",
            "Documents taken in: new, replaced by a newer text, or skipped since they were stored as they are.",
            ("outcome",),
            registry=registry,
        )
        self._passages = Counter(
            "lattice_ingested_passages_total", "Passages that came with ingested documents.", registry=registry
        )

    def count_documents(self, stored: DocumentsStored) -> None:
        """Count a batch of an ingestion."""
        self._documents.labels("new").inc(stored.documents - stored.replaced)
        self._documents.labels("replaced").inc(stored.replaced)
        self._documents.labels("skipped").inc(stored.skipped)
        self._passages.inc(stored.passages)


class _Times:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.recall = Histogram(
            "lattice_recall_duration_seconds",
            "How long recalls took, those within reflections included.",
            registry=registry,
            buckets=RECALL_SECONDS,
        )
        self.recall_steps = Histogram(
            "lattice_recall_step_duration_seconds",
            "How long the steps of recalls took; the channels are side by side.",
            ("step",),
            registry=registry,
            buckets=RECALL_SECONDS,
        )
        self.reflection = Histogram(
            "lattice_reflection_duration_seconds",
            "How long reflections took, from the question until the answer was stored.",
            registry=registry,
            buckets=REFLECTION_SECONDS,
        )
        self._jobs = Histogram(
            "lattice_job_duration_seconds",
            "How long this process worked on jobs, and how that ended.",
            ("kind", "outcome"),
            registry=registry,
            buckets=JOB_SECONDS,
        )

    def time_job(self, kind: str) -> Ended:
        """Return what is told of a job of this kind."""
        times = {outcome: self._jobs.labels(kind, outcome) for outcome in get_args(Outcome)}
        return lambda seconds, outcome: times[outcome].observe(seconds)


def _if_done(observe: Callable[[float], None]) -> Ended:
    return lambda seconds, outcome: observe(seconds) if outcome == "done" else None


def _nothing(_seconds: float, _outcome: Outcome) -> None:
    pass


def _log_change(change: StateChanged) -> None:
    before, after, via = change.before, change.after, change.via_gem_id
    told = {} if via is None else {"via_gem_id": str(via)}
    _log.info(
        "state_changed",
        gem_id=str(change.gem_id),
        cause=change.cause,
        coherence_delta=round(after.coherence - before.coherence, 6),
        coherence=round(after.coherence, 6),
        energy=round(after.energy, 6),
        uncertainty=round(after.uncertainty, 6),
        **told,
    )

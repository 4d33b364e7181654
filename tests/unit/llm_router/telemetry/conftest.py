"""A router that is watched, and what its watchers told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest

from llm_router import Parts, Prompt, Reply, ReplyEvent, Router, ScriptedTarget
from llm_router.telemetry import Telemetry

Build = Callable[..., Router]


@dataclass
class Seen:
    """What was seen from outside."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    tracers: TracerProvider = field(default_factory=lambda: TracerProvider(shutdown_on_exit=False))
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def __post_init__(self) -> None:
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.telemetry = Telemetry(self.registry, tracer_provider=self.tracers, meter_provider=self.meters)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """All that have ended, in the order of their ends."""
        return self.exporter.get_finished_spans()

    @property
    def text(self) -> str:
        """Everything that was told by any way, in one text."""
        spans = [span.to_json() for span in self.spans]
        measured = self.reader.get_metrics_data()
        return "\n".join([*spans, measured.to_json() if measured else "", generate_latest(self.registry).decode()])

    def value(self, name: str, **labels: str) -> float:
        """The value of a Prometheus sample; 0 if there is none."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def points(self, name: str) -> list[Any]:
        """The data points of one of OpenTelemetry's own metrics."""
        measured = self.reader.get_metrics_data()
        scopes = [scope for each in (measured.resource_metrics if measured else ()) for scope in each.scope_metrics]
        return [
            point
            for scope in scopes
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture
def seen() -> Iterator[Seen]:
    seen = Seen()
    yield seen
    seen.tracers.shutdown()
    seen.meters.shutdown()


@pytest.fixture
def watched(build: Build, seen: Seen) -> Build:
    """Build a router of scripted targets that is watched."""

    def build_watched(*targets: object, **config: object) -> Router:
        return build(*targets, parts=Parts(observer=seen.telemetry), **config)

    return build_watched


def told(span: ReadableSpan) -> Mapping[str, object]:
    return dict(span.attributes or {})


def call_of(seen: Seen) -> ReadableSpan:
    (call,) = [span for span in seen.spans if "lattice.llm.attempts" in told(span)]
    return call


def attempts_of(seen: Seen) -> list[ReadableSpan]:
    return [span for span in seen.spans if "lattice.llm.attempt" in told(span)]


def id_of(span: ReadableSpan | trace.Span) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def parent_id(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


async def read(router: Router, prompt: Prompt) -> Reply:
    events = [event async for event in router.stream(prompt)]
    assert isinstance(events[-1], ReplyEvent)
    return events[-1].reply


def slow(prompt: Prompt, pause_s: float, name: str = "a") -> ScriptedTarget:
    return ScriptedTarget([[pause_s, f"From {name}.", ScriptedTarget([]).answer(f"From {name}.", prompt)]], name)

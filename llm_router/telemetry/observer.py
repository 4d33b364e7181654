"""The observer that makes spans and metrics of what the router does."""

from collections.abc import Callable, Iterable

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, TracerProvider
from prometheus_client import CollectorRegistry

from llm_router.ports import AttemptWatch, CallWatch, Operation
from llm_router.prompt import Prompt
from llm_router.reply import Attempt, Reply
from llm_router.route import Route
from llm_router.telemetry.gauges import RouteGauges
from llm_router.telemetry.instruments import Instruments
from llm_router.telemetry.metrics import Metrics
from llm_router.telemetry.outcome import outcome_of
from llm_router.telemetry.spans import CallSpan, Spans, end_attempt


class Telemetry:
    """Watches a router's calls.

    Prometheus metrics are always counted. Spans and OpenTelemetry's own metrics are made if the process has an SDK for
    them, which is the user's choice; without one they cost next to nothing.

    Args:
        registry: of one application; no other observer may have counted in it.
        tracer_provider: None is the global one.
        meter_provider: None is the global one.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._registry = registry
        self._metrics = Metrics(registry)
        self._instruments = Instruments(meter_provider)
        self._spans = Spans(tracer_provider)

    def watch_routes(self, list_routes: Callable[[], Iterable[Route]]) -> None:
        """Show the state of targets, too; they are asked for whenever the metrics are read."""
        self._registry.register(RouteGauges(list_routes))

    def start_call(self, model: str, prompt: Prompt, *, streamed: bool, operation: Operation = "chat") -> CallWatch:
        """See a call begin."""
        span = self._spans.start_call(model, prompt, streamed=streamed, operation=operation)
        return _WatchedCall(self._metrics, self._instruments, span, model, operation)

    def see_lookup(self, cache: str, *, hit: bool) -> None:
        """See a look into a cache."""
        self._metrics.count_lookup(cache, hit=hit)


class _WatchedCall:
    __slots__ = ("_instruments", "_metrics", "_model", "_operation", "_span")

    def __init__(
        self, metrics: Metrics, instruments: Instruments, span: CallSpan | None, model: str, operation: Operation
    ) -> None:
        self._metrics = metrics
        self._instruments = instruments
        self._span = span
        self._model = model
        self._operation: Operation = operation

    def start_attempt(self, target: str, provider: str, model: str) -> AttemptWatch:
        span = None if self._span is None else self._span.start_attempt(target, provider, model)
        return _WatchedAttempt(self._metrics, self._instruments, span, model, self._operation)

    def end(self, reply: Reply | None, error: BaseException | None) -> None:
        self._metrics.count_call(self._model, outcome_of(reply, error))
        if self._span is not None:
            self._span.end(reply, error)


class _WatchedAttempt:
    __slots__ = ("_instruments", "_metrics", "_model", "_operation", "_span")

    def __init__(
        self, metrics: Metrics, instruments: Instruments, span: Span | None, model: str, operation: Operation
    ) -> None:
        self._metrics = metrics
        self._instruments = instruments
        self._span = span
        self._model = model
        self._operation: Operation = operation

    def end(self, attempt: Attempt) -> None:
        self._metrics.count_attempt(attempt)
        self._instruments.record(attempt, self._model, self._operation)
        if self._span is not None:
            end_attempt(self._span, attempt)

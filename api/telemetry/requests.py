"""Requests over HTTP: how many, how they ended, how long they took; and the span that all of a request hangs on."""

import time
from contextlib import ExitStack
from functools import cache
from types import TracebackType
from typing import Self

from litestar.types import HTTPScope, Message
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from structlog.contextvars import bound_contextvars

from api.errors import ERROR_CODE
from api.vitals import Vitals

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
UNMATCHED = "unmatched"  # the route of paths that there are none of
UNANSWERED = "none"  # the status of requests whose client left before there was one
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
EVENT_STREAM = b"text/event-stream"


class RequestMetrics:
    """Counts requests by the route that answered, never by path, so that there are only so many."""

    def __init__(self, registry: CollectorRegistry, vitals: Vitals, tracer: Tracer | None) -> None:
        self.vitals = vitals
        self.tracer = tracer
        self.in_progress = Gauge(
            "lattice_http_requests_in_progress", "Requests that are being answered.", registry=registry
        )
        self.requests = cache(
            Counter(
                "lattice_http_requests_total",
                "Requests, by the route that answered and the status of the answer.",
                ("method", "route", "status"),
                registry=registry,
            ).labels
        )
        self.durations = cache(
            Histogram(
                "lattice_http_request_duration_seconds",
                "How long answers took; of streams of events, until they began.",
                ("method", "route"),
                registry=registry,
                buckets=SECONDS,
            ).labels
        )
        self.errors = cache(
            Counter(
                "lattice_errors_total",
                "Requests that were answered with an error, by its code.",
                ("code",),
                registry=registry,
            ).labels
        )

    def watch(self, scope: HTTPScope, method: str, *, quiet: bool) -> "RequestWatch":
        """Return what sees one request, as a context manager.

        Args:
            scope: as the framework will be given it; it writes the route into it.
            method: that the client sent.
            quiet: whether it only asks how the service is.
        """
        return RequestWatch(self, scope, method if method in METHODS else "OTHER", quiet=quiet)


class RequestWatch:
    """One request."""

    __slots__ = ("_began", "_method", "_metrics", "_quiet", "_scope", "_span", "_stack", "_started", "_status")

    def __init__(self, metrics: RequestMetrics, scope: HTTPScope, method: str, *, quiet: bool) -> None:
        self._metrics, self._scope, self._method, self._quiet = metrics, scope, method, quiet
        self._status: int | None = None
        self._began: float | None = None  # when a stream of events began
        self._span: Span | None = None

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        self._metrics.in_progress.inc()
        if self._metrics.tracer is not None:
            self._stack = ExitStack()
            self._open_span(self._metrics.tracer)
        return self

    def answer(self, message: Message) -> None:
        """See the head of the answer."""
        if message["type"] != "http.response.start":
            return
        self._status = message["status"]
        kind = next((value for name, value in message["headers"] if name.lower() == b"content-type"), b"")
        if kind.startswith(EVENT_STREAM):
            self._began = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        metrics, method, route = self._metrics, self._method, self._scope.get("path_template") or UNMATCHED
        status = UNANSWERED if self._status is None else str(self._status)
        code: str | None = self._scope["state"].get(ERROR_CODE)
        seconds = (self._began or time.perf_counter()) - self._started
        metrics.in_progress.dec()
        metrics.requests(method, route, status).inc()
        metrics.durations(method, route).observe(seconds, self._exemplar())
        if code is not None:
            metrics.errors(code).inc()
        at_fault = (self._status or 0) >= 500 or (code is not None and self._began is not None)
        if not self._quiet:
            self._metrics.vitals.count("requests", time.monotonic())
        if at_fault and not self._quiet:
            self._metrics.vitals.count("errors", time.monotonic())
        if self._span is not None:
            _close_span(self._span, f"{method} {route}", route, self._status, code if at_fault else None)
            self._stack.close()

    def _open_span(self, tracer: Tracer) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._scope["headers"]}
        about = {
            "http.request.method": self._method,
            "url.path": self._scope["path"],
            "url.scheme": self._scope["scheme"],
        }
        self._span = self._stack.enter_context(
            tracer.start_as_current_span(self._method, extract(headers), SpanKind.SERVER, about)
        )
        if self._span.is_recording():
            self._stack.enter_context(bound_contextvars(trace_id=f"{self._span.get_span_context().trace_id:032x}"))

    def _exemplar(self) -> dict[str, str] | None:
        """Return the way from a metric to a trace, for servers that keep it."""
        if self._span is None or not self._span.get_span_context().trace_flags.sampled:
            return None
        return {"trace_id": f"{self._span.get_span_context().trace_id:032x}"}


def _close_span(span: Span, title: str, route: str, status: int | None, code: str | None) -> None:
    span.update_name(title)
    span.set_attribute("http.route", route)
    if status is not None:
        span.set_attribute("http.response.status_code", status)
    if code is not None:
        span.set_attribute("error.type", code)
        span.set_status(StatusCode.ERROR)

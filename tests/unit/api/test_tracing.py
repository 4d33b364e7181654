"""Where spans go."""

import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import HttpUrl

from api.settings import TracesSettings
from api.telemetry import open_tracing
from core.errors import ConfigurationError


class Collector(BaseHTTPRequestHandler):
    """A collector on loopback that keeps what it is sent."""

    taken: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        self.taken.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library names it
        pass


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    taken: list[tuple[str, bytes]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Taking", (Collector,), {"taken": taken}))
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    thread.join()
    server.server_close()


async def test_spans_go_to_the_collector_that_the_settings_name(
    collector: tuple[str, list[tuple[str, bytes]]],
) -> None:
    address, taken = collector
    settings = TracesSettings(endpoint=HttpUrl(address), service_name="harbour")
    async with open_tracing(settings) as provider:
        assert provider is not None
        with provider.get_tracer("test").start_as_current_span("asked"):
            pass
    ((path, body),) = taken
    (sent,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert path == "/v1/traces"
    assert {each.key: each.value.string_value for each in sent.resource.attributes}["service.name"] == "harbour"
    assert [span.name for scope in sent.scope_spans for span in scope.spans] == ["asked"]


async def test_no_share_of_traces_is_sent_if_none_is_kept(collector: tuple[str, list[tuple[str, bytes]]]) -> None:
    address, taken = collector
    async with open_tracing(TracesSettings(endpoint=HttpUrl(address), sample_ratio=0.0)) as provider:
        assert provider is not None
        with provider.get_tracer("test").start_as_current_span("asked"):
            pass
    assert taken == []


async def test_nobody_is_told_where_nobody_wants_it() -> None:
    async with open_tracing(TracesSettings()) as provider:
        assert provider is None


async def test_the_sdk_that_the_process_has_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    own = trace.NoOpTracerProvider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: own)
    async with open_tracing(TracesSettings()) as provider:
        assert provider is own


async def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ConfigurationError, match=r"crystal-lattice\[otel\]"):
        async with open_tracing(TracesSettings(endpoint=HttpUrl("http://127.0.0.1:1"))):
            pass

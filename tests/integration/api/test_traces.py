"""One request is one trace, from HTTP to SQL and to the provider."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx2
import pytest
from litestar import Litestar
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from api.app import create_app
from api.settings import Settings
from tests.integration.api.conftest import connect

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
QUESTION = {"question": "When does the ferry leave?"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What a process with an SDK of its own records."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield exporter
    provider.shutdown()


@pytest.fixture
async def traced(settings: Settings, spans: InMemorySpanExporter) -> AsyncIterator[httpx2.AsyncClient]:
    async with connect(create_app(settings)) as client:
        yield client


@pytest.fixture
async def harbour(traced: httpx2.AsyncClient) -> str:
    """The id of a gem that holds a note."""
    gem = (await traced.post("/gems", json={"name": "harbour"})).json()["id"]
    note = {"text": "The island ferry leaves at seven and at noon."}
    assert (await traced.post(f"/gems/{gem}/documents", json={"documents": [note]})).status_code == 201
    return str(gem)


def check_whole(found: Sequence[ReadableSpan]) -> ReadableSpan:
    """Check that spans are one tree, and return its root."""
    contexts = {span.context.span_id: span for span in found}
    assert len({span.context.trace_id for span in found}) == 1
    roots = [span for span in found if span.parent is None or span.parent.span_id not in contexts]
    assert len(roots) == 1
    return roots[0]


def names_under(found: Sequence[ReadableSpan], parent: str) -> set[str]:
    ids = {span.context.span_id for span in found if span.name == parent}
    return {span.name for span in found if span.parent is not None and span.parent.span_id in ids}


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_reflection_is_one_trace_from_http_to_sql_and_provider(
    traced: httpx2.AsyncClient, harbour: str, spans: InMemorySpanExporter, streamed: bool
) -> None:
    spans.clear()
    answer = await traced.post(f"/gems/{harbour}/reflections", json=QUESTION | {"stream": streamed})
    assert answer.is_success
    found = spans.get_finished_spans()
    root = check_whole(found)
    assert (root.name, root.kind) == ("POST /api/v1/gems/{gem_id}/reflections", SpanKind.SERVER)
    assert root.attributes is not None
    assert root.attributes["http.response.status_code"] == answer.status_code
    assert {"recall", "reflection.store", "chat default"} <= names_under(found, root.name)
    assert {"recall.open", "recall.embed", "recall.dense", "recall.lexical", "recall.late"} <= names_under(
        found, "recall"
    )
    assert {"BEGIN", "recall.nearest_exact", "COMMIT"} <= names_under(found, "recall.dense")
    assert {"reflections.insert_reflection", "dynamics.use_gems"} <= names_under(found, "reflection.store")
    assert [span.name for span in found if span.name.startswith("chat") and span.parent != root.context]


async def test_the_callers_trace_goes_on(traced: httpx2.AsyncClient, spans: InMemorySpanExporter) -> None:
    spans.clear()
    await traced.get("/gems", headers={"traceparent": CALLER})
    root = check_whole(spans.get_finished_spans())
    assert root.parent is not None
    assert f"{root.context.trace_id:032x}" == CALLER.split("-")[1]


async def test_what_goes_wrong_is_told_by_its_code(traced: httpx2.AsyncClient, spans: InMemorySpanExporter) -> None:
    spans.clear()
    await traced.get("/nothing")
    await traced.post("/gems", content=b"{")
    lost, malformed = spans.get_finished_spans()
    assert lost.name == "GET unmatched"
    assert (lost.status.status_code, malformed.status.status_code) == (StatusCode.UNSET, StatusCode.UNSET)


async def test_no_value_of_the_caller_is_in_a_span(
    traced: httpx2.AsyncClient, harbour: str, spans: InMemorySpanExporter
) -> None:
    await traced.post("/recall", json=QUESTION)
    told = repr([(span.name, dict(span.attributes or {}), span.events) for span in spans.get_finished_spans()])
    assert "recall.nearest_exact" in told
    assert "ferry" not in told


async def test_work_that_nobody_asked_for_leaves_no_statements(settings: Settings, spans: InMemorySpanExporter) -> None:
    app: Litestar = create_app(settings)
    async with connect(app):
        service: Any = app.state.service
        await service.gems.list_page(service.tenant, service.at(), archived=None, before=None, limit=1)
    assert spans.get_finished_spans() == ()

"""What the service's own metrics, its pulse and its log say of what it did."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from litestar import Litestar
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from api.app import create_app
from api.service import Service
from api.settings import Settings
from api.telemetry import gauges
from gems import set_entanglement
from knowledge import RecallQuery, use_recalled
from knowledge.jobs import defer
from knowledge.keeping import RestoreWish, Snapshots
from reflection import REFLECTION_TABLES
from tests.integration.api.conftest import connect

METRICS = "http://localhost/metrics"
QUESTION = {"question": "When does the ferry leave?"}


@pytest.fixture
def app(settings: Settings) -> Litestar:
    """The application as it is wired, on this test's database."""
    return create_app(settings)


@pytest.fixture
async def client(app: Litestar, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx2.AsyncClient]:
    monkeypatch.setattr(gauges, "FRESH_S", 0.0)
    monkeypatch.setattr(gauges, "SHARE", float("inf"))
    async with connect(app) as client:
        yield client


class Scrape:
    """The metrics of one scrape, by name and labels."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, frozenset(labels.items())))


async def scrape(client: httpx2.AsyncClient) -> Scrape:
    answer = await client.get(METRICS)
    assert answer.status_code == 200
    return Scrape(answer.text)


def service_of(app: Litestar) -> Service:
    service: Service = app.state.service
    return service


async def test_requests_are_counted_by_route_and_status(client: httpx2.AsyncClient, port: str) -> None:
    await client.get(f"/gems/{port}")
    await client.get(f"/gems/{UUID(int=7)}")
    await client.head(f"/gems/{port}")
    await client.get("/nowhere/at/all")
    await client.request("BREW", "/gems")
    found = await scrape(client)
    route = "/api/v1/gems/{gem_id}"
    assert found.value("lattice_http_requests_total", method="GET", route=route, status="200") == 1
    assert found.value("lattice_http_requests_total", method="GET", route=route, status="404") == 1
    assert found.value("lattice_http_requests_total", method="HEAD", route=route, status="200") == 1
    assert found.value("lattice_http_requests_total", method="GET", route="unmatched", status="404") == 1
    assert found.value("lattice_http_requests_total", method="OTHER", route="unmatched", status="405") == 1
    assert found.value("lattice_http_request_duration_seconds_count", method="GET", route=route) == 2
    assert found.value("lattice_http_requests_in_progress") == 1  # the scrape itself
    assert found.value("lattice_errors_total", code="gem_not_found") == 1
    assert found.value("lattice_errors_total", code="route_not_found") == 1
    assert not any(port in str(labels) for _, labels in found.samples)


async def test_recalls_and_their_channels_are_timed(client: httpx2.AsyncClient, app: Litestar, port: str) -> None:
    await client.post("/recall", json=QUESTION | {"gem_ids": [port]})
    found = await scrape(client)
    assert found.value("lattice_recall_duration_seconds_count") == 1
    for step in ("open", "embed", "dense", "lexical", "late", "links", "choose"):
        assert found.value("lattice_recall_step_duration_seconds_count", step=step) == 1, step
    signs = service_of(app).vitals.read(time.monotonic())
    assert (signs.recalls_per_minute, signs.reflections_per_minute) == (1, 0)
    assert signs.recall_p50_s is not None


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_reflection_is_seen_with_all_that_it_did(
    client: httpx2.AsyncClient, app: Litestar, port: str, streamed: bool
) -> None:
    friend = (await client.post("/gems", json={"name": "harbour master"})).json()["id"]
    service = service_of(app)
    async with service.database.transaction(service.tenant) as conn:
        await set_entanglement(conn, UUID(port), UUID(friend), 0.5, service.at().now)
    with capture_logs() as logs:
        answer = await client.post(f"/gems/{port}/reflections", json=QUESTION | {"stream": streamed})
    assert answer.is_success
    found = await scrape(client)
    assert found.value("lattice_reflections_total", grounding="grounded") == 1
    assert found.value("lattice_reflection_duration_seconds_count") == 1
    assert found.value("lattice_measurements_total", subject="gem", cause="reflection") == 1
    assert found.value("lattice_measurements_total", subject="gem", cause="entanglement") == 1
    assert (found.value("lattice_measurements_total", subject="passage", cause="reflection") or 0) >= 1
    changes = {line["gem_id"]: line for line in logs if line["event"] == "state_changed"}
    assert changes.keys() == {port, friend}
    assert (changes[port]["cause"], changes[friend]["cause"]) == ("reflection", "entanglement")
    assert changes[friend]["via_gem_id"] == port
    assert all(0 <= line["coherence_delta"] < 1e-3 and line["energy"] >= 1 for line in changes.values())
    signs = service.vitals.read(time.monotonic())
    assert (signs.reflections_per_minute, signs.errors_per_minute) == (1, 0)
    assert signs.reflection_p95_s is not None


async def test_what_is_rolled_back_has_not_happened(app: Litestar, client: httpx2.AsyncClient, port: str) -> None:
    service = service_of(app)
    found = await service.recall.recall(service.tenant, RecallQuery(QUESTION["question"], (UUID(port),)), service.at())

    async def use_and_fail() -> None:
        async with service.database.transaction(service.tenant) as conn:
            assert await use_recalled(conn, found, service.at())
            raise RuntimeError

    with capture_logs() as logs, pytest.raises(RuntimeError):
        await use_and_fail()
    assert [line for line in logs if line["event"] == "state_changed"] == []
    assert (await scrape(client)).value("lattice_measurements_total", subject="gem", cause="recall") is None


async def test_a_restored_state_is_told(app: Litestar, client: httpx2.AsyncClient, port: str) -> None:
    service = service_of(app)
    snapshots = Snapshots(service.database, service.embedder, REFLECTION_TABLES)
    taken = await snapshots.create(service.tenant, UUID(port), service.at())
    await client.post(f"/gems/{port}/reflections", json=QUESTION)
    with capture_logs() as logs:
        await snapshots.restore(service.tenant, taken.snapshot_id, RestoreWish(), service.at())
    (line,) = [line for line in logs if line["event"] == "state_changed"]
    assert (line["gem_id"], line["cause"]) == (port, "restore")
    assert line["uncertainty"] > 0.09  # what the answer had made certain
    assert (await scrape(client)).value("lattice_measurements_total", subject="gem", cause="restore") == 1


async def test_a_stream_that_breaks_is_an_error_of_the_service(
    client: httpx2.AsyncClient, app: Litestar, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("reflection.reflect.check_grounding", broken)
    answer = await client.post(f"/gems/{port}/reflections", json=QUESTION | {"stream": True})
    assert "internal_error" in answer.text
    found = await scrape(client)
    assert found.value("lattice_errors_total", code="internal_error") == 1
    signs = service_of(app).vitals.read(time.monotonic())
    assert (signs.errors_per_minute, signs.reflections_per_minute) == (1, 0)


async def test_ingestion_is_counted(client: httpx2.AsyncClient, app: Litestar, port: str) -> None:
    notes = [{"id": "gulls", "text": "Herring gulls nest on the warehouse roof in May.", "title": "gulls"}]
    await client.post(f"/gems/{port}/documents", json={"documents": notes})
    await client.post(f"/gems/{port}/documents", json={"documents": [notes[0] | {"text": "They left in June."}]})
    found = await scrape(client)
    outcomes = ("new", "replaced", "skipped")
    counted = [found.value("lattice_ingested_documents_total", outcome=each) for each in outcomes]
    assert counted == [3, 1, 1]
    assert found.value("lattice_ingested_passages_total") == 4
    assert service_of(app).vitals.read(time.monotonic()).ingested_passages_per_minute == 4


async def test_work_on_jobs_is_timed(client: httpx2.AsyncClient, app: Litestar, port: str) -> None:
    row = json.dumps({"text": "The lighthouse was lit in 1871."})
    await client.post(f"/gems/{port}/ingestions", content=row, headers={"content-type": "application/x-ndjson"})
    assert (await scrape(client)).value("lattice_ingestions", state="queued") == 1
    await service_of(app).workers().run(until_idle=True)
    found = await scrape(client)
    assert found.value("lattice_ingestions", state="queued") == 0
    assert found.value("lattice_job_duration_seconds_count", kind="ingest", outcome="done") == 1
    assert found.value("lattice_ingested_documents_total", outcome="new") == 4


async def test_the_lattice_is_shown_as_it_is_now(client: httpx2.AsyncClient, port: str) -> None:
    found = await scrape(client)
    assert found.value("lattice_readable") == 1
    assert found.value("lattice_gems") == 1
    assert found.value("lattice_gems_incoherent") == 0
    assert found.value("lattice_order_parameter_ratio") == pytest.approx(1)
    assert found.value("lattice_gem_coherence_ratio_bucket", le="0.95") == 0
    assert found.value("lattice_gem_coherence_ratio_bucket", le="1.0") == 1
    assert found.value("lattice_gem_coherence_ratio_bucket", le="+Inf") == 1
    assert found.value("lattice_gem_coherence_ratio_gcount") == 1
    assert found.value("lattice_gem_coherence_ratio_gsum") == pytest.approx(1, abs=1e-4)
    assert found.value("lattice_gem_uncertainty_ratio_bucket", le="0.15") == 1
    assert found.value("lattice_ingestions", state="queued") == 0
    assert found.value("lattice_ingestion_lag_seconds") == 0
    await client.post(f"/gems/{port}/archive")
    found = await scrape(client)
    assert (found.value("lattice_gems"), found.value("lattice_gem_coherence_ratio_gcount")) == (0, 0)


async def test_jobs_that_wait_are_shown_by_kind(client: httpx2.AsyncClient, app: Litestar) -> None:
    service = service_of(app)
    async with service.database.transaction(service.tenant) as conn:
        await defer(conn, service.tenant, "merge", {"gem": str(UUID(int=1))})
        await defer(conn, service.tenant, "merge", {"gem": str(UUID(int=2))})
        await defer(conn, UUID(int=99), "merge", {"gem": str(UUID(int=3))})
    found = await scrape(client)
    assert found.value("lattice_jobs", kind="merge", state="waiting") == 2
    assert found.value("lattice_jobs", kind="merge", state="running") == 0
    assert (found.value("lattice_jobs_oldest_seconds", kind="merge") or -1) >= 0


async def test_a_lattice_that_cannot_be_read_is_shown_as_such(client: httpx2.AsyncClient, app: Litestar) -> None:
    assert (await scrape(client)).value("lattice_gems") == 0
    await service_of(app).database.close()
    found = await scrape(client)
    assert found.value("lattice_readable") == 0
    assert found.value("lattice_gems") is None
    assert found.value("lattice_http_requests_in_progress") == 1


async def test_scrapers_who_come_often_share_what_was_read(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "FRESH_S", 3_600.0)
    assert (await scrape(client)).value("lattice_gems") == 0
    await client.post("/gems", json={"name": "Ada"})
    assert (await scrape(client)).value("lattice_gems") == 0


async def test_every_metric_of_ours_is_named_as_prometheus_advises(client: httpx2.AsyncClient, port: str) -> None:
    await client.post(f"/gems/{port}/reflections", json=QUESTION)
    found = await scrape(client)
    units = ("_seconds", "_ratio", "_bytes", "_total", "_usd")
    for name, family in found.families.items():
        if name.startswith("lattice_"):
            assert family.documentation.endswith("."), name
            assert not name.endswith(("_ms", "_percent", "_count", "_sum", "_bucket")), name
            assert family.type != "histogram" or name.endswith(units), name
            labels = {label for sample in family.samples for label in sample.labels}
            assert not labels & {"id", "gem_id", "tenant", "key", "path"}, name

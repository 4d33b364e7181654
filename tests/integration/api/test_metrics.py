"""What a Prometheus server scrapes, and who may."""

import re
from dataclasses import replace

import httpx2
import pytest
from litestar import Litestar
from pydantic import SecretStr

from api.app import create_app
from api.recall_metrics import RecallMetrics
from api.service import Service
from api.settings import Settings
from api.simulation_metrics import SimulationMetrics
from llm_router import Parts, Prompt, ScriptedTarget, build_router_of
from llm_router.telemetry import Telemetry, build_registry
from tests.integration.api.conftest import build_app, check_problem, connect

METRICS = "http://localhost/metrics"
PROMPT = Prompt("", "Where is Ada?", (), 100)


@pytest.fixture
async def scraped(settings: Settings, service: Service) -> Litestar:
    """An application whose router has answered once."""
    registry = build_registry()
    telemetry = Telemetry(registry)
    router = build_router_of([ScriptedTarget(["Turin."], "a")], parts=Parts(observer=telemetry))
    telemetry.watch_routes(lambda: router.routes)
    await router.ask(PROMPT)
    return build_app(settings, replace(service, metrics_registry=registry))


async def test_metrics_are_prometheus_text(scraped: Litestar) -> None:
    async with connect(scraped) as client:
        answer = await client.get(METRICS)
    assert answer.status_code == 200
    assert answer.headers.get_list("content-type") == ["text/plain; version=0.0.4; charset=utf-8"]
    lines = answer.text.splitlines()
    assert 'lattice_llm_calls_total{model="default",outcome="answered"} 1.0' in lines
    assert 'lattice_llm_target_breaker_state{state="closed",target="a"} 1.0' in lines
    assert 'lattice_llm_target_busy{target="a"} 0.0' in lines
    assert any(line.startswith("python_info{") for line in lines)


async def test_what_the_cache_of_recall_saves_is_counted(settings: Settings, service: Service, port: str) -> None:
    registry = build_registry()
    registry.register(RecallMetrics(service.recall.cache))
    async with connect(build_app(settings, replace(service, metrics_registry=registry))) as client:
        for _ in range(3):
            await client.post("/recall", json={"question": "When does the ferry leave?"})
        lines = (await client.get(METRICS)).text.splitlines()
    assert 'lattice_recall_cache_lookups_total{hit="true"} 2.0' in lines
    assert 'lattice_recall_cache_lookups_total{hit="false"} 1.0' in lines
    assert "lattice_recall_cache_entries 1.0" in lines


@pytest.mark.parametrize("version", ["", "; version=1.0.0; charset=utf-8", "; version=new"])
async def test_metrics_are_openmetrics_for_whoever_accepts_it(scraped: Litestar, version: str) -> None:
    accept = f"application/openmetrics-text{version},text/plain;q=0.5"
    async with connect(scraped) as client:
        answer = await client.get(METRICS, headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.text.endswith("# EOF\n")


async def test_an_odd_accept_header_gets_the_plain_text(scraped: Litestar) -> None:
    async with connect(scraped) as client:
        for accept in ("text/plain; version=new", "*/*", "image/png", ""):
            answer = await client.get(METRICS, headers={"accept": accept})
            assert (answer.status_code, answer.headers["content-type"][:10]) == (200, "text/plain")


async def test_metrics_are_for_viewers(settings: Settings, service: Service, client: httpx2.AsyncClient) -> None:
    check_problem(await client.get(METRICS, headers={"host": "evil.example.org"}), 403, "forbidden")
    guarded = settings.model_copy(update={"api_token": SecretStr("s3cret")})
    async with connect(build_app(guarded, replace(service, settings=guarded))) as guarded_client:
        check_problem(await guarded_client.get(METRICS), 401, "unauthenticated")
        answer = await guarded_client.get(METRICS, headers={"authorization": "Bearer s3cret"})
        assert answer.status_code == 200


async def test_applications_in_one_process_count_apart(scraped: Litestar, client: httpx2.AsyncClient) -> None:
    async with connect(scraped) as scraped_client:
        assert "lattice_llm_calls_total{" in (await scraped_client.get(METRICS)).text
    assert "lattice_llm_calls_total{" not in (await client.get(METRICS)).text


async def test_the_whole_wiring_shows_its_targets(settings: Settings) -> None:
    for _ in range(2):  # a second application in this process is refused no name
        async with connect(create_app(settings)) as client:
            text = (await client.get(METRICS)).text
            assert re.search(r'^lattice_llm_target_enabled\{target="extractive"\} 1\.0$', text, re.MULTILINE)
            assert "# TYPE lattice_llm_calls_total counter" in text


async def test_the_cache_of_simulations_is_counted(settings: Settings, service: Service) -> None:
    registry = build_registry()
    registry.register(SimulationMetrics(service.simulations.cache))
    async with connect(build_app(settings, replace(service, metrics_registry=registry))) as client:
        for _ in range(3):
            await client.post("/simulations", json={"steps": 10})
        lines = (await client.get(METRICS)).text.splitlines()
    assert 'lattice_simulation_cache_lookups_total{hit="true"} 2.0' in lines
    assert 'lattice_simulation_cache_lookups_total{hit="false"} 1.0' in lines
    assert "lattice_simulation_cache_entries 1.0" in lines
    assert any(re.fullmatch(r"lattice_simulation_cache_bytes [1-9]\d*\.0", line) for line in lines)

from dataclasses import replace

import httpx2
import pytest
from litestar import Litestar

from api.app import create_app
from api.service import Service
from api.settings import Settings
from core.errors import StoreUnavailableError
from core.pg import DEFAULT_TENANT
from llm_router import RouterConfig, TargetConfig, build_router
from tests.integration.api.conftest import build_app, check_problem, connect


async def test_health_needs_no_database(app: Litestar) -> None:
    async with connect(app) as client:
        app.state.service = None
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_head_is_answered_like_get(client: httpx2.AsyncClient) -> None:
    assert (await client.head("/health")).status_code == 200
    assert (await client.head("/recall")).status_code == 405


async def test_ready_names_what_is_loaded(client: httpx2.AsyncClient, service: Service) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["embedding_model"] == service.embedder.model
    assert answer.json()["status"] == "ready"


async def test_not_ready_while_the_database_is_away(client: httpx2.AsyncClient, service: Service) -> None:
    await service.database.close()
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in {"store_unavailable", "not_ready"}


async def test_not_ready_on_another_schema(client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes.status.needed_revision", lambda: "9999")
    answer = await client.get("/health/ready")
    check_problem(answer, 503, "not_ready")
    assert answer.headers["retry-after"]


async def test_info_names_models_and_limits_without_secrets(settings: Settings, service: Service) -> None:
    target = TargetConfig("openai/m1", "openai", "m1", "http://127.0.0.1:1/v1", "sk-secret")
    router = build_router(RouterConfig((target,)), None)
    told = replace(service, llm=replace(service.llm, router=router))
    async with connect(build_app(settings, told)) as client:
        answer = await client.get("/info")
    await router.aclose()
    info = answer.json()
    assert info["name"] == "crystal-lattice"
    assert info["version"]
    assert info["embedding"] == {"provider": "local", "model": service.embedder.model, "dimension": 384}
    assert info["targets"] == [
        {"name": "openai/m1", "provider": "openai", "model": "m1"},
        {"name": "extractive", "provider": "extractive", "model": ""},
    ]
    assert info["time_unit_days"] == 30.0
    assert info["limits"]["body_bytes"] == settings.max_body_bytes
    assert "secret" not in answer.text


async def test_the_whole_wiring_opens_and_closes(settings: Settings) -> None:
    app = create_app(settings)
    async with connect(app) as client:
        assert (await client.post("/gems", json={"name": "Ada"})).status_code == 201
        assert (await client.get("/health/ready")).status_code == 200
    with pytest.raises(StoreUnavailableError):
        async with app.state.service.database.transaction(DEFAULT_TENANT):
            pass

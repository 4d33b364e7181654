"""Who gets in, whose rows they see, and what every answer carries."""

from dataclasses import replace
from uuid import UUID, uuid4

import httpx2
import pytest
import structlog
from pydantic import SecretStr

from api.auth import Principal, Role
from api.service import Service
from api.settings import Settings
from core.pg import DEFAULT_TENANT
from gems import GemChange
from knowledge import parse_document
from reflection import ReflectionRequest
from tests.integration.api.conftest import build_app, check_problem, connect

OF_ONE_GEM = (
    "state",
    "history",
    "forecast",
    "interference",
    "passages",
    "replay",
    "entanglements",
    "entanglements/suggestions",
    "neighbours",
)


@pytest.fixture
def guarded(settings: Settings) -> Settings:
    return settings.model_copy(update={"api_token": SecretStr("s3cret")})


async def test_a_token_that_is_set_is_asked_for(guarded: Settings, service: Service) -> None:
    async with connect(build_app(guarded, replace(service, settings=guarded))) as client:
        for header in (None, "Bearer wrong", "Basic s3cret", "Bearer", "é"):
            for method, path in [("GET", "/gems"), ("POST", "/gems"), ("POST", "/recall"), ("GET", "/info")]:
                raw = {} if header is None else {b"authorization": header.encode()}
                answer = await client.request(method, path, headers=raw)
                check_problem(answer, 401, "unauthenticated")
                assert answer.headers["www-authenticate"] == "Bearer"
        for path in ("/health", "/health/ready"):
            assert (await client.get(path)).status_code == 200
        known = {"authorization": "bearer s3cret", "host": "lattice.example.org"}
        assert (await client.get("/gems", headers=known)).status_code == 200


async def test_who_may_only_read_recalls_and_changes_nothing(
    client: httpx2.AsyncClient, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.auth.authenticate", lambda *_: Principal(DEFAULT_TENANT, Role.VIEWER))
    question = {"question": "When does the ferry leave?", "gem_ids": [port]}
    assert (await client.post("/recall", json=question)).status_code == 200
    check_problem(await client.post("/recall", json=question | {"measure": True}), 403, "forbidden")
    for path, body in [
        (f"/gems/{port}/rehearsals", {"dry_run": False}),
        (f"/gems/{port}/merges", {"from": [port]}),
        (f"/gems/{port}/splits", {"name": "cranes", "source": "x"}),
        (f"/gems/{port}/entanglements", {"gem_id": port, "strength": 0.5}),
        (f"/gems/{port}/snapshots", {}),
        ("/lattice/snapshots", {}),
        ("/snapshots/retention", {"keep_last": 1}),
    ]:
        check_problem(await client.post(path, json=body), 403, "forbidden")
    log = (await client.get(f"/gems/{port}/measurements")).json()["items"]
    assert [each["cause"] for each in log] == ["ingest"]


async def test_without_a_token_only_this_machine_is_answered(client: httpx2.AsyncClient) -> None:
    for host in ("localhost:8000", "127.0.0.1:8000", "[::1]:8000", "lattice.localhost"):
        assert (await client.get("/gems", headers={"host": host})).status_code == 200
    for host in ("evil.example.org", "evil.example.org:8000", "127.0.0.1.evil.org", "10.0.0.1"):
        check_problem(await client.get("/gems", headers={"host": host}), 403, "forbidden")


async def test_another_tenants_rows_are_not_there(client: httpx2.AsyncClient, service: Service, port: str) -> None:
    other, at = uuid4(), service.at()
    gem = await service.gems.create(other, GemChange("port"), at)
    note = parse_document({"id": "x", "text": "The ferry leaves at nine."})
    await service.ingestion.ingest(other, gem.gem_id, [note], at)
    asked = ReflectionRequest(gem.gem_id, "When does the ferry leave?")
    reflection = await service.reflections.reflect(other, asked, at)
    (document,) = await service.ingestion.list_page(other, gem.gem_id, at, before=None, limit=5)

    assert [each["id"] for each in (await client.get("/gems")).json()["items"]] == [port]
    theirs = f"/gems/{gem.gem_id}"
    for method, path in [
        ("GET", theirs),
        ("DELETE", theirs),
        ("POST", f"{theirs}/archive"),
        ("POST", f"{theirs}/restore"),
        ("GET", f"{theirs}/measurements"),
        ("GET", f"{theirs}/documents"),
        ("GET", f"{theirs}/reflections"),
        *(("GET", f"{theirs}/{name}") for name in OF_ONE_GEM),
        ("DELETE", f"{theirs}/entanglements/{port}"),
        ("DELETE", f"{theirs}/documents/{document.document_id}"),
    ]:
        check_problem(await client.request(method, path), 404, "gem_not_found")
    for method, path, body in [
        ("PATCH", theirs, {"name": "mine"}),
        ("POST", f"{theirs}/documents", {"documents": [{"text": "x"}]}),
        ("POST", f"{theirs}/reflections", {"question": "x"}),
        ("POST", f"{theirs}/rehearsals", {"dry_run": False}),
        ("POST", f"{theirs}/entanglements", {"gem_id": port, "strength": 1}),
        ("POST", f"/gems/{port}/entanglements", {"gem_id": str(gem.gem_id), "strength": 1}),
        ("POST", "/lattice/interference", {"gem_ids": [port, str(gem.gem_id)]}),
        ("POST", "/recall", {"question": "x", "gem_ids": [str(gem.gem_id)]}),
    ]:
        check_problem(await client.request(method, path, json=body), 404, "gem_not_found")
    path = f"/reflections/{reflection.reflection_id}"
    check_problem(await client.get(path), 404, "reflection_not_found")
    check_problem(await client.post(f"{path}/feedback", json={"rating": 1}), 404, "reflection_not_found")
    mine = f"/gems/{port}/documents/{document.document_id}"
    check_problem(await client.delete(mine), 404, "document_not_found")
    asked_widely = {"question": "When does the ferry leave?", "gem_ids": [port], "reach": "lattice"}
    recalled = (await client.post("/recall", json=asked_widely)).json()["passages"]
    assert {each["gem_id"] for each in recalled} == {port}
    assert (await service.gems.get(other, gem.gem_id, at)).name == "port"


async def test_a_sane_request_id_is_kept_and_another_replaced(client: httpx2.AsyncClient) -> None:
    kept = await client.get("/health", headers={"x-request-id": "job-7:a.b_c"})
    assert kept.headers.get_list("x-request-id") == ["job-7:a.b_c"]
    for given in ("", "a b", "x" * 129, "<script>"):
        made = (await client.get("/health", headers={"x-request-id": given})).headers["x-request-id"]
        assert UUID(hex=made)


async def test_every_request_is_one_line_in_the_log(client: httpx2.AsyncClient) -> None:
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        await client.get("/gems", params={"cursor": "secret"}, headers={"x-request-id": "r1"})
        await client.get("/nothing", headers={"x-request-id": "r2"})
    told = [line for line in lines if line["event"] == "request_answered"]
    assert [(line["request_id"], line["path"], line["status"]) for line in told] == [
        ("r1", "/api/v1/gems", 400),
        ("r2", "/api/v1/nothing", 404),
    ]
    assert all(line["took_ms"] >= 0 and line["method"] == "GET" for line in told)
    assert "secret" not in str(lines)


async def test_every_answer_keeps_browsers_careful(client: httpx2.AsyncClient) -> None:
    for path in ("/health", "/gems", "/nothing", "http://localhost/schema"):
        headers = (await client.get(path, headers={"origin": "http://localhost:3000"})).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers

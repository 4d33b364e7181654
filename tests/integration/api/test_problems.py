"""Every error is a problem, also where no route of ours was reached."""

import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from core.errors import LatticeError
from tests.integration.api.conftest import check_problem

JSON = {"content-type": "application/json"}
NO_JSON = [
    b"{",
    b"",
    b'{"name": "a"',
    b"name=a",
    b'{"name": NaN}',
    b'{"name": "\xff"}',
    b'{"name": "\\ud800"}',
    b'{"metadata": {"x": ' + b"[" * 90_000,
]


async def test_an_unknown_path(subtests: pytest.Subtests, client: httpx2.AsyncClient) -> None:
    for path in ("/api/v1/nothing", "/api/v1/gems/a/b/c/d", "/nothing", "/", "/api/v1", "/schema/x"):
        with subtests.test(path):
            check_problem(await client.get(f"http://localhost{path}"), 404, "route_not_found")


async def test_a_method_that_the_path_does_not_take(client: httpx2.AsyncClient) -> None:
    answer = await client.put("/gems", json={})
    check_problem(answer, 405, "method_not_allowed")
    assert {method.strip() for method in answer.headers["allow"].split(",")} >= {"GET", "POST"}


async def test_a_body_that_is_no_json(subtests: pytest.Subtests, client: httpx2.AsyncClient) -> None:
    for body in NO_JSON:
        with subtests.test(repr(body[:40])):
            check_problem(await client.post("/gems", content=body, headers=JSON), 400, "malformed_body")


async def test_a_body_of_another_kind(subtests: pytest.Subtests, client: httpx2.AsyncClient) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", None):
        with subtests.test(media_type):
            headers = {"content-type": media_type} if media_type else {}
            answer = await client.post("/gems", content=b'{"name": "a"}', headers=headers)
            check_problem(answer, 415, "unsupported_media_type")


async def test_json_by_its_other_names(subtests: pytest.Subtests, client: httpx2.AsyncClient) -> None:
    for media_type in ("application/json; charset=utf-8", "Application/JSON", "application/ld+json"):
        with subtests.test(media_type):
            body = json.dumps({"name": media_type})
            answer = await client.post("/gems", content=body, headers={"content-type": media_type})
            assert answer.status_code == 201


async def test_a_body_that_is_too_large(client: httpx2.AsyncClient) -> None:
    body = json.dumps({"name": "a" * 200_000}).encode()

    async def in_parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    for content in (body, in_parts()):  # announced by its length, and not
        problem = check_problem(await client.post("/gems", content=content, headers=JSON), 413, "body_too_large")
        assert "200,000 bytes" in problem["detail"]


async def test_a_fault_of_ours_shows_nothing(client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("gems.catalogue.store.list_gems", fail)
    answer = await client.get("/gems")
    problem = check_problem(answer, 500, "internal_error")
    assert "secret" not in answer.text
    assert problem["request_id"] in problem["detail"]


async def test_an_error_without_a_code_of_its_own_is_still_a_problem(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise LatticeError("secret")

    monkeypatch.setattr("gems.catalogue.store.list_gems", fail)
    answer = await client.get("/gems")
    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_control_characters_do_no_harm(client: httpx2.AsyncClient) -> None:
    made = await client.post("/gems", json={"name": "a\u0000b", "metadata": {"x": "\u0000"}})
    assert made.status_code == 201
    assert made.json()["name"] == "ab"


async def test_a_value_that_is_none_of_those_a_field_or_parameter_may_have(client: httpx2.AsyncClient) -> None:
    rule = {"metric": "weather", "op": "above", "threshold": 1}
    problem = check_problem(await client.put("/alerts/rules/mine", json=rule), 422, "invalid_input")
    assert problem["detail"].startswith("metric: is 'weather', not one of coherence_mean, ")
    for name, path in (("state", "/alerts"), ("kind", "/extensions")):
        problem = check_problem(await client.get(path, params={name: "x"}), 422, "invalid_input")
        assert problem["detail"].startswith(f"{name}: is 'x', not one of ")

import gzip
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from litestar import Litestar

from api.service import Service
from tests.integration.api.conftest import check_problem


@pytest.fixture
async def file(client: httpx2.AsyncClient, port: str) -> bytes:
    answer = await client.get(f"/gems/{port}/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/gzip"
    assert f'filename="{port}.jsonl.gz"' in answer.headers["content-disposition"]
    return answer.content


async def test_a_gem_goes_out_and_comes_in_again(client: httpx2.AsyncClient, port: str, file: bytes) -> None:
    question = {"question": "When does the ferry leave?", "gem_ids": [port]}
    before = [each["id"] for each in (await client.post("/recall", json=question)).json()["passages"]]
    assert (await client.delete(f"/gems/{port}")).status_code == 204
    answer = await client.post("/imports", content=file)
    assert answer.status_code == 201, answer.text
    stored = {"id": port, "name": "port", "documents": 3, "passages": 3, "entanglements": 0, "reembedded": False}
    assert answer.json() == {"gems": [stored]}
    assert [each["id"] for each in (await client.post("/recall", json=question)).json()["passages"]] == before
    again = (await client.get(f"/gems/{port}/export")).content
    assert gzip.decompress(again).splitlines()[1:] == gzip.decompress(file).splitlines()[1:]


async def test_an_export_tells_how_many_entanglements_it_lacks(client: httpx2.AsyncClient, port: str) -> None:
    for name, expected in (("island", "1"), ("harbour", "2")):
        other = (await client.post("/gems", json={"name": name})).json()["id"]
        await client.post(f"/gems/{port}/entanglements", json={"gem_id": other, "strength": 0.5})
        answer = await client.get(f"/gems/{port}/export")
        assert answer.headers["x-entanglements-left-out"] == expected


async def test_a_copy_takes_another_name(client: httpx2.AsyncClient, port: str, file: bytes) -> None:
    check_problem(await client.post("/imports", content=file), 409, "gem_name_taken")
    answer = await client.post("/imports", params={"rename": "haven"}, content=gzip.decompress(file))
    assert answer.status_code == 201, answer.text
    (gem,) = answer.json()["gems"]
    assert gem["name"] == "haven"
    assert gem["id"] != port
    assert {each["name"] for each in (await client.get("/gems")).json()["items"]} == {"port", "haven"}


async def test_what_cannot_be_imported_or_exported_is_told(
    client: httpx2.AsyncClient, app: Litestar, service: Service, file: bytes
) -> None:
    check_problem(await client.get(f"/gems/{uuid4()}/export"), 404, "gem_not_found")
    for body in (b"", b"no export", file[:-20]):
        check_problem(await client.post("/imports", content=body), 422, "unreadable_source")
    app.state.service = Small(service)
    check_problem(await client.post("/imports", content=file), 413, "body_too_large")
    bomb = gzip.compress(gzip.decompress(file)[:100] + bytes(100_000))
    assert len(bomb) < 1_000
    check_problem(await client.post("/imports", content=bomb), 413, "body_too_large")


class Small:
    """The service, taking small imports only."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.settings = service.settings.model_copy(update={"max_ingestion_bytes": 1_000})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)


class Later(Small):
    """The service, years later."""

    def at(self) -> Any:
        now = self._service.at()
        return type(now)(now.now + timedelta(days=1_000), now.time_unit)


async def test_forgetting_is_told_then_done_then_undone(
    client: httpx2.AsyncClient, app: Litestar, service: Service, port: str
) -> None:
    policy = {"below": 0.05, "for_days": 180, "most_share": 1}
    fresh = (await client.post(f"/gems/{port}/forgetting", json=policy)).json()
    assert (fresh["planned"], fresh["faded"], fresh["open"], fresh["documents"]) == (0, 0, 3, [])
    app.state.service = Later(service)
    plan = (await client.post(f"/gems/{port}/forgetting", json=policy)).json()
    assert (plan["run_id"], plan["closed"], plan["planned"]) == (None, 0, 3)
    assert {each["external_id"] for each in plan["documents"]} == {"crane", "ferry", "gulls"}
    question = {"question": "When does the ferry leave?", "gem_ids": [port]}
    assert len((await client.post("/recall", json=question)).json()["passages"]) == 3
    done = (await client.post(f"/gems/{port}/forgetting", json=policy | {"dry_run": False})).json()
    assert done["closed"] == 3
    assert (await client.post("/recall", json=question)).json()["passages"] == []
    undone = await client.post(f"/gems/{port}/forgetting/undo", params={"run_id": done["run_id"]})
    assert undone.json() == {"run_id": done["run_id"], "documents": 3}
    assert len((await client.post("/recall", json=question)).json()["passages"]) == 3
    check_problem(await client.post(f"/gems/{port}/forgetting/undo"), 404, "forgetting_not_found")


async def test_a_policy_that_is_none_is_refused(client: httpx2.AsyncClient, port: str) -> None:
    for field, value in (("below", 0), ("most_share", 2), ("for_days", -1), ("when", "now")):
        answer = await client.post(f"/gems/{port}/forgetting", json={field: value})
        assert check_problem(answer, 422, "invalid_input")["details"]["field"] == field


async def test_an_export_that_is_left_behind_gives_its_connection_back(
    app: Litestar, service: Service, port: str, client: httpx2.AsyncClient
) -> None:
    for _ in range(service.settings.pool.max_size + 2):
        async with client.stream("GET", f"/gems/{port}/export") as answer:
            assert answer.status_code == 200
            async for _piece in answer.aiter_raw():
                break
    assert (await client.get(f"/gems/{port}")).status_code == 200

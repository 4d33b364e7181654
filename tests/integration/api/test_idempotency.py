import asyncio
from typing import Any

import httpx2
import pytest

from api.service import Service
from core.errors import StoreUnavailableError
from core.pg import DEFAULT_TENANT
from tests.integration.api.conftest import Script, check_problem, settle, whole

KEY = {"Idempotency-Key": "first"}


async def age(service: Service, interval: str) -> None:
    async with service.database.transaction(DEFAULT_TENANT) as conn:
        await conn.execute("UPDATE idempotency_key SET created_at = created_at - %s::interval", (interval,))


async def count_keys(service: Service) -> int:
    async with service.database.transaction(DEFAULT_TENANT, read_only=True) as conn:
        row = await (await conn.execute("SELECT count(*) FROM idempotency_key")).fetchone()
    return int(row[0]) if row else 0


async def leave_running(service: Service, client: httpx2.AsyncClient) -> None:
    """Make a gem under the key, and lose what came of it, as a process that dies does."""
    answer = await client.post("/gems", json={"name": "Ada"}, headers=KEY)
    assert answer.status_code == 201
    async with service.database.transaction(DEFAULT_TENANT) as conn:
        await conn.execute("UPDATE idempotency_key SET status = NULL, body = NULL, location = NULL")
    await client.delete(answer.headers["location"].removeprefix("/api/v1"))


async def test_the_same_request_gets_the_first_answer_again(client: httpx2.AsyncClient) -> None:
    first = await client.post("/gems", json={"name": "Ada"}, headers=KEY)
    again = await client.post("/gems", json={"name": "Ada"}, headers=KEY)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len((await client.get("/gems")).json()["items"]) == 1


async def test_the_work_of_every_creating_route_is_done_once(client: httpx2.AsyncClient, port: str) -> None:
    for path, body in [
        ("documents", {"documents": [{"text": "Something new."}]}),
        ("reflections", {"question": "When does the ferry leave?"}),
    ]:
        headers = {"Idempotency-Key": path}
        first = await client.post(f"/gems/{port}/{path}", json=body, headers=headers)
        again = await client.post(f"/gems/{port}/{path}", json=body, headers=headers)
        assert first.status_code == again.status_code == 201
        assert again.content == first.content
    assert len((await client.get(f"/gems/{port}/reflections")).json()["items"]) == 1


async def test_a_key_stands_for_one_request(client: httpx2.AsyncClient, port: str) -> None:
    await client.post("/gems", json={"name": "Ada"}, headers=KEY)
    check_problem(await client.post("/gems", json={"name": "Bob"}, headers=KEY), 409, "idempotency_conflict")
    elsewhere = await client.post(f"/gems/{port}/reflections", json={"question": "x"}, headers=KEY)
    check_problem(elsewhere, 409, "idempotency_conflict")
    assert "retry-after" not in elsewhere.headers


async def test_a_request_that_failed_frees_its_key(client: httpx2.AsyncClient, service: Service) -> None:
    await client.post("/gems", json={"name": "Ada"})
    check_problem(await client.post("/gems", json={"name": "Ada"}, headers=KEY), 409, "gem_name_taken")
    assert await count_keys(service) == 0
    assert (await client.post("/gems", json={"name": "Bob"}, headers=KEY)).status_code == 201


async def test_a_fault_of_ours_frees_the_key(
    client: httpx2.AsyncClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StoreUnavailableError("away")

    with monkeypatch.context() as patch:
        patch.setattr("gems.catalogue.store.insert_gem", fail)
        check_problem(await client.post("/gems", json={"name": "Ada"}, headers=KEY), 503, "store_unavailable")
    assert (await client.post("/gems", json={"name": "Ada"}, headers=KEY)).status_code == 201


async def test_the_second_waits_until_the_first_is_done(client: httpx2.AsyncClient, port: str, script: Script) -> None:
    refused = asyncio.Event()
    target = script(refused, "It leaves at seven [1].", whole("It leaves at seven [1]."))

    async def ask() -> httpx2.Response:
        return await client.post(f"/gems/{port}/reflections", json={"question": "When?"}, headers=KEY)

    first = asyncio.create_task(ask())
    await settle(lambda: bool(target.asked))
    second = await ask()
    refused.set()
    check_problem(second, 409, "idempotency_conflict")
    assert second.headers["retry-after"] == "1"
    done = await first
    assert done.status_code == 201
    assert (await ask()).content == done.content
    assert len(target.asked) == 1


async def test_many_at_once_do_the_work_once(client: httpx2.AsyncClient) -> None:
    answers: list[Any] = await asyncio.gather(
        *(client.post("/gems", json={"name": "Ada"}, headers=KEY) for _ in range(8))
    )
    made = [answer for answer in answers if answer.status_code == 201]
    assert made
    assert len({answer.content for answer in made}) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all(a.json()["code"] == "idempotency_conflict" for a in answers if a.status_code == 409)


async def test_what_a_dead_process_left_running_is_taken_over_in_time(
    client: httpx2.AsyncClient, service: Service
) -> None:
    await leave_running(service, client)
    await age(service, "14 minutes")
    check_problem(await client.post("/gems", json={"name": "Ada"}, headers=KEY), 409, "idempotency_conflict")
    await age(service, "2 minutes")
    check_problem(await client.post("/gems", json={"name": "Bob"}, headers=KEY), 409, "idempotency_conflict")
    assert (await client.post("/gems", json={"name": "Ada"}, headers=KEY)).status_code == 201
    assert (await client.post("/gems", json={"name": "Ada"}, headers=KEY)).headers["idempotency-replayed"]


async def test_keys_are_forgotten_after_a_day(client: httpx2.AsyncClient, service: Service) -> None:
    await client.post("/gems", json={"name": "Ada"}, headers=KEY)
    await age(service, "25 hours")
    assert (await client.post("/gems", json={"name": "Bob"}, headers=KEY)).status_code == 201
    await age(service, "25 hours")
    await client.post("/gems", json={"name": "Eve"}, headers={"Idempotency-Key": "other"})
    assert await count_keys(service) == 1


async def test_a_key_must_be_printable(subtests: pytest.Subtests, client: httpx2.AsyncClient) -> None:
    for key in ("", "x" * 256, "ä", "a\tb"):
        with subtests.test(key[:40]):
            headers = {b"Idempotency-Key": key.encode()}
            answer = await client.post("/gems", json={"name": "Ada"}, headers=headers)
            problem = check_problem(answer, 422, "invalid_input")
            assert problem["details"]["field"] == "Idempotency-Key"


async def test_a_streamed_answer_takes_no_key(client: httpx2.AsyncClient, port: str) -> None:
    body = {"question": "When?", "stream": True}
    problem = check_problem(
        await client.post(f"/gems/{port}/reflections", json=body, headers=KEY), 422, "invalid_input"
    )
    assert problem["details"]["field"] == "Idempotency-Key"

"""What only a real server shows: events as they are told, clients that leave, bodies that do not end."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import httpx2
import pytest

from api.cli.serve import _listen
from api.service import Service
from core.pg import DEFAULT_TENANT
from tests.integration.api.conftest import NOTES, Script, check_problem, settle, whole

JSON = {"content-type": "application/json"}
ANSWER = "It leaves at seven [1]."


@pytest.fixture
async def asked(wire: httpx2.AsyncClient) -> str:
    """The path at which a gem with notes is asked."""
    gem = (await wire.post("/gems", json={"name": "port"})).json()["id"]
    notes = [{"id": name, "text": text} for name, text in NOTES.items()]
    await wire.post(f"/gems/{gem}/documents", json={"documents": notes})
    return f"/gems/{gem}/reflections"


def tasks_of(word: str) -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if word in repr(task.get_coro())]


async def test_events_come_while_the_answer_is_made(wire: httpx2.AsyncClient, asked: str, script: Script) -> None:
    heard = asyncio.Event()
    script("It leaves ", heard, "at seven [1].", whole(ANSWER))
    body = {"question": "When does the ferry leave?", "stream": True}
    tokens = 0
    async with wire.stream("POST", asked, json=body) as answer:
        assert answer.headers["x-accel-buffering"] == "no"
        async for line in answer.aiter_lines():
            if line == "event: token":
                tokens += 1
                heard.set()  # no answer without it
    assert tokens == 2


async def test_silence_is_filled_with_pings(
    wire: httpx2.AsyncClient, asked: str, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.events.PING_S", 0.05)
    enough = asyncio.Event()
    script(enough, ANSWER, whole(ANSWER))
    lines: list[str] = []
    async with wire.stream("POST", asked, json={"question": "When?", "stream": True}) as answer:
        async for line in answer.aiter_lines():
            lines.append(line)
            if lines.count(": ping") == 3:
                enough.set()
    assert lines.count(": ping") >= 3
    assert "event: done" in lines


async def test_a_client_that_leaves_leaves_nothing_behind(
    wire: httpx2.AsyncClient, asked: str, script: Script, service: Service
) -> None:
    script("It leaves ", 60.0, whole(ANSWER))
    body = {"question": "When does the ferry leave?", "stream": True}
    async with wire.stream("POST", asked, json=body) as answer:
        async for line in answer.aiter_lines():
            if line == "event: token":
                assert tasks_of("_make")
                break
    await settle(lambda: not tasks_of("_make"))
    await settle(lambda: not tasks_of("send_body"))
    assert (await wire.get(asked)).json()["items"] == []
    async with asyncio.timeout(60):  # as many transactions at once as there are connections
        await asyncio.gather(*(service.gems.list_page(DEFAULT_TENANT, service.at()) for _ in range(20)))


async def test_a_client_that_leaves_at_once_leaves_nothing_behind(
    address: str, wire: httpx2.AsyncClient, asked: str, script: Script
) -> None:
    script(60.0, whole(ANSWER))
    body = json.dumps({"question": "When does the ferry leave?", "stream": True}).encode()
    port = int(address.rpartition(":")[2])
    for pause_s in (0.0, 0.005, 0.02, 0.05):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /api/v1{asked} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        await asyncio.sleep(pause_s)
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.2)
    await settle(lambda: not tasks_of("_make"))
    assert (await wire.get("/health/ready")).status_code == 200


async def test_a_body_that_is_too_large_is_refused_over_the_wire(wire: httpx2.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    check_problem(await wire.post("/gems", content=b"x" * 200_001, headers=JSON), 413, "body_too_large")
    check_problem(await wire.post("/gems", content=endless(), headers=JSON), 413, "body_too_large")
    assert (await wire.get("/health")).status_code == 200


async def test_a_body_that_breaks_off_harms_nobody(address: str, wire: httpx2.AsyncClient) -> None:
    port = int(address.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "POST /api/v1/gems HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(f'{head}Content-Length: 100\r\n\r\n{{"name'.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await wire.get("/gems")).json()["items"] == []


async def test_the_program_answers_without_waiting_for_acknowledgements() -> None:
    """Else the second half of an answer waits for the client's delayed acknowledgement, some 40 ms."""
    with _listen("127.0.0.1", 0) as listener:
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

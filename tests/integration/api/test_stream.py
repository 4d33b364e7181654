"""The lattice live over a real server: snapshots and alerts, slow viewers, those who come back, many at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import psycopg
import pytest
from litestar import Litestar
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from websockets.asyncio.client import connect as connect_socket
from websockets.exceptions import InvalidStatus

from api.live.broadcast import Mark
from api.live.live import Live
from api.settings import AlertSettings, Settings, StreamSettings
from tests.integration.api.conftest import check_problem, settle

STREAM = "/lattice/stream"
VIEWERS = 200
TICKS = 12
TICK = "a snapshot is told"
RULE = {"metric": "cost_usd_per_hour", "op": "above", "threshold": -1, "clear_threshold": -1, "severity": "info"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Four snapshots a second; rules are looked at when they are put, and else once an hour."""
    return settings.model_copy(
        update={"stream": StreamSettings(interval_s=0.25), "alerts": AlertSettings(interval_s=3_600)}
    )


@dataclass(frozen=True)
class Event:
    mark: str
    name: str
    data: Any


@asynccontextmanager
async def watching(client: httpx2.AsyncClient, mark: str | None = None) -> AsyncIterator[AsyncIterator[Event]]:
    headers = {} if mark is None else {"Last-Event-ID": mark}
    async with asyncio.timeout(120), client.stream("GET", STREAM, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield read_events(response.aiter_lines())


async def read_events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in lines:
        if not line and "data" in fields:
            yield Event(fields["id"], fields["event"], json.loads(fields["data"]))
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


async def take(events: AsyncIterator[Event], number: int) -> list[Event]:
    return [await anext(events) for _ in range(number)]


async def find(events: AsyncIterator[Event], name: str) -> Event:
    while (event := await anext(events)).name != name:
        pass
    return event


async def test_a_snapshot_tells_the_lattice(wire: httpx2.AsyncClient) -> None:
    await wire.post("/gems", json={"name": "one"})
    async with watching(wire) as events:
        told = await take(events, 3)
    assert [event.name for event in told] == ["snapshot"] * 3
    assert [event.data["sequence"] for event in told] == sorted({int(event.mark.split("-")[0]) for event in told})
    snapshot = told[-1].data
    assert set(snapshot) == {"sequence", "at", "field", "rates", "latency", "ingestion", "llm", "alerts"}
    assert snapshot["field"]["gems"] == 1
    assert snapshot["field"]["coherence_mean"] > 0.99
    assert sum(snapshot["field"]["histogram"]["coherence"]) == 1
    assert len(snapshot["field"]["histogram"]["edges"]) == 21
    assert snapshot["ingestion"] == {"running": 0, "waiting": 0, "lag_s": 0}
    assert [target["name"] for target in snapshot["llm"]["targets"]] == ["extractive"]
    assert snapshot["alerts"] == {"firing": 0, "by_severity": {}}


async def test_an_alert_comes_once_between_snapshots(wire: httpx2.AsyncClient) -> None:
    async with watching(wire) as events:
        await anext(events)
        await wire.put("/alerts/rules/cost", json=RULE)
        fired = await find(events, "alert")
        assert (fired.data["rule"], fired.data["change"]) == ("cost", "fired")
        note = await wire.post(f"/alerts/{fired.data['id']}/acknowledgements", json={"note": "mine"})
        acknowledged = await find(events, "alert")
        assert acknowledged.data | {"silenced": False} == note.json() | {"silenced": False}
        rest = await take(events, 4)
    assert [event.name for event in rest] == ["snapshot"] * 4
    assert rest[-1].data["alerts"] == {"firing": 1, "by_severity": {"info": 1}}


async def test_whoever_comes_back_is_told_what_they_missed_and_no_more(wire: httpx2.AsyncClient) -> None:
    async with watching(wire) as events:
        mark = (await anext(events)).mark
    await wire.put("/alerts/rules/cost", json=RULE)
    async with watching(wire) as events:  # another one, who waits until it has fired
        while not (await find(events, "snapshot")).data["alerts"]["firing"]:
            pass
    async with watching(wire, mark) as events:
        told = await take(events, 4)
    assert [event.name for event in told] == ["alert", "snapshot", "snapshot", "snapshot"]
    async with watching(wire, told[0].mark) as events:
        assert [event.name for event in await take(events, 2)] == ["snapshot", "snapshot"]
    async with watching(wire, "no mark at all") as events:
        assert [event.name for event in await take(events, 2)] == ["snapshot", "snapshot"]


async def test_whoever_comes_from_another_process_is_told_from_the_database(
    wire: httpx2.AsyncClient, app: Litestar
) -> None:
    async with watching(wire) as events:
        await wire.put("/alerts/rules/a", json=RULE)
        await find(events, "alert")
        await wire.put("/alerts/rules/b", json=RULE)
        await find(events, "alert")
    live: Live = app.state.live
    foreign = str(Mark(live.broadcast.mark.sequence - 5_000, "other"))
    async with watching(wire, foreign) as events:
        told = await take(events, 3)
    assert [(event.name, event.data.get("rule")) for event in told[:2]] == [("alert", "a"), ("alert", "b")]
    assert told[0].mark == foreign  # whoever breaks off here is told again
    assert told[1].mark != foreign
    assert told[2].name == "snapshot"


async def test_a_slow_viewer_is_dropped_forward(wire: httpx2.AsyncClient, app: Litestar) -> None:
    """Snapshots too large for the buffers between the two, told while the viewer reads nothing."""
    live: Live = app.state.live
    told = 100
    async with watching(wire) as events:
        await anext(events)
        for number in range(told):
            live.broadcast.tell("snapshot", live.broadcast.advance(), {"number": number, "pad": "x" * 500_000})
            await asyncio.sleep(0.001)
        live.broadcast.tell("alert", live.broadcast.advance(), {"number": -1})
        numbers: list[int] = []
        while not numbers or numbers[-1] != -1:
            data = (await anext(events)).data
            numbers += [data["number"]] if "number" in data else []
    snapshots = numbers[:-1]
    assert snapshots == sorted(snapshots)
    assert len(snapshots) < told / 2


async def test_both_ways_of_watching_end_with_the_service(
    wire: httpx2.AsyncClient, app: Litestar, address: str
) -> None:
    live: Live = app.state.live
    async with watching(wire) as events, connect_socket(socket_of(address)) as socket:
        await anext(events)
        await socket.recv()
        live.close()
        async for _ in events:
            pass
        async for _ in socket:
            pass
        assert socket.close_code == 1001
    assert live.broadcast.viewers == 0


def socket_of(address: str) -> str:
    return f"{address.replace('http', 'ws')}/api/v1/lattice/stream/socket"


async def test_a_websocket_tells_the_same(wire: httpx2.AsyncClient, app: Litestar, address: str) -> None:
    live: Live = app.state.live
    async with asyncio.timeout(120), connect_socket(socket_of(address), origin=address) as socket:  # type: ignore[arg-type]
        first, second = json.loads(await socket.recv()), json.loads(await socket.recv())
        assert (first["event"], second["event"]) == ("snapshot", "snapshot")
        assert first["data"]["sequence"] < second["data"]["sequence"]
        await socket.send("whatever")
        await wire.put("/alerts/rules/cost", json=RULE)
        while (message := json.loads(await socket.recv()))["event"] != "alert":
            pass
        assert message["data"]["rule"] == "cost"
    again = f"{socket_of(address)}?last_event_id={first['id']}"
    async with asyncio.timeout(120), connect_socket(again) as socket:
        assert json.loads(await socket.recv()) == message
    await settle(lambda: not live.broadcast.viewers)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_page_of_another_origin_may_not_watch(address: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect_socket(socket_of(address), origin=origin):  # type: ignore[arg-type]
            pass
    assert refused.value.response.status_code == 403


class TestWithToken:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"api_token": SecretStr("s3cret")})

    async def test_only_who_has_the_token_may_watch(self, wire: httpx2.AsyncClient, address: str) -> None:
        check_problem(await wire.get(STREAM), 401, "unauthenticated")
        with pytest.raises(InvalidStatus) as refused:
            async with connect_socket(socket_of(address)):
                pass
        assert refused.value.response.status_code == 403
        headers = {"Authorization": "Bearer s3cret"}
        async with asyncio.timeout(120), connect_socket(socket_of(address), additional_headers=headers) as socket:
            assert json.loads(await socket.recv())["event"] == "snapshot"


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch, database_url: str) -> list[str]:
    """What this process asks the database of this test, but for the frames of transactions."""
    asked: list[str] = []
    name = conninfo_to_dict(database_url)["dbname"]
    execute: Callable[..., Any] = psycopg.AsyncCursor.execute

    async def watch(self: psycopg.AsyncCursor[Any], query: Any, *rest: Any, **more: Any) -> Any:
        text = query if isinstance(query, str) else query.as_string(self)
        if self.connection.info.dbname == name and not text.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            asked.append(text)
        return await execute(self, query, *rest, **more)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", watch)
    return asked


def is_last_of_look(statement: str) -> bool:
    return statement.startswith("DELETE FROM alert_delivery")


async def test_many_viewers_cost_one_query_a_tick(
    address: str, app: Litestar, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    live: Live = app.state.live
    tell = live.broadcast.tell

    def note_tick(*told: Any) -> None:
        statements.append(TICK)
        tell(*told)

    monkeypatch.setattr(live.broadcast, "tell", note_tick)
    host, port = address.removeprefix("http://").split(":")
    seen: list[list[int]] = [[] for _ in range(VIEWERS)]

    async def view(numbers: list[int]) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /api/v1{STREAM} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        try:
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    numbers.append(json.loads(line[6:])["sequence"])
        finally:
            writer.close()

    viewing = [asyncio.create_task(view(numbers)) for numbers in seen]
    try:  # until all are there, and the one look at alerts that this test lets happen is over
        await settle(lambda: live.broadcast.viewers == VIEWERS and all(seen))
        await settle(lambda: any(map(is_last_of_look, statements)))
        statements.clear()
        await settle(lambda: min(map(len, seen)) >= TICKS)
        whole = statements[statements.index(TICK) :]  # the one before may have been asked for earlier
    finally:
        for task in viewing:
            task.cancel()
        await asyncio.gather(*viewing, return_exceptions=True)
    assert whole[::2] == [TICK] * len(whole[::2])
    assert len(set(whole[1::2])) == 1
    assert all(numbers == sorted(set(numbers)) for numbers in seen)

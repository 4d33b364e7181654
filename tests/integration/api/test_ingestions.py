# size: one worker and one way to watch it serve every case
"""Ingestions over REST: taken in, carried out by a worker, watched, cancelled, resumed, retried."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from litestar import Litestar

from api.service import Service
from api.settings import Settings
from core.errors import IngestionNotFoundError
from knowledge.jobs import ingesting
from tests.integration.api.conftest import check_problem, connect
from tests.integration.gate import closed_gate

NDJSON = {"Content-Type": "application/x-ndjson"}


def lines(rows: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def entries(count: int, start: int = 0) -> list[dict[str, str]]:
    return [{"id": f"r{i}", "text": f"Entry {i} tells of keyword{i}."} for i in range(start, start + count)]


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[None]:
    """Have a worker in the background."""
    task = asyncio.create_task(service.workers().run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def work(service: Service) -> None:
    """Carry out all there is to do."""
    async with asyncio.timeout(120):
        await service.workers().run(until_idle=True)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_ingestion_bytes": 300_000})


@pytest.fixture
async def gem(client: httpx2.AsyncClient) -> str:
    return str((await client.post("/gems", json={"name": "log"})).json()["id"])


async def send(client: httpx2.AsyncClient, gem: str, rows: Iterable[Any], **more: Any) -> dict[str, Any]:
    answer = await client.post(f"/gems/{gem}/ingestions", content=lines(rows), headers=NDJSON, **more)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/v1/ingestions/{told['id']}"
    return told


async def look(client: httpx2.AsyncClient, ingestion: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/ingestions/{ingestion['id']}")).json()
    return found


async def wait_until(
    client: httpx2.AsyncClient, told: dict[str, Any], holds: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    while not holds(found := await look(client, told)):  # noqa: ASYNC110 - another process may change it
        await asyncio.sleep(0.05)
    return found


async def test_rows_are_taken_in_at_once_and_stored_by_a_worker(
    client: httpx2.AsyncClient, service: Service, gem: str
) -> None:
    told = await send(client, gem, entries(30))
    assert (told["state"], told["read"], told["total"]) == ("queued", 0, None)
    await work(service)
    done = await look(client, told)
    counts = {name: done[name] for name in ("state", "total", "read", "stored", "skipped", "failed", "passages")}
    assert counts == {
        "state": "done", "total": 30, "read": 30, "stored": 30, "skipped": 0, "failed": 0, "passages": 30,
    }  # fmt: skip
    assert done["rows_per_s"] > 0
    assert done["seconds_left"] is None
    stored = (await client.get(f"/gems/{gem}/documents?limit=200")).json()["items"]
    assert {each["external_id"] for each in stored} == {f"r{i}" for i in range(30)}


async def test_files_of_any_format_and_what_cannot_be_read(
    client: httpx2.AsyncClient, service: Service, gem: str
) -> None:
    files = [
        ("file", ("notes/ferry.md", b"# Ferry\n\nIt leaves at noon.", "text/markdown")),
        ("file", ("rows.csv", b"id,text\nx,The crane lifts forty tonnes.\n", "text/csv")),
        ("file", ("log.jsonl", b'{"text": "one"}\nnot json\n', "application/octet-stream")),
        ("file", ("empty.txt", b"", "text/plain")),
    ]
    answer = await client.post(f"/gems/{gem}/ingestions", files=files)
    assert answer.status_code == 202, answer.text
    assert answer.json()["input"] == "notes/ferry.md, rows.csv, log.jsonl and 1 more"
    await work(service)
    done = await look(client, answer.json())
    assert (done["state"], done["stored"], done["failed"]) == ("done", 3, 2)
    assert [(each["name"], each["line"]) for each in done["problems"]] == [("log.jsonl", 2), ("empty.txt", None)]
    stored = (await client.get(f"/gems/{gem}/documents")).json()["items"]
    assert {each["external_id"] for each in stored} == {"notes/ferry.md", "x", None}
    page = (await client.get(f"/ingestions/{done['id']}/problems?limit=1")).json()
    rest = (await client.get(f"/ingestions/{done['id']}/problems?cursor={page['next_cursor']}")).json()
    assert [each["name"] for each in [*page["items"], *rest["items"]]] == ["log.jsonl", "empty.txt"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("by_row", ["true", "false"])
async def test_a_row_with_an_embedding_that_does_not_fit_ends_no_other(
    client: httpx2.AsyncClient, service: Service, gem: str, by_row: str
) -> None:
    rows = [{"text": "one"}, {"text": "two", "embedding": [1.0, 2.0]}, {"text": "three"}]
    told = await send(client, gem, rows, params={"by_row": by_row})
    await work(service)
    done = await look(client, told)
    assert (done["state"], done["stored"], done["failed"]) == ("done", 2, 1)
    assert "2 dimensions" in done["problems"][0]["problem"]


async def test_rows_choose_their_gem_and_one_that_cannot_take_them_is_a_problem_of_theirs(
    client: httpx2.AsyncClient, service: Service, gem: str
) -> None:
    closed = (await client.post("/gems", json={"name": "closed"})).json()["id"]
    await client.post(f"/gems/{closed}/archive")
    rows = [{"text": f"row {i}", "gem": name} for i, name in enumerate(("new", None, "closed", "new"))]
    told = await send(client, gem, rows, params={"by_row": "true"})
    await work(service)
    done = await look(client, told)
    assert (done["state"], done["read"], done["stored"], done["failed"]) == ("done", 4, 3, 1)
    assert "archived" in done["problems"][0]["problem"]
    await client.post(f"/gems/{closed}/restore")
    again = (await client.post(f"/ingestions/{told['id']}/retry")).json()
    assert (again["state"], again["failed"]) == ("queued", 1)
    await work(service)
    done = await look(client, told)
    assert (done["state"], done["read"], done["stored"], done["failed"]) == ("done", 4, 4, 0)
    assert done["problems"] == []
    assert len((await client.get(f"/gems/{closed}/documents")).json()["items"]) == 1
    check_problem(await client.post(f"/ingestions/{told['id']}/retry"), 409, "conflict")


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", NDJSON, 422, "invalid_input"),
        (b"x", {"Content-Type": "image/png"}, 415, "unsupported_media_type"),
        (b"x", {}, 415, "unsupported_media_type"),
        (b"x" * 300_001, NDJSON, 413, "body_too_large"),
        (b"x", {"Content-Type": "multipart/form-data"}, 400, "malformed_body"),
        (b"x", {"Content-Type": "multipart/form-data; boundary=b"}, 400, "malformed_body"),
        (b'{"path": "a"}', {"Content-Type": "application/json"}, 403, "forbidden"),
        (b"{", {"Content-Type": "application/json"}, 400, "malformed_body"),
    ],
)
async def test_a_wrong_body_is_refused_and_leaves_nothing(
    client: httpx2.AsyncClient, service: Service, gem: str, content: bytes, headers: Any, status: int, code: str
) -> None:
    check_problem(await client.post(f"/gems/{gem}/ingestions", content=content, headers=headers), status, code)
    assert (await client.get("/ingestions")).json()["items"] == []
    async with service.database.transaction(service.tenant) as conn:
        for table in ("ingestion", "ingestion_source", "ingestion_chunk"):
            rows = await (await conn.execute(f"SELECT count(*) FROM {table}".encode())).fetchone()
            assert rows == (0,)


async def test_a_file_of_no_known_format_and_one_without_a_name_are_refused(
    client: httpx2.AsyncClient, gem: str
) -> None:
    odd = await client.post(f"/gems/{gem}/ingestions", files={"file": ("a.exe", b"x", "text/plain")})
    assert check_problem(odd, 422, "invalid_input")["details"]["field"] == "a.exe"
    form = await client.post(f"/gems/{gem}/ingestions", files={"note": (None, b"x", "text/plain")})
    check_problem(form, 422, "invalid_input")


async def test_a_request_sent_again_makes_one_ingestion(client: httpx2.AsyncClient, service: Service, gem: str) -> None:
    headers = {**NDJSON, "Idempotency-Key": "once"}
    first, again, other = [
        await client.post(f"/gems/{gem}/ingestions", content=lines(entries(count)), headers=headers)
        for count in (3, 3, 4)
    ]
    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    check_problem(other, 409, "idempotency_conflict")
    await work(service)
    assert len((await client.get("/ingestions")).json()["items"]) == 1


async def test_files_of_the_server_are_read_below_the_folder_that_is_allowed(
    app: Litestar, settings: Settings, service: Service, tmp_path: Path
) -> None:
    root = tmp_path / "shared"
    root.mkdir()
    (root / "note.txt").write_text("The ferry leaves at noon.")
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    allowed = settings.model_copy(update={"ingest_root": root})
    told = replace(service, settings=allowed)
    async with connect(app) as client:
        app.state.settings, app.state.service = allowed, told
        gem = (await client.post("/gems", json={"name": "log"})).json()["id"]
        for path in ("../secret.txt", "link.txt", str(tmp_path / "secret.txt"), "missing", "a\0b"):
            refused = await client.post(f"/gems/{gem}/ingestions", json={"path": path})
            assert check_problem(refused, 422, "invalid_input")["details"]["field"] == "path"
        told_of = await client.post(f"/gems/{gem}/ingestions", json={"path": "."})
        assert told_of.status_code == 202, told_of.text
        await work(told)
        done = await look(client, told_of.json())
        assert (done["stored"], done["failed"]) == (1, 1)
        assert "leads out" in done["problems"][0]["problem"]


async def test_an_ingestion_is_watched_to_its_end(client: httpx2.AsyncClient, service: Service, gem: str) -> None:
    told = await send(client, gem, entries(300))
    async with working(service), asyncio.timeout(120):
        events = await heard(client, told)
    assert events[0][0] == "progress"
    name, last = events[-1]
    assert (name, last["state"], last["stored"]) == ("done", "done", 300)
    reads = [each["read"] for _, each in events]
    assert reads == sorted(reads)
    assert [name for name, _ in await heard(client, told)] == ["done"]  # whoever comes back later
    check_problem(await client.get(f"/ingestions/{uuid4()}/events"), 404, "ingestion_not_found")


async def heard(client: httpx2.AsyncClient, told: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of an ingestion until they end."""
    async with client.stream("GET", f"/ingestions/{told['id']}/events") as stream:
        text = (await stream.aread()).decode()
    events = []
    for block in text.strip().split("\n\n"):
        told_of = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if told_of:
            events.append((told_of["event"], json.loads(told_of["data"])))
    return events


async def test_what_waits_is_cancelled_at_once_and_resumed_where_it_stands(
    client: httpx2.AsyncClient, service: Service, gem: str
) -> None:
    told = await send(client, gem, entries(10))
    assert (await client.post(f"/ingestions/{told['id']}/cancel")).json()["state"] == "cancelled"
    check_problem(await client.post(f"/ingestions/{told['id']}/cancel"), 409, "conflict")
    await work(service)
    assert (await look(client, told))["read"] == 0
    assert (await client.post(f"/ingestions/{told['id']}/resume")).json()["state"] == "queued"
    await work(service)
    assert (await look(client, told))["stored"] == 10
    check_problem(await client.post(f"/ingestions/{told['id']}/resume"), 409, "conflict")
    for verb in ("cancel", "resume", "retry"):
        check_problem(await client.post(f"/ingestions/{uuid4()}/{verb}"), 404, "ingestion_not_found")


async def test_what_runs_is_cancelled_between_batches_and_resumed_to_the_same_end(
    client: httpx2.AsyncClient, service: Service, gem: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingesting, "REPORT_S", 0.05)
    said = [f"Yes, and {i} more." for i in range(350)]
    turns = [{"text": text, "thread": "t", "speaker": "Ann"} for text in (*said, *said)]  # each is a turn of its own
    told = await send(client, gem, turns)
    async with working(service), asyncio.timeout(60):
        with closed_gate(database_url, said[300]):  # in the second batch of three
            await wait_until(client, told, lambda found: found["stored"] > 0)
            cancelled = (await client.post(f"/ingestions/{told['id']}/cancel")).json()
            await wait_until(client, told, lambda found: found["seconds"] > cancelled["seconds"])  # it has heard of it
        stopped = await wait_until(client, told, lambda found: found["state"] != "running")
    assert stopped["state"] == "cancelled"
    assert 0 < stopped["read"] < 700
    await client.post(f"/ingestions/{told['id']}/resume")
    await work(service)
    done = await look(client, told)
    assert (done["state"], done["read"], done["stored"]) == ("done", 700, 700)
    async with service.database.transaction(service.tenant) as conn:
        assert await (await conn.execute("SELECT count(*) FROM document")).fetchone() == (700,)
        assert await (await conn.execute("SELECT count(*) FROM ingestion_chunk")).fetchone() == (0,)


async def test_lists_go_by_state_and_by_page(client: httpx2.AsyncClient, service: Service, gem: str) -> None:
    first = await send(client, gem, entries(1))
    await work(service)
    second = await send(client, gem, entries(1))
    page = (await client.get("/ingestions?limit=1")).json()
    assert [each["id"] for each in page["items"]] == [second["id"]]
    rest = (await client.get(f"/ingestions?limit=1&cursor={page['next_cursor']}")).json()
    assert [each["id"] for each in rest["items"]] == [first["id"]]
    assert [each["id"] for each in (await client.get("/ingestions?state=done")).json()["items"]] == [first["id"]]
    problem = check_problem(await client.get("/ingestions?state=asleep"), 422, "invalid_input")
    assert problem["details"]["field"] == "state"


async def test_another_tenant_sees_nothing_of_it(client: httpx2.AsyncClient, service: Service, gem: str) -> None:
    told = await send(client, gem, entries(1))
    other = uuid4()
    assert await service.ingestions.list_page(other, state=None, before=None, limit=10) == []
    with pytest.raises(IngestionNotFoundError):
        await service.ingestions.cancel(other, UUID(told["id"]))
    assert await service.ingestion_work.carry_out(other, UUID(told["id"])) is None
    assert (await look(client, told))["state"] == "queued"

"""Bodies made to break the service: each is answered for what it is, and what stands beside it is stored."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from litestar import Litestar

from api.service import Service
from api.settings import Settings
from tests.integration.api.conftest import check_problem

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_ingestion_bytes": 200_000_000})


@pytest.fixture
async def gem(client: httpx2.AsyncClient) -> str:
    return str((await client.post("/gems", json={"name": "odd"})).json()["id"])


async def carry_out(client: httpx2.AsyncClient, service: Service, answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    await service.workers().run(until_idle=True)
    done: dict[str, Any] = (await client.get(f"/ingestions/{answer.json()['id']}")).json()
    assert done["state"] == "done", done
    return done


async def list_ids(client: httpx2.AsyncClient, gem: str) -> set[str]:
    return {each["external_id"] for each in (await client.get(f"/gems/{gem}/documents")).json()["items"]}


def documents(*rows: Any) -> bytes:
    return json.dumps({"documents": [*rows]}).encode()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_body"),
        (b"\0\0\0", 400, "malformed_body"),
        (b"\xff\xfe{\0}\0", 400, "malformed_body"),
        (b'{"documents": [' + b"[" * 80_000, 422, "invalid_input"),
        (b'{"documents": [{"text": "x", "metadata": ' + b'{"a":' * 30_000, 400, "malformed_body"),
        (b'{"documents": [{"text": "x", "id": ' + b"9" * 10_000 + b"}]}", 422, "invalid_input"),
        (b'{"documents": [{"text": "x", "metadata": {"n": ' + b"9" * 10_000 + b"}}]}", 422, "invalid_input"),
        (b'{"documents": [{"text": "x\\ud800"}]}', 400, "malformed_body"),
        (b'{"documents": [{"text": "caf\xe9"}]}', 400, "malformed_body"),
        (documents(), 422, "invalid_input"),
        (documents({"text": "good"}, {"text": "\x00\u200b"}), 422, "invalid_input"),
        (documents({"text": "good"}, {"text": "bad", "id": "a\x00"}), 422, "invalid_input"),
        (documents({"text": "good"}, {"text": "bad", "k" * 50_000: 1}), 422, "invalid_input"),
        (documents({"text": "good"}, None), 422, "invalid_input"),
        (documents({"text": "x" * 200_000}), 413, "body_too_large"),
        (documents(*({"text": "x"} for _ in range(10_001))), 422, "invalid_input"),
    ],
    ids=range(16),
)  # fmt: skip
async def test_documents_that_cannot_be_taken_are_refused_all_at_once(
    client: httpx2.AsyncClient, gem: str, body: bytes, status: int, code: str
) -> None:
    problem = check_problem(await client.post(f"/gems/{gem}/documents", content=body, headers=JSON), status, code)
    assert len(problem["detail"]) <= 2_000
    assert await list_ids(client, gem) == set()


async def test_malformed_rows_in_a_stream_are_told_by_line_and_the_others_are_stored(
    client: httpx2.AsyncClient, service: Service, gem: str
) -> None:
    bad = [
        b"\0\x01\x02" * 40, b"[" * 100_000, b'{"text": ' + b"9" * 10_000 + b"}", b'{"text": "\xff"}', b'{"text": ""}',
        b'{"text": "x", "\\ud800\\u001b[2J": 1}', b'{"text": "x", "' + b"k" * 100_000 + b'": 1}',
        b'{"text": "x", "embedding": [NaN]}', b'{"text": "x", "embedding": [1, 2]}', b'{"text": "x", "id": "\\u0000"}',
    ]  # fmt: skip
    lines = [
        row for i, each in enumerate(bad) for row in (json.dumps({"id": f"r{i}", "text": f"Row {i}."}).encode(), each)
    ]
    answer = await client.post(f"/gems/{gem}/ingestions", content=b"\n".join(lines), headers=NDJSON)
    done = await carry_out(client, service, answer)
    assert (done["stored"], done["failed"]) == (len(bad), len(bad))
    assert [each["line"] for each in done["problems"]] == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    assert {each["name"] for each in done["problems"]} == {"request body"}
    assert all(each["problem"].isprintable() and len(each["problem"]) <= 1_000 for each in done["problems"])
    assert await list_ids(client, gem) == {f"r{i}" for i in range(len(bad))}
    found = (await client.post("/recall", json={"question": "Row 7"})).json()["passages"]
    assert len(found) == len(bad)


async def test_files_of_every_ending_that_hold_something_else_spoil_no_other(
    client: httpx2.AsyncClient, service: Service, gem: str
) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(50_000_000))
    endings = ("txt", "md", "html", "htm", "pdf", "docx", "csv", "jsonl")
    hostile = {f"picture.{ending}": PNG for ending in endings} | {
        "empty.pdf": b"", "bomb.docx": bomb.getvalue(), "open.csv": b'id,text\no1,one\no2,"two\no3,three\n',
        "cut.pdf": b"%PDF-1.7\n1 0 obj\n<<", "deep.html": b"<div>" * 50_000,
        "script.html": b"<script>alert(1)</script>",
    }  # fmt: skip
    good = {
        "../../etc/passwd.txt": b"Climbing out.", "C:\\Windows\\up.txt": b"Another system.",
        "/root.txt": b"From the top.",
        "wide.txt": "Grüße aus Köln, viele.".encode("utf-16"), "old.txt": "Größe und Maß der Fähre".encode("latin-1"),
        "a\tb.txt": b"Odd name.", "👍🏽.md": "# Ok\n\n👍🏽".encode(),
    }  # fmt: skip
    files = [("file", (name, data, "application/octet-stream")) for name, data in (hostile | good).items()]
    done = await carry_out(client, service, await client.post(f"/gems/{gem}/ingestions", files=files))
    told = {each["name"] for each in (await client.get(f"/ingestions/{done['id']}/problems?limit=100")).json()["items"]}
    assert told == hostile.keys()
    names = {"../../etc/passwd.txt", "up.txt", "root.txt", "wide.txt", "old.txt", "👍🏽.md", "o1", "o3"}
    assert await list_ids(client, gem) >= names
    assert len(await list_ids(client, gem)) == len(good) + 2
    found = (await client.post("/recall", json={"question": "Größe der Fähre", "k": 1})).json()["passages"]
    assert found[0]["text"] == "Größe und Maß der Fähre"


async def test_a_hundred_megabytes_are_taken_in_piece_by_piece(
    client: httpx2.AsyncClient, service: Service, gem: str
) -> None:
    async def rows() -> AsyncIterator[bytes]:
        yield b'{"id": "first", "text": "The first row."}\n'
        for _ in range(100):  # one line, longer than any row may be
            yield b"x" * 1_000_000
        yield b'\n{"id": "last", "text": "The last row."}\n'

    answer = await client.post(f"/gems/{gem}/ingestions", content=rows(), headers=NDJSON)
    assert answer.json()["bytes"] > 100_000_000
    done = await carry_out(client, service, answer)
    assert (done["stored"], done["failed"]) == (2, 1)
    assert (done["problems"][0]["line"], done["problems"][0]["problem"][:14]) == (2, "is longer than")
    assert await list_ids(client, gem) == {"first", "last"}


async def test_a_body_that_breaks_off_leaves_nothing(app: Litestar, client: httpx2.AsyncClient, gem: str) -> None:
    pieces = [b'{"text": "one"}\n' * 100_000, None]
    told: list[Any] = []

    async def receive() -> Any:
        piece = pieces.pop(0) if pieces else None
        gone = {"type": "http.disconnect"}
        return gone if piece is None else {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: Any) -> None:
        told.append(message)

    path = f"/api/v1/gems/{gem}/ingestions"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "client": ("127.0.0.1", 1),
        "server": ("localhost", 80), "headers": [(b"host", b"localhost"), (b"content-type", b"application/x-ndjson")],
    }  # fmt: skip
    await app(scope, receive, send)  # type: ignore[arg-type]
    assert told[0]["status"] == 400
    assert (await client.get("/ingestions")).json()["items"] == []
    service: Service = app.state.service
    async with service.database.transaction(service.tenant) as conn:
        assert await (await conn.execute("SELECT count(*) FROM ingestion_chunk")).fetchone() == (0,)


@pytest.mark.parametrize(
    ("question", "status"),
    [("👨‍👩‍👧‍👦🚢", 200), ("x " * 5_000, 200), ("🚢" * 10_000, 200), ("fer\x00ry", 200), ("?", 200), ("\u202e", 200),
     ("\x00", 422), ("", 422), (" ", 422), ("x" * 10_001, 422)],
    ids=range(10),
)  # fmt: skip
async def test_any_question_is_answered_or_refused(
    client: httpx2.AsyncClient, port: str, question: str, status: int
) -> None:
    answer = await client.post("/recall", json={"question": question, "explain": True, "dates": True})
    assert answer.status_code == status, answer.text
    asked = await client.post(f"/gems/{port}/reflections", json={"question": question})
    assert asked.status_code == (201 if status == 200 else status), asked.text

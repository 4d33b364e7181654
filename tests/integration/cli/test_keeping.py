"""Another model, copies and forgetting as users have them, a process killed in the middle included."""

import gzip
import hashlib
import json
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from tests.integration.cli.process import Lattice

PASSAGES = 200  # more than one batch of a move
DIMENSION = 16


class Endpoint(ThreadingHTTPServer):
    """An embedding server that draws vectors by the hash of texts; it answers `answers` requests, then waits."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[str] = []
        self.answers = 1_000
        self.go_on = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Answering(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.server.answers <= 0:
            self.server.go_on.wait()
            return
        self.server.answers -= 1
        self.server.asked += asked["input"]
        rows = [{"object": "embedding", "index": i, "embedding": draw(text)} for i, text in enumerate(asked["input"])]
        body = json.dumps({"object": "list", "model": asked["model"], "data": rows, "usage": {}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def draw(text: str) -> list[float]:
    return [byte + 1.0 for byte in hashlib.sha256(text.encode()).digest()[:DIMENSION]]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.go_on.set()
        server.shutdown()


@pytest.fixture
def notes(lattice: Lattice, tmp_path: Path) -> Lattice:
    rows = [json.dumps({"id": f"n{i}", "text": f"Note {i} is about the pier."}) for i in range(PASSAGES)]
    file = tmp_path / "notes.jsonl"
    file.write_text("\n".join(rows), "utf-8")
    done = lattice("ingest", str(file), "--gem", "notes", "--json")
    assert done.code == 0, done.err
    return lattice


def moved(url: str) -> int:
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT count(embedding_b) FROM passage").fetchone()
    assert row is not None
    return int(row[0])


def wait_for_a_batch(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + 60
    while not moved(url):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "nothing was moved within a minute"
        time.sleep(0.05)


def test_a_move_that_is_killed_goes_on_where_it_stopped(notes: Lattice, endpoint: Endpoint, database_url: str) -> None:
    tiny = {"PROVIDER": "openai", "MODEL": "tiny", "DIMENSION": str(DIMENSION), "BASE_URL": endpoint.url}
    options = [(f"--{name.lower().replace('_', '-')}", value) for name, value in tiny.items()]
    move = ("reembed", *(part for option in options for part in option), "--json")
    plan = notes(*move, "--dry-run").json
    assert (plan["task"], plan["next_model"], plan["texts"], plan["done"]) == ("move", "tiny", PASSAGES, None)
    assert plan["tokens"] > PASSAGES
    endpoint.answers = 1
    process = notes.start(*move)
    wait_for_a_batch(process, database_url)
    process.kill()
    process.communicate()
    before = moved(database_url)
    assert 0 < before < PASSAGES
    assert notes("recall", "the pier", "--json").code == 0
    refused = notes("reembed", "--json", "--provider", "openai", "--model", "big", "--dimension", "8")
    assert (refused.code, refused.error["code"]) == (5, "conflict")

    endpoint.answers = 1_000
    done = notes(*move)
    assert done.code == 0, done.err
    assert done.json["done"]["embedded"] == PASSAGES - before
    assert len(endpoint.asked) == len(set(endpoint.asked)) == PASSAGES
    old = notes("recall", "the pier", "--json")
    assert (old.code, old.error["code"]) == (5, "embedding_mismatch")
    settings = {f"LATTICE_EMBEDDING__{name}": value for name, value in tiny.items()}
    new = Lattice({**notes.settings, **settings})("recall", "Note 7 is about the pier.", "--json")
    assert new.code == 0, new.err
    assert new.json["passages"][0]["external_id"] == "n7"


def test_a_move_is_given_up(notes: Lattice, endpoint: Endpoint, database_url: str) -> None:
    assert notes("reembed", "--abandon", "--json").json == {"abandoned": False}
    assert "completed" in notes("reembed").out
    endpoint.answers = 1
    options = ("--provider", "openai", "--model", "tiny", "--dimension", str(DIMENSION), "--base-url", endpoint.url)
    process = notes.start("reembed", *options)
    wait_for_a_batch(process, database_url)
    process.terminate()
    process.communicate()
    assert process.returncode == 143
    assert notes("reembed", "--abandon").out == "given up: the lattice keeps its model\n"
    assert moved(database_url) == 0


def test_out_into_a_file_and_in_again(notes: Lattice, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl.gz"
    done = notes("export", "-o", str(file), "--json")
    told = {"entanglements": 0, "entanglements_left_out": 0}
    assert done.json == {"file": str(file), "bytes": file.stat().st_size} | told
    assert not [each for each in tmp_path.iterdir() if each.suffix == ".part"]
    assert gzip.decompress(file.read_bytes()).startswith(b'{"format":"crystal-lattice","version":2,')
    taken = notes("import", str(file), "--json")
    assert (taken.code, taken.error["code"]) == (5, "gem_name_taken")
    copied = notes("import", str(file), "--rename", "copy")
    assert copied.out == f"copy: {PASSAGES} documents, {PASSAGES} passages\n"
    single = notes("export", "copy", "-o", str(file), "--json")
    assert single.code == 0
    file.write_bytes(file.read_bytes()[:-30])
    broken = notes("import", str(file), "--rename", "third", "--json")
    assert (broken.code, broken.error["code"]) == (3, "unreadable_source")
    assert {each["name"] for each in notes("gems", "list", "--json").json} == {"notes", "copy"}
    assert notes("export", "nobody", "-o", str(tmp_path / "none"), "--json").code == 4
    assert not (tmp_path / "none").exists()


def test_entanglements_are_told_as_they_go_out_and_come_in(lattice: Lattice, tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "pair.jsonl.gz"
    for name in ("amber", "beryl"):
        assert lattice("gems", "create", name).code == 0
    assert lattice("gems", "entangle", "amber", "beryl", "--strength", "0.3").code == 0
    alone = lattice("export", "amber", "-o", str(file))
    assert alone.out.splitlines()[1:] == ["left out: 1 entanglement with gems that are not in the file"]
    both = lattice("export", "-o", str(file), "--json").json
    assert (both["entanglements"], both["entanglements_left_out"]) == (1, 0)
    with psycopg.connect(database_url) as conn:
        conn.execute("DELETE FROM gem")
    taken = lattice("import", str(file)).out.splitlines()
    assert taken == ["amber: 0 documents, 0 passages", "beryl: 0 documents, 0 passages, 1 entanglement"]


def test_forgetting_is_told_first_and_undone(notes: Lattice, database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("UPDATE passage SET measured_at = now() - interval '2 years' WHERE slot < 20")
    told = notes("forget", "notes", "--below", "0.05", "--for", "52w", "--json").json
    assert (told["planned"], told["closed"], told["run_id"]) == (20, 0, None)
    assert "nothing is changed without --yes" in notes("forget", "notes", "--yes", "--dry-run").out
    done = notes("forget", "notes", "--for", "180d", "--yes")
    assert "closed 20 of 200 open documents" in done.out
    assert notes("forget", "notes", "--json").json["planned"] == 0
    assert "20 documents" in notes("forget", "notes", "--undo").out
    nothing = notes("forget", "notes", "--undo", "--json")
    assert (nothing.code, nothing.error["code"]) == (4, "forgetting_not_found")
    assert notes("forget", "notes", "--for", "soon").code == 2

"""Ingestions whose worker, service, database or own process is ended in the middle: nothing lost, nothing twice."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import psycopg
import pytest

from core.embedded import EmbeddedServer
from core.pg import Database, PoolConfig
from gems import Gems, Moment
from knowledge.jobs import Ingestions
from tests.conftest import run_apart
from tests.integration.cli.process import Lattice
from tests.integration.gate import closed_gate

PATIENCE_S = 120
ROWS = 600
GATE = "r302"  # with batches before it and behind
TENANT = UUID("00000000-0000-0000-0000-000000000001")
NDJSON = {"Content-Type": "application/x-ndjson"}
STATE = b"SELECT state, read, stored, skipped, failed FROM ingestion WHERE ingestion_id = %s"


def make_rows(count: int = ROWS) -> bytes:
    """Rows with ids and without, turns that are said again, ids that come again with another text, and broken ones."""
    rows: list[str] = []
    for i in range(count):
        if i % 50 == 7:
            rows.append("not json")
        elif i % 5 == 0:
            rows.append(json.dumps({"text": "Yes.", "thread": f"talk {i % 3}", "speaker": "Ann"}))
        elif i % 7 == 0:
            rows.append(json.dumps({"id": f"again {i % 20}", "text": f"What was said at {i}."}))
        else:
            rows.append(json.dumps({"id": f"r{i}", "text": f"Entry {i} tells of keyword{i}."}))
    return "\n".join(rows).encode()


def wait_for(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if found := holds():
                return found
        except (psycopg.Error, httpx2.HTTPError):  # not there yet, or not there at the moment
            pass
        time.sleep(0.03)
    raise AssertionError(f"{what}: not within {PATIENCE_S} s")


def ask(url: str, query: bytes, *values: object) -> Any:
    with psycopg.connect(url) as conn:
        return conn.execute(query, values).fetchall()


def count_documents(url: str) -> int:
    return int(ask(url, b"SELECT count(*) FROM document")[0][0])


def contents(url: str, gem: UUID) -> tuple[Counter[Any], int, int]:
    """What a gem holds: its documents, its passages, and the slots that its lexical index counts."""
    documents = ask(url, b"SELECT external_id, body, thread, content_hash FROM document WHERE gem_id = %s", gem)
    passages = ask(url, b"SELECT count(*), count(DISTINCT slot) FROM passage WHERE gem_id = %s", gem)
    return Counter(documents), *passages[0]


async def send(url: str, name: str, body: bytes) -> tuple[UUID, UUID]:
    """Queue an ingestion as the service does; return its id and the gem's."""
    at = Moment(datetime.now(UTC), timedelta(days=30))
    async with Database(PoolConfig(url)) as database:
        gem = await Gems(database).ensure(TENANT, name, at)
        ingestions = Ingestions(database)
        async with ingestions.receive(TENANT, gem.gem_id, at) as received:
            await received.open_body("request body", ".jsonl")
            await received.write(body)
            record = await ingestions.enqueue(received)
    return record.ingestion_id, gem.gem_id


@contextmanager
def running(lattice: Lattice, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = lattice.start(*arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def serve(process: subprocess.Popen[str]) -> str:
    """Return where a service that was started with --port 0 answers."""
    assert process.stderr is not None
    for line in process.stderr:
        if "serves http" in line:
            return line.split("serves ")[1].split()[0] + "/api/v1"
    raise AssertionError("the service did not start")


def test_a_worker_that_was_killed_is_replaced_and_what_it_stored_counts_once(
    lattice: Lattice, database_url: str
) -> None:
    body = make_rows()
    ingestion, gem = run_apart(send(database_url, "disturbed", body))
    with closed_gate(database_url, GATE), running(lattice, "worker") as first:
        wait_for(lambda: count_documents(database_url), "the first batch")
        first.kill()
    with psycopg.connect(database_url) as conn:  # as if we had waited until it is taken for dead
        conn.execute(
            "UPDATE lattice_jobs.procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'"
        )
    assert ask(database_url, STATE, ingestion)[0][0] == "running"
    _, plain = run_apart(send(database_url, "undisturbed", body))
    done = lattice("worker", "--until-idle")
    assert done.code == 0, done.err
    state, read, *counts = ask(database_url, STATE, ingestion)[0]
    assert (state, read, sum(counts)) == ("done", ROWS, ROWS)
    assert counts[2] == 12
    assert contents(database_url, gem) == contents(database_url, plain)
    assert ask(database_url, b"SELECT count(*) FROM ingestion_problem WHERE ingestion_id = %s", ingestion) == [(12,)]


def test_what_the_service_has_accepted_outlives_it(lattice: Lattice, database_url: str) -> None:
    idle = Lattice({**lattice.settings, "LATTICE_WORKERS": "0"})
    with running(idle, "serve", "--port", "0") as process:
        api = serve(process)
        gem = httpx2.post(f"{api}/gems", json={"name": "log"}, timeout=PATIENCE_S).json()["id"]
        answer = httpx2.post(f"{api}/gems/{gem}/ingestions", content=make_rows(200), headers=NDJSON, timeout=PATIENCE_S)
        process.kill()
    assert answer.status_code == 202
    done = lattice("worker", "--until-idle")
    assert done.code == 0, done.err
    assert ask(database_url, STATE, answer.json()["id"])[0][:2] == ("done", 200)


def test_a_service_goes_on_when_its_postgres_was_killed(folder: Path, postgres: EmbeddedServer) -> None:
    lattice = Lattice({"LATTICE_DATA_DIR": str(folder)})
    with running(lattice, "serve", "--port", "0") as process:
        api = serve(process)
        gem = httpx2.post(f"{api}/gems", json={"name": "log"}, timeout=PATIENCE_S).json()["id"]
        body = make_rows()
        with closed_gate(postgres.uri(), GATE):
            told = httpx2.post(f"{api}/gems/{gem}/ingestions", content=body, headers=NDJSON, timeout=PATIENCE_S).json()
            wait_for(lambda: count_documents(postgres.uri()), "the first batch")
            os.kill(int((postgres.data / "postmaster.pid").read_text("ascii").split()[0]), signal.SIGKILL)

        def look() -> Any:
            found = httpx2.get(f"{api}/ingestions/{told['id']}").json()
            return found if found.get("state") in {"done", "failed"} else None

        done = wait_for(look, "the end of the ingestion")
        assert (done["state"], done["read"], done["failed"]) == ("done", ROWS, 12), done
        other = httpx2.post(f"{api}/gems", json={"name": "other"}, timeout=PATIENCE_S).json()["id"]
        told = httpx2.post(f"{api}/gems/{other}/ingestions", content=body, headers=NDJSON, timeout=PATIENCE_S).json()
        wait_for(look, "the end of the second one")
        assert contents(postgres.uri(), UUID(gem)) == contents(postgres.uri(), UUID(other))
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_two_workers_share_what_there_is_to_do(lattice: Lattice, database_url: str) -> None:
    body = b"\n".join(json.dumps({"id": f"r{i}", "text": f"Entry {i}."}).encode() for i in range(120))
    sent = [run_apart(send(database_url, f"gem {i % 2}", body)) for i in range(4)]  # the second pair repeats the first
    with running(lattice, "worker", "--until-idle") as one, running(lattice, "worker", "--until-idle") as other:
        assert (one.wait(PATIENCE_S), other.wait(PATIENCE_S)) == (0, 0)
    found = [ask(database_url, STATE, ingestion)[0] for ingestion, _ in sent]
    assert found == [("done", 120, 120, 0, 0)] * 2 + [("done", 120, 0, 120, 0)] * 2  # in the order they came
    assert contents(database_url, sent[0][1]) == contents(database_url, sent[1][1])
    assert ask(database_url, b"SELECT count(*) FROM ingestion_chunk") == [(0,)]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(make_rows())
    return path


def test_an_ingestion_stopped_by_ctrl_c_is_resumed_by_the_command_that_it_names(
    lattice: Lattice, database_url: str, rows: Path
) -> None:
    with closed_gate(database_url, GATE), running(lattice, "ingest", str(rows), "--gem", "log") as process:
        wait_for(lambda: count_documents(database_url), "the first batch")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (130, "")
    command = next(line for line in err.splitlines() if "lattice ingestions resume" in line)
    ingestion = command.split()[-1]
    shown = lattice("ingestions", "show", ingestion, "--json").json
    assert shown["state"] == "cancelled"
    assert 0 < shown["read"] < ROWS
    resumed = lattice("ingestions", "resume", ingestion, "--json")
    assert (resumed.code, resumed.json["state"]) == (1, "done")  # twelve rows are no JSON
    shown = lattice("ingestions", "show", ingestion, "--json").json
    assert (shown["read"], shown["failed"]) == (ROWS, 12)
    lattice("ingest", str(rows), "--gem", "plain")
    gems = dict(ask(database_url, b"SELECT name, gem_id FROM gem"))
    assert contents(database_url, gems["log"]) == contents(database_url, gems["plain"])

    rows.write_bytes(rows.read_bytes().replace(b"not json", b'{"text": "Mended."}'))
    mended = lattice("ingestions", "retry", ingestion, "--json")
    assert (mended.code, mended.json["failed"]) == (0, 0), mended.err
    assert mended.json["documents"] == 1  # without an id the same text is the same document
    assert lattice("ingestions", "list", "--state", "done", "--json").json[1]["id"] == ingestion

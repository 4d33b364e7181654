"""An ingestion that is ended in its middle, by `kill -9` or by Ctrl-C: nothing lost, nothing twice."""

import json
import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from core.embedded import EmbeddedServer
from tests.integration.cli.process import Lattice
from tests.integration.gate import closed_gate

DOCUMENTS = 600  # more than two batches
GATE = "r300"  # in the second one


def wait_for_first_batch(uri: str) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with psycopg.connect(uri) as conn:
                (stored,) = conn.execute("SELECT count(*) FROM document").fetchone() or (0,)
        except psycopg.Error:  # not started, no database or no table yet
            stored = 0
        if stored:
            return int(stored)
        time.sleep(0.02)
    raise AssertionError("nothing was stored within a minute")


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.jsonl"
    rows = ({"id": f"r{i}", "text": f"Entry {i} tells of keyword{i}."} for i in range(DOCUMENTS))
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return str(path)


def test_ingestion_that_was_killed_is_taken_up_again(folder: Path, postgres: EmbeddedServer, rows: str) -> None:
    lattice = Lattice({"LATTICE_DATA_DIR": str(folder)})

    with closed_gate(postgres.uri(), GATE):
        process = lattice.start("ingest", rows, "--json")
        stored = wait_for_first_batch(postgres.uri())
        process.kill()
        process.communicate()
        postmaster = int((postgres.data / "postmaster.pid").read_text("ascii").split()[0])
        os.kill(postmaster, signal.SIGKILL)  # as if the machine had died
    assert stored < DOCUMENTS, "the ingestion was over before it could be killed"

    again = lattice("ingest", rows, "--json")
    assert again.code == 0, again.err
    assert again.json["skipped"] >= stored
    assert again.json["documents"] + again.json["skipped"] == DOCUMENTS
    third = lattice("ingest", rows, "--json").json
    assert (third["documents"], third["skipped"], third["passages"]) == (0, DOCUMENTS, 0)

    for known in (0, stored - 1, DOCUMENTS - 1):
        found = lattice("recall", f"keyword{known}", "--k", "3", "--json").json["passages"]
        lexical = [passage["scores"]["lexical"] for passage in found if passage["external_id"] == f"r{known}"]
        assert len(lexical) == 1
        assert lexical[0] > 0  # the index of words has it too
    listed = lattice("documents", "list", "--gem", "default", "--limit", "10000", "--json").json
    assert sum(document["passages"] for document in listed) == DOCUMENTS


def test_ctrl_c_ends_an_ingestion_quietly(lattice: Lattice, database_url: str, rows: str) -> None:
    with closed_gate(database_url, GATE):
        process = lattice.start("ingest", rows, "--json")
        stored = wait_for_first_batch(database_url)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.startswith("what was stored stays; go on with: lattice ingestions resume ")
    assert len(err.splitlines()) == 2  # the other tells how far it came
    assert lattice("ingest", rows, "--json").json["skipped"] >= stored

"""The commands of whoever runs the service: db, doctor, serve."""

import json
import re
import signal
import socket
from dataclasses import replace
from http.client import HTTPConnection

import psycopg
import pytest

import migrations
from core.errors import ConfigurationError
from tests.integration.cli.process import Lattice


def test_schema_goes_up_and_down(empty_database_url: str) -> None:
    lattice = Lattice({"LATTICE_DATABASE_URL": empty_database_url})
    assert lattice("db", "status").code == 1
    up = lattice("db", "upgrade", "--json")
    assert up.code == 0, up.err
    assert up.json["is_current"]
    assert lattice("db", "status").code == 0
    assert lattice("db", "downgrade", "base").code == 2  # nobody can be asked
    assert lattice("db", "downgrade", "nowhere", "--yes").code == 3
    assert lattice("db", "downgrade", "base", "--yes", "--json").json["current"] is None


@pytest.mark.parametrize("command", [("upgrade",), ("status",), ("downgrade", "base", "--yes")], ids="_".join)
def test_a_database_that_is_not_there_is_told_with_the_reason(
    empty_database_url: str, command: tuple[str, ...]
) -> None:
    done = Lattice({"LATTICE_DATABASE_URL": empty_database_url.replace("?", "_gone?", 1)})("db", *command)
    assert done.code == 7
    assert "does not exist" in done.err


async def test_index_is_made_for_the_dimension_that_is_set(database_url: str) -> None:
    for _ in range(2):
        await migrations.ensure_embedding_index(database_url, 768)
    with psycopg.connect(database_url) as conn:
        made = conn.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'passage_embedding_768_idx'").fetchall()
    assert len(made) == 1
    assert "halfvec(768)" in made[0][0]


@pytest.mark.parametrize("dimension", [0, 4_001])
async def test_index_of_an_impossible_dimension_is_refused(dimension: int) -> None:
    with pytest.raises(ConfigurationError, match="dimensions"):
        await migrations.ensure_embedding_index("postgresql://", dimension)


def test_doctor_finds_everything_in_order(lattice: Lattice) -> None:
    done = lattice("doctor", "--json")
    assert done.code == 0, done.out
    assert {finding["status"] for finding in done.json} == {"OK"}
    names = [finding["name"] for finding in done.json]
    assert names == [
        *("python", "settings", "access", "llm", "data folder"),
        *("database", "schema", "row security", "embedding"),
    ]


def test_doctor_says_what_is_wrong(empty_database_url: str) -> None:
    target = {"provider": "openai", "model": "some-model", "api_key_env": "NO_SUCH_KEY"}
    lattice = Lattice(
        {"LATTICE_DATABASE_URL": empty_database_url, "LATTICE_LLM__TARGETS": json.dumps([target]), "LATTICE_HOST": "::"}
    )
    done = lattice("doctor", "--json")
    found = {finding["name"]: (finding["status"], finding["message"]) for finding in done.json}
    assert done.code == 1
    assert found["access"][0] == "WARN"
    assert found["llm"][0] == "FAIL"
    assert "NO_SUCH_KEY" in found["llm"][1]
    assert found["schema"] == ("FAIL", f"none, needed is {_head()}: lattice db upgrade")
    assert "FAIL" in lattice("doctor").out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_keeps_its_port_and_stops_when_asked(lattice: Lattice, number: signal.Signals) -> None:
    process = lattice.start("serve", "--port", "0")
    try:
        assert process.stderr is not None
        port = next(found[1] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line)))
        connection = HTTPConnection("127.0.0.1", int(port), timeout=60)
        connection.request("GET", "/api/v1/health")
        assert connection.getresponse().status == 200
        connection.close()
        refused = lattice("serve", "--port", port)
        assert refused.code == 6
        assert f"port {port}" in refused.err
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def test_serve_does_not_open_to_others_without_a_token(lattice: Lattice) -> None:
    done = lattice("serve", "--host", "0.0.0.0")  # noqa: S104 - it must refuse
    assert done.code == 6
    assert "LATTICE_API_TOKEN" in done.err


def test_serve_ends_though_a_caller_never_does(lattice: Lattice) -> None:
    impatient = replace(lattice, settings={**lattice.settings, "LATTICE_LLM__DEADLINE_S": "1"})
    process = impatient.start("serve", "--port", "0")
    try:
        assert process.stderr is not None
        port = next(found[1] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line)))
        with socket.create_connection(("127.0.0.1", int(port))) as caller:
            head = b"POST /api/v1/gems HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            caller.sendall(head + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n{")
            assert b"100 Continue" in caller.recv(100)  # it waits for the rest
            process.terminate()
            _, said = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Traceback" not in said
    finally:
        process.kill()
        process.communicate()


def test_serve_refuses_an_old_schema(empty_database_url: str) -> None:
    done = replace(Lattice({}), settings={"LATTICE_DATABASE_URL": empty_database_url})("serve", "--port", "0")
    assert done.code == 6
    assert "lattice serve --migrate" in done.err


def _head() -> str:
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    head = ScriptDirectory(migrations.__path__[0]).get_current_head()
    assert head is not None
    return head

"""The embedded Postgres: shared, stopped by the last, healed after kills, clear where it cannot work."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest

import core.embedded
import core.postmaster
import migrations
from core.embedded import EmbeddedConfig, EmbeddedServer
from core.errors import ConfigurationError, StoreUnavailableError
from core.pg import Database, PoolConfig
from core.postmaster import running_pid, server_owner, stop_server
from tests.conftest import find_memory, run_apart

MEMBER = """
import asyncio, sys
from pathlib import Path
from core.embedded import EmbeddedConfig, EmbeddedServer
from core.postmaster import running_pid

async def main():
    async with EmbeddedServer(EmbeddedConfig(Path(sys.argv[1]), {"fsync": "off", "shared_buffers": "16MB"})) as server:
        print(running_pid(server.data), flush=True)
        sys.stdin.readline()

asyncio.run(main())
"""
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """The data of a server that was made, given a schema and stopped."""
    folder = make_folder()
    server = make_server(folder)
    run_apart(server.start())
    run_apart(migrations.upgrade(server.uri()))
    run_apart(server.stop())
    yield server.data
    shutil.rmtree(folder.parent)


@pytest.fixture
def used(folder: Path, made: Path) -> Path:
    """A folder with data in it, which spares a test their making."""
    folder.mkdir()
    subprocess.run(["cp", "-a", made, folder / "data"], check=True)  # noqa: S607 - with its owner, as nothing else does
    return folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is not there yet."""
    folder = make_folder()
    yield folder
    if running_pid(folder / "data") is not None:  # the test failed
        stop_server(folder / "data", server_owner(folder / "data"))
    shutil.rmtree(folder.parent)


def make_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="lattice-", dir=find_memory())) / "pg"  # short: a socket's path is


def make_server(folder: Path) -> EmbeddedServer:
    return EmbeddedServer(EmbeddedConfig(folder, {"fsync": "off", "shared_buffers": "16MB"}))


def start_member(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", MEMBER, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def read_pid(member: subprocess.Popen[str]) -> int:
    assert member.stdout is not None
    return int(member.stdout.readline())


def kill_postmaster(server: EmbeddedServer) -> int:
    pid = running_pid(server.data)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while running_pid(server.data) is not None:
        time.sleep(0.005)
    return pid


async def ask(server: EmbeddedServer, query: LiteralString) -> object:
    async with await psycopg.AsyncConnection.connect(server.uri(), autocommit=True) as conn:
        row = await (await conn.execute(query)).fetchone()
        return row and row[0]


async def test_it_makes_its_data_and_stops_quickly_even_with_connections_open(folder: Path) -> None:
    server = make_server(folder)
    await server.start()
    await server.start()
    assert await ask(server, "SELECT current_database()") == "lattice"
    assert await ask(server, "SHOW shared_buffers") == "16MB"
    assert await ask(server, "SHOW jit") == "off"
    assert await ask(server, "SHOW listen_addresses") == ""
    async with await psycopg.AsyncConnection.connect(server.uri()):
        started = time.monotonic()
        assert await server.stop()
        assert time.monotonic() - started < 100  # a guard: waiting for the open connection would never end
    assert running_pid(server.data) is None
    assert not await server.stop()


async def test_data_outlive_the_server(used: Path) -> None:
    async with make_server(used) as server:
        await ask(server, "SELECT lo_from_bytea(7, 'kept')")
    async with make_server(used) as server:
        assert await ask(server, "SELECT convert_from(lo_get(7), 'UTF8')") == "kept"
        last, this = (server.data / name for name in ("server.log.1", "server.log"))
        assert ["is shut down" in log.read_text("utf-8") for log in (last, this)] == [True, False]


def test_processes_that_start_at_once_share_one_server_and_the_last_stops_it(folder: Path) -> None:
    members = [start_member(folder) for _ in range(4)]
    pids = {read_pid(member) for member in members}
    assert len(pids) == 1
    members[0].kill()  # leaves without a word
    for member in members[1:3]:
        member.communicate("\n")
    members[0].communicate()
    assert running_pid(folder / "data") in pids
    members[3].communicate("\n")
    assert [member.returncode for member in members] == [-signal.SIGKILL, 0, 0, 0]
    assert running_pid(folder / "data") is None


async def test_a_server_left_by_killed_processes_is_joined_and_stopped(used: Path) -> None:
    member = start_member(used)
    pid = read_pid(member)
    member.kill()
    member.communicate()
    async with make_server(used) as server:
        assert running_pid(server.data) == pid
    assert running_pid(server.data) is None


async def test_a_killed_server_is_started_again_with_all_that_was_committed(used: Path) -> None:
    async with make_server(used) as server:
        await ask(server, "SELECT lo_from_bytea(7, 'kept')")
        killed = kill_postmaster(server)
        await asyncio.gather(*(server.ensure_running() for _ in range(3)))
        assert running_pid(server.data) not in {None, killed}
        assert await ask(server, "SELECT convert_from(lo_get(7), 'UTF8')") == "kept"


async def test_a_killed_server_whose_backend_computes_on_is_started_again(used: Path) -> None:
    async with make_server(used) as server:
        async with await psycopg.AsyncConnection.connect(server.uri(), autocommit=True) as conn:
            endless = asyncio.create_task(conn.execute("SELECT count(*) FROM generate_series(1, 1000000000000)"))
            await asyncio.sleep(0.2)
            kill_postmaster(server)
            await server.ensure_running()
            with pytest.raises(psycopg.OperationalError):
                await endless
        assert await ask(server, "SELECT 7") == 7


async def test_leftovers_that_cannot_be_ended_are_waited_for(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.postmaster, "_end_orphans", lambda _: None)
    async with make_server(used) as server:
        async with await psycopg.AsyncConnection.connect(server.uri(), autocommit=True) as conn:
            long = asyncio.create_task(conn.execute("SELECT count(*) FROM generate_series(1, 5000000)"))
            await asyncio.sleep(0.1)
            kill_postmaster(server)
            await server.ensure_running()
            await asyncio.wait([long])  # it may even have come to its end
            long.exception()
        assert await ask(server, "SELECT 7") == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to root")
async def test_data_that_belong_to_root_are_told_how_to_be_mended(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("18\n")
    with pytest.raises(ConfigurationError, match="chown -R pgserver"):
        await make_server(folder).start()


async def test_a_pool_survives_a_killed_server(used: Path, tenant: UUID) -> None:
    async with make_server(used) as server:
        config = PoolConfig(server.uri(), min_size=2)
        async with Database(config, before_connect=server.ensure_running) as database:
            for _ in range(2):
                kill_postmaster(server)
                while running_pid(server.data) is None:  # its backends take a moment to notice, and serve until then
                    try:
                        await database.retrying(tenant, lambda conn: conn.execute("SELECT 1"))
                    except StoreUnavailableError as e:  # killed in the middle of a commit, which is never repeated
                        if e.details.get("outcome") != "unknown":
                            raise


async def test_stale_files_of_another_process_do_not_matter(used: Path) -> None:
    async with make_server(used) as server:
        files = {name: (server.data / name).read_text() for name in ("postmaster.pid", ".s.PGSQL.5432.lock")}
    for name, text in files.items():
        (server.data / name).write_text(f"{os.getpid()}\n" + text.split("\n", 1)[1])
    async with make_server(used):
        assert await ask(server, "SELECT 7") == 7


async def test_a_making_that_was_killed_leaves_nothing_in_the_way(folder: Path) -> None:
    (folder / "new-123" / "base").mkdir(parents=True)
    async with make_server(folder):
        assert not (folder / "new-123").exists()


async def test_a_start_that_is_cancelled_leaves_nothing_running(folder: Path) -> None:
    server = make_server(folder)
    start = asyncio.create_task(server.start())
    await asyncio.sleep(0.3)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert running_pid(server.data) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
async def test_roots_server_passes_through_closed_folders_that_stay_unread(folder: Path) -> None:
    folder.parent.chmod(0o700)
    async with make_server(folder) as server:
        assert await ask(server, "SELECT 7") == 7
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o701
        assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
        assert server.data.stat().st_uid != 0


@pytest.mark.parametrize("place", ["/proc/lattice", "/dev/null/lattice"])
async def test_a_folder_that_cannot_be_written_is_named(place: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{place} cannot be used .*LATTICE_DATA_DIR"):
        await make_server(Path(place)).start()


@pytest.mark.parametrize(
    ("name", "problem"),
    [("x" * 100, "bytes too long for the socket"), ("a,b", "must not hold"), ("a$b", "must not hold")],
)
async def test_a_path_that_postgres_cannot_take_is_refused(folder: Path, name: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        await make_server(folder / name).start()


async def test_a_path_with_spaces_quotes_and_accents_is_taken(folder: Path) -> None:
    async with make_server(folder.parent / "it's zoë's p%th") as server:
        assert await ask(server, "SELECT 7") == 7


async def test_data_of_another_version_are_left_alone(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ConfigurationError, match="made by Postgres 16, this version brings Postgres 18"):
        await make_server(folder).start()


async def test_a_folder_of_something_else_is_left_alone(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "thesis.txt").write_text("dear")
    with pytest.raises(ConfigurationError, match="holds no data of Postgres"):
        await make_server(folder).start()
    assert (folder / "data" / "thesis.txt").read_text() == "dear"


async def test_a_full_disk_is_told_before_anything_is_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.embedded, "FREE_BYTES", 2**70)
    with pytest.raises(ConfigurationError, match="the disk is full"):
        await make_server(folder).start()
    assert not (folder / "data").exists()


async def test_settings_that_postgres_refuses_are_told_in_its_words(used: Path) -> None:
    server = EmbeddedServer(EmbeddedConfig(used, {"shared_buffers": "much"}))
    with pytest.raises(ConfigurationError, match='invalid value for parameter "shared_buffers"'):
        await server.start()

"""One embedded Postgres for the whole run, shared by its workers; one database a test, cloned from a template."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

import migrations
from core.embedded import SUPERUSER, EmbeddedConfig, EmbeddedServer
from core.pg import DEFAULT_TENANT, Database, PoolConfig

T = TypeVar("T")

FOLDER = "LATTICE_TEST_POSTGRES"
TEMPLATE = "lattice_template"
HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "autovacuum": "off",  # it would change plans, and take its time, at moments of its own
}
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of random name is made there
ROOM_BYTES = 2 * 2**30

settings.load_profile("ci")  # the same examples in each run, no deadline; --hypothesis-profile=default finds others


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # workers inherit the folder from the process that started them
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="lattice-", dir=find_memory())  # short: a socket's path is


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)


def find_memory() -> Path | None:
    """Return a folder in memory if there is one with room: a clone is hundreds of files, which take a disk its time."""
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if has_room else None


def run_apart(work: Coroutine[None, None, T]) -> T:
    """Run a coroutine to its end on a loop of its own, whatever loop the tests use."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The embedded Postgres of this run; the last worker to leave stops it."""
    server = EmbeddedServer(EmbeddedConfig(Path(os.environ[FOLDER]) / "pg", HASTY))
    run_apart(server.start())
    yield server
    run_apart(server.stop())


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """The name of a database with the whole schema, to be cloned; whichever worker comes first makes it."""
    with psycopg.connect(server.uri(SUPERUSER), autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(1)")
        found = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone()
        if found is None:
            unfinished = f"{TEMPLATE}_unfinished"
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(unfinished)))
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
            run_apart(migrations.upgrade(server.uri(unfinished)))
            names = (sql.Identifier(unfinished), sql.Identifier(TEMPLATE))
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
    return TEMPLATE


def make_database(server: EmbeddedServer, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    names = (sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(server.uri(SUPERUSER), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*names))
        yield server.uri(name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database_url(server: EmbeddedServer, template: str) -> Iterator[str]:
    """A database of this test alone, with the whole schema."""
    yield from make_database(server, template)


@pytest.fixture
def empty_database_url(server: EmbeddedServer) -> Iterator[str]:
    """A database of this test alone, as a server makes it: no schema, no extension."""
    yield from make_database(server, "template0")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open pool on this test's database."""
    async with Database(PoolConfig(database_url)) as database:
        yield database


@pytest.fixture
def tenant() -> UUID:
    """The tenant that tests write as."""
    return DEFAULT_TENANT

"""What is run again and what is not, on a real Postgres."""

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors

from core.errors import (
    StoreUnavailableError,
)
from core.pg import Connection, Database, PoolConfig
from tests.integration.core.gem_names import INSERT, NAMES, RENAME, insert, names


async def end_session(url: str, conn: Connection) -> None:
    """End a session from outside, as a restart of the server or a failing network would."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as admin:
        await admin.execute("SELECT pg_terminate_backend(%s, 5000)", (conn.info.backend_pid,))


async def test_a_serialization_failure_is_run_again(database: Database, tenant: UUID) -> None:
    await insert(database, tenant, "x")
    both = asyncio.Barrier(2)
    runs = 0

    async def rename(conn: Connection) -> None:
        nonlocal runs
        runs += 1
        await conn.execute(NAMES)  # takes the snapshot
        if runs <= 2:
            await both.wait()
        await conn.execute(RENAME, ("+",))

    await asyncio.gather(*(database.retrying(tenant, rename, snapshot=True) for _ in range(2)))
    assert (runs, await names(database, tenant)) == (3, ["x++"])


async def test_a_deadlock_is_run_again(database: Database, tenant: UUID) -> None:
    for name in "ab":
        await insert(database, tenant, name)
    both = asyncio.Barrier(2)
    runs = 0

    async def touch(conn: Connection, first: str, second: str) -> None:
        nonlocal runs
        runs += 1
        await conn.execute("UPDATE gem SET ratings = ratings + 1 WHERE name = %s", (first,))
        if runs <= 2:
            await both.wait()
        await conn.execute("UPDATE gem SET ratings = ratings + 1 WHERE name = %s", (second,))

    await asyncio.gather(
        database.retrying(tenant, lambda conn: touch(conn, "a", "b")),
        database.retrying(tenant, lambda conn: touch(conn, "b", "a")),
    )
    async with database.transaction(tenant) as conn:
        assert await (await conn.execute("SELECT ratings FROM gem")).fetchall() == [(2,), (2,)]
    assert runs == 3


async def test_a_connection_that_breaks_before_the_commit_is_run_again(
    database: Database, database_url: str, tenant: UUID
) -> None:
    runs = 0

    async def work(conn: Connection) -> int:
        nonlocal runs
        runs += 1
        await conn.execute(INSERT, (uuid4(), f"run {runs}"))
        if runs == 1:
            await end_session(database_url, conn)
            await conn.execute("SELECT 1")
        return runs

    assert await database.retrying(tenant, work) == 2
    assert await names(database, tenant) == ["run 2"]


async def test_a_connection_that_breaks_while_committing_is_not_run_again(
    database: Database, database_url: str, tenant: UUID
) -> None:
    runs = 0

    async def work(conn: Connection) -> None:
        nonlocal runs
        runs += 1
        await end_session(database_url, conn)

    with pytest.raises(StoreUnavailableError) as caught:
        await database.retrying(tenant, work)
    assert (runs, caught.value.details["outcome"]) == (1, "unknown")


async def test_a_read_that_breaks_at_its_end_is_run_again(database: Database, database_url: str, tenant: UUID) -> None:
    runs = 0

    async def work(conn: Connection) -> int:
        nonlocal runs
        runs += 1
        if runs == 1:
            await end_session(database_url, conn)
        return runs

    assert await database.retrying(tenant, work, read_only=True) == 2


async def test_errors_that_repeating_cannot_mend_are_told_at_once(database: Database, tenant: UUID) -> None:
    runs = 0

    async def work(conn: Connection) -> None:
        nonlocal runs
        runs += 1
        await conn.execute("SELECT 1 / 0")

    with pytest.raises(errors.DivisionByZero):
        await database.retrying(tenant, work)
    assert runs == 1


async def test_connections_that_broke_while_idle_are_replaced_unseen(database_url: str, tenant: UUID) -> None:
    async with Database(PoolConfig(database_url, min_size=4)) as database:
        await asyncio.gather(*(names(database, tenant) for _ in range(4)))
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
            await admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'crystal-lattice'"
            )
        assert await asyncio.gather(*(names(database, tenant) for _ in range(4))) == [[], [], [], []]

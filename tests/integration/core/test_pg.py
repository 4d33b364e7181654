"""The pool and its transactions on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from pgvector import HalfVector
from psycopg import errors, sql

from core.embedded import SUPERUSER, EmbeddedServer
from core.errors import (
    ConflictError,
    DatabaseUnfitError,
    ForbiddenError,
    LatticeError,
    StoreBusyError,
    StoreUnavailableError,
)
from core.pg import Connection, Database, PoolConfig, check_server

INSERT = "INSERT INTO gem (gem_id, name) VALUES (%s, %s)"
NAMES = "SELECT name FROM gem ORDER BY name"
RENAME = "UPDATE gem SET name = name || %s"


@pytest.fixture
async def narrow(database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection, so that whoever comes next gets the same one, and with short patience."""
    config = PoolConfig(database_url, max_size=1, acquire_timeout_s=0.3, statement_timeout_s=0.3, lock_timeout_s=0.1)
    async with Database(config) as database:
        yield database


@pytest.fixture
def stranger_url(server: EmbeddedServer, database_url: str) -> Iterator[str]:
    """The test's database, as a user without any right."""
    name = sql.Identifier(user := f"stranger_{uuid4().hex}")
    with psycopg.connect(server.uri(SUPERUSER), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        yield database_url.replace(f"//{SUPERUSER}@", f"//{user}@")
        admin.execute(sql.SQL("DROP ROLE {}").format(name))


async def insert(database: Database, tenant: UUID, name: str) -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute(INSERT, (uuid4(), name))


async def names(database: Database, tenant: UUID) -> list[str]:
    async with database.transaction(tenant, read_only=True) as conn:
        return [name for (name,) in await (await conn.execute(NAMES)).fetchall()]


async def end_session(url: str, conn: Connection) -> None:
    """End a session from outside, as a restart of the server or a failing network would."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as admin:
        await admin.execute("SELECT pg_terminate_backend(%s, 5000)", (conn.info.backend_pid,))


async def test_it_works_as_the_service_with_limits_and_exact_filters(database: Database, tenant: UUID) -> None:
    wanted = {
        "role": "lattice_app",
        "application_name": "crystal-lattice",
        "lattice.tenant": str(tenant),
        "statement_timeout": "30s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "2min",
        "hnsw.iterative_scan": "strict_order",
        "hnsw.ef_search": "100",
        "transaction_isolation": "read committed",
        "transaction_read_only": "off",
    }
    async with database.transaction(tenant) as conn:
        cursor = await conn.execute("SELECT n, current_setting(n) FROM unnest(%s::text[]) AS n", (list(wanted),))
        assert dict(await cursor.fetchall()) == wanted


async def test_a_tenant_sees_its_own_rows_alone(database: Database, tenant: UUID) -> None:
    other = uuid4()
    await insert(database, tenant, "ours")
    await insert(database, other, "theirs")
    assert (await names(database, tenant), await names(database, other)) == (["ours"], ["theirs"])


@pytest.mark.parametrize("fails", [False, True])
async def test_the_tenant_does_not_stay_on_the_connection(narrow: Database, tenant: UUID, fails: bool) -> None:
    async def leave() -> int:
        async with narrow.transaction(tenant) as conn:
            if fails:
                await conn.execute("SELECT 1 / 0")
            return conn.info.backend_pid

    pid = await asyncio.gather(leave(), return_exceptions=True)
    assert isinstance(pid[0], errors.DivisionByZero if fails else int)
    assert narrow._pool is not None
    async with narrow._pool.connection() as conn:
        cursor = await conn.execute("SELECT current_setting('lattice.tenant', true), count(*) FROM gem")
        assert await cursor.fetchone() == ("", 0)


async def test_rows_of_another_tenant_cannot_be_written(database: Database, tenant: UUID) -> None:
    with pytest.raises(ForbiddenError):
        async with database.transaction(tenant) as conn:
            await conn.execute("INSERT INTO gem (tenant_id, gem_id, name) VALUES (%s, %s, 'x')", (uuid4(), uuid4()))


async def test_the_log_cannot_be_changed(database: Database, tenant: UUID) -> None:
    with pytest.raises(DatabaseUnfitError, match="permission denied for table measurement"):
        async with database.transaction(tenant) as conn:
            await conn.execute("DELETE FROM measurement")


async def test_an_error_rolls_everything_back(database: Database, tenant: UUID) -> None:
    async def half() -> None:
        async with database.transaction(tenant) as conn:
            await conn.execute(INSERT, (uuid4(), "half"))
            raise RuntimeError("the other half failed")

    with pytest.raises(RuntimeError, match="other half"):
        await half()
    assert await names(database, tenant) == []


async def test_a_cancelled_transaction_is_rolled_back_and_its_connection_lives(narrow: Database, tenant: UUID) -> None:
    async def slow() -> None:
        async with narrow.transaction(tenant) as conn:
            await conn.execute(INSERT, (uuid4(), "half"))
            await conn.execute("SELECT pg_sleep(10)")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(slow(), 0.1)
    assert await names(narrow, tenant) == []


async def test_a_transaction_within_is_a_savepoint(database: Database, tenant: UUID) -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute(INSERT, (uuid4(), "kept"))
        with pytest.raises(errors.UniqueViolation):
            async with conn.transaction():
                await conn.execute(INSERT, (uuid4(), "kept"))
    assert await names(database, tenant) == ["kept"]


async def test_a_swallowed_error_does_not_pass_for_a_commit(database: Database, tenant: UUID) -> None:
    async def swallow() -> None:
        async with database.transaction(tenant) as conn:
            await conn.execute(INSERT, (uuid4(), "lost"))
            with suppress(errors.DivisionByZero):
                await conn.execute("SELECT 1 / 0")

    with pytest.raises(RuntimeError, match="swallowed"):
        await swallow()
    assert await names(database, tenant) == []


async def test_a_read_only_transaction_refuses_writes(database: Database, tenant: UUID) -> None:
    with pytest.raises(errors.ReadOnlySqlTransaction):
        async with database.transaction(tenant, read_only=True) as conn:
            await conn.execute(INSERT, (uuid4(), "x"))


@pytest.mark.parametrize("snapshot", [True, False])
async def test_a_snapshot_sees_one_moment(database: Database, tenant: UUID, snapshot: bool) -> None:
    async with database.transaction(tenant, read_only=True, snapshot=snapshot) as conn:
        assert await (await conn.execute(NAMES)).fetchall() == []
        await insert(database, tenant, "new")
        assert await (await conn.execute(NAMES)).fetchall() == ([] if snapshot else [("new",)])


async def test_a_repeated_key_names_its_constraint(database: Database, tenant: UUID) -> None:
    await insert(database, tenant, "x")
    with pytest.raises(ConflictError) as caught:
        await insert(database, tenant, "x")
    assert "gem" in str(caught.value.details["constraint"])


async def test_a_slow_statement_is_ended(narrow: Database, tenant: UUID) -> None:
    with pytest.raises(StoreBusyError, match="statement"):
        async with narrow.transaction(tenant) as conn:
            await conn.execute("SELECT pg_sleep(10)")
    assert await names(narrow, tenant) == []


async def test_a_lock_that_is_held_is_not_waited_for_long(database: Database, narrow: Database, tenant: UUID) -> None:
    await insert(database, tenant, "x")
    async with database.transaction(tenant) as holder:
        await holder.execute(RENAME, ("y",))
        with pytest.raises(StoreBusyError, match="lock"):
            async with narrow.transaction(tenant) as conn:
                await conn.execute(RENAME, ("z",))


async def test_a_pool_in_full_use_says_so(narrow: Database, tenant: UUID) -> None:
    async with narrow.transaction(tenant):
        with pytest.raises(StoreBusyError, match="no connection"):
            await names(narrow, tenant)
    assert await names(narrow, tenant) == []


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


async def test_vectors_travel_in_both_directions(database: Database, tenant: UUID) -> None:
    vector = np.array([0.5, -1.0, 2.0], dtype=np.float32)
    async with database.transaction(tenant) as conn:
        cursor = await conn.execute(
            "SELECT %b::halfvec, %b::vector, %b::halfvec[]", (HalfVector(vector), vector, [HalfVector(vector)])
        )
        [(half, full, many)] = await cursor.fetchall()
    assert half == many[0] == HalfVector(vector)
    assert full.to_list() == vector.tolist()


async def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    with pytest.raises(StoreUnavailableError, match="LATTICE_DATABASE_URL") as caught:
        await Database(PoolConfig("postgresql://u:hunter2@127.0.0.1:1/d")).open()
    assert "hunter2" not in str(caught.value)


def test_the_password_stays_out_of_the_configurations_text() -> None:
    assert "hunter2" not in repr(PoolConfig("postgresql://u:hunter2@127.0.0.1:1/d"))


async def test_a_user_who_may_not_work_as_the_service_is_told_what_to_run(stranger_url: str) -> None:
    with pytest.raises(DatabaseUnfitError, match=r'run: GRANT lattice_app TO "stranger_'):
        await Database(PoolConfig(stranger_url)).open()


async def test_a_closed_database_says_so(database: Database, tenant: UUID) -> None:
    await database.close()
    await database.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        await names(database, tenant)


@pytest.mark.parametrize("url", ["database_url", "empty_database_url"])
async def test_a_fit_server_passes(request: pytest.FixtureRequest, url: str) -> None:
    async with await psycopg.AsyncConnection.connect(request.getfixturevalue(url)) as conn:
        await check_server(conn)


async def test_an_unfit_user_is_told_everything_that_is_missing(stranger_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(stranger_url) as conn:
        with pytest.raises(DatabaseUnfitError, match=r'GRANT lattice_app TO "stranger_'):
            await check_server(conn)


async def test_an_old_schema_is_told_as_such(empty_database_url: str, template: str, tenant: UUID) -> None:
    async with Database(PoolConfig(empty_database_url)) as database:
        with pytest.raises(DatabaseUnfitError, match="lattice db upgrade"):
            await names(database, tenant)


async def test_a_text_too_long_for_a_key_is_the_callers_to_mend(database: Database, tenant: UUID) -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(LatticeError) as caught:
        await insert(database, tenant, rng.bytes(9_000).hex())
    assert caught.value.code == "invalid_input"


async def test_timeouts_are_settable(database_url: str, tenant: UUID) -> None:
    config = replace(PoolConfig(database_url), idle_timeout_s=0.1)

    async def dawdle(database: Database) -> None:
        async with database.transaction(tenant) as conn:
            await asyncio.sleep(0.4)
            await conn.execute("SELECT 1")

    async with Database(config) as database:
        with pytest.raises(StoreBusyError, match="idle"):
            await dawdle(database)

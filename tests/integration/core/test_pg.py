"""Transactions of the pool on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from pgvector import HalfVector
from psycopg import errors

from core.errors import (
    ConflictError,
    DatabaseUnfitError,
    ForbiddenError,
    LatticeError,
    StoreBusyError,
    StoreUnavailableError,
)
from core.pg import Database, PoolConfig
from tests.integration.core.gem_names import INSERT, NAMES, RENAME, insert, names


@pytest.fixture
def patience() -> dict[str, float]:
    """What a test sets of the pool's timeouts; the others must not end it on a slow machine."""
    return {}


@pytest.fixture
async def narrow(database_url: str, patience: dict[str, float]) -> AsyncIterator[Database]:
    """A pool of one connection, so that whoever comes next gets the same one."""
    config = replace(PoolConfig(database_url, max_size=1), **patience)  # type: ignore[arg-type]
    async with Database(config) as database:
        yield database


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


@pytest.mark.parametrize("patience", [{"statement_timeout_s": 1}])
async def test_a_slow_statement_is_ended(narrow: Database, tenant: UUID) -> None:
    with pytest.raises(StoreBusyError, match="statement"):
        async with narrow.transaction(tenant) as conn:
            await conn.execute("SELECT pg_sleep(10)")
    assert await names(narrow, tenant) == []


@pytest.mark.parametrize("patience", [{"lock_timeout_s": 0.3}])
async def test_a_lock_that_is_held_is_not_waited_for_long(database: Database, narrow: Database, tenant: UUID) -> None:
    await insert(database, tenant, "x")
    async with database.transaction(tenant) as holder:
        await holder.execute(RENAME, ("y",))
        with pytest.raises(StoreBusyError, match="lock"):
            async with narrow.transaction(tenant) as conn:
                await conn.execute(RENAME, ("z",))


@pytest.mark.parametrize("patience", [{"acquire_timeout_s": 1}])
async def test_a_pool_in_full_use_says_so(narrow: Database, tenant: UUID) -> None:
    async with narrow.transaction(tenant):
        with pytest.raises(StoreBusyError, match="no connection"):
            await names(narrow, tenant)
    assert await names(narrow, tenant) == []


async def test_vectors_travel_in_both_directions(database: Database, tenant: UUID) -> None:
    vector = np.array([0.5, -1.0, 2.0], dtype=np.float32)
    async with database.transaction(tenant) as conn:
        cursor = await conn.execute(
            "SELECT %b::halfvec, %b::vector, %b::halfvec[]", (HalfVector(vector), vector, [HalfVector(vector)])
        )
        [(half, full, many)] = await cursor.fetchall()
    assert half == many[0] == HalfVector(vector)
    assert full.to_list() == vector.tolist()


async def test_a_closed_database_says_so(database: Database, tenant: UUID) -> None:
    await database.close()
    await database.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        await names(database, tenant)


async def test_a_text_too_long_for_a_key_is_the_callers_to_mend(database: Database, tenant: UUID) -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(LatticeError) as caught:
        await insert(database, tenant, rng.bytes(9_000).hex())
    assert caught.value.code == "invalid_input"


async def test_timeouts_are_settable(database_url: str, tenant: UUID) -> None:
    config = replace(PoolConfig(database_url), idle_timeout_s=0.1)
    alive = "SELECT FROM pg_stat_activity WHERE pid = %s"

    async def dawdle(database: Database) -> None:
        async with (
            await psycopg.AsyncConnection.connect(database_url, autocommit=True) as looking,
            database.transaction(tenant) as conn,
        ):
            while (await looking.execute(alive, [conn.info.backend_pid])).rowcount:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            await conn.execute("SELECT 1")

    async with Database(config) as database:
        with pytest.raises(StoreBusyError, match="idle"):
            await dawdle(database)

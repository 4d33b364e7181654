"""What is told within a transaction reaches the observer once it is committed, and not before."""

from contextlib import AbstractContextManager, nullcontext
from uuid import UUID

import pytest

from core.errors import StoreBusyError
from core.observing import tell
from core.pg import Connection, Database, PoolConfig


class Listener:
    """Remembers what it saw."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def watch(self, _step: str, /) -> AbstractContextManager[object]:
        return nullcontext()

    def see(self, happening: object, /) -> None:
        self.seen.append(happening)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def config(database_url: str) -> PoolConfig:
    return PoolConfig(database_url)


async def test_what_is_committed_is_told_in_its_order(config: PoolConfig, listener: Listener, tenant: UUID) -> None:
    async with Database(config, observer=listener) as database:
        async with database.transaction(tenant) as conn:
            tell(conn, "one")
            tell(conn, "two")
            assert listener.seen == []
        assert listener.seen == ["one", "two"]
        async with database.transaction(tenant):
            pass
    assert listener.seen == ["one", "two"]


async def test_what_is_rolled_back_is_told_to_nobody(config: PoolConfig, listener: Listener, tenant: UUID) -> None:
    async def fail(database: Database) -> None:
        async with database.transaction(tenant) as conn:
            tell(conn, "lost")
            raise ZeroDivisionError

    async with Database(config, observer=listener) as database:
        with pytest.raises(ZeroDivisionError):
            await fail(database)
        async with database.transaction(tenant) as conn:  # the same connection, most likely
            tell(conn, "kept")
    assert listener.seen == ["kept"]


async def test_what_is_repeated_is_told_once(config: PoolConfig, listener: Listener, tenant: UUID) -> None:
    tries = 0

    async def work(conn: Connection) -> None:
        nonlocal tries
        tries += 1
        tell(conn, tries)
        if tries < 3:
            raise StoreBusyError("in the way", sqlstate="40001")

    async with Database(config, observer=listener) as database:
        await database.retrying(tenant, work)
    assert listener.seen == [3]


async def test_a_connection_without_a_transaction_tells_nobody(
    config: PoolConfig, listener: Listener, tenant: UUID
) -> None:
    async with Database(config, observer=listener) as database:
        async with database.transaction(tenant) as conn:
            pass
        tell(conn, "too late")
        async with database.transaction(tenant):
            pass
    assert listener.seen == []

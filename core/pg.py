"""The way to Postgres: a pool of connections, one transaction per use case, errors of ours."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

import psycopg
from pgvector.psycopg.halfvec import register_halfvec_info
from pgvector.psycopg.vector import register_vector_info
from psycopg import AsyncConnection, AsyncCursor, sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.types import TypeInfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from core.errors import DatabaseUnfitError, StoreUnavailableError
from core.observing import UNOBSERVED, Observer, listen
from core.pg_errors import is_lost, is_repeatable, store_errors
from core.pg_server import SERVICE_ROLE, check_server, normalise_url
from core.sql import load_queries

__all__ = [
    "DEFAULT_TENANT",
    "Connection",
    "Database",
    "PoolConfig",
    "check_server",
    "connect",
    "normalise_url",
    "store_errors",
]

T = TypeVar("T")
Connection = AsyncConnection[Any]

DEFAULT_TENANT = UUID("00000000-0000-0000-0000-000000000001")
APPLICATION = "crystal-lattice"
ATTEMPTS = 5
CONNECT_S = 10
# a server that vanished without a word (power, network) is noticed after a minute
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
ISOLATION = {False: sql.SQL("READ COMMITTED"), True: sql.SQL("REPEATABLE READ")}
ACCESS = {False: sql.SQL("READ WRITE"), True: sql.SQL("READ ONLY")}
UNFINISHED = {TransactionStatus.INTRANS, TransactionStatus.INERROR}
BEGIN = sql.SQL("BEGIN ISOLATION LEVEL {} {}; SET LOCAL lattice.tenant = {}")

_SQL = load_queries("core", "session.sql")


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """How to reach Postgres and how long to wait for what.

    Attributes:
        url: as `normalise_url` takes it; a secret, kept out of the representation.
        min_size: connections kept open.
        max_size: connections at most, so use cases at the same time.
        connect_timeout_s: for one new connection.
        acquire_timeout_s: for a free connection; an outage shorter than this is not noticed by whoever comes new.
        statement_timeout_s: for one statement.
        lock_timeout_s: for one lock.
        idle_timeout_s: for a transaction that asks nothing, so that a stuck process holds no lock for ever.
        ef_search: candidates that an HNSW search keeps at a time; more is finer and slower.
    """

    url: str = field(repr=False)
    min_size: int = 1
    max_size: int = 10
    connect_timeout_s: int = CONNECT_S
    acquire_timeout_s: float = 15.0
    statement_timeout_s: float = 30.0
    lock_timeout_s: float = 10.0
    idle_timeout_s: float = 120.0
    ef_search: int = 100


async def connect(url: str, **options: Any) -> Connection:  # noqa: ANN401 - as libpq takes them
    """Open one connection.

    Raises:
        StoreUnavailableError: Postgres does not answer or refuses the user.
    """
    try:
        return await AsyncConnection.connect(url, **{"connect_timeout": CONNECT_S, **options})
    except psycopg.OperationalError as e:
        reason = " ".join(str(e).split())
        raise StoreUnavailableError(f"cannot connect to Postgres (LATTICE_DATABASE_URL): {reason}") from e


class Database:
    """A pool of connections that work as the service's role; usable as an async context manager.

    Args:
        config: where Postgres is.
        before_connect: awaited before each new connection; the embedded server starts itself again there.
        observer: told what happens within transactions, once they are committed.
        cursors: what statements are run by.
    """

    def __init__(
        self,
        config: PoolConfig,
        before_connect: Callable[[], Awaitable[None]] | None = None,
        observer: Observer = UNOBSERVED,
        cursors: type[AsyncCursor[Any]] = AsyncCursor,
    ) -> None:
        self.observer = observer
        self._config = config
        self._url = normalise_url(config.url)
        self._before_connect = before_connect
        self._options: dict[str, Any] = {
            "autocommit": True,  # transactions are begun and ended by `transaction`, in as few round trips as can be
            "application_name": APPLICATION,
            "connect_timeout": config.connect_timeout_s,
            "cursor_factory": cursors,
            **KEEPALIVE,
        }
        self._pool: AsyncConnectionPool[Connection] | None = None
        self._busy = 0

    async def open(self) -> None:
        """Open the pool.

        Raises:
            StoreUnavailableError: Postgres does not answer or refuses the user.
            DatabaseUnfitError: the service's role is missing or may not be taken.
        """
        async with await connect(await self.address(), **self._options) as first:
            await self._configure(first)
        self._pool = AsyncConnectionPool(
            self.address,
            kwargs=self._options,
            min_size=self._config.min_size,
            max_size=self._config.max_size,
            timeout=self._config.acquire_timeout_s,
            configure=self._configure,
            open=False,
            name=APPLICATION,
        )
        await self._pool.open()

    async def close(self) -> None:
        """Close the pool; closing twice does nothing."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def transaction(
        self, tenant: UUID, *, read_only: bool = False, snapshot: bool = False
    ) -> AsyncIterator[Connection]:
        """Give a connection within a transaction of one tenant: committed at the end, rolled back on an error.

        Args:
            tenant: whose rows are seen and written.
            read_only: whether Postgres refuses writes.
            snapshot: whether all statements see the same moment (REPEATABLE READ).

        Raises:
            LatticeError: as `store_errors`. Details hold `outcome: unknown` if the connection broke while committing.
        """
        with store_errors():
            begin = BEGIN.format(ISOLATION[snapshot], ACCESS[read_only], sql.Literal(str(tenant)))
            conn = await self._begin(begin)
            told = listen(conn)
            try:
                yield conn
                await _commit(conn, read_only=read_only)
            finally:
                await self._give_back(conn)
        for happening in told:
            self.observer.see(happening)

    async def retrying(
        self,
        tenant: UUID,
        work: Callable[[Connection], Awaitable[T]],
        *,
        read_only: bool = False,
        snapshot: bool = False,
    ) -> T:
        """Run a whole unit of work in a transaction, again if another one was in its way or the connection broke.

        It is not repeated if the connection broke while a write was being committed: that may have succeeded.

        Raises:
            LatticeError: as `transaction`, of the last attempt.
        """
        attempts = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=1.0),
            retry=retry_if_exception(is_repeatable),
            reraise=True,
        )

        async def attempt() -> T:
            async with self.transaction(tenant, read_only=read_only, snapshot=snapshot) as conn:
                return await work(conn)

        return await attempts(attempt)

    async def address(self) -> str:
        """Return where Postgres is, started if it is ours: for whoever needs a connection that no pool can give."""
        if self._before_connect is not None:
            await self._before_connect()
        return self._url

    async def _configure(self, conn: Connection) -> None:
        config = self._config
        values = {
            "role": SERVICE_ROLE,
            "statement_timeout_ms": str(round(config.statement_timeout_s * 1000)),
            "lock_timeout_ms": str(round(config.lock_timeout_s * 1000)),
            "idle_timeout_ms": str(round(config.idle_timeout_s * 1000)),
            "ef_search": str(config.ef_search),
        }
        try:
            async with conn.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(_SQL["configure_session"], values)
                types = await cursor.fetchone() or {}
        except psycopg.errors.InvalidParameterValue as e:
            raise DatabaseUnfitError("the database has no schema yet: run `lattice db upgrade`") from e
        except psycopg.errors.InsufficientPrivilege as e:
            user = conn.info.user
            raise DatabaseUnfitError(
                f'"{user}" may not work as {SERVICE_ROLE}; as an administrator run: GRANT {SERVICE_ROLE} TO "{user}";'
            ) from e
        if types["vector"] is not None:
            register_vector_info(conn, TypeInfo("vector", types["vector"], types["vectors"]))
            register_halfvec_info(conn, TypeInfo("halfvec", types["halfvec"], types["halfvecs"]))

    async def _begin(self, begin: sql.Composed) -> Connection:
        """Take a connection and begin, both at once; one that broke while it lay idle is replaced unseen."""
        for attempt in range(ATTEMPTS):
            conn = await self._take()
            try:
                await conn.execute(begin)
            except psycopg.Error as e:
                await self._give_back(conn)
                if attempt == ATTEMPTS - 1 or not is_lost(e) or self._pool is None:
                    raise
                await self._pool.check()  # its neighbours broke with it
            except BaseException:
                await self._give_back(conn)
                raise
            else:
                return conn
        raise AssertionError

    async def _take(self) -> Connection:
        if self._pool is None:
            raise StoreUnavailableError("the database is closed")
        try:
            conn = await self._pool.getconn()
        except PoolTimeout as e:
            if self._busy >= self._config.max_size:
                raise
            raise StoreUnavailableError("Postgres did not answer") from e
        self._busy += 1
        return conn

    async def _give_back(self, conn: Connection) -> None:
        self._busy -= 1
        try:
            if conn.pgconn.transaction_status in UNFINISHED:
                with suppress(psycopg.Error):  # the error before this is the one to tell
                    await conn.execute("ROLLBACK")
        finally:
            if self._pool is None:  # closed meanwhile
                await conn.close()
            else:
                await self._pool.putconn(conn)


async def _commit(conn: Connection, *, read_only: bool) -> None:
    if conn.pgconn.transaction_status == TransactionStatus.INERROR:
        raise RuntimeError("an error of the database was swallowed within its transaction, which is lost")
    try:
        await conn.execute("COMMIT")
    except psycopg.Error as e:
        if read_only or not is_lost(e):
            raise
        raise StoreUnavailableError(
            "the connection broke while committing: the change may or may not be stored", outcome="unknown"
        ) from e

"""The queue: jobs in Postgres (procrastinate), deferred in the very transaction that makes them needed."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException

from core.pg import Connection, Database
from core.pg_server import SERVICE_ROLE
from core.sql import load_queries

QUEUE = "lattice"
POOL_MOST = 4  # connections of a worker to the queue; one more listens

_SQL = load_queries("knowledge.sql", "jobs.sql")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job.

    Attributes:
        name: under which it is deferred.
        carry_out: does the work of one tenant; must bear to be begun again after it was broken off anywhere.
            What it raises ends the job, except UnavailableError, after which it is repeated later.
        limit_s: a job of this kind that takes longer is broken off.
    """

    name: str
    carry_out: Callable[[UUID, Mapping[str, Any]], Awaitable[None]]
    limit_s: float


async def defer(
    conn: Connection, tenant: UUID, kind: str, arguments: Mapping[str, str], *, lock: str | None = None
) -> int:
    """Put a job into the queue; it is there if and when the caller's transaction is committed.

    Args:
        conn: a connection in a transaction of `Database`.
        tenant: whose lattice the job works on.
        kind: the name of its kind.
        arguments: what its kind is given.
        lock: of two jobs with one lock the later one waits until the earlier has ended.

    Returns:
        the job's number.
    """
    await conn.execute(_SQL["see_queue"])
    deferrer = _app().configure_task(kind, queue=QUEUE, lock=lock, connection=conn)
    try:
        return await deferrer.defer_async(tenant=str(tenant), **arguments)
    except ConnectorException as e:
        if isinstance(e.__cause__, psycopg.Error):
            raise e.__cause__ from None  # our transaction knows what to make of it
        raise


def open_app(database: Database) -> App:
    """Return the queue over a database, with connections of its own; to be opened by whoever works on it."""
    connector = PsycopgConnector(
        conninfo=database.address,
        kwargs={"application_name": "crystal-lattice worker", "connect_timeout": 10},
        configure=_configure,
        min_size=1,
        max_size=POOL_MOST,
        timeout=15.0,
        name="crystal-lattice-jobs",
    )
    return App(connector=connector)


async def _configure(conn: Connection) -> None:
    await conn.execute(_SQL["configure_queue"], {"role": SERVICE_ROLE})
    if not conn.autocommit:
        await conn.commit()


@cache
def _app() -> App:
    """Return the queue as it is needed to defer only: it has no connection and takes the caller's."""
    return App(connector=PsycopgConnector())

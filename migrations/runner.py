"""Moves a database's schema up and down, and says where it stands."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core.errors import DatabaseUnfitError, InvalidInputError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import Connection

LOCK_KEY = 0x1A771CE  # any constant: migrations of one database wait for each other under it
NO_RIGHT = "42501"
REMEDY = (
    "the migrating user lacks a right. Run as an administrator of the database: CREATE EXTENSION IF NOT EXISTS vector; "
    "CREATE ROLE lattice_app NOLOGIN; GRANT lattice_app TO <user> WITH ADMIN OPTION; "
    "GRANT CREATE, USAGE ON SCHEMA public TO <user>; CREATE SCHEMA lattice_jobs AUTHORIZATION <user>;"
)


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """Where a schema stands.

    Attributes:
        current: the revision of the database; None if it has none yet.
        head: the revision that this version of the program needs.
        pending: revisions still to be run, oldest first.
    """

    current: str | None
    head: str
    pending: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        """Whether the database has the schema that this program needs."""
        return self.current == self.head


async def upgrade(url: str, revision: str = "head") -> SchemaStatus:
    """Move the schema up to a revision; concurrent callers wait for each other.

    Raises:
        DatabaseUnfitError: a right or the extension is missing; the message says what to run.
        StoreUnavailableError: Postgres did not answer.
    """
    return await run_on_schema(url, lambda config, _: command.upgrade(config, revision))


async def downgrade(url: str, revision: str) -> SchemaStatus:
    """Move the schema down to a revision, "base" for none at all. What the dropped tables held is lost."""
    return await run_on_schema(url, lambda config, _: command.downgrade(config, revision))


async def read_status(url: str) -> SchemaStatus:
    """Say where the schema stands without changing anything."""
    return await run_on_schema(url, None)


@cache
def needed_revision() -> str:
    """Return the revision that this version of the program needs."""
    return _head_of(ScriptDirectory(str(Path(__file__).parent)))


async def run_on_schema(url: str, work: Callable[[Config, "Connection"], object] | None) -> SchemaStatus:
    """Run work on the schema, alone, in a transaction; return where the schema stands then.

    Raises:
        DatabaseUnfitError, StoreUnavailableError: as `upgrade`.
    """
    engine = create_async_engine(_driver_url(url), poolclass=NullPool)
    try:
        with _migration_errors():
            async with engine.connect() as connection:
                return await connection.run_sync(_carry_out, work)
    finally:
        await engine.dispose()


async def run_unlocked(url: str, work: Callable[["Connection"], None]) -> None:
    """Run work beside other work on the schema, each statement by itself.

    Raises:
        DatabaseUnfitError, StoreUnavailableError: as `upgrade`.
    """
    engine = create_async_engine(_driver_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with _migration_errors():
            async with engine.connect() as connection:
                await connection.run_sync(work)
    finally:
        await engine.dispose()


def _carry_out(connection: "Connection", work: Callable[[Config, "Connection"], object] | None) -> SchemaStatus:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    if work is not None:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
        connection.commit()
        try:
            work(config, connection)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
            connection.commit()
    return _status_of(ScriptDirectory.from_config(config), connection)


def _status_of(scripts: ScriptDirectory, connection: "Connection") -> SchemaStatus:
    current = MigrationContext.configure(connection).get_current_revision()
    head = _head_of(scripts)
    known = [revision.revision for revision in scripts.walk_revisions()][::-1]
    if current is not None and current not in known:
        raise DatabaseUnfitError(
            f"the database has schema revision {current}, which this version does not know: "
            "it was upgraded by a newer one. Upgrade crystal-lattice."
        )
    start = 0 if current is None else known.index(current) + 1
    return SchemaStatus(current, head, tuple(known[start:]))


def _head_of(scripts: ScriptDirectory) -> str:
    head = scripts.get_current_head()
    if head is None:
        raise DatabaseUnfitError("this installation holds no migrations; install it again")
    return head


def _driver_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise DatabaseUnfitError("the database URL must begin with postgresql://")
    return f"postgresql+psycopg://{rest}"


@contextmanager
def _migration_errors() -> "Generator[None]":
    try:
        yield
    except CommandError as e:
        raise InvalidInputError("revision", str(e)) from e
    except DBAPIError as e:
        state = getattr(e.orig, "sqlstate", None)
        if state == NO_RIGHT:
            raise DatabaseUnfitError(REMEDY) from e
        if state == "0A000" or "extension" in str(e.orig):
            raise DatabaseUnfitError(
                'the extension "vector" (pgvector 0.8 or newer) is not installed on the server; '
                "install it there, for example with the image pgvector/pgvector:pg18"
            ) from e
        if state is None or state.startswith(("08", "57P")):
            raise StoreUnavailableError("Postgres did not answer; check LATTICE_DATABASE_URL") from e
        raise

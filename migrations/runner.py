"""Moves a database's schema up and down."""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core.errors import DatabaseUnfitError, InvalidInputError, StoreUnavailableError
from migrations.status import REMEDY, SchemaStatus, status_at

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import Connection

LOCK_KEY = 0x1A771CE  # any constant: migrations of one database wait for each other under it
NO_RIGHT = "42501"


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


async def run_on_schema(url: str, work: Callable[[Config, "Connection"], object]) -> SchemaStatus:
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


def _carry_out(connection: "Connection", work: Callable[[Config, "Connection"], object]) -> SchemaStatus:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
    connection.commit()
    try:
        work(config, connection)
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
        connection.commit()
    return status_at(MigrationContext.configure(connection).get_current_revision())


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

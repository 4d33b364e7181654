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
from sqlalchemy import DDL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core.errors import ConfigurationError, DatabaseUnfitError, InvalidInputError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import Connection

LOCK_KEY = 0x1A771CE  # any constant: migrations of one database wait for each other under it
NO_RIGHT = "42501"
DIMENSION_MOST = 4_000  # that an HNSW index takes of halfvec
EMBEDDING_INDEX = (
    "CREATE INDEX IF NOT EXISTS passage_embedding_%(dimension)s_idx "
    "ON passage USING hnsw ((embedding::halfvec(%(dimension)s)) halfvec_cosine_ops) "
    "WHERE vector_dims(embedding) = %(dimension)s"
)
REMEDY = (
    "the migrating user lacks a right. Run as an administrator of the database: CREATE EXTENSION IF NOT EXISTS vector; "
    "CREATE ROLE lattice_app NOLOGIN; GRANT lattice_app TO <user> WITH ADMIN OPTION; "
    "GRANT CREATE, USAGE ON SCHEMA public TO <user>;"
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
    return await _run(url, lambda config, _: command.upgrade(config, revision))


async def downgrade(url: str, revision: str) -> SchemaStatus:
    """Move the schema down to a revision, "base" for none at all. What the dropped tables held is lost."""
    return await _run(url, lambda config, _: command.downgrade(config, revision))


async def read_status(url: str) -> SchemaStatus:
    """Say where the schema stands without changing anything."""
    return await _run(url, None)


async def ensure_embedding_index(url: str, dimension: int) -> SchemaStatus:
    """Make the index over embeddings of this dimension unless it is there; the first tables have that of 384.

    Passages wait while it is made over those that are stored.

    Raises:
        ConfigurationError: no index can be made for the dimension.
        DatabaseUnfitError, StoreUnavailableError: as `upgrade`.
    """
    if not 1 <= dimension <= DIMENSION_MOST:
        raise ConfigurationError(
            f"embeddings of {dimension} dimensions cannot be indexed; at most {DIMENSION_MOST:,} can"
        )
    index = DDL(EMBEDDING_INDEX, context={"dimension": dimension})  # type: ignore[no-untyped-call]  # SQLAlchemy's gap
    return await _run(url, lambda _, connection: connection.execute(index))


@cache
def needed_revision() -> str:
    """Return the revision that this version of the program needs."""
    return _head_of(ScriptDirectory(str(Path(__file__).parent)))


async def _run(url: str, work: Callable[[Config, "Connection"], object] | None) -> SchemaStatus:
    engine = create_async_engine(_driver_url(url), poolclass=NullPool)
    try:
        with _migration_errors():
            async with engine.connect() as connection:
                return await connection.run_sync(_carry_out, work)
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

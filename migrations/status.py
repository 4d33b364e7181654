"""Says where a database's schema stands, without Alembic, which would take every start a fifth of its time."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg

from core.errors import DatabaseUnfitError
from core.pg import connect
from core.pg_errors import store_errors

REMEDY = (
    "the migrating user lacks a right. Run as an administrator of the database: CREATE EXTENSION IF NOT EXISTS vector; "
    "CREATE ROLE lattice_app NOLOGIN; GRANT lattice_app TO <user> WITH ADMIN OPTION; "
    "GRANT CREATE, USAGE ON SCHEMA public TO <user>; CREATE SCHEMA lattice_jobs AUTHORIZATION <user>;"
)
_TABLE = "SELECT to_regclass('alembic_version') IS NOT NULL"
_REVISION = "SELECT version_num FROM alembic_version"


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


@cache
def known_revisions() -> tuple[str, ...]:
    """Return the revisions of this version of the program, oldest first: a file of one begins with its number.

    Raises:
        DatabaseUnfitError: there are none.
    """
    files = (Path(__file__).parent / "versions").glob("[0-9]*.py")
    if not (found := tuple(sorted(file.name.partition("_")[0] for file in files))):
        raise DatabaseUnfitError("this installation holds no migrations; install it again")
    return found


def needed_revision() -> str:
    """Return the revision that this version of the program needs."""
    return known_revisions()[-1]


async def read_status(url: str) -> SchemaStatus:
    """Say where the schema stands without changing anything.

    Raises:
        DatabaseUnfitError: it is newer than this version of the program, or may not be read.
        StoreUnavailableError: Postgres did not answer.
    """
    async with await connect(url.replace("+psycopg", "", 1), autocommit=True) as conn:
        with store_errors():
            try:
                is_there = await (await conn.execute(_TABLE)).fetchone()
                row = await (await conn.execute(_REVISION)).fetchone() if is_there == (True,) else None
            except psycopg.errors.InsufficientPrivilege as e:
                raise DatabaseUnfitError(REMEDY) from e
    return status_at(row[0] if row else None)


def status_at(current: str | None) -> SchemaStatus:
    """Return what a revision of a database means for this version of the program.

    Raises:
        DatabaseUnfitError: it is of a newer version.
    """
    known = known_revisions()
    if current is not None and current not in known:
        raise DatabaseUnfitError(
            f"the database has schema revision {current}, which this version does not know: "
            "it was upgraded by a newer one. Upgrade crystal-lattice."
        )
    return SchemaStatus(current, known[-1], known[0 if current is None else known.index(current) + 1 :])

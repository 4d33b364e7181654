"""Which Postgres: its address, and whether it and its user are fit for us."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from psycopg import AsyncConnection, ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row

from core.errors import ConfigurationError, DatabaseUnfitError
from core.pg_errors import store_errors
from core.sql import load_queries

SERVICE_ROLE = "lattice_app"
MAJOR_LEAST = 16
VECTOR_LEAST = (0, 8)
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")

_SQL = load_queries("core", "session.sql")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What decides whether a server and its user are fit; versions of pgvector are None where there is none."""

    major: int
    username: str
    database: str
    vector_installed: str | None
    vector_available: str | None
    may_create_vector: bool
    may_create_role: bool
    role_exists: bool
    may_take_role: bool | None
    has_schema: bool
    may_create_table: bool


def normalise_url(url: str) -> str:
    """Return a database's address as psycopg takes it: `postgresql://…`.

    Raises:
        ConfigurationError: it is no address of a Postgres. The message holds no part of it: it may hold a password.
    """
    problem = "LATTICE_DATABASE_URL must look like postgresql://user:password@host:5432/database"
    try:
        parts = urlsplit(url.strip())
        plain = (
            urlunsplit(parts._replace(scheme="postgresql"))
            if parts.netloc
            else f"postgresql://{url.partition('://')[2]}"
        )
        ports = str(conninfo_to_dict(plain).get("port") or "").split(",")
    except (ValueError, ProgrammingError):
        raise ConfigurationError(problem) from None
    if (
        "://" not in url
        or parts.scheme not in SCHEMES
        or not all(port.isdecimal() and int(port) < 2**16 for port in ports if port)
    ):
        raise ConfigurationError(problem)
    return plain


async def check_server(conn: AsyncConnection[Any]) -> None:
    """Check that a server is one we can work on, before or after the schema is there.

    Raises:
        DatabaseUnfitError: it is not; the message says everything that is amiss and what to run.
    """
    major = conn.info.server_version // 10_000
    if major < MAJOR_LEAST:
        raise DatabaseUnfitError(
            f"the server is Postgres {major}; crystal-lattice needs {MAJOR_LEAST} or newer. Upgrade it, or set "
            "LATTICE_DATABASE_URL to another"
        )
    with store_errors():
        async with conn.cursor(row_factory=class_row(ServerFacts)) as cursor:
            await cursor.execute(_SQL["read_server"], {"role": SERVICE_ROLE})
            facts = await cursor.fetchone()
    if facts is not None and (problems := find_problems(facts)):
        raise DatabaseUnfitError("; ".join(problems))


def find_problems(facts: ServerFacts) -> list[str]:
    """Say what is amiss with a server, each with what to run; nothing if it is fit."""
    return [*_vector_problems(facts), *_right_problems(facts)]


def _vector_problems(facts: ServerFacts) -> list[str]:
    installed, available = facts.vector_installed, facts.vector_available
    where = f'in the database "{facts.database}"'
    if available is None and installed is None:
        return [
            'the server has no extension "vector": install pgvector 0.8 or newer on it (package postgresql-'
            f"{facts.major}-pgvector, or the image pgvector/pgvector:pg18), then run {where}: CREATE EXTENSION vector;"
        ]
    if installed is None and not facts.may_create_vector:
        return [f'the extension "vector" is not installed; as an administrator run {where}: CREATE EXTENSION vector;']
    if _version(installed or available) >= VECTOR_LEAST:
        return []
    if _version(available) >= VECTOR_LEAST:
        return [f"pgvector is {installed}, 0.8 or newer is needed; run {where}: ALTER EXTENSION vector UPDATE;"]
    return [
        f"pgvector on the server is {available or installed}, 0.8 or newer is needed: upgrade it there, then run "
        f"{where}: ALTER EXTENSION vector UPDATE;"
    ]


def _right_problems(facts: ServerFacts) -> list[str]:
    problems = []
    user = f'"{facts.username}"'
    if not facts.role_exists and not facts.may_create_role:
        problems.append(
            f"the role {SERVICE_ROLE} is missing and {user} may not create it; as an administrator run: "
            f"CREATE ROLE {SERVICE_ROLE} NOLOGIN; GRANT {SERVICE_ROLE} TO {user} WITH ADMIN OPTION;"
        )
    if facts.role_exists and not facts.may_take_role and (facts.has_schema or not facts.may_create_role):
        problems.append(
            f"{user} may not work as {SERVICE_ROLE}; as an administrator run: GRANT {SERVICE_ROLE} TO {user};"
        )
    if not facts.has_schema and not facts.may_create_table:
        problems.append(
            f"{user} may not create tables; as the owner of the database run: "
            f"GRANT USAGE, CREATE ON SCHEMA public TO {user};"
        )
    return problems


def _version(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in (text or "").split(".") if part.isdecimal())

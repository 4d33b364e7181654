"""The service's role, which all databases of a server share."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from psycopg import sql
from sqlalchemy import create_engine

from core.embedded import EmbeddedServer
from migrations import policies
from migrations.policies import make_role

WAITING = "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"


@pytest.fixture
def role(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[sql.Identifier]:
    """A role that is not there yet, in the place of the service's."""
    monkeypatch.setattr(policies, "ROLE", name := f"role_{uuid4().hex}")
    role = sql.Identifier(name)
    yield role
    with psycopg.connect(database_url) as conn:
        conn.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))


def test_a_role_that_another_database_makes_meanwhile_is_taken_as_made(
    database_url: str, server: EmbeddedServer, role: sql.Identifier
) -> None:
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))

    def make() -> None:
        with engine.begin() as conn, Operations.context(MigrationContext.configure(conn)):
            make_role()

    with ThreadPoolExecutor(1) as thread, psycopg.connect(database_url, autocommit=True) as looking:
        with psycopg.connect(server.uri()) as other:
            other.execute(sql.SQL("CREATE ROLE {}").format(role))
            made = thread.submit(make)
            while looking.execute(WAITING).rowcount == 0 and not made.done():
                looking.execute("SELECT pg_stat_clear_snapshot()")
        made.result()
        asked = "SELECT FROM pg_class JOIN aclexplode(relacl) ON true WHERE grantee = %s::regrole"
        assert looking.execute(asked, [role.as_string()]).rowcount == 1
    engine.dispose()

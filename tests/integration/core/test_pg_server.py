"""Servers that are fit and users who are not, on a real Postgres."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from core.embedded import SUPERUSER, EmbeddedServer
from core.errors import (
    DatabaseUnfitError,
    StoreUnavailableError,
)
from core.pg import Database, PoolConfig, check_server
from tests.integration.core.gem_names import names


@pytest.fixture
def stranger_url(server: EmbeddedServer, database_url: str) -> Iterator[str]:
    """The test's database, as a user without any right."""
    name = sql.Identifier(user := f"stranger_{uuid4().hex}")
    with psycopg.connect(server.uri(SUPERUSER), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        yield database_url.replace(f"//{SUPERUSER}@", f"//{user}@")
        admin.execute(sql.SQL("DROP ROLE {}").format(name))


async def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    with pytest.raises(StoreUnavailableError, match="LATTICE_DATABASE_URL") as caught:
        await Database(PoolConfig("postgresql://u:hunter2@127.0.0.1:1/d")).open()
    assert "hunter2" not in str(caught.value)


def test_the_password_stays_out_of_the_configurations_text() -> None:
    assert "hunter2" not in repr(PoolConfig("postgresql://u:hunter2@127.0.0.1:1/d"))


async def test_a_user_who_may_not_work_as_the_service_is_told_what_to_run(stranger_url: str) -> None:
    with pytest.raises(DatabaseUnfitError, match=r'run: GRANT lattice_app TO "stranger_'):
        await Database(PoolConfig(stranger_url)).open()


@pytest.mark.parametrize("url", ["database_url", "empty_database_url"])
async def test_a_fit_server_passes(request: pytest.FixtureRequest, url: str) -> None:
    async with await psycopg.AsyncConnection.connect(request.getfixturevalue(url)) as conn:
        await check_server(conn)


async def test_an_unfit_user_is_told_everything_that_is_missing(stranger_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(stranger_url) as conn:
        with pytest.raises(DatabaseUnfitError, match=r'GRANT lattice_app TO "stranger_'):
            await check_server(conn)


async def test_an_old_schema_is_told_as_such(empty_database_url: str, template: str, tenant: UUID) -> None:
    async with Database(PoolConfig(empty_database_url)) as database:
        with pytest.raises(DatabaseUnfitError, match="lattice db upgrade"):
            await names(database, tenant)

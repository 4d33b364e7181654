"""Where the database is, whether it is fit, and whether its schema is the one that this version needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import migrations
from api.settings import Settings
from core.embedded import EmbeddedConfig, EmbeddedServer
from core.errors import DatabaseUnfitError
from core.pg import check_server, connect, normalise_url


@dataclass(frozen=True, slots=True)
class DatabasePlace:
    """Where the database is, and the embedded server if it is that one."""

    url: str
    server: EmbeddedServer | None = None


@asynccontextmanager
async def open_place(settings: Settings) -> AsyncIterator[DatabasePlace]:
    """Yield where the database is, with the embedded server running if that is the one."""
    if settings.database_url is not None:
        yield DatabasePlace(normalise_url(settings.database_url.get_secret_value()))
        return
    async with EmbeddedServer(EmbeddedConfig(settings.data_dir / "postgres")) as server:
        yield DatabasePlace(server.uri(), server)


async def require_fit(url: str) -> None:
    """Check that the server is one we can work on, with or without a schema.

    Raises:
        DatabaseUnfitError: its version, its extension or a right; the message says what to run.
        StoreUnavailableError: it does not answer.
    """
    async with await connect(url) as conn:
        await check_server(conn)


async def require_schema(url: str) -> None:
    """Check that the schema is the one this version needs.

    Raises:
        DatabaseUnfitError: it is older; the message says how to upgrade.
    """
    status = await migrations.read_status(url)
    if not status.is_current:
        raise DatabaseUnfitError(
            f"the database has schema {status.current or 'none'}, this version needs {status.head}: "
            "run `lattice db upgrade`, or start with `lattice serve --migrate`",
            current=status.current,
            needed=status.head,
        )


async def prepare(place: DatabasePlace, dimension: int, *, migrate: bool) -> None:
    """See to it that the database has the schema that this version needs.

    Raises:
        DatabaseUnfitError: it has not, and may not be migrated.
    """
    if place.server is None:
        await require_fit(place.url)
    if migrate or place.server is not None:
        if not (await migrations.read_status(place.url)).is_current:
            await migrations.upgrade(place.url)
        await migrations.ensure_embedding_index(place.url, dimension)
    else:
        await require_schema(place.url)

"""A headless browser before the real service with a lattice that has a past; console errors fail the test."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright
from psycopg import sql
from pydantic import SecretStr

from api.dashboard import read_bundle
from api.settings import Settings, StreamSettings
from core.embedded import SUPERUSER, EmbeddedServer
from tests.browser.chromium import give_up, launch
from tests.browser.lattice import write_lattice
from tests.browser.serving import serving
from tests.browser.visit import Visit
from tests.conftest import make_database, run_apart

SEEDED = "lattice_with_a_past"
HERE = Path(__file__).parent
VIEWER: dict[str, Any] = {
    "viewport": {"width": 1360, "height": 900},
    "locale": "en-GB",
    "timezone_id": "Europe/Berlin",
    "reduced_motion": "reduce",
    "color_scheme": "light",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all tests here share one loop, on which the browser stays open."""
    for item in items:
        if item.path.is_relative_to(HERE) and isinstance(item, pytest.Function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def seeded(server: EmbeddedServer, template: str) -> str:
    """The name of a database with the stories; whichever worker comes first writes them."""
    with psycopg.connect(server.uri(SUPERUSER), autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(2)")
        if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (SEEDED,)).fetchone() is None:
            unfinished = f"{SEEDED}_unfinished"
            names = (sql.Identifier(unfinished), sql.Identifier(template))
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*names))
            run_apart(write_lattice(server.uri(unfinished)))
            names = (sql.Identifier(unfinished), sql.Identifier(SEEDED))
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
    return SEEDED


@pytest.fixture(scope="session")
def lattice_settings(
    server: EmbeddedServer, seeded: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of a service on a copy of the lattice with a past."""
    for url in make_database(server, seeded):
        live = StreamSettings(interval_s=0.25)
        yield Settings(database_url=SecretStr(url), data_dir=tmp_path_factory.mktemp("data"), stream=live)


@pytest.fixture(scope="session")
def address(lattice_settings: Settings) -> Iterator[str]:
    """Where the service answers; all tests of a worker share it, so what they change they make themselves."""
    if missing := read_bundle().missing:
        give_up(f"the dashboard's libraries are not here: {', '.join(missing)} (`make setup` brings them)")
    with serving(lattice_settings) as address:
        yield address


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of a worker."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def context(browser: Browser, address: str) -> AsyncIterator[BrowserContext]:
    """One viewer for all tests of a worker: what one page has loaded, the next need not."""
    context = await new_context(browser)
    # its first page stays, and with it the process that draws the others: to start one is most of what a page costs
    await (await context.new_page()).goto(f"{address}/health")
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(context: BrowserContext, address: str) -> AsyncIterator[Visit]:
    """A fresh page, of which nothing stays."""
    async with new_visit(context, address) as visit:
        yield visit
    await context.pages[0].evaluate("localStorage.clear()")


@pytest_asyncio.fixture(loop_scope="session")
async def timed(browser: Browser, address: str) -> AsyncIterator[Visit]:
    """A visit on whose clock time can pass at once; the clock is that of all pages of a context."""
    context = await new_context(browser)
    await context.clock.install()
    async with new_visit(context, address) as visit:
        yield visit
    await context.close()


async def new_context(browser: Browser) -> BrowserContext:
    """A viewer in Berlin who has seen nothing yet."""
    return await browser.new_context(**VIEWER)


@asynccontextmanager
async def new_visit(context: BrowserContext, address: str) -> AsyncIterator[Visit]:
    """A fresh page; afterwards, nothing must have gone wrong on it."""
    visit = Visit(await context.new_page(), address)
    await visit.prepare()
    yield visit
    await visit.page.close()  # first, since what it may still be loading is deleted now
    await visit.clean()
    assert visit.unexpected() == []

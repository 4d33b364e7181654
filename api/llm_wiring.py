"""The LLM router of the service: its accounts, cache and experiments, kept in step with its file and its switches."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from api.settings import Settings
from core.errors import UnavailableError
from core.pg import Database
from llm_router import (
    ConfigWatch,
    Embed,
    Experiments,
    Parts,
    PostgresAccounts,
    Router,
    RouterConfig,
    build_answer_cache,
    build_router,
    read_switches,
)

SWITCHES_S = 5.0  # how soon a switch that another replica turned is obeyed here

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Llm:
    """The router, with what it is given beside its configuration."""

    router: Router
    accounts: PostgresAccounts
    experiments: Experiments

    async def apply(self, config: RouterConfig) -> None:
        """Take over a configuration, budgets included."""
        await self.router.reload(config)
        self.accounts.replace_budgets(config.budgets)


@asynccontextmanager
async def open_llm(
    settings: Settings,
    config: RouterConfig,
    *,
    database: Database,
    accounts: PostgresAccounts,
    embed: Embed,
    environment: Mapping[str, str],
) -> AsyncIterator[Llm]:
    """Start the router, and what keeps it in step; stop both again."""
    async with AsyncExitStack() as stack:
        experiments = Experiments(database)
        stack.push_async_callback(experiments.aclose)
        cache = build_answer_cache(config.cache)
        if cache is not None:
            stack.push_async_callback(cache.aclose)
        router = build_router(config, embed, Parts(accounts=accounts, cache=cache, trials=experiments))
        stack.push_async_callback(router.aclose)
        llm = Llm(router, accounts, experiments)
        await take_over_switches(llm.router, database)
        tasks = [asyncio.create_task(_follow_switches(router, database))]
        if settings.llm.config is not None:
            watch = ConfigWatch(settings.llm.config.expanduser(), environment, llm.apply, current=config)
            tasks.append(asyncio.create_task(watch.run()))
        try:
            yield llm
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def take_over_switches(router: Router, database: Database) -> None:
    """Let the targets be asked, or not, as operators have switched them."""
    switches = await read_switches(database)
    for route in router.routes:
        switch = switches.get(route.name)
        router.set_enabled(route.name, enabled=switch is None or switch.enabled)


async def _follow_switches(router: Router, database: Database) -> None:
    while True:
        await asyncio.sleep(SWITCHES_S)
        try:
            await take_over_switches(router, database)
        except UnavailableError as error:
            _log.warning("llm_switches_unread", error=error.code)

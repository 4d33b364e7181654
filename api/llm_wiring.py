"""The LLM router of the service: its accounts, cache and experiments, kept in step with its file and its switches."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from api.settings import Settings
from core.errors import UnavailableError
from core.pg import Database
from knowledge import Embedder
from llm_router import (
    AnswerCache,
    ConfigWatch,
    EmbeddingRouter,
    Experiments,
    Parts,
    PostgresAccounts,
    Route,
    Router,
    RouterConfig,
    Telemetry,
    build_answer_cache,
    build_router,
    read_switches,
)

SWITCHES_S = 5.0  # how soon a switch that another replica turned is obeyed here

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Llm:
    """The router, with what it is given beside its configuration.

    Attributes:
        embedding: None where embeddings are not routed.
        cache: of answers; None where it is switched off.
    """

    router: Router
    accounts: PostgresAccounts
    experiments: Experiments
    embedding: EmbeddingRouter | None = None
    cache: AnswerCache | None = None

    def list_routes(self) -> list[Route]:
        """Return all targets, those that embed included."""
        return [*self.router.routes, *(self.embedding.routes if self.embedding is not None else ())]

    async def apply(self, config: RouterConfig, database: Database) -> None:
        """Take over a configuration, with its budgets, and the switches of targets that are new in it."""
        before = self.router.config
        stale = [part for part in ("cache", "embedding") if getattr(before, part) != getattr(config, part)]
        if stale:
            _log.warning("llm_config_needs_restart", parts=stale)
        await self.router.reload(config)
        self.accounts.replace_budgets(config.budgets)
        await self.obey_switches(database)

    async def obey_switches(self, database: Database) -> None:
        """Let the targets be asked, or not, as operators have switched them; without Postgres, as they were."""
        try:
            switches = await read_switches(database)
        except UnavailableError as error:
            _log.warning("llm_switches_unread", error=error.code)
            return
        for route in self.list_routes():
            switch = switches.get(route.name)
            route.health.enabled = switch is None or switch.enabled


@asynccontextmanager
async def open_llm(
    settings: Settings,
    config: RouterConfig,
    *,
    database: Database,
    accounts: PostgresAccounts,
    telemetry: Telemetry,
    embedder: Embedder,
    environment: Mapping[str, str],
) -> AsyncIterator[Llm]:
    """Start the router, and what keeps it in step; stop both again."""
    async with AsyncExitStack() as stack:
        experiments = Experiments(database)
        stack.push_async_callback(experiments.aclose)
        cache = build_answer_cache(config.cache)
        if cache is not None:
            stack.push_async_callback(cache.aclose)
        router = build_router(
            config, embedder.embed, Parts(accounts=accounts, observer=telemetry, cache=cache, trials=experiments)
        )
        stack.push_async_callback(router.aclose)
        embedding = embedder if isinstance(embedder, EmbeddingRouter) else None
        llm = Llm(router, accounts, experiments, embedding, cache)
        telemetry.watch_routes(llm.list_routes)
        await llm.obey_switches(database)
        tasks = [asyncio.create_task(_follow_switches(llm, database))]
        if settings.llm.config is not None:
            apply = partial(llm.apply, database=database)
            watch = ConfigWatch(settings.llm.config.expanduser(), environment, apply, current=config)
            tasks.append(asyncio.create_task(watch.run()))
        try:
            yield llm
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _follow_switches(llm: Llm, database: Database) -> None:
    while True:
        await asyncio.sleep(SWITCHES_S)
        try:
            await llm.obey_switches(database)
        except Exception:  # noqa: BLE001 - the outermost loop: one failed look must not be the last
            _log.exception("llm_switches_unread")

"""The router kept in step with its file and its switches."""

import asyncio
from decimal import Decimal

import pytest

from api import llm_wiring
from api.llm_wiring import Llm
from core.errors import BudgetExceededError, StoreUnavailableError
from core.pg import Database
from llm_router import (
    BudgetConfig,
    Experiments,
    ModelConfig,
    Parts,
    PostgresAccounts,
    Prices,
    Prompt,
    RouterConfig,
    TargetConfig,
    build_router,
    read_switches,
    set_switch,
)

PROMPT = Prompt("", "Where is Ada?", (), 100)


def configure(*names: str, budget: BudgetConfig | None = None) -> RouterConfig:
    prices = Prices(Decimal(1), Decimal(1))
    targets = tuple(TargetConfig(name, "scripted", f"From {name}.", prices=prices) for name in names)
    return RouterConfig(
        targets, (ModelConfig("default", names, extractive=False),), budgets=(budget,) if budget else ()
    )


def build(config: RouterConfig, database: Database) -> Llm:
    accounts = PostgresAccounts(database, config.budgets)
    return Llm(build_router(config, None, Parts(accounts)), accounts, Experiments(None))


async def test_a_target_that_was_switched_off_stays_so_when_it_comes_with_a_new_file(database: Database) -> None:
    await set_switch(database, "b", enabled=False)
    llm = build(configure("a"), database)
    await llm.apply(configure("b", "a"), database)
    assert (await llm.router.ask(PROMPT)).target == "a"
    await llm.apply(configure("a"), database)
    await llm.apply(configure("b", "a"), database)
    assert (await llm.router.ask(PROMPT)).target == "a"
    await llm.router.aclose()


async def test_a_new_file_brings_its_budgets(database: Database) -> None:
    llm = build(configure("a"), database)
    assert (await llm.router.ask(PROMPT)).text == "From a."
    await llm.apply(configure("a", budget=BudgetConfig("none", Decimal(0))), database)
    with pytest.raises(BudgetExceededError):
        await llm.router.ask(PROMPT)
    await llm.apply(configure("a"), database)
    assert (await llm.router.ask(PROMPT)).text == "From a."
    await llm.router.aclose()


async def test_one_failed_look_at_the_switches_is_not_the_last(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = [StoreUnavailableError("away"), RuntimeError("a bug")]

    async def read_or_fail(database: Database) -> object:
        if failures:
            raise failures.pop()
        return await read_switches(database)

    monkeypatch.setattr("api.llm_wiring.read_switches", read_or_fail)
    monkeypatch.setattr(llm_wiring, "SWITCHES_S", 0.001)
    await set_switch(database, "a", enabled=False)
    llm = build(configure("a", "b"), database)
    following = asyncio.create_task(llm_wiring._follow_switches(llm, database))
    async with asyncio.timeout(60):
        while llm.router.routes[0].health.enabled:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.wait([following])
    assert (await llm.router.ask(PROMPT)).target == "b"
    await llm.router.aclose()

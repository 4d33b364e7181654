"""Many calls at once: whatever becomes of them, nothing is left behind, and what is counted is exact."""

import asyncio
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import psycopg
import pytest

from core.errors import BudgetExceededError
from core.pg import Database, PoolConfig
from llm_router import (
    BreakerConfig,
    BudgetConfig,
    Pace,
    Parts,
    PostgresAccounts,
    Prompt,
    RetryBudgetConfig,
    Router,
    Usage,
    build_router,
)
from llm_router.fitness import estimate_tokens
from tests.integration.llm_router.crowd import (
    PATIENCE_S,
    Call,
    Crowd,
    cancel_some,
    count_connections,
    wait_for_tasks,
    wait_until_closed,
)
from tests.integration.llm_router.fleet import BEHAVIOURS, HASTY, MODELS, PRICES, TEXT, configure, sailing

CALLS = 200
KEPT_ALIVE = 100  # connections that an SDK keeps for later, to one server
COUNTS_ONLY = BreakerConfig(window_s=600.0, minimum_calls=10_000)  # never opens
LAVISH = RetryBudgetConfig(ratio=1.0, burst=10_000.0)
ACCOUNT = """
SELECT (SELECT count(*) FROM llm_reservation), coalesce(sum(reserved_usd), 0), coalesce(sum(spent_usd), 0),
  (SELECT coalesce(sum(cost_usd), 0) FROM llm_attempt) FROM llm_budget"""
ENDED = """
SELECT target, count(*) FILTER (WHERE outcome <> 'cancelled'), count(*) FILTER (WHERE outcome = 'failed')
FROM llm_attempt GROUP BY target ORDER BY target"""
SPENT_A_CALL = PRICES.cost(Usage(36, 15, 64, 0, 5))  # as the servers tell it


def read(url: str, query: str) -> list[tuple[Any, ...]]:
    """Read what is stored, of all tenants, past the policies."""
    with psycopg.connect(url) as conn:
        return conn.execute(query.encode()).fetchall()


def begin_calls(crowd: Crowd, random: Random) -> list[Call]:
    """Begin calls of all models, whole and streamed; some readers of streams leave after a few words."""
    calls: list[Call] = []
    for _ in range(CALLS):
        name, streamed = random.choice([*MODELS]), random.random() < 0.5
        leave_after = random.randrange(1, 4) if random.random() < 0.2 else None
        calls.append(crowd.call(f"{name}-streamed" if streamed else name, streamed=streamed, leave_after=leave_after))
    return calls


def count_results(router: Router) -> list[tuple[str, int, int]]:
    """Return what the breakers counted: target, calls, failures."""
    counts = [(route.name, route.health.breaker.count()) for route in router.routes]
    return sorted((name, each.calls, each.failures) for name, each in counts if each.calls)


@pytest.mark.parametrize("seed", [1, 2])
async def test_calls_of_which_many_are_cancelled_leave_nothing_behind(
    seed: int, database_url: str, prompt: Prompt
) -> None:
    random = Random(seed)
    before = asyncio.all_tasks()
    async with sailing(*BEHAVIOURS) as servers, Database(PoolConfig(database_url)) as database:
        accounts = PostgresAccounts(database, [BudgetConfig("all", Decimal(1_000_000))])
        config = configure(servers, HASTY, breaker=COUNTS_ONLY, retry_budget=LAVISH, attempts_per_target=2)
        async with aclosing(build_router(config, None, Parts(accounts))) as router:
            crowd = Crowd(router, prompt)
            await cancel_some(begin_calls(crowd, random), random, share=0.5, within_s=1.5)
            outcomes = await crowd.end()
            assert {route.name: route.health.busy for route in router.routes if route.health.busy} == {}
            for stub in servers.values():
                await asyncio.wait_for(stub.is_idle.wait(), PATIENCE_S)
                assert count_connections(stub.address) <= KEPT_ALIVE
        await wait_until_closed(*(stub.address for stub in servers.values()))
    assert await wait_for_tasks(before) == set()
    [(reservations, reserved, spent, cost)] = read(database_url, ACCOUNT)
    assert (reservations, reserved) == (0, 0)
    assert spent == cost > 0
    assert count_results(router) == [row for row in read(database_url, ENDED) if row[1]]
    assert {reply.text for reply in outcomes.replies} == {TEXT}
    assert min(outcomes.left, len(outcomes.replies)) > CALLS / 8
    assert len(outcomes.replies) + len(outcomes.errors) + outcomes.left == CALLS


async def test_an_open_breaker_lets_no_call_through_but_one_probe(prompt: Prompt) -> None:
    breaker = BreakerConfig(window_s=600.0, minimum_calls=20, open_s=60.0, ramp_s=0.0)
    asked: list[int] = []
    ahead_s = 0.0
    pace = Pace(clock=lambda: time.monotonic() + ahead_s)
    async with sailing("fails", "answers") as servers:
        config = configure(servers, breaker=breaker, attempts_per_target=1)
        model = replace(config.models[0], targets=("fails-whole",))
        async with aclosing(build_router(replace(config, models=(model,)), None, Parts(pace=pace))) as router:
            for patient, hasty, passed_s in ((60, 0, 0.0), (0, 60, 0.0), (1, 59, 61.0)):
                ahead_s += passed_s
                crowds = [Crowd(router, prompt), Crowd(router, prompt, deadline_s=0.2)]  # hasty ones wait for no probe
                for crowd, count in zip(crowds, (patient, hasty), strict=True):
                    for _ in range(count):
                        crowd.call()
                assert sum([len((await crowd.end()).errors) for crowd in crowds]) == 60
                asked.append(len(servers["fails"].asked))
            assert asked == [60, 60, 61]
            assert count_results(router) == [("fails-whole", 21, 21)]  # what came in after the opening does not count


async def test_of_calls_against_one_remaining_unit_one_is_made(
    database_url: str, database: Database, prompt: Prompt
) -> None:
    unit = PRICES.cost(Usage(estimate_tokens(prompt), prompt.max_output_tokens))
    budget = BudgetConfig("all", unit, "total")
    async with sailing("answers") as servers, Database(PoolConfig(database_url)) as replica, AsyncExitStack() as stack:
        crowds = []
        for pool in (database, replica):
            router = build_router(configure(servers), None, Parts(PostgresAccounts(pool, [budget])))
            stack.push_async_callback(router.aclose)
            crowds.append(Crowd(router, prompt))
        for number in range(60):
            streamed = number % 4 > 1
            crowds[number % 2].call("default-streamed" if streamed else "default", streamed=streamed)
        outcomes = [await crowd.end() for crowd in crowds]
        assert sum(len(each.replies) for each in outcomes) == len(servers["answers"].asked) == 1
    assert {type(error) for each in outcomes for error in each.errors} == {BudgetExceededError}
    assert read(database_url, ACCOUNT) == [(0, 0, SPENT_A_CALL, SPENT_A_CALL)]


@pytest.mark.parametrize("max_output_tokens", [1, 1000])
async def test_a_cap_is_passed_only_by_what_calls_cost_more_than_was_set_aside(
    max_output_tokens: int, database_url: str, database: Database, prompt: Prompt
) -> None:
    prompt = replace(prompt, max_output_tokens=max_output_tokens)
    unit = PRICES.cost(Usage(estimate_tokens(prompt), max_output_tokens))
    limit = 5 * unit
    async with sailing("answers") as servers:
        router = build_router(
            configure(servers), None, Parts(PostgresAccounts(database, [BudgetConfig("all", limit, "total")]))
        )
        crowd = Crowd(router, prompt)
        for _ in range(80):
            crowd.call()
        made = len((await crowd.end()).replies)
        await router.aclose()
        assert made == len(servers["answers"].asked) >= 5
    assert read(database_url, ACCOUNT) == [(0, 0, made * SPENT_A_CALL, made * SPENT_A_CALL)]
    assert made * SPENT_A_CALL <= limit + made * max(SPENT_A_CALL - unit, Decimal(0))

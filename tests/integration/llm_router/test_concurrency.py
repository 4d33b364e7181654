"""Many calls at once: whatever becomes of them, nothing is left behind, and what is counted is exact."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.errors import BudgetExceededError
from core.pg import Database, PoolConfig
from llm_router import (
    BreakerConfig,
    BudgetConfig,
    ExperimentConfig,
    Parts,
    PostgresAccounts,
    Prompt,
    RetryBudgetConfig,
    Router,
    Usage,
    Variant,
    build_router,
)
from llm_router.fitness import estimate_tokens
from llm_router.prices import Prices
from tests.integration.llm_router.crowd import (
    Crowd,
    cancel_some,
    count_connections,
    wait_for_tasks,
    wait_until_closed,
)
from tests.integration.llm_router.fleet import BEHAVIOURS, MODELS, PRICES, TEXT, WORDS, configure, sailing
from tests.wire import openai_chat
from tests.wire.stub import serving

CALLS = 200
KEPT_ALIVE = 100  # connections that an SDK keeps for later, to one server
COUNTS_ONLY = BreakerConfig(window_s=600.0, minimum_calls=10_000)  # never opens
LAVISH = RetryBudgetConfig(ratio=1.0, burst=10_000.0)
NOTHING_LEFT = """
SELECT (SELECT count(*) FROM llm_reservation), coalesce(sum(reserved_usd), 0), coalesce(sum(spent_usd), 0)
  = (SELECT coalesce(sum(cost_usd), 0) FROM llm_attempt) FROM llm_budget"""
ENDED = """
SELECT target, count(*) FILTER (WHERE outcome <> 'cancelled'), count(*) FILTER (WHERE outcome = 'failed')
FROM llm_attempt GROUP BY target"""


def read(url: str, query: str) -> list[tuple[Any, ...]]:
    """Read what is stored, of all tenants, past the policies."""
    with psycopg.connect(url) as conn:
        return conn.execute(query.encode()).fetchall()


def begin_calls(crowd: Crowd, random: Random, count: int = CALLS) -> list[asyncio.Task[None]]:
    """Begin calls of all models, whole and streamed; some readers of streams leave after a few words."""
    tasks: list[asyncio.Task[None]] = []
    for _ in range(count):
        name, streamed = random.choice([*MODELS]), random.random() < 0.5
        leave_after = random.randrange(1, 4) if random.random() < 0.2 else None
        tasks.append(crowd.call(f"{name}-streamed" if streamed else name, streamed=streamed, leave_after=leave_after))
    return tasks


def assert_nobody_is_busy(router: Router) -> None:
    assert {route.name: route.health.busy for route in router.routes if route.health.busy} == {}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_calls_of_which_many_are_cancelled_leave_nothing_behind(
    seed: int, database: Database, database_url: str, prompt: Prompt
) -> None:
    random = Random(seed)
    accounts = PostgresAccounts(database, [BudgetConfig("all", Decimal(1_000_000))])
    before = asyncio.all_tasks()
    async with sailing(*BEHAVIOURS) as servers:
        config = configure(servers, breaker=COUNTS_ONLY, retry_budget=LAVISH, attempts_per_target=2)
        router = build_router(config, None, Parts(accounts))
        crowd = Crowd(router, prompt)
        await cancel_some(begin_calls(crowd, random), random, share=0.5, within_s=1.5)
        outcomes = await crowd.end()
        assert_nobody_is_busy(router)
        for stub in servers.values():
            await asyncio.wait_for(stub.is_idle.wait(), 5)
            assert count_connections(stub.address) <= KEPT_ALIVE
        await router.aclose()
        await wait_until_closed(*(stub.address for stub in servers.values()))
    assert await wait_for_tasks(before) == set()
    assert read(database_url, NOTHING_LEFT) == [(0, 0, True)]
    counted = {route.name: route.health.breaker.count() for route in router.routes}
    ended = {target: (calls, failures) for target, calls, failures in read(database_url, ENDED)}
    assert {name: (each.calls, each.failures) for name, each in counted.items() if each.calls} == {
        target: counts for target, counts in ended.items() if counts[0]
    }
    assert {reply.text for reply in outcomes.replies} == {TEXT}
    assert outcomes.left > CALLS / 5
    assert len(outcomes.replies) > CALLS / 5
    assert len(outcomes.replies) + len(outcomes.errors) + outcomes.left == CALLS


async def test_the_breaker_counts_what_the_server_saw_and_lets_one_probe_through(prompt: Prompt) -> None:
    breaker = BreakerConfig(window_s=600.0, minimum_calls=20, open_s=0.4, ramp_s=0.0)
    async with sailing("fails", "stalls") as servers:
        asked = servers["fails"].asked
        config = configure(servers, breaker=breaker, attempts_per_target=1)
        router = build_router(replace(config, models=(replace(config.models[0], targets=("fails-whole",)),)), None)
        ...

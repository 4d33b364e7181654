"""Whoever leaves while reserving leaves nothing behind that outlives its reservation."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from random import Random

import psycopg
import pytest

from tests.integration.llm_router.spend.conftest import (
    ANNE,
    HOLD_S,
    WHOLE,
    Accounting,
    Clock,
    Rows,
    make_attempt,
    state_of,
)

WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """Hold the locks of all budgets."""
    with psycopg.connect(database_url) as conn:
        conn.execute("SELECT 1 FROM llm_budget FOR UPDATE")
        yield
        conn.rollback()


async def test_a_call_cancelled_while_it_waits_for_its_turn_reserves_nothing(
    accounting: Accounting, database_url: str, rows: Rows
) -> None:
    accounts = accounting(WHOLE)
    await accounts.settle(ANNE, "smart", make_attempt("1"), None)
    with locked(database_url):
        waiting = asyncio.create_task(accounts.reserve(ANNE, "smart", "main", Decimal(1)))
        while not rows(WAITING):  # noqa: ASYNC110 - what is waited for knows nothing of us
            await asyncio.sleep(0.005)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert state_of(rows) == [(Decimal(1), Decimal(0))]
    assert rows("SELECT * FROM llm_reservation") == []


async def test_calls_cancelled_at_any_moment_leave_nothing_after_expiry(
    accounting: Accounting, clock: Clock, rows: Rows
) -> None:
    accounts, random = accounting(replace(WHOLE, limit_usd=Decimal(1000))), Random(7)
    tasks = [asyncio.create_task(accounts.reserve(ANNE, "smart", "main", Decimal(1))) for _ in range(60)]
    for task in tasks:
        await asyncio.sleep(0 if task is tasks[0] else random.random() * 0.003)  # the first cannot have ended by then
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert any(isinstance(result, asyncio.CancelledError) for result in results)
    [(_, reserved)] = state_of(rows) or [(Decimal(0), Decimal(0))]
    assert rows("SELECT coalesce(sum(amount_usd), 0) FROM llm_reservation") == [(reserved,)]
    clock.advance(HOLD_S)
    last = await accounts.reserve(ANNE, "smart", "main", Decimal(1000))
    await accounts.settle(ANNE, "smart", make_attempt("0"), last)
    assert state_of(rows) == [(Decimal(0), Decimal(0))]
    assert rows("SELECT * FROM llm_reservation") == []

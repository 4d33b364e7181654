"""Whatever happens at the same time, the accounts add up."""

import asyncio
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from core.errors import BudgetExceededError
from core.pg import Database, PoolConfig
from llm_router.config import BudgetConfig
from llm_router.spend.accounts import PostgresAccounts
from tests.integration.llm_router.spend.conftest import (
    ANNE,
    BERT,
    HOLD_S,
    Accounting,
    Clock,
    Rows,
    make_attempt,
)

Spent = defaultdict[str, Decimal]
BUDGETS = (
    BudgetConfig("Tenants", Decimal(8), "hour"),
    BudgetConfig("a-targets", Decimal(9), "month", each="target"),
    BudgetConfig("b-keys", Decimal(7), each="key"),
    BudgetConfig("d-dear", Decimal(6), "total", each="target", only="dear"),
)
UNBALANCED = """
SELECT b.*, held.amount_usd FROM llm_budget b
CROSS JOIN LATERAL (
  SELECT coalesce(sum(r.amount_usd), 0) AS amount_usd FROM llm_reservation r
  WHERE (r.tenant_id, r.budget, r.subject, r.window_start) = (b.tenant_id, b.budget, b.subject, b.window_start)) AS held
WHERE b.reserved_usd <> held.amount_usd"""


def pick_amount(random: Random, most: int) -> Decimal:
    return Decimal(random.randrange(1, most)) / 1000


class Worker:
    """Reserves, then settles once or twice, too late, or never; counts what should have been counted."""

    def __init__(self, accounts: PostgresAccounts, clock: Clock, random: Random, spent: Spent) -> None:
        self._accounts, self._clock, self._random, self._spent = accounts, clock, random, spent

    async def run(self, calls: int) -> None:
        for _ in range(calls):
            await self._call()

    async def _call(self) -> None:
        random, accounts = self._random, self._accounts
        caller, target = random.choice([ANNE, BERT]), random.choice(["dear", "cheap"])
        try:
            reservation = await accounts.reserve(caller, "smart", target, pick_amount(random, 3000))
        except BudgetExceededError:
            reservation = None
            if random.random() < 0.8:
                return
        await asyncio.sleep(random.random() * 0.005)
        if random.random() < 0.2:
            self._clock.advance(random.choice([1, HOLD_S / 2, HOLD_S, 3600]))
        if random.random() < 0.1:
            return  # crashed
        cost = pick_amount(random, 500)
        attempt = make_attempt(str(cost), target=target, at=self._clock.now)
        times = 1 if reservation is None else random.choice([1, 1, 2])
        await asyncio.gather(*(accounts.settle(caller, "smart", attempt, reservation) for _ in range(times)))
        for name in ("a-targets", "b-keys", "Tenants", "d-dear"):
            if name != "d-dear" or target == "dear":
                self._spent[name] += cost


async def release_expired(accounts: PostgresAccounts, clock: Clock) -> None:
    clock.advance(HOLD_S)
    accounts.replace_budgets([replace(budget, limit_usd=Decimal(10**6)) for budget in BUDGETS])
    for caller in (ANNE, BERT):
        for target in ("dear", "cheap"):
            reservation = await accounts.reserve(caller, "smart", target, Decimal(1))
            await accounts.settle(caller, "smart", make_attempt("0", target=target, at=clock.now), reservation)


@pytest.mark.parametrize("seed", range(4))
async def test_the_accounts_add_up_whatever_happens_at_once(
    accounting: Accounting, clock: Clock, database_url: str, rows: Rows, seed: int
) -> None:
    spent: Spent = defaultdict(Decimal)
    async with Database(PoolConfig(database_url)) as a, Database(PoolConfig(database_url)) as b:
        replicas = [accounting(*BUDGETS, pool=a), accounting(*reversed(BUDGETS), pool=b)]
        workers = [Worker(replicas[n % 2], clock, Random(seed * 100 + n), spent) for n in range(16)]
        await asyncio.gather(*(worker.run(12) for worker in workers))
        assert rows(UNBALANCED) == []
        assert dict(rows("SELECT budget, sum(spent_usd) FROM llm_budget GROUP BY budget")) == spent
        await release_expired(replicas[0], clock)
    assert rows(UNBALANCED) == []
    assert rows("SELECT * FROM llm_reservation") == []
    [(deadlocks,)] = rows("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert deadlocks == 0

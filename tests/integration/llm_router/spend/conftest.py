from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.pg import Database
from llm_router.config import BudgetConfig
from llm_router.ports import Caller
from llm_router.reply import Attempt, Usage
from llm_router.spend.accounts import PostgresAccounts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOLD_S = 600.0
OTHER = UUID(int=2)
ANNE, BERT = Caller(key="anne"), Caller(OTHER, "bert")
WHOLE = BudgetConfig("whole", Decimal(10))

Accounting = Callable[..., PostgresAccounts]
Rows = Callable[[str], list[tuple[Any, ...]]]


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = field(default=NOON)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounting(database: Database, clock: Clock) -> Accounting:
    """Makes accounts with some budgets, on this test's database unless another pool is given."""

    def make(*budgets: BudgetConfig, pool: Database = database) -> PostgresAccounts:
        return PostgresAccounts(pool, budgets, clock=clock, hold_s=HOLD_S)

    return make


@pytest.fixture
def rows(database_url: str) -> Rows:
    """Reads what is stored, of all tenants, past the policies."""

    def read(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(database_url) as conn:
            return conn.execute(query.encode()).fetchall()

    return read


def make_attempt(cost: str | None = None, *, target: str = "main", at: datetime = NOON, **more: Any) -> Attempt:
    values = {
        "provider": "openai",
        "model": "large",
        "outcome": "answered",
        "error": None,
        "status": None,
        "seconds": 1.0,
        "usage": Usage(10, 20),
    }
    return Attempt(target=target, started_at=at, cost_usd=None if cost is None else Decimal(cost), **(values | more))


def state_of(rows: Rows, budget: str = "whole") -> list[tuple[Decimal, Decimal]]:
    """What the budget's accounts have spent and reserved, by subject and window."""
    known: Sequence[tuple[Any, ...]] = rows(
        "SELECT budget, spent_usd, reserved_usd FROM llm_budget ORDER BY budget, subject, window_start"
    )
    return [(spent, reserved) for name, spent, reserved in known if name == budget]

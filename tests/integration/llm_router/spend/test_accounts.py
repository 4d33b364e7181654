import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from core.errors import BudgetExceededError, StoreUnavailableError
from core.pg import Database, PoolConfig
from llm_router.config import BudgetConfig
from llm_router.ports import Caller
from llm_router.reply import Usage
from tests.integration.llm_router.spend.conftest import (
    ANNE,
    BERT,
    HOLD_S,
    WHOLE,
    Accounting,
    Clock,
    Rows,
    make_attempt,
    state_of,
)

ONE = Decimal(1)


async def test_without_a_budget_nothing_is_asked_of_postgres(accounting: Accounting, database_url: str) -> None:
    closed = Database(PoolConfig(database_url))
    assert await accounting(pool=closed).reserve(ANNE, "smart", "main", ONE) is None
    other = replace(WHOLE, only=str(BERT.tenant))
    assert await accounting(other, pool=closed).reserve(ANNE, "smart", "main", ONE) is None
    assert await accounting(WHOLE, pool=closed).reserve(ANNE, "smart", "main", Decimal(0)) is None


async def test_without_a_budget_an_attempt_is_logged_all_the_same(accounting: Accounting, rows: Rows) -> None:
    attempt = make_attempt(
        "0.0000000001",
        outcome="failed",
        error="rate_limited",
        status=429,
        usage=Usage(1, 2, 3, 4, 5, 6, estimated=True),
        raw_usage={"prompt_tokens": 1, "details": {"cached": 3}},
        first_token_s=0.5,
        price_version="2026-01",
        tier="flex",
    )
    await accounting().settle(ANNE, "smart", attempt, None)
    [row] = rows(
        "SELECT tenant_id, at, model, target, provider, target_model, api_key, outcome, error, status, seconds, "
        "first_token_s, usage, raw_usage, cost_usd, price_version, tier, estimated FROM llm_attempt"
    )
    usage = {
        "input_tokens": 1,
        "output_tokens": 2,
        "cache_read_tokens": 3,
        "cache_write_tokens": 4,
        "reasoning_tokens": 5,
        "cache_write_1h_tokens": 6,
        "estimated": True,
    }
    assert row == (
        *(ANNE.tenant, attempt.started_at, "smart", "main", "openai", "large", "anne", "failed", "rate_limited", 429),
        *(1.0, 0.5, usage, attempt.raw_usage, Decimal("0.0000000001"), "2026-01", "flex", True),
    )
    assert state_of(rows) == []


@pytest.mark.parametrize("odd", [{"n": float("nan")}, {"s": "\x00\ud800"}, {"deep": [[[]]] * 40_000}])
async def test_what_no_table_can_hold_never_keeps_the_money_from_being_counted(
    accounting: Accounting, rows: Rows, odd: dict[str, object]
) -> None:
    attempt = make_attempt("2", model="m\x00", tier="t\ud800", raw_usage=odd)
    await accounting(WHOLE).settle(ANNE, "smart", attempt, None)
    assert rows("SELECT target_model, tier, cost_usd FROM llm_attempt") == [("m", "t\ufffd", Decimal(2))]
    assert state_of(rows) == [(Decimal(2), Decimal(0))]


@pytest.mark.parametrize(("left", "granted"), [("1", 1), ("7.5", 7), ("0.999999999999999999", 0)])
async def test_calls_at_once_from_several_replicas_pass_exactly_as_many_as_fit(
    accounting: Accounting, database_url: str, rows: Rows, left: str, granted: int
) -> None:
    tight = replace(WHOLE, limit_usd=Decimal(left))
    async with (
        Database(PoolConfig(database_url, max_size=4)) as a,
        Database(PoolConfig(database_url, max_size=4)) as b,
        Database(PoolConfig(database_url, max_size=4)) as c,
    ):
        replicas = [accounting(tight, pool=pool) for pool in (a, b, c)]
        calls = (replicas[n % 3].reserve(ANNE, "smart", "main", ONE) for n in range(50))
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, UUID) for result in results) == granted
    assert sum(isinstance(result, BudgetExceededError) for result in results) == 50 - granted
    assert state_of(rows) == [(Decimal(0), Decimal(granted))]


@pytest.mark.parametrize(("cost", "spent"), [("0.25", "0.25"), ("1", "1"), ("3.5", "3.5"), ("0", "0"), ("-5", "0")])
async def test_settling_counts_the_cost_and_releases_what_was_reserved(
    accounting: Accounting, rows: Rows, cost: str, spent: str
) -> None:
    accounts = accounting(WHOLE)
    reservation = await accounts.reserve(ANNE, "smart", "main", ONE)
    await accounts.settle(ANNE, "smart", make_attempt(cost), reservation)
    assert state_of(rows) == [(Decimal(spent), Decimal(0))]
    assert rows("SELECT * FROM llm_reservation") == []


@pytest.mark.parametrize("outcome", ["failed", "cancelled"])
async def test_what_a_failed_or_cancelled_attempt_cost_is_counted(
    accounting: Accounting, rows: Rows, outcome: str
) -> None:
    accounts = accounting(WHOLE)
    for attempt in (make_attempt("0.5", outcome=outcome), make_attempt(None, outcome=outcome, usage=None)):
        await accounts.settle(ANNE, "smart", attempt, await accounts.reserve(ANNE, "smart", "main", ONE))
    assert state_of(rows) == [(Decimal("0.5"), Decimal(0))]


@pytest.mark.parametrize("cost", [None, "NaN", "Infinity"])
async def test_an_unknown_cost_counts_as_what_was_reserved(
    accounting: Accounting, rows: Rows, cost: str | None
) -> None:
    accounts = accounting(WHOLE)
    await accounts.settle(ANNE, "smart", make_attempt(cost), await accounts.reserve(ANNE, "smart", "main", ONE))
    await accounts.settle(ANNE, "smart", make_attempt(cost), None)
    assert state_of(rows) == [(ONE, Decimal(0))]
    assert rows("SELECT cost_usd FROM llm_attempt") == [(None,), (None,)]


async def test_a_reservation_settled_many_times_counts_once(accounting: Accounting, rows: Rows) -> None:
    accounts = accounting(WHOLE)
    reservation = await accounts.reserve(ANNE, "smart", "main", ONE)
    await asyncio.gather(*(accounts.settle(ANNE, "smart", make_attempt("2"), reservation) for _ in range(8)))
    assert state_of(rows) == [(Decimal(2), Decimal(0))]
    assert rows("SELECT attempt_id FROM llm_attempt") == [(reservation,)]


class Forgetful(Database):
    """Commits, and then loses the connection before it hears so, the first time."""

    forgot = False

    async def retrying(self, *args: Any, **options: Any) -> Any:
        result = await super().retrying(*args, **options)
        if not self.forgot:
            self.forgot = True
            raise StoreUnavailableError("the connection broke while committing", outcome="unknown")
        return result


@pytest.mark.parametrize("reserved", [True, False])
async def test_a_settlement_of_which_nobody_knows_whether_it_was_stored_counts_once(
    accounting: Accounting, database_url: str, rows: Rows, reserved: bool
) -> None:
    reservation = await accounting(WHOLE).reserve(ANNE, "smart", "main", ONE) if reserved else None
    async with Forgetful(PoolConfig(database_url)) as forgetful:
        await accounting(WHOLE, pool=forgetful).settle(ANNE, "smart", make_attempt("2"), reservation)
    assert forgetful.forgot
    assert state_of(rows) == [(Decimal(2), Decimal(0))]
    assert len(rows("SELECT * FROM llm_attempt")) == 1


async def test_an_unknown_cost_counts_as_nothing_once_its_reservation_is_gone(
    accounting: Accounting, clock: Clock, rows: Rows
) -> None:
    accounts = accounting(replace(WHOLE, limit_usd=ONE))
    slow = await accounts.reserve(ANNE, "smart", "main", ONE)
    clock.advance(HOLD_S)
    await accounts.reserve(ANNE, "smart", "main", ONE)
    await accounts.settle(ANNE, "smart", make_attempt(None), slow)
    assert state_of(rows) == [(Decimal(0), ONE)]


async def test_an_attempt_that_nothing_was_reserved_for_counts_too(accounting: Accounting, rows: Rows) -> None:
    await accounting(WHOLE).settle(ANNE, "smart", make_attempt("2"), None)
    assert state_of(rows) == [(Decimal(2), Decimal(0))]


async def test_all_budgets_are_reserved_or_none(accounting: Accounting, rows: Rows) -> None:
    small = BudgetConfig("small", Decimal(1), each="key")
    target = BudgetConfig("target", Decimal(3), each="target")
    accounts = accounting(WHOLE, small, target)
    reservation = await accounts.reserve(ANNE, "smart", "main", ONE)
    with pytest.raises(BudgetExceededError) as refused:
        await accounts.reserve(ANNE, "smart", "main", ONE)
    assert refused.value.details["budget"] == "small"
    for name in ("whole", "small", "target"):
        assert state_of(rows, name) == [(Decimal(0), ONE)]
    await accounts.settle(ANNE, "smart", make_attempt("0.5"), reservation)
    for name in ("whole", "small", "target"):
        assert state_of(rows, name) == [(Decimal("0.5"), Decimal(0))]


async def test_each_key_has_its_own_cap_and_calls_without_one_share_theirs(accounting: Accounting) -> None:
    accounts = accounting(BudgetConfig("keys", ONE, each="key"))
    for key in ("a", "b", ""):
        await accounts.reserve(Caller(key=key), "smart", "main", ONE)
    for key in ("a", "b", ""):
        with pytest.raises(BudgetExceededError, match=f"the key '{key}'"):
            await accounts.reserve(Caller(key=key), "smart", "main", ONE)


async def test_a_models_cap_counts_what_its_targets_cost_together(accounting: Accounting) -> None:
    accounts = accounting(BudgetConfig("clever", ONE, each="model", only="smart"))
    await accounts.settle(
        ANNE, "smart", make_attempt("0.75"), await accounts.reserve(ANNE, "smart", "main", Decimal("0.5"))
    )
    assert await accounts.reserve(BERT, "fast", "main", ONE) is None
    with pytest.raises(BudgetExceededError, match="for the model 'smart'"):
        await accounts.reserve(BERT, "smart", "other", Decimal("0.5"))


async def test_a_targets_cap_is_shared_by_all_tenants_and_tells_neither_of_the_other(accounting: Accounting) -> None:
    accounts = accounting(BudgetConfig("dear", ONE, each="target", only="main"))
    await accounts.settle(ANNE, "m", make_attempt("0.75"), await accounts.reserve(ANNE, "smart", "main", ONE))
    assert await accounts.reserve(BERT, "smart", "other", ONE) is None
    with pytest.raises(BudgetExceededError) as refused:
        await accounts.reserve(BERT, "smart", "main", ONE)
    assert "spent_usd" not in refused.value.details
    assert "0.75" not in str(refused.value)
    with pytest.raises(BudgetExceededError) as refused:
        await accounts.reserve(ANNE, "smart", "main", ONE)
    assert refused.value.details["spent_usd"] == "0.75"


async def test_a_new_window_begins_empty_and_an_old_one_is_settled_in_its_place(
    accounting: Accounting, clock: Clock, rows: Rows
) -> None:
    accounts = accounting(replace(WHOLE, limit_usd=ONE))
    clock.advance(12 * 3600 - 300)
    late = await accounts.reserve(ANNE, "smart", "main", ONE)
    with pytest.raises(BudgetExceededError) as refused:
        await accounts.reserve(ANNE, "smart", "main", ONE)
    assert refused.value.details["retry_after_s"] == 5  # only a running call stands in the way
    clock.advance(300)
    fresh = await accounts.reserve(ANNE, "smart", "main", ONE)
    await accounts.settle(ANNE, "smart", make_attempt("0.5", at=clock.now), late)
    assert state_of(rows) == [(Decimal("0.5"), Decimal(0)), (Decimal(0), ONE)]
    await accounts.settle(ANNE, "smart", make_attempt("0.25", at=clock.now), fresh)
    assert state_of(rows) == [(Decimal("0.5"), Decimal(0)), (Decimal("0.25"), Decimal(0))]


async def test_what_a_crashed_process_reserved_is_released_when_it_expires(
    accounting: Accounting, clock: Clock, rows: Rows
) -> None:
    accounts = accounting(replace(WHOLE, limit_usd=ONE))
    crashed = await accounts.reserve(ANNE, "smart", "main", ONE)
    clock.advance(HOLD_S - 1)
    with pytest.raises(BudgetExceededError):
        await accounts.reserve(ANNE, "smart", "main", ONE)
    clock.advance(1)
    assert await accounts.reserve(ANNE, "smart", "main", ONE) is not None
    assert state_of(rows) == [(Decimal(0), ONE)]
    await accounts.settle(ANNE, "smart", make_attempt("0.5"), crashed)  # it was only slow
    assert state_of(rows) == [(Decimal("0.5"), ONE)]
    await accounts.settle(ANNE, "smart", make_attempt("0.5"), crashed)
    assert state_of(rows) == [(Decimal("0.5"), ONE)]


async def test_what_expired_in_a_window_that_is_over_is_released_too(
    accounting: Accounting, clock: Clock, rows: Rows
) -> None:
    accounts = accounting(WHOLE)
    await accounts.reserve(ANNE, "smart", "main", ONE)
    clock.advance(24 * 3600)
    await accounts.reserve(ANNE, "smart", "main", ONE)
    assert state_of(rows) == [(Decimal(0), Decimal(0)), (Decimal(0), ONE)]
    assert len(rows("SELECT * FROM llm_reservation")) == 1


async def test_budgets_may_be_replaced_while_calls_are_running(accounting: Accounting, rows: Rows) -> None:
    accounts = accounting(WHOLE)
    first, second = [await accounts.reserve(ANNE, "smart", "main", ONE) for _ in range(2)]
    accounts.replace_budgets([BudgetConfig("new", ONE, "month")])
    await accounts.settle(ANNE, "smart", make_attempt("0.5"), first)
    assert (state_of(rows), state_of(rows, "new")) == ([(Decimal("0.5"), ONE)], [(Decimal("0.5"), Decimal(0))])
    accounts.replace_budgets([])
    await accounts.settle(ANNE, "smart", make_attempt("0.5"), second)
    assert (state_of(rows), state_of(rows, "new")) == ([(ONE, Decimal(0))], [(Decimal("0.5"), Decimal(0))])

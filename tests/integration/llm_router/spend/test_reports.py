from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.pg import Database
from llm_router.config import BudgetConfig
from llm_router.ports import Caller
from llm_router.reply import NO_USAGE, Usage
from llm_router.spend.reports import SpendBy, read_budgets, read_spend
from tests.integration.llm_router.spend.conftest import (
    ANNE,
    HOLD_S,
    NOON,
    OTHER,
    WHOLE,
    Accounting,
    Clock,
    make_attempt,
)

DAY = timedelta(days=1)


@pytest.fixture
async def spent(accounting: Accounting) -> None:
    accounts = accounting()
    full = Usage(1, 2, 3, 4, 5, 6)
    for n in range(1, 5):
        await accounts.settle(ANNE, "smart", make_attempt("0.1", usage=full, seconds=float(n)), None)
    slow = make_attempt("0.2", outcome="failed", error="timeout", seconds=99.0, usage=Usage(7, 0, estimated=True))
    await accounts.settle(ANNE, "smart", slow, None)
    await accounts.settle(ANNE, "fast", make_attempt(None, outcome="cancelled", usage=None, at=NOON + DAY), None)
    await accounts.settle(Caller(), "fast", make_attempt(None, target="home", at=NOON + DAY), None)
    await accounts.settle(Caller(), "fast", make_attempt(None, target="home", usage=NO_USAGE), None)


@pytest.mark.usefixtures("spent")
async def test_attempts_are_counted_and_added_up(database: Database) -> None:
    main, home = (await read_spend(database, ANNE.tenant, since=NOON, until=NOON + 2 * DAY, by="target"))[::-1]
    assert (main.part, main.calls, main.answered, main.failed, main.cancelled) == ("main", 6, 4, 1, 1)
    assert main.usage == Usage(11, 8, 12, 16, 20, 24, estimated=True)
    assert (main.cost_usd, main.unpriced, main.estimated) == (Decimal("0.6"), 0, 1)
    assert main.seconds_p50 == pytest.approx(2.5)
    assert main.seconds_p95 == pytest.approx(3.85)
    assert (home.part, home.calls, home.cost_usd, home.unpriced) == ("home", 2, Decimal(0), 1)


@pytest.mark.usefixtures("spent")
@pytest.mark.parametrize(
    ("by", "parts"),
    [
        ("target", {"main": 6, "home": 2}),
        ("model", {"smart": 5, "fast": 3}),
        ("key", {"anne": 6, "": 2}),
        ("day", {"2026-03-01": 6, "2026-03-02": 2}),
    ],
)
async def test_spending_is_told_by_what_is_asked(database: Database, by: SpendBy, parts: dict[str, int]) -> None:
    spends = await read_spend(database, ANNE.tenant, since=NOON, until=NOON + 2 * DAY, by=by)
    assert {spend.part: spend.calls for spend in spends} == parts


@pytest.mark.usefixtures("spent")
async def test_a_span_takes_its_beginning_and_leaves_its_end(database: Database) -> None:
    spends = await read_spend(database, ANNE.tenant, since=NOON + DAY, until=NOON + 2 * DAY, by="day")
    assert [spend.calls for spend in spends] == [2]
    assert spends[0].seconds_p50 is not None
    assert await read_spend(database, ANNE.tenant, since=NOON - DAY, until=NOON, by="day") == ()


async def test_budgets_are_told_as_they_stand_in_their_window(
    database: Database, accounting: Accounting, clock: Clock
) -> None:
    budgets = (
        WHOLE,
        BudgetConfig("dear", Decimal(5), "month", each="target", only="dear"),
        BudgetConfig("others", Decimal(7), each="tenant", only=str(OTHER)),
        BudgetConfig("keys", Decimal(1), "total", each="key"),
    )
    accounts = accounting(*budgets)
    await accounts.settle(
        ANNE, "smart", make_attempt("1.5"), await accounts.reserve(ANNE, "smart", "main", Decimal("0.5"))
    )
    with pytest.raises(Exception, match="'keys'"):
        await accounts.reserve(ANNE, "smart", "dear", Decimal("0.5"))
    await accounts.reserve(Caller(key="zoe"), "smart", "dear", Decimal("0.5"))

    async def read() -> list[tuple[object, ...]]:
        return [
            (s.budget.name, s.subject, s.spent_usd, s.reserved_usd, s.left_usd, s.window_end)
            for s in await read_budgets(database, ANNE.tenant, budgets, now=clock.now)
        ]

    half, tomorrow, april = Decimal("0.5"), datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    one_and_half = Decimal("1.5")
    assert await read() == [
        ("dear", "dear", 0, half, Decimal("4.5"), april),
        ("keys", "anne", one_and_half, 0, -half, None),
        ("keys", "zoe", 0, half, half, None),
        ("whole", str(ANNE.tenant), one_and_half, half, 8, tomorrow),
    ]
    clock.advance(HOLD_S)  # what was set aside has expired, though nobody released it yet
    assert [state[3] for state in await read()] == [0, 0, 0, 0]
    clock.advance(24 * 3600)
    assert [state[:4] for state in await read()] == [
        ("dear", "dear", 0, 0),
        ("keys", "anne", one_and_half, 0),
        ("keys", "zoe", 0, 0),
        ("whole", str(ANNE.tenant), 0, 0),
    ]

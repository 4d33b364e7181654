"""No tenant sees or touches what another spent."""

from decimal import Decimal
from uuid import uuid4

import pytest

from core.errors import DatabaseUnfitError, ForbiddenError
from core.pg import Database
from llm_router.config import BudgetConfig
from llm_router.reply import Usage
from llm_router.spend.reports import read_budgets, read_spend
from tests.integration.llm_router.spend.conftest import (
    ANNE,
    BERT,
    NOON,
    OTHER,
    WHOLE,
    Accounting,
    make_attempt,
)

TABLES = ("llm_attempt", "llm_budget", "llm_reservation")
SHARED = BudgetConfig("shared", Decimal(100), each="target")


@pytest.fixture
async def spent(accounting: Accounting) -> None:
    """The first tenant has spent, and has a call running."""
    accounts = accounting(WHOLE, SHARED)
    await accounts.settle(ANNE, "smart", make_attempt("1"), await accounts.reserve(ANNE, "smart", "main", Decimal(2)))
    await accounts.reserve(ANNE, "smart", "main", Decimal(2))


@pytest.mark.usefixtures("spent")
@pytest.mark.parametrize("table", TABLES)
async def test_rows_are_seen_by_their_own_tenant_only(database: Database, table: str) -> None:
    count = f"SELECT count(*) FROM {table}".encode()
    for tenant, seen in ((ANNE.tenant, True), (OTHER, False), (uuid4(), False)):
        async with database.transaction(tenant) as conn:
            [row] = await (await conn.execute(count)).fetchall()
            assert (row[0] > 0) is seen


@pytest.mark.usefixtures("spent")
async def test_reports_tell_a_tenant_of_its_own_only(database: Database) -> None:
    span = {"since": NOON, "until": NOON.replace(hour=13)}
    assert [spend.usage for spend in await read_spend(database, ANNE.tenant, **span, by="day")] == [Usage(10, 20)]
    assert await read_spend(database, OTHER, **span, by="day") == ()
    [state] = await read_budgets(database, OTHER, [WHOLE], now=NOON)
    assert (state.subject, state.spent_usd, state.reserved_usd) == (str(OTHER), Decimal(0), Decimal(0))


async def test_nobody_writes_for_another_or_into_the_past(database: Database, accounting: Accounting) -> None:
    await accounting().settle(BERT, "smart", make_attempt("1"), None)
    insert = "INSERT INTO llm_budget (tenant_id, budget, subject, window_start) VALUES (%s, 'b', 's', now())"
    with pytest.raises(ForbiddenError):
        async with database.transaction(OTHER) as conn:
            await conn.execute(insert, (ANNE.tenant,))
    for statement in ("UPDATE llm_attempt SET cost_usd = 0", "DELETE FROM llm_attempt", "DELETE FROM llm_budget"):
        with pytest.raises(DatabaseUnfitError):
            async with database.transaction(OTHER) as conn:
                await conn.execute(statement)


async def test_an_account_that_is_shared_leaves_the_transaction_with_its_tenant(database: Database) -> None:
    async with database.transaction(OTHER) as conn:
        await conn.execute(
            "SELECT lattice_reserve_spend(%s, 1, now(), now(), ARRAY[%s::uuid], '{b}', '{s}', ARRAY[now()], '{5}'), "
            "lattice_settle_spend(%s, 1, %s, ARRAY[%s::uuid], '{b}', '{s}', ARRAY[now()])",
            (uuid4(), ANNE.tenant, uuid4(), ANNE.tenant, ANNE.tenant),
        )
        [row] = await (await conn.execute("SELECT current_setting('lattice.tenant')")).fetchall()
    assert row == (str(OTHER),)

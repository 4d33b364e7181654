"""What was spent on what, and what is left of every budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias
from uuid import UUID

from psycopg.rows import dict_row

from core.clock import utc_now
from core.pg import Connection, Database
from core.sql import load_queries
from llm_router.config import BudgetConfig
from llm_router.ports import FIRST_TENANT
from llm_router.reply import Usage
from llm_router.spend.caps import subject_of, window_end, window_start

_SQL = load_queries("llm_router.spend.sql", "reports.sql")
_BUCKETS = tuple(field.name for field in fields(Usage) if field.name != "estimated")

SpendBy: TypeAlias = Literal["target", "model", "key", "day"]


@dataclass(frozen=True, slots=True)
class Spend:
    """What the attempts of one target, logical model, API key or day came to.

    Attributes:
        part: which target, model, key or day (of UTC, as 2026-03-01).
        calls: attempts, however they ended.
        usage: of all of them.
        cost_usd: of all whose cost is known.
        unpriced: attempts that used tokens at a price that is not known.
        estimated: attempts whose usage is our guess.
        seconds_p50: half of the answers took no longer; None if nothing was answered.
        seconds_p95: 95 of 100 answers took no longer; None if nothing was answered.
    """

    part: str
    calls: int
    answered: int
    failed: int
    cancelled: int
    usage: Usage
    cost_usd: Decimal
    unpriced: int
    estimated: int
    seconds_p50: float | None
    seconds_p95: float | None


@dataclass(frozen=True, slots=True)
class BudgetState:
    """How one cap stands in its present window.

    Attributes:
        subject: the tenant's id, the key's name or the target's.
        reserved_usd: set aside for calls that are running.
        window_end: when all of it is there again; None if never.
    """

    budget: BudgetConfig
    subject: str
    spent_usd: Decimal
    reserved_usd: Decimal
    window_end: datetime | None

    @property
    def left_usd(self) -> Decimal:
        """What may still be reserved; below 0 if calls cost more than was set aside for them."""
        return self.budget.limit_usd - self.spent_usd - self.reserved_usd


async def read_spend(
    database: Database, tenant: UUID, *, since: datetime, until: datetime, by: SpendBy
) -> tuple[Spend, ...]:
    """Return what a tenant's attempts that began from `since` until before `until` came to, in the parts' order."""
    values = {"since": since, "until": until, "by": by}
    rows = await _read(database, tenant, "read_spend", values)
    return tuple(_to_spend(row) for row in rows)


async def read_budgets(
    database: Database, tenant: UUID, budgets: Sequence[BudgetConfig], *, now: datetime | None = None
) -> tuple[BudgetState, ...]:
    """Return how the caps that concern a tenant stand: its own, those of its keys, and those that all share.

    A cap of which nothing was ever spent in its window is told only where the configuration names its subject, or
    the tenant is the subject. Caps of models and targets are the whole service's: not every tenant should be shown
    them.
    """
    now = now or utc_now()
    states: list[BudgetState] = []
    for owner, shared in ((tenant, False), (FIRST_TENANT, True)):
        owned = [budget for budget in budgets if budget.is_shared is shared]
        if owned:
            values = {
                "budgets": [budget.name for budget in owned],
                "starts": [window_start(budget, now) for budget in owned],
                "now": now,
            }
            rows = await _read(database, owner, "read_budgets", values)
            found = {(row["budget"], row["subject"]): row for row in rows}
            states += (state for budget in owned for state in _list_states(budget, tenant, found, now))
    return tuple(sorted(states, key=lambda state: (state.budget.name, state.subject)))


def _list_states(
    budget: BudgetConfig, tenant: UUID, found: Mapping[tuple[str, str], Mapping[str, Any]], now: datetime
) -> list[BudgetState]:
    """Return the states of one budget: of its one subject, or of all that were found."""
    subjects = {subject for name, subject in found if name == budget.name}
    if budget.each == "tenant":
        subjects = {str(tenant)}
    if budget.only is not None:
        only = subject_of(budget, budget.only)
        subjects = {only} if budget.each != "tenant" else subjects & {only}
    nothing = {"spent_usd": Decimal(0), "reserved_usd": Decimal(0)}
    ends = window_end(budget, window_start(budget, now))
    rows = ((subject, found.get((budget.name, subject), nothing)) for subject in subjects)
    return [BudgetState(budget, subject, row["spent_usd"], row["reserved_usd"], ends) for subject, row in rows]


def _to_spend(row: Mapping[str, Any]) -> Spend:
    usage = Usage(**{name: int(row[name]) for name in _BUCKETS}, estimated=row["estimated"] > 0)
    same = {field.name: row[field.name] for field in fields(Spend) if field.name != "usage"}
    return Spend(**same, usage=usage)


async def _read(database: Database, tenant: UUID, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    async def read(conn: Connection) -> list[dict[str, Any]]:
        async with conn.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SQL[query], values)
            return await cursor.fetchall()

    return await database.retrying(tenant, read, read_only=True)

"""Which caps a call falls under, and when their windows begin and end. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from llm_router.config import BudgetConfig
from llm_router.ports import FIRST_TENANT, Caller

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Where the window of a total begins: before all spending."""


@dataclass(frozen=True, slots=True)
class Cap:
    """A budget as it stands for one subject.

    Attributes:
        owner: whose rows its account is in: the tenant's own, or the first tenant's for a cap that all share.
        subject: the tenant's id, or the name of the key, model or target; calls without a key share the key "".
    """

    budget: BudgetConfig
    owner: UUID
    subject: str


def find_caps(budgets: Sequence[BudgetConfig], caller: Caller, model: str, target: str) -> tuple[Cap, ...]:
    """Return every cap that a call of a target for a model falls under, by the names of the budgets."""
    subjects = {"tenant": str(caller.tenant), "key": caller.key, "model": model, "target": target}
    caps = (
        Cap(budget, FIRST_TENANT if budget.is_shared else caller.tenant, subjects[budget.each])
        for budget in sorted(budgets, key=lambda budget: budget.name)
    )
    return tuple(
        cap for cap in caps if cap.budget.only is None or subject_of(cap.budget, cap.budget.only) == cap.subject
    )


def subject_of(budget: BudgetConfig, name: str) -> str:
    """Return a name as the budget's subject; ids of tenants are spelled in one way."""
    return name.strip().lower() if budget.each == "tenant" else name


def window_start(budget: BudgetConfig, at: datetime) -> datetime:
    """Return when the budget's window around a moment began, in UTC."""
    at = at.astimezone(UTC)
    if budget.window == "total":
        return BEGINNING
    if budget.window == "hour":
        return at.replace(minute=0, second=0, microsecond=0)
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if budget.window == "day" else day.replace(day=1)


def window_end(budget: BudgetConfig, start: datetime) -> datetime | None:
    """Return when the window that began then ends; None if it never does."""
    if budget.window == "total":
        return None
    if budget.window == "month":
        return (start + timedelta(days=32)).replace(day=1)
    return start + (timedelta(hours=1) if budget.window == "hour" else timedelta(days=1))

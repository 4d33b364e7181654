"""Says why a caller may not spend any more, and when it may again. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.errors import BudgetExceededError
from llm_router.ports import Caller
from llm_router.spend.caps import Cap, window_end, window_start

_NEVER = datetime.max.replace(tzinfo=UTC)
RUNNING = timedelta(seconds=5)
"""After that time it is worth asking again what running calls have left of what they set aside."""

_EACH_WINDOW = {"hour": " an hour", "day": " a day", "month": " a month", "total": " in all"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What one cap had spent and set aside when something was to be reserved, in US dollars."""

    cap: Cap
    spent_usd: Decimal
    reserved_usd: Decimal

    def lacks(self, amount_usd: Decimal) -> bool:
        """Say whether less than this amount is left."""
        return self.spent_usd + self.reserved_usd + amount_usd > self.cap.budget.limit_usd

    def has_room_at(self, amount_usd: Decimal, now: datetime) -> datetime:
        """Return when this amount may fit: with the next window, or sooner if only running calls stand in its way."""
        if self.spent_usd + amount_usd <= self.cap.budget.limit_usd:
            return min(now + RUNNING, _end(self.cap, now))
        return _end(self.cap, now)


def explain_refusal(
    standings: Iterable[Standing], amount_usd: Decimal, caller: Caller, now: datetime
) -> BudgetExceededError:
    """Return the error for an amount that at least one of these caps does not have.

    It names the cap that has room last, since the amount will not fit before. What a cap that all tenants share
    has spent is not told to one of them.
    """
    short = [standing for standing in standings if standing.lacks(amount_usd)]
    last = max(short, key=lambda each: (amount_usd > each.cap.budget.limit_usd, each.has_room_at(amount_usd, now)))
    cap, budget = last.cap, last.cap.budget
    details: dict[str, object] = {
        "budget": budget.name,
        "subject": cap.subject,
        "limit_usd": f"{budget.limit_usd:f}",
        "amount_usd": f"{amount_usd:f}",
    }
    state = "less is left"
    if cap.owner == caller.tenant:
        details |= {"spent_usd": f"{last.spent_usd:f}", "reserved_usd": f"{last.reserved_usd:f}"}
        state = f"{last.spent_usd:f} are spent and {last.reserved_usd:f} set aside for running calls"
    limit = f"{budget.limit_usd:f} USD{_EACH_WINDOW[budget.window]} for the {budget.each} {cap.subject!r}"
    call = f"this call may cost {amount_usd:f} USD"
    if amount_usd > budget.limit_usd:
        message = f"budget {budget.name!r}: {call}, more than the whole limit of {limit}; ask for a shorter answer"
        return BudgetExceededError(message, **details)
    room_at = last.has_room_at(amount_usd, now)
    if room_at != _NEVER:
        details["retry_after_s"] = math.ceil((room_at - now).total_seconds())
    return BudgetExceededError(f"budget {budget.name!r}: {call}; of {limit}, {state}", **details)


def _end(cap: Cap, now: datetime) -> datetime:
    return window_end(cap.budget, window_start(cap.budget, now)) or _NEVER

"""Accounts in Postgres: caps that all replicas share, and the log of everything that was spent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from core.clock import utc_now
from core.errors import InvalidInputError, StoreUnavailableError
from core.pg import Connection, Database
from core.sql import load_queries
from core.text import clean_object, make_storable
from llm_router.config import BudgetConfig
from llm_router.ports import FIRST_TENANT, Caller
from llm_router.reply import Attempt
from llm_router.spend.caps import Cap, find_caps, window_start
from llm_router.spend.refusal import Standing, explain_refusal

_SQL = load_queries("llm_router.spend.sql", "accounts.sql")

HOLD_S = 600.0
"""How long a reservation holds unless it is settled before: longer than any attempt, since only crashes leave one."""


@dataclass(frozen=True, slots=True)
class _Reserved:
    """Whether an amount was reserved, and what each cap, in their order, had spent and reserved before."""

    granted: bool
    spent: list[Decimal]
    reserved: list[Decimal]


class PostgresAccounts:
    """Reserves before an attempt, settles after it; satisfies `Accounts`.

    What is reserved counts against a cap like what is spent, so that calls at the same time, in whatever process,
    cannot pass it together. A reservation that is never settled, since its process died, is released by whoever
    reserves next after `hold_s`. A cost counts in the window in which it was reserved, else in that of the attempt's
    start.

    A cost that is not known counts as what was reserved for it, and as nothing if nothing was: no reservation, or one
    that was released meanwhile, or an attempt that used no tokens. What costs nothing is never refused.
    """

    def __init__(
        self,
        database: Database,
        budgets: Sequence[BudgetConfig],
        *,
        clock: Callable[[], datetime] = utc_now,
        hold_s: float = HOLD_S,
    ) -> None:
        self._database = database
        self._budgets = tuple(budgets)
        self._clock = clock
        self._hold = timedelta(seconds=hold_s)

    def replace_budgets(self, budgets: Sequence[BudgetConfig]) -> None:
        """Go by other budgets from now on; what is reserved of the old ones is settled there."""
        self._budgets = tuple(budgets)

    async def reserve(self, caller: Caller, model: str, target: str, amount_usd: Decimal) -> UUID | None:
        """Set an amount aside in every cap that the call falls under, or in none of them.

        Returns:
            The reservation; None if there is no such cap or the amount is 0: then nothing was asked of Postgres.

        Raises:
            BudgetExceededError: less than that is left; names the cap that will be short the longest.
            LatticeError: as `Database.transaction`; whatever may have been reserved is released after `hold_s`.
        """
        caps = find_caps(self._budgets, caller, model, target) if amount_usd > 0 else ()
        if not caps:
            return None
        reservation, now = uuid4(), self._clock()
        values = _list_caps(caps, now) | {
            "limits": [cap.budget.limit_usd for cap in caps],
            "reservation": reservation,
            "amount": amount_usd,
            "now": now,
            "expires": now + self._hold,
        }

        async def set_aside(conn: Connection) -> _Reserved:
            async with conn.cursor(row_factory=class_row(_Reserved)) as cursor:
                await cursor.execute(_SQL["reserve"], values)
                return (await cursor.fetchall())[0]

        found = await self._database.retrying(caller.tenant, set_aside)
        if not found.granted:
            raise explain_refusal(map(Standing, caps, found.spent, found.reserved), amount_usd, caller, now)
        return reservation

    async def settle(self, caller: Caller, model: str, attempt: Attempt, reservation: UUID | None) -> None:
        """Log an attempt, count its cost in every cap and release the reservation, all at once.

        Settling a reservation twice counts once. It counts also if the reservation was released meanwhile.

        Raises:
            LatticeError: as `Database.transaction`.
        """
        counted = _count(attempt)
        caps = find_caps(self._budgets, caller, model, attempt.target) if counted else ()
        values = (
            _list_caps(caps, attempt.started_at)
            | _attempt_values(caller, model, attempt)
            | {
                "attempt_id": reservation or uuid4(),
                "counted": counted,
                "counts": bool(caps) or reservation is not None,
                "sharing": FIRST_TENANT,
            }
        )

        async def enter(conn: Connection) -> None:
            await conn.execute(_SQL["settle"], values)

        try:
            await self._database.retrying(caller.tenant, enter)
        except StoreUnavailableError as e:
            if e.details.get("outcome") != "unknown":
                raise
            await self._database.retrying(caller.tenant, enter)  # if it was stored after all, this changes nothing


def _list_caps(caps: Sequence[Cap], at: datetime) -> dict[str, Any]:
    return {
        "owners": [cap.owner for cap in caps],
        "budgets": [cap.budget.name for cap in caps],
        "subjects": [cap.subject for cap in caps],
        "starts": [window_start(cap.budget, at) for cap in caps],
    }


def _count(attempt: Attempt) -> Decimal | None:
    """Return what an attempt counts for; None if that is not known."""
    cost = _finite(attempt.cost_usd)
    if cost is not None:
        return max(cost, Decimal(0))  # no provider's word makes a budget larger
    return Decimal(0) if attempt.usage is None else None


def _finite(cost: Decimal | None) -> Decimal | None:
    return None if cost is None or not cost.is_finite() else cost


def _attempt_values(caller: Caller, model: str, attempt: Attempt) -> dict[str, Any]:
    return {
        "at": attempt.started_at,
        "model": model,
        "target": attempt.target,
        "provider": attempt.provider,
        "target_model": make_storable(attempt.model),
        "api_key": caller.key,
        "outcome": attempt.outcome,
        "error": attempt.error,
        "status": attempt.status,
        "seconds": attempt.seconds,
        "first_token_s": attempt.first_token_s,
        "usage": None if attempt.usage is None else Jsonb(asdict(attempt.usage)),
        "raw_usage": _raw(attempt.raw_usage),
        "cost_usd": _finite(attempt.cost_usd),
        "price_version": attempt.price_version,
        "tier": None if attempt.tier is None else make_storable(attempt.tier),
        "estimated": attempt.usage is not None and attempt.usage.estimated,
    }


def _raw(usage: Mapping[str, object] | None) -> Jsonb | None:
    try:
        return None if usage is None else Jsonb(clean_object(usage, "raw_usage"))
    except InvalidInputError:  # a provider may send what it likes; the money is counted all the same
        return None

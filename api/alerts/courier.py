"""The courier: takes messages that are due, sends them, and tries again later what was not taken.

Messages lie in Postgres. A courier claims some for a while: should its process die, they are due again, for whichever
process looks next. So each is delivered at least once, or given up after many attempts.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from api.alerts.messages import GONE, Outcome, Sender
from api.alerts.webhooks import fetch_all
from core.clock import utc_now
from core.errors import UnavailableError
from core.pg import Connection, Database

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CourierConfig:
    """How a courier works, in seconds.

    Attributes:
        again_s: how long to wait after the first failed attempt, after the second, and so on; then it is given up.
        lease_s: how long a claim holds: longer than an attempt can take.
        look_s: how often to look for what other processes left.
        batch: messages at a time.
    """

    again_s: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0)
    lease_s: float = 120.0
    look_s: float = 5.0
    batch: int = 10


CONFIG = CourierConfig()


class Courier:
    """Delivers messages of one tenant."""

    def __init__(self, database: Database, tenant: UUID, sender: Sender, config: CourierConfig = CONFIG) -> None:
        self._database, self._tenant, self._sender, self._config = database, tenant, sender, config
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until it is cancelled; what is under way then is due again later."""
        while True:
            self._woken.clear()
            wait_s = self._config.look_s
            try:
                wait_s = 0.0 if await self.deliver_due() else await self._find_wait()
            except UnavailableError as e:
                _log.warning("webhooks_not_delivered", code=e.code, reason=e.message)
            except Exception:  # noqa: BLE001 - the outermost loop: one failed look must not be the last
                _log.exception("webhooks_not_delivered")
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()

    async def deliver_due(self) -> int:
        """Try to deliver some of what is due; return how many messages that were."""
        values = {"lease_s": self._config.lease_s, "limit": self._config.batch}
        async with self._database.transaction(self._tenant) as conn:
            claimed = await fetch_all(conn, "claim", values)
        outcomes = await asyncio.gather(*(self._send(message) for message in claimed))
        if claimed:
            async with self._database.transaction(self._tenant) as conn:
                for message, outcome in zip(claimed, outcomes, strict=True):
                    await self._settle(conn, message, outcome)
        return len(claimed)

    async def _send(self, message: dict[str, Any]) -> Outcome:
        return await self._sender.send(
            message["delivery_id"], message["url"], message["secret"], message["body"], utc_now()
        )

    async def _settle(self, conn: Connection, message: dict[str, Any], outcome: Outcome) -> None:
        waits, attempts = self._config.again_s, message["attempts"]
        again_s = waits[attempts - 1] if attempts <= len(waits) else None
        if outcome.delivered or outcome.status == GONE:
            again_s = None
        told = {"webhook": str(message["webhook_id"]), "attempt": attempts, "status": outcome.status}
        if outcome.delivered:
            _log.info("webhook_delivered", **told)
        else:
            _log.warning("webhook_refused", **told, reason=outcome.error, again_in_s=again_s)
        values = {
            "delivery_id": message["delivery_id"],
            "delivered": outcome.delivered,
            "status": outcome.status,
            "error": outcome.error,
            "again_s": again_s,
        }
        await fetch_all(conn, "settle", values)
        if outcome.status == GONE:
            await fetch_all(conn, "disable_webhook", {"webhook_id": message["webhook_id"]})

    async def _find_wait(self) -> float:
        """Return how long nothing is due, at the most as long as it takes until the next look."""
        async with self._database.transaction(self._tenant, read_only=True) as conn:
            (row,) = await fetch_all(conn, "find_next_due", {})
        due_s = row["wait_s"]
        return self._config.look_s if due_s is None else min(self._config.look_s, max(0.0, due_s))

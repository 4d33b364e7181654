"""The watch: looks at the service again and again, judges the rules, and sees to it that what follows happens once.

Every process of the service watches. What they agree on lies in Postgres: there is at most one open alert of a rule
about a subject, whoever finds it; it ends when no process sees any more that it is not over; others are told once.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from api.alerts import store
from api.alerts.evaluation import Key, Plan, Sample, plan_look
from api.alerts.rules import Rule, Severity, merge_rules
from api.alerts.samples import list_samples
from api.alerts.store import Alert, Change
from api.alerts.webhooks import enqueue, forget_deliveries
from api.live.reading import Reading
from core.errors import UnavailableError
from core.pg import Connection, Database
from gems import Moment

MOST_SUBJECTS = 100  # gems that one rule alerts about at a time
OVERLAP = timedelta(seconds=30)  # looked back for changes, since transactions end in another order than they begin
FORGET_EVERY = timedelta(hours=1)
KEPT_DAYS = 90
DELIVERIES_KEPT_DAYS = 7
LEAST_GRACE_S = 5.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look came to.

    Attributes:
        changed: alerts that changed since the look before, whoever changed them.
        messages: that webhooks are to be sent.
        firing: open alerts, by severity.
    """

    changed: Sequence[Alert] = ()
    messages: int = 0
    firing: Mapping[Severity, int] = field(default_factory=dict)


class AlertWatch:
    """Watches over one tenant's lattice.

    Args:
        database: with rules and alerts.
        tenant: whose.
        read: what the service is like.
        at: the moment it is.
        interval_s: between two looks.
    """

    def __init__(
        self,
        database: Database,
        tenant: UUID,
        read: Callable[[], Awaitable[Reading]],
        at: Callable[[], Moment],
        interval_s: float,
    ) -> None:
        self._database, self._tenant, self._read, self._at = database, tenant, read, at
        self._interval_s = interval_s
        self._process = secrets.token_hex(4)
        self._pending: Mapping[Key, datetime] = {}
        self._told: dict[UUID, tuple[datetime, Change]] = {}  # of each alert that changed of late, what was told last
        self._started = self._since = self._forget_at = at().now
        self._woken = asyncio.Event()
        self._looking = asyncio.Lock()

    def wake(self) -> None:
        """Look at once: something was changed here."""
        self._woken.set()

    async def run(self, heed: Callable[[Look], None]) -> None:
        """Look until it is cancelled; the look that fails is not the last.

        Args:
            heed: is told what each look came to.
        """
        while True:
            self._woken.clear()
            try:
                heed(await self.look())
            except UnavailableError as e:
                _log.warning("alerts_not_judged", code=e.code, reason=e.message)
            except Exception:  # noqa: BLE001 - the outermost loop
                _log.exception("alerts_not_judged")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s):
                    await self._woken.wait()

    async def look(self) -> Look:
        """Judge all rules once, and store what comes of it.

        Raises:
            LatticeError: the database could not be asked; nothing was changed.
        """
        async with self._looking:
            reading = await self._read()
            at = self._at()
            async with self._database.transaction(self._tenant) as conn:
                plan = await self._judge(conn, reading, at)
                ended = await self._carry_out(conn, plan, at.now)
                begun = await store.notify(conn, at.now)
                messages = await enqueue(conn, [*begun, *(each for each in ended if each.notified_at)], at.now)
                changed = await store.list_changed(conn, max(self._started, self._since - OVERLAP), at.now)
                firing = await store.count_firing(conn)
                await self._forget(conn, at.now)
            self._pending = plan.pending
            _write_log(begun, ended)
            return Look(self._take_news(changed, at.now), messages, firing)

    async def list_since(self, since: datetime) -> Sequence[Alert]:
        """Return alerts that changed from a moment on, in that order.

        Raises:
            LatticeError: the database could not be asked.
        """
        async with self._database.transaction(self._tenant, read_only=True) as conn:
            return await store.list_changed(conn, since, self._at().now)

    async def _judge(self, conn: Connection, reading: Reading, at: Moment) -> Plan:
        rules = [rule for rule in merge_rules(await store.list_rules(conn)) if rule.enabled]
        firing = await store.list_open(conn)
        samples: list[tuple[Rule, Sample]] = []
        for rule in rules:
            if rule.metric == "gem_coherence":
                watched = sorted(key.subject for key in firing if key.rule == rule.name)
                found: Sequence[Sample] = await store.list_faint_gems(conn, rule, watched, at, MOST_SUBJECTS)
            else:
                found = list_samples(rule.metric, reading)
            samples += ((rule, sample) for sample in found)
        return plan_look(samples, firing, self._pending, at.now)

    async def _carry_out(self, conn: Connection, plan: Plan, now: datetime) -> list[Alert]:
        grace_s = max(LEAST_GRACE_S, 3 * self._interval_s)
        await store.fire(conn, plan.fired, self._process, now)
        await store.hold(conn, plan.held, self._process, now)
        return await store.resolve(conn, plan.resolved, self._process, now, grace_s)

    def _take_news(self, changed: Sequence[Alert], now: datetime) -> list[Alert]:
        """Return the changes that no look has told yet."""
        news = [alert for alert in changed if self._told.get(alert.alert_id) != (alert.changed_at, alert.change)]
        self._told |= {alert.alert_id: (alert.changed_at, alert.change) for alert in news}
        self._told = {key: told for key, told in self._told.items() if told[0] > now - 2 * OVERLAP}
        self._since = now
        return news

    async def _forget(self, conn: Connection, now: datetime) -> None:
        if now < self._forget_at:
            return
        await store.forget(conn, now, KEPT_DAYS)
        await forget_deliveries(conn, DELIVERIES_KEPT_DAYS)
        self._forget_at = now + FORGET_EVERY


def _write_log(begun: Sequence[Alert], ended: Sequence[Alert]) -> None:
    for alert in begun:
        write = _log.error if alert.severity == "critical" else _log.warning
        write("alert_fired", **_facts(alert))
    for alert in ended:
        if alert.notified_at is not None:
            _log.info("alert_resolved", **_facts(alert))


def _facts(alert: Alert) -> dict[str, object]:
    return {
        "alert": str(alert.alert_id),
        "rule": alert.rule,
        "severity": alert.severity,
        "subject": alert.subject,
        "metric": alert.metric,
        "value": alert.value,
        "threshold": alert.threshold,
    }

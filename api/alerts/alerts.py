"""Alerts as users see them: listed, acknowledged, silenced, and the rules that raise them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog

from api.alerts import store
from api.alerts.rules import Rule, check_rule, merge_rules
from api.alerts.store import Alert, Silence
from api.alerts.webhooks import enqueue
from core.clock import utc_now
from core.errors import GemNotFoundError, InvalidInputError
from core.pg import Database
from gems import Moment, get_gems

LONGEST_SILENCE_S = 90 * 86_400.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Alerts:
    """The alerts of a lattice, their rules and silences."""

    database: Database

    async def list_page(
        self, tenant: UUID, *, firing: bool | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[Alert]:
        """Return a page of alerts, those that fired last first; those that fire, those that do not, or all."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await store.list_alerts(conn, utc_now(), firing=firing, before=before, limit=limit)

    async def get(self, tenant: UUID, alert_id: UUID) -> Alert:
        """Return an alert.

        Raises:
            AlertNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await store.get_alert(conn, alert_id, utc_now())

    async def acknowledge(self, tenant: UUID, alert_id: UUID, note: str) -> Alert:
        """Note that somebody takes care of an alert, and tell those who were told of it.

        Raises:
            AlertNotFoundError: it is not in the lattice.
            ConflictError: it is over.
        """
        now = utc_now()
        async with self.database.transaction(tenant) as conn:
            alert = await store.acknowledge(conn, alert_id, note, now)
            if alert.notified_at is not None:
                await enqueue(conn, [alert], now)
        _log.info("alert_acknowledged", alert=str(alert_id), rule=alert.rule, subject=alert.subject)
        return alert

    async def list_rules(self, tenant: UUID) -> list[Rule]:
        """Return all rules by name, the built-in ones included."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            return list(merge_rules(await store.list_rules(conn)))

    async def put_rule(self, tenant: UUID, rule: Rule, at: Moment) -> None:
        """Store a rule in place of the one of its name, built in or not.

        Raises:
            InvalidInputError: it cannot be held, or is about a gem that is not there.
            ConflictError: there are too many.
        """
        check_rule(rule)
        async with self.database.transaction(tenant) as conn:
            if rule.gem_id is not None:
                try:
                    await get_gems(conn, [rule.gem_id], at)
                except GemNotFoundError as e:
                    raise InvalidInputError("gem_id", "is no gem of the lattice") from e
            await store.put_rule(conn, rule, at.now)

    async def delete_rule(self, tenant: UUID, name: str) -> None:
        """Delete a rule; a built-in one is then as it came.

        Raises:
            AlertRuleNotFoundError: there is nothing to delete.
        """
        async with self.database.transaction(tenant) as conn:
            await store.delete_rule(conn, name)

    async def add_silence(
        self, tenant: UUID, *, for_s: float, rule: str | None, subject: str | None, note: str
    ) -> Silence:
        """Let alerts not be delivered for a while: those of a rule, about a subject, or, with neither, all.

        Raises:
            InvalidInputError: the time is none that a silence can have, or there is no such rule.
            ConflictError: there are too many.
        """
        if not 0 < for_s <= LONGEST_SILENCE_S:
            raise InvalidInputError("for_s", f"must be above 0 and at most {LONGEST_SILENCE_S:,.0f} seconds")
        now = utc_now()
        silence = Silence(uuid4(), rule, subject, note, now, now + timedelta(seconds=for_s))
        async with self.database.transaction(tenant) as conn:
            known = {each.name for each in merge_rules(await store.list_rules(conn))}
            if rule is not None and rule not in known:
                raise InvalidInputError("rule", f"is not known; there are {', '.join(sorted(known))}")
            await store.add_silence(conn, silence)
        return silence

    async def list_silences(self, tenant: UUID) -> list[Silence]:
        """Return silences that are not over, those that end first at the head."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await store.list_silences(conn, utc_now())

    async def end_silence(self, tenant: UUID, silence_id: UUID) -> None:
        """End a silence; alerts that still fire are then delivered.

        Raises:
            SilenceNotFoundError: there is none, or it is over.
        """
        async with self.database.transaction(tenant) as conn:
            await store.end_silence(conn, silence_id, utc_now())

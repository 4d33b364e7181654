"""Webhooks: addresses that are told of alerts. What they are to be told lies in Postgres until it is delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import dict_row

from api.alerts.messages import Outcome, Sender, check_url, make_secret, write_alert, write_message
from api.alerts.rules import SEVERITIES, Severity
from api.alerts.store import Alert
from core.clock import utc_now
from core.errors import ConflictError, WebhookNotFoundError
from core.pg import Connection, Database
from core.sql import load_queries

__all__ = ["MadeWebhook", "Outcome", "Webhook", "Webhooks", "enqueue", "forget_deliveries"]

MOST_WEBHOOKS = 20

_SQL = load_queries("api.sql", "webhooks.sql")


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of alerts.

    Attributes:
        disabled_at: when it answered that it is gone for good.
        waiting: messages that are still to be delivered.
        tried_at: of the last attempt; with `delivered`, `status` and `error`, how that went.
    """

    webhook_id: UUID
    url: str
    least_severity: Severity
    description: str
    created_at: datetime
    disabled_at: datetime | None
    waiting: int
    tried_at: datetime | None
    delivered: bool | None
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class MadeWebhook:
    """A webhook that was just made, with its secret, which is not told again."""

    webhook: Webhook
    secret: str

    def __repr__(self) -> str:
        return f"MadeWebhook({self.webhook!r})"  # wherever it is logged, the secret is not


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The webhooks of a lattice."""

    database: Database
    sender: Sender

    async def add(self, tenant: UUID, url: str, least_severity: Severity, description: str) -> MadeWebhook:
        """Make a webhook.

        Raises:
            InvalidInputError: it may not be sent there.
            ConflictError: there are too many.
        """
        check_url(url, allow_private=self.sender.allow_private)
        secret, webhook_id = make_secret(), uuid4()
        told = {"url": url, "secret": secret, "least_severity": least_severity, "description": description}
        values = {"webhook_id": webhook_id, **told, "now": utc_now(), "most": MOST_WEBHOOKS}
        async with self.database.transaction(tenant) as conn:
            if not await fetch_all(conn, "add_webhook", values):
                raise ConflictError(f"a lattice has at most {MOST_WEBHOOKS} webhooks; delete one first")
            (webhook,) = await _list(conn, webhook_id)
        return MadeWebhook(webhook, secret)

    async def list_all(self, tenant: UUID) -> list[Webhook]:
        """Return all, oldest first."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await _list(conn, None)

    async def delete(self, tenant: UUID, webhook_id: UUID) -> None:
        """Delete a webhook, with what was still to be delivered there.

        Raises:
            WebhookNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant) as conn:
            if not await fetch_all(conn, "delete_webhook", {"webhook_id": webhook_id}):
                raise _missing(webhook_id)

    async def test(self, tenant: UUID, webhook_id: UUID) -> Outcome:
        """Send a test message once, and return how it fared.

        Raises:
            WebhookNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            found = await fetch_all(conn, "find_target", {"webhook_id": webhook_id})
        if not found:
            raise _missing(webhook_id)
        now = utc_now()
        body = write_message("alert.test", now, {"description": "A test of this webhook."})
        return await self.sender.send(uuid4(), found[0]["url"], found[0]["secret"], body, now)


async def enqueue(conn: Connection, alerts: Sequence[Alert], now: datetime) -> int:
    """Put the messages of alerts, to each webhook that takes their severity, where they stay until delivered.

    Returns:
        how many messages.
    """
    if not alerts:
        return 0
    ranks = [1 + SEVERITIES.index(alert.severity) for alert in alerts]
    values = {"bodies": [write_alert(alert, now) for alert in alerts], "ranks": ranks}
    return len(await fetch_all(conn, "enqueue", values))


async def forget_deliveries(conn: Connection, kept_days: int) -> None:
    """Delete messages that ended long ago."""
    await fetch_all(conn, "forget_deliveries", {"kept_days": kept_days})


async def fetch_all(conn: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that a query answers with."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall() if cursor.description is not None else []


async def _list(conn: Connection, webhook_id: UUID | None) -> list[Webhook]:
    return [Webhook(**row) for row in await fetch_all(conn, "list_webhooks", {"webhook_id": webhook_id})]


def _missing(webhook_id: UUID) -> WebhookNotFoundError:
    return WebhookNotFoundError(f"no webhook with id {webhook_id}", webhook_id=str(webhook_id))

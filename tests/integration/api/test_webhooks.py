"""Webhooks against a server on loopback: signed, repeated, given up, never redirected, never sent to private places."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook as Verifier

from api.alerts.courier import Courier, CourierConfig
from api.alerts.messages import Sender
from api.alerts.store import Alert
from api.alerts.webhooks import MadeWebhook, Webhooks, enqueue
from core.clock import utc_now
from core.errors import ConflictError, WebhookNotFoundError
from core.pg import Database
from tests.integration.api.receiving import Receiver

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HASTY = CourierConfig(again_s=(0.0, 0.0), lease_s=60.0, look_s=0.02)
ALERT = Alert(
    alert_id=uuid4(),
    rule="cost",
    subject="",
    subject_name="the lattice",
    metric="cost_usd_per_hour",
    op="above",
    threshold=5.0,
    clear_threshold=3.0,
    severity="warning",
    description="Calls cost more than usual.",
    value=6.5,
    fired_at=NOON,
    notified_at=NOON,
    acknowledged_at=None,
    acknowledgement=None,
    resolved_at=None,
    changed_at=NOON,
    silenced=False,
)


@asynccontextmanager
async def sending(database: Database, tenant: UUID, **more: Any) -> AsyncIterator[tuple[Webhooks, Courier]]:
    config = more.pop("config", HASTY)
    async with Sender(**{"allow_private": True, **more}) as sender:
        yield Webhooks(database, sender), Courier(database, tenant, sender, config)


async def tell(database: Database, tenant: UUID, *alerts: Alert) -> int:
    async with database.transaction(tenant) as conn:
        return await enqueue(conn, alerts, utc_now())


async def add(webhooks: Webhooks, tenant: UUID, receiver: Receiver, **more: Any) -> MadeWebhook:
    return await webhooks.add(tenant, receiver.url, more.get("least_severity", "info"), "")


async def test_a_message_is_signed_as_the_standard_says(database: Database, tenant: UUID, receiver: Receiver) -> None:
    async with sending(database, tenant) as (webhooks, courier):
        made = await add(webhooks, tenant, receiver)
        assert made.secret not in repr(made)
        assert await tell(database, tenant, ALERT) == 1
        assert await courier.deliver_due() == 1
        assert await courier.deliver_due() == 0
        (webhook,) = await webhooks.list_all(tenant)
    ((request, headers, body),) = receiver.requests
    assert request == "POST /hook?a=1 HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    told = Verifier(made.secret).verify(body, headers)
    assert told["type"] == "alert.fired"
    assert datetime.fromisoformat(told["timestamp"]).tzinfo is not None
    assert told["data"]["id"] == str(ALERT.alert_id)
    assert (told["data"]["value"], told["data"]["severity"]) == (6.5, "warning")
    assert (webhook.delivered, webhook.status, webhook.error, webhook.waiting) == (True, 204, None, 0)


async def test_what_fails_is_sent_again_as_it_was(database: Database, tenant: UUID, receiver: Receiver) -> None:
    receiver.answers += ["500 Oh", "503 Oh"]
    async with sending(database, tenant) as (webhooks, courier):
        made = await add(webhooks, tenant, receiver)
        await tell(database, tenant, replace(ALERT, resolved_at=NOON))
        for _ in range(3):
            assert await courier.deliver_due() == 1
        assert await courier.deliver_due() == 0
    assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 1
    assert len({body for _, _, body in receiver.requests}) == 1
    for _, headers, body in receiver.requests:
        assert Verifier(made.secret).verify(body, headers)["type"] == "alert.resolved"


async def test_a_message_is_given_up_in_the_end(database: Database, tenant: UUID, receiver: Receiver) -> None:
    receiver.answers += ["500 Oh"] * 9
    async with sending(database, tenant) as (webhooks, courier):
        await add(webhooks, tenant, receiver)
        await tell(database, tenant, ALERT)
        assert [await courier.deliver_due() for _ in range(5)] == [1, 1, 1, 0, 0]
        (webhook,) = await webhooks.list_all(tenant)
    assert len(receiver.requests) == 3
    assert (webhook.delivered, webhook.status, webhook.error, webhook.waiting) == (False, 500, "answered 500", 0)


async def test_a_redirect_is_a_failure_and_not_followed(database: Database, tenant: UUID, receiver: Receiver) -> None:
    async with sending(database, tenant) as (webhooks, courier):
        await add(webhooks, tenant, receiver)
        receiver.answers += [f"{status} Elsewhere\r\nLocation: {receiver.url}" for status in (301, 307)]
        await tell(database, tenant, ALERT)
        await courier.deliver_due()
        await courier.deliver_due()
        (webhook,) = await webhooks.list_all(tenant)
    assert len(receiver.requests) == 2
    assert (webhook.delivered, webhook.error, webhook.waiting) == (False, "answered 307", 1)


@pytest.mark.parametrize("host", ["localhost", "rebound.example", "2130706433", "0x7f.1"])
async def test_private_addresses_are_not_connected_to(
    database: Database, tenant: UUID, receiver: Receiver, host: str
) -> None:
    async def resolve(name: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with sending(database, tenant, allow_private=False, resolve=resolve) as (webhooks, courier):
        url = f"https://{host}:{receiver.port}/hook"
        made = await webhooks.add(tenant, url, "info", "")
        outcome = await webhooks.test(tenant, made.webhook.webhook_id)
        await tell(database, tenant, ALERT)
        await courier.deliver_due()
        (webhook,) = await webhooks.list_all(tenant)
    assert outcome.error == webhook.error
    assert webhook.error is not None
    assert "is no public address" in webhook.error
    assert receiver.requests == []


async def test_a_name_of_this_machine_is_resolved_when_it_is_connected_to(
    database: Database, tenant: UUID, receiver: Receiver
) -> None:
    async with sending(database, tenant, allow_private=False) as (webhooks, _):
        made = await webhooks.add(tenant, f"https://localhost:{receiver.port}/", "info", "")
        outcome = await webhooks.test(tenant, made.webhook.webhook_id)
    assert outcome.error == (
        "cannot connect: localhost is no public address; see LATTICE_ALERTS__ALLOW_PRIVATE_WEBHOOKS"
    )


async def test_a_message_outlives_the_courier_that_took_it(
    database: Database, tenant: UUID, receiver: Receiver
) -> None:
    receiver.answers += ["silence"]
    hasty = replace(HASTY, lease_s=0.3)
    async with sending(database, tenant, config=hasty) as (webhooks, courier):
        await add(webhooks, tenant, receiver)
        await tell(database, tenant, ALERT)
        dying = asyncio.create_task(courier.run())
        while not receiver.requests:  # noqa: ASYNC110 - it knows nothing of us
            await asyncio.sleep(0.01)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    async with sending(database, tenant, config=hasty) as (webhooks, courier):
        following = asyncio.create_task(courier.run())
        async with asyncio.timeout(60):
            while (await webhooks.list_all(tenant))[0].waiting:  # noqa: ASYNC110 - it knows nothing of us
                await asyncio.sleep(0.02)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    first, second = receiver.requests
    assert first[1]["webhook-id"] == second[1]["webhook-id"]


async def test_two_couriers_send_a_message_once(database: Database, tenant: UUID, receiver: Receiver) -> None:
    async with sending(database, tenant) as (webhooks, one), sending(database, tenant) as (_, other):
        await add(webhooks, tenant, receiver)
        await tell(database, tenant, *(replace(ALERT, alert_id=uuid4()) for _ in range(15)))
        counts = await asyncio.gather(one.deliver_due(), other.deliver_due())
        assert sum(counts) == 15
    assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == len(receiver.requests) == 15


async def test_a_webhook_that_is_gone_is_told_no_more(database: Database, tenant: UUID, receiver: Receiver) -> None:
    receiver.answers += ["410 Gone"]
    async with sending(database, tenant) as (webhooks, courier):
        await add(webhooks, tenant, receiver)
        await tell(database, tenant, ALERT)
        await courier.deliver_due()
        (webhook,) = await webhooks.list_all(tenant)
        assert webhook.disabled_at is not None
        assert webhook.waiting == 0
        assert await tell(database, tenant, ALERT) == 0


async def test_a_webhook_hears_of_what_is_bad_enough(database: Database, tenant: UUID, receiver: Receiver) -> None:
    async with sending(database, tenant) as (webhooks, courier):
        await add(webhooks, tenant, receiver, least_severity="warning")
        severities: tuple[Any, ...] = ("info", "warning", "critical")
        assert await tell(database, tenant, *(replace(ALERT, severity=severity) for severity in severities)) == 2
        await courier.deliver_due()
    assert {json.loads(body)["data"]["severity"] for _, _, body in receiver.requests} == {"warning", "critical"}


async def test_who_does_not_answer_is_not_waited_for(database: Database, tenant: UUID, receiver: Receiver) -> None:
    receiver.answers += ["silence"]
    async with sending(database, tenant, answer_s=0.05) as (webhooks, _):
        made = await add(webhooks, tenant, receiver)
        outcome = await webhooks.test(tenant, made.webhook.webhook_id)
    assert (outcome.status, outcome.error) == (None, "no answer in time")


async def test_a_lattice_has_a_bounded_number_of_webhooks(database: Database, tenant: UUID, receiver: Receiver) -> None:
    async with sending(database, tenant) as (webhooks, _):
        made = [await add(webhooks, tenant, receiver) for _ in range(20)]
        with pytest.raises(ConflictError):
            await add(webhooks, tenant, receiver)
        await webhooks.delete(tenant, made[0].webhook.webhook_id)
        with pytest.raises(WebhookNotFoundError):
            await webhooks.delete(tenant, made[0].webhook.webhook_id)
        with pytest.raises(WebhookNotFoundError):
            await webhooks.test(tenant, made[0].webhook.webhook_id)


def test_messages_are_tried_for_most_of_a_day() -> None:
    waited = timedelta(seconds=sum(CourierConfig().again_s))
    assert timedelta(hours=12) < waited < timedelta(hours=24)

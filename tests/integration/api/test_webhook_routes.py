"""Webhooks over REST: the secret is told once, and an alert reaches them by itself."""

from uuid import UUID, uuid4

import httpx2
import pytest
import structlog
from standardwebhooks import Webhook as Verifier

from api.settings import AlertSettings, Settings
from core.pg import Database
from tests.integration.api.conftest import check_problem, settle
from tests.integration.api.receiving import Receiver


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"alerts": AlertSettings(interval_s=3_600, allow_private_webhooks=True)})


async def test_a_secret_is_told_once_and_never_logged(
    client: httpx2.AsyncClient, database: Database, tenant: UUID, receiver: Receiver
) -> None:
    with structlog.testing.capture_logs() as logged:
        made = (await client.post("/alerts/webhooks", json={"url": receiver.url, "description": "pager"})).json()
        listed = (await client.get("/alerts/webhooks")).json()["webhooks"]
        tested = (await client.post(f"/alerts/webhooks/{made['id']}/tests")).json()
    assert tested == {"delivered": True, "status": 204, "error": None}
    (_, headers, body) = receiver.requests[0]
    assert Verifier(made["secret"]).verify(body, headers)["type"] == "alert.test"
    assert listed == [{name: value for name, value in made.items() if name != "secret"}]
    assert made["secret"] not in repr(logged)
    async with database.transaction(tenant, read_only=True) as conn:
        row = await (await conn.execute("SELECT secret FROM alert_webhook")).fetchone()
    assert row == (made["secret"],)


async def test_an_alert_reaches_the_webhook_by_itself(client: httpx2.AsyncClient, receiver: Receiver) -> None:
    made = (await client.post("/alerts/webhooks", json={"url": receiver.url})).json()
    rule = {"metric": "cost_usd_per_hour", "op": "above", "threshold": -1, "clear_threshold": -1}
    await client.put("/alerts/rules/cost", json=rule)
    await settle(lambda: len(receiver.requests) == 1)
    (alert,) = (await client.get("/alerts")).json()["items"]
    await client.post(f"/alerts/{alert['id']}/acknowledgements", json={"note": "mine"})
    await settle(lambda: len(receiver.requests) == 2)
    await client.put("/alerts/rules/cost", json={**rule, "enabled": False})
    await settle(lambda: len(receiver.requests) == 3)
    told = [Verifier(made["secret"]).verify(body, headers) for _, headers, body in receiver.requests]
    assert [each["type"] for each in told] == ["alert.fired", "alert.acknowledged", "alert.resolved"]
    assert {each["data"]["id"] for each in told} == {alert["id"]}
    assert told[1]["data"]["acknowledgement"] == "mine"


async def test_a_url_that_cannot_be_is_refused(client: httpx2.AsyncClient) -> None:
    for url in ("ftp://example.org", "nothing", "http://a:b@example.org"):
        problem = check_problem(await client.post("/alerts/webhooks", json={"url": url}), 422, "invalid_input")
        assert problem["details"]["field"] == "url"
    check_problem(await client.delete(f"/alerts/webhooks/{uuid4()}"), 404, "webhook_not_found")
    check_problem(await client.post(f"/alerts/webhooks/{uuid4()}/tests"), 404, "webhook_not_found")

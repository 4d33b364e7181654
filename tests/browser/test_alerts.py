"""Alerts: what fires, acknowledged and silenced; rules changed; a webhook whose secret is shown once."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.told import send
from tests.browser.visit import Visit

RULE = "many_gems_of_the_test"


@pytest_asyncio.fixture(loop_scope="session")
async def firing(visit: Visit) -> AsyncIterator[Visit]:
    """A visit while a rule of the test's own fires."""
    rule = {"metric": "gems_at_risk", "op": "above", "threshold": 0, "severity": "warning"}
    await send(visit, "PUT", f"/alerts/rules/{RULE}", rule | {"description": "Some gems have faded."})
    for _ in range(100):
        if any(each["rule"] == RULE for each in (await send(visit, "GET", "/alerts"))["items"]):
            break
        await visit.page.wait_for_timeout(100)
    yield visit
    await send(visit, "DELETE", f"/alerts/rules/{RULE}")


async def test_an_alert_is_acknowledged_and_silenced(firing: Visit) -> None:
    page = await firing.open("#/alerts")
    card = page.locator("ul.alerts li").filter(has_text="Many gems of the test")
    await expect(card).to_contain_text("is above 0")
    await card.get_by_role("button", name="Acknowledge").click()
    await page.get_by_role("dialog").get_by_label("Note").fill("I rehearse them today.")
    await page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(card).to_contain_text("I rehearse them today.")
    (alert,) = [each for each in (await send(firing, "GET", "/alerts"))["items"] if each["rule"] == RULE]
    assert alert["acknowledgement"] == "I rehearse them today."
    await card.get_by_role("button", name="Silence").click()
    await page.get_by_role("dialog").get_by_role("button", name="Silence").click()
    await expect(card).to_contain_text("silenced")
    await firing.check_accessibility()
    await firing.picture("alerts")
    silences = page.get_by_role("table", name="Silences")
    await silences.get_by_role("button", name=f"End the silence of {RULE}").click()
    await expect(page.get_by_role("region", name="Silences")).to_contain_text("Nothing is silenced")


async def test_a_rule_is_made_changed_switched_and_deleted(visit: Visit) -> None:
    page = await visit.open("#/alerts")
    await page.get_by_role("button", name="New rule").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("slow.nights")
    await dialog.get_by_label("Looks at").select_option("recall_p95_s")
    await dialog.get_by_label("Fires if it").select_option("above")
    await dialog.get_by_label("Threshold").fill("4")
    await dialog.get_by_label("Over at").fill("3")
    await dialog.get_by_role("button", name="Make it").click()
    row = page.get_by_role("table", name="Rules").get_by_role("row", name="Slow.nights")
    await expect(row).to_contain_text("recalls is above 4.0 s")
    await row.get_by_role("button", name="Change slow.nights").click()
    await dialog.get_by_label("Threshold").fill("5")
    await dialog.get_by_role("button", name="Change it").click()
    await expect(row).to_contain_text("above 5.0 s")
    await row.get_by_role("switch").uncheck()
    await expect(row.get_by_role("switch")).not_to_be_checked()
    rules = {each["name"]: each for each in (await send(visit, "GET", "/alerts/rules"))["rules"]}
    assert (rules["slow.nights"]["threshold"], rules["slow.nights"]["enabled"]) == (5.0, False)
    await row.get_by_role("button", name="Delete slow.nights").click()
    await dialog.get_by_role("button", name="Delete").click()
    await expect(row).to_have_count(0)


async def test_a_rule_that_cannot_be_is_refused_in_the_dialog(visit: Visit) -> None:
    visit.expected.append("answer: 4")
    page = await visit.open("#/alerts")
    await page.get_by_role("button", name="Change coherence").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Over at").fill("0.01")
    await dialog.get_by_role("button", name="Change it").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("clear_threshold")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_have_count(0)


async def test_the_secret_of_a_webhook_is_shown_once(visit: Visit) -> None:
    page = await visit.open("#/alerts")
    await page.get_by_role("button", name="New webhook").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Address").fill("https://hooks.example.com/lattice")
    await dialog.get_by_role("button", name="Add it").click()
    await expect(dialog.locator(".secret")).to_contain_text("whsec_")
    secret = await dialog.locator(".secret").text_content()
    await dialog.get_by_role("button", name="I have kept it").click()
    table = page.get_by_role("table", name="Webhooks")
    await expect(table).to_contain_text("hooks.example.com")
    assert secret is not None
    assert secret not in await page.content()
    await table.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("region", name="Webhooks")).to_contain_text("Nobody is told")

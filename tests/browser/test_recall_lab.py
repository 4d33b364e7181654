"""The recall lab: what is drawn are the ranks that the service tells; nothing is measured."""

from urllib.parse import quote

from playwright.async_api import expect

from tests.browser.told import send
from tests.browser.visit import Visit

QUESTION = "When does the ferry leave in winter?"


async def test_each_passage_is_drawn_with_its_ranks(visit: Visit) -> None:
    told = await send(visit, "POST", "/recall/channels", {"question": QUESTION})
    page = await visit.open(f"#/recall?q={quote(QUESTION)}")
    await expect(page.locator(".flow-rows li").first).to_be_visible()
    data = await visit.chart(".lab", "ranks")
    assert data["columns"] == ["late", "dense", "lexical", "fused", "linked", "modulated", "final"]
    ranks = {each["passage"]["id"]: each["ranks"] for each in told["passages"]}
    assert [each["ranks"]["final"] for each in data["rows"]] == list(range(1, len(data["rows"]) + 1))
    assert all(each["ranks"] == ranks[each["id"]] for each in data["rows"])
    turned = sum(each["ranks"]["stateless"] != each["ranks"]["final"] for each in data["rows"])
    if turned:
        await expect(page.get_by_text("would stand elsewhere if states did not count")).to_contain_text(str(turned))
    for each in told["lists"]:
        column = page.locator(f".lab-lists section[data-list={each['name']}]")
        assert await column.locator("li").count() == len(each["places"])
    await visit.check_accessibility()
    await visit.picture("recall-lab")


async def test_a_passage_lights_up_in_every_list_and_shows_its_parts(visit: Visit) -> None:
    page = await visit.open(f"#/recall?q={quote(QUESTION)}")
    row = page.locator(".flow-rows li").nth(1)
    passage = await row.get_attribute("data-passage")
    await row.get_by_role("button").focus()
    await page.keyboard.press("Enter")
    lit = page.locator(f".lab-lists li.on[data-passage='{passage}']")
    assert await lit.count() >= 5
    assert await page.locator(".lab-lists li.on").count() == await lit.count()
    parts = page.get_by_role("table", name="Parts of the score")
    await expect(parts.get_by_role("row", name="Late interaction")).to_be_visible()
    await page.get_by_role("region", name="One passage").get_by_role("button", name="In its document").click()
    await expect(page.get_by_role("dialog").locator("mark")).to_be_visible()


async def test_the_address_keeps_gem_question_and_moment(visit: Visit) -> None:
    gem = await visit.find_gem("Ferry timetable")
    page = await visit.open("#/recall")
    await page.get_by_label("Gem").select_option(gem)
    await page.get_by_role("searchbox", name="Question").fill(QUESTION)
    await page.get_by_label("As of").fill("2020-01-01T12:00")
    await page.get_by_role("button", name="Take apart").click()
    await expect(page.get_by_text("No passage was found")).to_be_visible()
    assert f"gem={gem}" in page.url
    assert "as_of=2020-01-01T11%3A00%3A00.000Z" in page.url  # the viewer is in Berlin
    await page.get_by_label("As of").fill("")
    before = await send(visit, "GET", f"/gems/{gem}")
    await page.get_by_role("button", name="Take apart").click()
    await expect(page.locator(".flow-rows li").first).to_be_visible()
    after = await send(visit, "GET", f"/gems/{gem}")
    assert after["measured_at"] == before["measured_at"]

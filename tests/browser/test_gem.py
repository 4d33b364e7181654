"""A gem's view draws its log and its states, and does nothing before it has shown what it would do."""

import re
from datetime import datetime

import pytest
from playwright.async_api import expect

from tests.browser.visit import Visit

CURVE = "section:has(h2:text('State through time'))"


async def test_the_curves_are_the_history_with_every_measurement_marked(visit: Visit) -> None:
    gem = await visit.find_gem("Ferry timetable")
    await visit.open(f"#/gems/{gem}")
    drawn = await visit.chart(CURVE, "line")
    log = (await visit.ask(f"/gems/{gem}/measurements?limit=200"))["items"]
    own = [each for each in reversed(log) if each["passage_id"] is None]
    marks = drawn["markers"]
    assert len(marks) == len(own) >= 10
    assert {each["title"] for each in marks} == {"Birth", "Reflection", "Feedback", "Entanglement"}
    assert [each["y"] for each in marks] == pytest.approx([each["coherence"] for each in own], abs=1e-9)
    moments = [datetime.fromisoformat(each["measured_at"]).timestamp() for each in own]
    assert [each["x"] for each in marks] == pytest.approx(moments, abs=1e-2)
    assert drawn["x"][-1] > drawn["now"]
    state = (await visit.ask(f"/gems/{gem}/state"))["state"]
    last = max(i for i, at in enumerate(drawn["x"]) if at <= drawn["now"])
    assert drawn["series"][0]["values"][last] == pytest.approx(state["coherence"], abs=0.01)
    await visit.picture("gem")


async def test_a_mark_tells_its_cause_when_pointed_at(visit: Visit) -> None:
    page = await visit.open(f"#/gems/{await visit.find_gem('Ferry timetable')}")
    drawn = await visit.chart(CURVE, "line")
    second = drawn["markers"][1]
    over = page.locator(f"{CURVE} .u-over").first
    box = await over.bounding_box()
    assert box is not None
    share = (second["x"] - drawn["x"][0]) / (drawn["x"][-1] - drawn["x"][0])
    await page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    tip = page.locator(f"{CURVE} .tip").first
    await expect(tip).to_contain_text(second["title"])
    await expect(tip).to_contain_text("gain")


async def test_passages_and_their_interference_are_those_of_the_service(visit: Visit) -> None:
    gem = await visit.find_gem("Pier nine crane")
    page = await visit.open(f"#/gems/{gem}")
    found = (await visit.ask(f"/gems/{gem}/passages?order=-coherence&limit=8"))["passages"]
    rows = page.get_by_role("region", name="Passages").locator("tbody tr")
    assert await rows.count() == len(found) == 4
    assert found[0]["text"][:40] in (await rows.first.text_content() or "")
    await page.get_by_label("Order of passages").select_option("coherence")
    await expect(rows.first).to_contain_text(found[-1]["text"][:40])
    drawn = await visit.chart("section:has(h2:text('Interference'))", "heatmap")
    exact = await visit.ask(f"/gems/{gem}/interference?limit=40")
    assert drawn["names"] == [each["text"] for each in exact["labels"]]
    for row, same in zip(drawn["matrix"], exact["matrix"], strict=True):
        assert row == pytest.approx(same, abs=1e-3)


async def test_a_rehearsal_is_tried_before_it_is_done(visit: Visit) -> None:
    gem = await visit.make_gem("To be rehearsed", "The bell buoy rings when the swell comes from the west.")
    page = await visit.open(f"#/gems/{gem}")
    await page.get_by_role("button", name="Rehearse").click()
    dialog = page.get_by_role("dialog", name="Rehearse To be rehearsed")
    await expect(dialog).to_contain_text("Dry run: nothing has been changed yet.")
    await expect(dialog).to_contain_text("Uncertainty")
    await visit.check_accessibility()
    assert {each["cause"] for each in (await visit.ask(f"/gems/{gem}/measurements"))["items"]} <= {"ingest"}
    await dialog.get_by_label("Gain").fill("0.5")
    await dialog.get_by_label("Gain").press("Tab")
    await expect(dialog).to_contain_text("0.100 → 0.050")
    await dialog.get_by_role("button", name="Rehearse").click()
    await expect(page.get_by_role("region", name="Log").locator("tbody th").first).to_have_text("Manual")
    newest = (await visit.ask(f"/gems/{gem}/measurements"))["items"][0]
    assert (newest["cause"], newest["gain"]) == ("manual", 0.5)


async def test_gems_are_entangled_and_parted(visit: Visit) -> None:
    gem = await visit.make_gem("Tied to another", "Ropes are checked in April.")
    other = await visit.make_gem("The other one", "Knots are taught on Mondays.")
    page = await visit.open(f"#/gems/{gem}")
    ties = page.get_by_role("region", name="Entanglements")
    await ties.get_by_role("button", name="Entangle", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Gem").select_option(label="The other one")
    await dialog.get_by_label("Strength").fill("0.7")
    await dialog.get_by_role("button", name="Entangle").click()
    part = ties.get_by_role("button", name="Disentangle from The other one")
    await expect(part).to_be_visible()  # its name alone may stand there before, as a suggestion
    (pair,) = (await visit.ask(f"/gems/{other}/entanglements"))["entanglements"]
    assert (pair["gem_id"], pair["strength"]) == (gem, 0.7)
    await part.click()
    await expect(ties.get_by_text("It stands alone")).to_be_visible()
    assert (await visit.ask(f"/gems/{other}/entanglements"))["entanglements"] == []


async def test_a_gem_is_made_archived_and_restored(visit: Visit) -> None:
    page = await visit.open("#/gems")
    await page.get_by_role("button", name="New gem").first.click()
    dialog = page.get_by_role("dialog", name="New gem")
    await dialog.get_by_label("Name").fill("Made by hand")
    await dialog.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", name="Made by hand")).to_be_visible()
    visit.made.append(page.url.rpartition("/")[2])
    await expect(page.get_by_text("It holds nothing yet")).to_be_visible()
    await page.get_by_role("button", name="Archive").click()
    await page.get_by_role("dialog").get_by_role("button", name="Archive").click()
    await expect(page.locator(".page-head .chip")).to_have_text("archived")
    await page.get_by_role("button", name="Restore", exact=True).first.click()
    await expect(page.get_by_role("button", name="Archive")).to_be_visible()


async def test_gems_are_filtered_by_name_and_the_address_keeps_it(visit: Visit) -> None:
    page = await visit.open("#/gems")
    await page.get_by_label("Filter by name").fill("ferry")
    names = page.get_by_role("region", name="All gems").locator("tbody th")
    await expect(names).to_have_text(["Ferry timetable"])
    await expect(page).to_have_url(re.compile(r"q=ferry"))
    await visit.open("#/gems?show=archived")
    await expect(names.filter(has_text="Old tariffs")).to_be_visible()


async def test_a_gem_that_is_gone_says_so(visit: Visit) -> None:
    visit.expected.append("answer: 404")
    page = await visit.open("#/gems/00000000-0000-4000-8000-000000000000")
    await expect(page.get_by_text("This gem is not here")).to_be_visible()
    await page.get_by_role("link", name="See all gems").click()
    await expect(page.get_by_role("heading", name="Gems", exact=True)).to_be_visible()


async def test_the_gem_view_is_accessible(visit: Visit) -> None:
    await visit.open(f"#/gems/{await visit.find_gem('Pier nine crane')}")
    await visit.check_accessibility()


async def test_a_snapshot_is_compared_verified_and_restored(visit: Visit) -> None:
    gem = await visit.make_gem("Kept as it was", "The harbour master's office opens at six.")
    page = await visit.open(f"#/gems/{gem}")
    kept = page.get_by_role("region", name="Snapshots")
    await kept.get_by_role("button", name="Take one").click()
    await page.get_by_role("dialog").get_by_label("Note").fill("before the change")
    await page.get_by_role("dialog").get_by_role("button", name="Take it").click()
    await expect(kept.locator("tbody tr")).to_have_count(1)
    await expect(kept.locator("tbody tr")).to_contain_text("1 document, 1 passage")
    await visit.ask(f"/gems/{gem}/documents", {"documents": [{"id": "new", "text": "On Sundays it opens at nine."}]})
    await kept.get_by_role("button", name="Compare").click()
    await expect(page.get_by_role("dialog")).to_contain_text("1 added")
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await kept.get_by_role("button", name="Verify").click()
    await expect(page.locator("#toasts")).to_contain_text("Sound")
    await kept.get_by_role("button", name="Restore").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("1 removed")
    assert len((await visit.ask(f"/gems/{gem}/documents"))["items"]) == 2
    await dialog.get_by_role("button", name="Restore").click()
    await expect(kept.locator("tbody tr")).to_have_count(2)
    await expect(kept).to_contain_text("before a restore")
    assert len((await visit.ask(f"/gems/{gem}/documents"))["items"]) == 1
    await visit.check_accessibility()

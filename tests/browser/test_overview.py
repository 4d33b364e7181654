"""The overview draws what the service says, and goes on drawing while the lattice changes."""

import re
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from tests.browser.lattice import questions
from tests.browser.visit import Visit


async def test_the_curve_is_the_history_of_the_lattice(visit: Visit) -> None:
    page = await visit.open()
    await expect(page.locator(".stat-value").first).to_have_text(re.compile(r"\d"))
    await visit.picture("overview")
    data = await visit.chart("section:has(h2:text('Coherence through time'))", "line")
    assert [each["label"] for each in data["series"]] == ["Coherence", "Order parameter", "Uncertainty"]
    past = [i for i, at in enumerate(data["x"]) if at <= data["now"]]
    assert 0 < len(past) < len(data["x"])  # the future is drawn too
    for i in (100, past[-1]):
        since, until = (datetime.fromtimestamp(data["x"][k], UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for k in (i, i + 1))
        exact = (await visit.ask(f"/lattice/history?since={since}&until={until}&points=2"))["points"][0]
        drawn = [each["values"][i] for each in data["series"]]
        assert drawn == pytest.approx([exact["coherence"], exact["order_parameter"], exact["uncertainty"]], abs=1e-5)
    await page.get_by_label("How far back").select_option("30")
    await expect(page).to_have_url(re.compile(r"#/overview\?days=30$"))
    await visit.settle()
    shorter = await visit.chart("section:has(h2:text('Coherence through time'))", "line")
    assert shorter["now"] - shorter["x"][0] == pytest.approx(30 * 86_400, abs=60)


async def test_numbers_follow_the_stream_without_a_reload(visit: Visit) -> None:
    page = await visit.open()
    shown = page.locator(".stat", has_text="Gems").locator(".stat-value")
    before = (await visit.ask("/lattice/field"))["gems"]
    await expect(shown).to_have_text(str(before))
    await visit.make_gem("Seen as it comes")
    await expect(shown).to_have_text(str(before + 1))
    histogram = await visit.chart("section:has(h2:text('Distribution'))", "histogram")
    assert [sum(each["counts"]) for each in histogram["series"]] == [before + 1, before + 1]


async def test_gems_at_risk_stand_with_the_day_they_fall(visit: Visit) -> None:
    page = await visit.open()
    risks = (await visit.ask("/lattice/risk?below=0.1&within_days=30&limit=8"))["gems"]
    table = page.get_by_role("region", name="Gems at risk")
    assert await table.locator("tbody th").all_text_contents() == [each["name"] for each in risks]
    assert "Lighthouse history" in [each["name"] for each in risks]
    shown = await table.locator("tbody time").first.get_attribute("datetime")
    assert shown is not None
    assert datetime.fromisoformat(shown).timestamp() == pytest.approx(
        datetime.fromisoformat(risks[0]["falls_at"]).timestamp(), abs=1e-3
    )


async def test_gems_that_move_together_are_drawn_by_their_states(visit: Visit) -> None:
    page = await visit.open()
    drawn = await visit.chart("section:has(h2:text('Moving together'))", "disc")
    field = await visit.ask("/lattice/field")
    assert len(drawn["points"]) == field["gems"]
    assert drawn["order"] == pytest.approx(field["order_parameter"], abs=1e-3)
    await page.get_by_role("link", name=re.compile("Ferry timetable: coherence")).click()
    await expect(page.get_by_role("heading", name="Ferry timetable")).to_be_visible()


async def test_recent_reflections_lead_to_what_they_rest_on(visit: Visit) -> None:
    page = await visit.open()
    recent = page.get_by_role("region", name="Recent reflections")
    asked = questions()[:3]
    for question in asked:
        await expect(recent.get_by_role("link", name=question).first).to_be_visible()
    await recent.get_by_role("link", name=asked[1]).click()
    await expect(page).to_have_url(re.compile("#/reflections/"))


async def test_a_curve_can_be_read_without_seeing_it(visit: Visit) -> None:
    page = await visit.open()
    panel = page.get_by_role("region", name="Coherence through time")
    plot = panel.get_by_role("img")
    await expect(plot).to_have_attribute("aria-label", re.compile("Coherence from"))
    await plot.focus()
    await page.keyboard.press("End")
    await page.keyboard.press("ArrowLeft")
    await expect(panel.locator("figure > p[aria-live=polite]")).to_have_text(re.compile(r"Coherence 0\.\d{3}, Order"))
    await panel.get_by_text("Table").click()
    data = await visit.chart("section:has(h2:text('Coherence through time'))", "line")
    cells = panel.locator("figure table tbody tr").last.locator("td")
    assert await cells.first.text_content() == f"{data['series'][0]['values'][-1]:.3f}"

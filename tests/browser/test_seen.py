"""What a person sees at once, and a value read back does not tell: lines, places, buttons that do nothing."""

from urllib.parse import quote

from playwright.async_api import Browser, expect

from tests.browser.conftest import new_context, new_visit
from tests.browser.told import send
from tests.browser.visit import Visit

PHASE = "section:has(h2:text('State through time'))"
# where a phase turns from 2π to 0: how many pixels half way between the two are of the curve
CROSSED = """() => {
  const figure = [...document.querySelectorAll("figure[data-chart=line]")].at(-1);
  const { x, series, now } = figure.lattice.data;
  const [canvas, over] = [figure.querySelector("canvas"), figure.querySelector(".u-over")];
  const [outer, inner] = [canvas.getBoundingClientRect(), over.getBoundingClientRect()];
  const scale = canvas.width / outer.width;
  const turns = series[0].values.flatMap((y, i) => (y === null && x[i] < now ? [i] : []));
  const middle = (inner.top - outer.top + inner.height * 0.4) * scale;
  const { data } = canvas.getContext("2d").getImageData(0, middle, canvas.width, 1);
  const share = (k) => (x[k] - x[0]) / (x.at(-1) - x[0]);
  const pixel = (k) => Math.floor((inner.left - outer.left + share(k) * inner.width) * scale);
  const isDrawn = (at) => data[4 * at + 3] > 0; // before now the ground is bare
  const crossed = turns.filter((i) => {
    for (let at = pixel(i - 1) - 1; at <= pixel(i + 1) + 1; at += 1) if (isDrawn(at)) return true;
    return false;
  });
  return { turns: turns.length, crossed: crossed.length };
}"""
COVERED = """async (base) => {
  const { place } = await import(new URL("graph-layout.js", base).href);
  const gem = { id: "g", gem: null, label: "Warehouse fire safety" };
  const entities = Array.from({ length: 40 }, (_, i) => ({ id: `e${i}`, gem: "g", label: `Thing ${i}` }));
  const pair = (i) => ({ source: `e${i}`, target: `e${i + 1}`, kind: "related", weight: 1 });
  const edges = Array.from({ length: 39 }, (_, i) => pair(i));
  const places = place([gem, ...entities], edges, new Map());
  const middle = places.get("g");
  const spots = entities.map(({ id }) => ({ x: places.get(id).x - middle.x, y: places.get(id).y - middle.y }));
  return spots.filter(({ x, y }) => Math.abs(x) < 65 && y > 0 && y < 60).length;
}"""


async def test_no_line_is_drawn_where_a_phase_begins_anew(visit: Visit) -> None:
    await visit.open(f"#/gems/{await visit.find_gem('Ferry timetable')}")
    await visit.chart(f"{PHASE} .side-curves", "line")
    found = await visit.page.evaluate(CROSSED)
    assert found["turns"] >= 2
    assert found["crossed"] == 0


async def test_no_entity_stands_under_the_name_of_its_gem(visit: Visit) -> None:
    page = await visit.open("#/overview")
    base = await page.locator("script[type=module]").get_attribute("src")
    assert await page.evaluate(COVERED, f"{visit.address}{base}") == 0


async def test_the_lists_of_the_lab_begin_at_one_height(visit: Visit) -> None:
    page = await visit.open(f"#/recall?q={quote('When does the ferry leave in winter?')}")
    await expect(page.locator(".lab-lists section").first).to_be_visible()
    for part in ("h3", "small:last-of-type", "li:first-child"):
        places = await page.locator(f".lab-lists section {part}").evaluate_all(
            "all => all.map((each) => each.getBoundingClientRect()).map(({ top, left }) => [Math.round(top), left])"
        )
        assert len(places) >= 5
        assert len({top for top, _ in places}) == 1
        assert len({left for _, left in places}) == len(places)


async def test_a_built_in_rule_can_be_reset_once_it_was_changed(visit: Visit) -> None:
    page = await visit.open("#/alerts")
    row = page.get_by_role("table", name="Rules").get_by_role("row", name="Slow recalls")
    reset = row.get_by_role("button", name="Reset slow_recalls")
    await expect(row).to_be_visible()
    await expect(reset).to_have_count(0)
    await row.get_by_role("switch").uncheck()
    await reset.click()
    await page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    await expect(reset).to_have_count(0)
    await expect(row.get_by_role("switch")).to_be_checked()
    rules = {each["name"]: each for each in (await send(visit, "GET", "/alerts/rules"))["rules"]}
    assert rules["slow_recalls"]["changed"] is False


async def test_a_gem_that_is_opened_by_its_address_does_not_jump(browser: Browser, address: str) -> None:
    context = await new_context(browser)  # one that has nothing of the page yet
    try:
        async with new_visit(context, address) as visit:
            await visit.open(f"#/gems/{await visit.find_gem('Ferry timetable')}")
            await visit.chart(PHASE, "line")
            assert await visit.jumps() < 0.05
    finally:
        await context.close()


async def test_a_button_that_is_busy_leaves_its_neighbours_where_they_are(visit: Visit) -> None:
    page = await visit.open(f"#/gems/{await visit.find_gem('Ferry timetable')}")
    places = "all => all.map((each) => each.getBoundingClientRect().left)"
    buttons = page.locator(".page-head .actions > *")
    before = await buttons.evaluate_all(places)
    await page.get_by_role("button", name="Rehearse").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await page.get_by_role("button", name="Rehearse", include_hidden=True).first.get_attribute("aria-busy")
    assert await buttons.evaluate_all(places) == before

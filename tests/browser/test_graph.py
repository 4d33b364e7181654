"""The graph: what is drawn is what the service tells; search, time, expansion, keyboard; thousands of elements."""

import random
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.lattice import STORIES
from tests.browser.told import make_gem, send
from tests.browser.visit import Visit

READABLE_PX = 10.5  # of the letters of a name
TOUCH_PX = 6  # by which the frames of two names may overlap: letters fill them less
YARD = {
    "text": "Ada Holm runs the Boat Yard. The Boat Yard repairs the Sea Lark.",
    "title": "Yard",
    "entities": ["Ada Holm", "Boat Yard", "Sea Lark"],
    "relations": [["Ada Holm", "runs", "Boat Yard"], ["Boat Yard", "repairs", "Sea Lark"]],
}


async def drawn(visit: Visit) -> dict[str, Any]:
    data: dict[str, Any] = await visit.chart(".graph-view", "graph")
    return data


async def test_the_graph_draws_what_the_service_tells(visit: Visit) -> None:
    told = await send(visit, "GET", "/lattice/graph?nodes=1200")
    page = await visit.open("#/graph")
    data = await drawn(visit)
    gems = {each["id"] for each in data["nodes"] if each["kind"] == "gem"}
    assert gems == {each["id"] for each in told["gems"]}
    pairs = {frozenset((each["source"], each["target"])) for each in data["edges"] if each["kind"] == "entangled"}
    assert pairs == {frozenset((each["gem_id"], each["other_id"])) for each in told["entanglements"]}
    assert len(pairs) >= 5
    await expect(page.locator(".graph-count")).to_contain_text(f"{len(gems)} gems")
    await visit.picture("graph")


async def test_a_click_tells_of_an_entity_and_shows_its_passage(visit: Visit) -> None:
    gem = await make_gem(visit, "Boat yard", YARD)
    page = await visit.open("#/graph")
    yard = next(each for each in (await drawn(visit))["nodes"] if each["label"] == "Boat Yard")
    await page.get_by_role("combobox", name="Search").fill("boat")
    await page.keyboard.press("ArrowDown")  # the gem
    await page.keyboard.press("ArrowDown")  # the entity
    await page.keyboard.press("Enter")
    aside = page.locator(".graph-aside")
    await expect(aside.get_by_role("heading", name="Boat Yard")).to_be_visible()
    await expect(aside.locator(".bound")).to_contain_text("runs")
    assert f"entity={yard['id']}" in page.url
    assert f"gem={gem}" in page.url
    place = await page.locator(".graph-figure").evaluate("(figure, id) => figure.lattice.facts(id).at", yard["id"])
    await aside.get_by_role("button", name="Ada Holm", exact=True).click()
    await expect(aside.get_by_role("heading", name="Ada Holm")).to_be_visible()
    assert place is not None
    await aside.get_by_role("button", name="In its document").first.click()
    await expect(page.get_by_role("dialog").locator("mark")).to_contain_text("Ada Holm runs the Boat Yard.")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_pointer_picks_what_it_touches(visit: Visit) -> None:
    page = await visit.open("#/graph")
    gem = next(each for each in (await drawn(visit))["nodes"] if each["label"] == "Lighthouse history")
    place = await page.locator(".graph-figure").evaluate("(figure, id) => figure.lattice.facts(id).at", gem["id"])
    await page.locator(".graph-canvas").click(position=place)
    await expect(page.locator(".graph-aside h2")).to_have_text("Lighthouse history")


async def test_the_slider_shows_the_past(visit: Visit) -> None:
    page = await visit.open("#/graph")
    now = await drawn(visit)
    slider = page.get_by_role("slider", name="As of")
    await slider.focus()
    await page.keyboard.press("Home")
    await page.keyboard.press("PageUp")
    await expect(page.locator(".graph-figure")).to_have_js_property("lattice.data.asOf", None)
    await page.wait_for_url("**as_of=*")
    await expect(page.locator(".graph-count")).not_to_contain_text(f"{_gems(now)} gems")
    then = await drawn(visit)
    assert 0 < _gems(then) < _gems(now)
    born = {each["id"]: each["created_at"] for each in (await send(visit, "GET", "/gems?limit=200"))["items"]}
    assert all(born[each["id"]] <= then["asOf"] for each in then["nodes"] if each["kind"] == "gem")
    address = page.url
    await page.reload()
    await visit.settle()
    assert page.url == address
    assert _gems(await drawn(visit)) == _gems(then)


async def test_kinds_can_be_left_out_and_all_of_it_is_in_tables(visit: Visit) -> None:
    page = await visit.open("#/graph")
    await page.get_by_label("Entities").uncheck()
    assert {each["kind"] for each in (await drawn(visit))["nodes"]} == {"gem"}
    await page.get_by_label("Entanglements").uncheck()
    assert (await drawn(visit))["edges"] == []
    await page.get_by_label("Entanglements").check()
    await page.get_by_text("As tables").click()
    table = page.get_by_role("table", name="Gems")
    await expect(table.get_by_role("row", name="Ferry timetable")).to_be_visible()
    await table.get_by_role("button", name="Ferry timetable").click()
    await expect(page.locator(".graph-aside h2")).to_have_text("Ferry timetable")
    await visit.check_accessibility()


async def test_the_keyboard_moves_the_picture(visit: Visit) -> None:
    page = await visit.open("#/graph")
    facts = "figure => figure.lattice.facts()"
    figure = page.locator(".graph-figure")
    before = await figure.evaluate(facts)
    await page.locator(".graph-canvas").focus()
    await page.keyboard.press("+")
    assert (await figure.evaluate(facts))["zoom"] > before["zoom"]
    await page.keyboard.press("0")
    assert (await figure.evaluate(facts))["zoom"] == pytest.approx(before["zoom"], rel=0.02)


async def test_names_are_written_in_letters_that_can_be_read_and_none_over_another(visit: Visit) -> None:
    async def tell(route: Route) -> None:
        """Leave out what other tests made, so that there is as much room as in the stories."""
        told = await (await route.fetch()).json()
        told["gems"] = [each for each in told["gems"] if each["name"] in {story.name for story in STORIES}]
        await route.fulfill(json=told)

    page = visit.page
    await page.route("**/lattice/graph?*", tell)
    await visit.open("#/graph")
    nodes = (await drawn(visit))["nodes"]
    gems = {each["id"] for each in nodes if each["kind"] == "gem"}
    entities = {each["id"] for each in nodes if each["kind"] == "entity"}
    await _read_names(visit)
    for zoom in ("Zoom out", "Show all of it", "Zoom in", "Zoom in"):
        await page.get_by_role("button", name=zoom, exact=True).click()
        named = await _read_names(visit)
        if zoom == "Show all of it":
            assert gems <= named
            assert len(named & entities) >= len(entities) / 2
    crane = await visit.find_gem("Pier nine crane")
    await visit.open(f"#/graph?gem={crane}")  # what is bound to the chosen comes first
    bound = {each["id"] for each in nodes if each["gem"] == crane}
    named = await _read_names(visit)
    assert crane in named
    assert len(named & bound) >= len(bound) * 0.75


async def test_five_thousand_elements_are_drawn_and_moved(visit: Visit) -> None:
    async def tell(route: Route) -> None:
        await route.fulfill(json=_many())

    page = visit.page
    await page.route("**/lattice/graph?*", tell)
    await visit.open("#/graph")
    figure = page.locator(".graph-figure")
    before = await figure.evaluate("figure => figure.lattice.facts('g7')")
    assert before["elements"] == 5_000
    assert not await _overlapping(visit)
    box = await page.locator(".graph-canvas").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 5, box["y"] + 40)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 85, box["y"] + 70, steps=8)
    await page.mouse.up()
    after = await figure.evaluate("figure => figure.lattice.facts('g7')")
    assert after["at"]["x"] - before["at"]["x"] == pytest.approx(80, abs=1)
    assert after["at"]["y"] - before["at"]["y"] == pytest.approx(30, abs=1)


async def _read_names(visit: Visit) -> set[str]:
    """Return which nodes are named; each name must be large enough, and apart from the others."""
    names = await visit.page.locator(".graph-figure").evaluate("figure => figure.lattice.names()")
    assert min(each["letters"] for each in names) >= READABLE_PX
    for i, each in enumerate(names):
        left, top, right, bottom = each["box"]
        for other in names[:i]:
            x1, y1, x2, y2 = other["box"]
            across, down = min(right, x2) - max(left, x1), min(bottom, y2) - max(top, y1)
            assert min(across, down) <= TOUCH_PX, (each["id"], other["id"])
    return {each["id"] for each in names}


def _gems(data: dict[str, Any]) -> int:
    return sum(each["kind"] == "gem" for each in data["nodes"])


async def _overlapping(visit: Visit) -> bool:
    """Say whether two gems stand on each other."""
    places = await visit.page.locator(".graph-figure").evaluate(
        "figure => figure.lattice.data.nodes.filter((each) => each.kind === 'gem')"
        ".map((each) => [figure.lattice.facts(each.id).at, figure.lattice.facts().zoom])"
    )
    spots = [(at["x"] / zoom, at["y"] / zoom) for at, zoom in places]
    near = [1 for i, a in enumerate(spots) for b in spots[:i] if abs(a[0] - b[0]) + abs(a[1] - b[1]) < 60]
    return bool(near)


def _many() -> dict[str, Any]:
    """A lattice of 60 gems and 1,640 entities with 1,560 relations and 100 entanglements, 5,000 elements in all."""
    dice = random.Random(7)
    state = {"energy": 1.0, "phase": 0.0, "uncertainty": 0.2}
    gems = [
        {"id": f"g{i}", "name": f"Gem {i}", "passages": dice.randint(1, 900), "created_at": "2026-01-01T00:00:00Z"}
        | {"state": state | {"coherence": dice.random()}}
        for i in range(60)
    ]
    homes = [int(60 * dice.random() ** 2) for _ in range(1_640)]
    entities = [
        {"id": f"e{i:04}", "gem_id": f"g{home}", "name": f"Entity {i}", "kind": None, "amount": dice.randint(1, 40)}
        for i, home in enumerate(homes)
    ]
    together: dict[int, list[int]] = {home: [] for home in homes}
    for i, home in enumerate(homes):
        together[home].append(i)
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < 1_560:
        one = dice.randrange(1_640)
        other = dice.choice(together[homes[one]])
        if one < other:
            pairs.add((one, other))
    relations = [
        {"gem_id": f"g{homes[a]}", "source": f"e{a:04}", "target": f"e{b:04}", "predicates": ["knows"], "claims": 1}
        for a, b in sorted(pairs)
    ]
    bound = dice.sample([(a, b) for a in range(60) for b in range(a)], 100)
    entanglements = [{"gem_id": f"g{b}", "other_id": f"g{a}", "strength": dice.random()} for a, b in bound]
    told = {"gems": gems, "entities": entities, "relations": relations, "entanglements": entanglements}
    return told | {"as_of": "2026-11-01T00:00:00Z", "since": "2026-01-01T00:00:00Z", "cut": True}

"""While the service hangs, the page says that it waits, moves nothing, and takes it back once something comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, Route, expect

from tests.browser.test_frame import LIVE_JUMP, VIEWS
from tests.browser.visit import Visit

SAID = "Still waiting for the service …"
LONG_MS = 3_000
PROBLEM = {"code": "unavailable", "title": "Unavailable", "detail": "Postgres did not answer.", "status": 503}
VIEW_MODULES = "**/js/views/*.js"
ANSWERS = "**/api/v1/**"


@asynccontextmanager
async def hanging(page: Page, which: str, problem: dict[str, object] | None = None) -> AsyncIterator[asyncio.Event]:
    """Hold all answers until the event is set, but not the stream; then let them through, or give a problem."""
    let = asyncio.Event()

    async def hold(route: Route) -> None:
        if "/lattice/stream" in route.request.url:
            return await route.continue_()
        await let.wait()
        if problem is None:
            return await route.continue_()
        return await route.fulfill(status=503, json=problem, content_type="application/problem+json")

    await page.route(which, hold)
    yield let
    let.set()
    await page.unroute_all(behavior="wait")


async def hear_of_it(visit: Visit, view: str, within: str = ".view[data-view]:not([data-shown])") -> None:
    """Go to a view that hangs, let time pass, and see that it says so and that nothing moved."""
    page = visit.page
    await page.goto(f"{visit.address}/dashboard{view}")
    await expect(page.locator(f"{within} .waiting").first).to_be_attached()
    await expect(page.locator("main .waiting", has_text=SAID)).to_have_count(0)
    await visit.jumps()
    await page.clock.fast_forward(LONG_MS)
    await expect(page.locator("main .waiting", has_text=SAID).first).to_be_visible()
    await expect(page.locator("#announcer")).to_have_text(SAID)
    assert await visit.jumps() < LIVE_JUMP


async def see_it_gone(visit: Visit) -> None:
    await expect(visit.page.get_by_text(SAID)).to_have_count(0)
    await expect(visit.page.locator("#announcer")).not_to_have_text(SAID)


async def test_every_view_that_waits_long_says_so_until_the_answer_comes(timed: Visit) -> None:
    asked = (await timed.ask("/lattice/reflections?limit=1"))["items"][0]["id"]
    for view in (*VIEWS, f"reflections/{asked}", f"gems/{await timed.find_gem('Ferry timetable')}"):
        async with hanging(timed.page, ANSWERS) as let:
            await hear_of_it(timed, f"#/{view}")
            let.set()
            await see_it_gone(timed)
            await timed.settle()


async def test_the_error_that_comes_takes_its_place(timed: Visit) -> None:
    timed.expected.append("answer: 503")
    async with hanging(timed.page, ANSWERS, PROBLEM) as let:
        await hear_of_it(timed, "#/gems")
        await timed.check_accessibility()
        let.set()
        region = timed.page.get_by_role("region", name="All gems")
        await expect(region.get_by_role("alert")).to_contain_text("Postgres did not answer.")
        await see_it_gone(timed)


async def test_a_view_whose_own_files_do_not_come_says_so(timed: Visit) -> None:
    async with hanging(timed.page, VIEW_MODULES) as let:
        await hear_of_it(timed, "#/alerts", "main")
        let.set()
        await see_it_gone(timed)
        await expect(timed.page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()


async def test_what_is_tried_in_a_dialog_says_that_it_waits(timed: Visit) -> None:
    page = await timed.open(f"#/gems/{await timed.find_gem('Ferry timetable')}")
    async with hanging(page, "**/rehearsals") as let:
        await page.get_by_role("button", name="Rehearse").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.locator(".waiting")).to_be_attached()
        await page.clock.fast_forward(LONG_MS)
        await expect(dialog.get_by_text(SAID)).to_be_visible()
        let.set()
        await expect(dialog).to_contain_text("Dry run: nothing has been changed yet.")
        await expect(page.get_by_text(SAID)).to_have_count(0)

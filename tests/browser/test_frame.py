"""The frame around the views: addresses, keyboard, theme, token, what happens when something fails."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Route, expect
from pydantic import SecretStr

from api.settings import Settings
from tests.browser.conftest import new_visit
from tests.browser.serving import serving
from tests.browser.visit import Visit

VIEWS = {
    "overview": "Overview",
    "gems": "Gems",
    "graph": "Graph",
    "reflect": "Reflect",
    "recall": "Recall lab",
    "router": "Router",
    "ingestion": "Ingestion",
    "alerts": "Alerts",
}
LOADING_JUMP, LIVE_JUMP = 0.1, 0.001  # cumulative layout shift: up to 0.1 is good
TOKEN = "open-sesame"  # noqa: S105 - of a service that this test starts


@pytest.mark.parametrize("name", VIEWS)
async def test_every_view_opens_by_its_address_and_is_accessible_in_light_and_dark(visit: Visit, name: str) -> None:
    page = await visit.open(f"#/{name}")
    assert await page.title() == f"{VIEWS[name]} · Crystal Lattice"
    await expect(page.locator("nav a[aria-current=page]")).to_contain_text(VIEWS[name])
    await visit.check_accessibility()
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await visit.check_accessibility("color-contrast")


async def test_every_view_fits_on_a_phone(visit: Visit) -> None:
    await visit.shrink()
    for name in VIEWS:
        page = await visit.open(f"#/{name}")
        wide, room = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= room, name


async def test_no_view_jumps_or_is_longer_than_what_it_shows(visit: Visit) -> None:
    asked = (await visit.ask("/lattice/reflections?limit=1"))["items"][0]["id"]
    for name in (*VIEWS, f"reflections/{asked}", f"gems/{await visit.find_gem('Ferry timetable')}"):
        page = await visit.open(f"#/{name}")
        assert await visit.jumps() < LOADING_JUMP, name
        end = "document.getElementById('main').getBoundingClientRect().bottom + scrollY"
        long, shown = await page.evaluate(f"[document.documentElement.scrollHeight, Math.max(innerHeight, {end})]")
        assert long <= shown + 1, name
        await visit.hear(snapshots=2)
        assert await visit.jumps() < LIVE_JUMP, name


async def test_the_navigation_leads_to_every_view_and_back(visit: Visit) -> None:
    page = await visit.open()
    for name, label in VIEWS.items():
        await page.locator("#nav").get_by_role("link", name=label).click()
        await expect(page.locator(f".view[data-view={name}][data-shown]")).to_be_attached()
        await expect(page).to_have_url(re.compile(f"#/{name}$"))
    await page.go_back()
    await expect(page.locator(".view[data-view=ingestion][data-shown]")).to_be_attached()


async def test_an_unknown_address_says_where_to_go(visit: Visit) -> None:
    page = await visit.open("#/overview")
    await page.evaluate("location.hash = '#/nowhere/at/all'")
    await expect(page.get_by_role("heading", name="There is no such view")).to_be_visible()
    await page.get_by_role("link", name="Go to the overview").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def test_the_keyboard_reaches_the_content_first(visit: Visit) -> None:
    page = await visit.open()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    assert page.url.endswith("#/overview")
    await page.keyboard.press("Tab")
    inside = await page.evaluate("document.getElementById('main').contains(document.activeElement)")
    assert inside


async def test_the_focus_follows_into_a_view_that_was_opened_from_the_content(visit: Visit) -> None:
    page = await visit.open("#/gems")
    await page.get_by_role("link", name="Ferry timetable").press("Enter")
    await expect(page.get_by_role("heading", name="Ferry timetable")).to_be_focused()
    link = page.locator("#nav").get_by_role("link", name="Router")
    await link.press("Enter")
    await expect(page.locator(".view[data-view=router][data-shown]")).to_be_attached()
    await expect(link).to_be_focused()


async def test_what_is_shown_anew_keeps_focus_and_what_was_opened(timed: Visit) -> None:
    page = await timed.open("#/router")
    targets = page.get_by_role("region", name="Targets")
    await targets.get_by_text("1 model").click()
    switch = targets.get_by_role("button", name="Switch off")
    await switch.focus()
    await switch.evaluate("element => element.setAttribute('data-former', '')")
    await page.clock.fast_forward(11_000)
    await expect(page.locator("[data-former]")).not_to_be_attached()
    await expect(switch).to_be_focused()
    await expect(targets.get_by_role("cell", name="ordered")).to_be_visible()
    curves = (await timed.open("#/overview")).get_by_role("group", name="Curves")
    await curves.get_by_role("button", name="Uncertainty").press("Enter")
    await expect(curves.get_by_role("button", name="Uncertainty")).to_have_attribute("aria-pressed", "false")
    await expect(curves.get_by_role("button", name="Uncertainty")).to_be_focused()


async def test_a_dialog_is_left_by_escape_and_gives_the_focus_back(visit: Visit) -> None:
    page = await visit.open("#/gems")
    opener = page.get_by_role("button", name="New gem")
    for leave in ("Escape", "Cancel"):
        await opener.press("Enter")
        dialog = page.get_by_role("dialog", name="New gem")
        await expect(dialog.get_by_label("Name")).to_be_focused()
        await (page.keyboard.press("Escape") if leave == "Escape" else dialog.get_by_role("button", name=leave).click())
        await expect(dialog).not_to_be_attached()
        await expect(opener).to_be_focused()


async def test_a_chosen_theme_stays(visit: Visit) -> None:
    page = await visit.open()
    theme = page.locator("#theme")
    await expect(theme).to_have_text("Theme: auto")
    await theme.click()
    await theme.click()
    await expect(theme).to_have_text("Theme: dark")
    await page.reload()
    await visit.settle()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_on_a_phone_the_views_are_behind_a_menu(visit: Visit) -> None:
    await visit.shrink()
    page = await visit.open()
    menu = page.get_by_role("button", name="Menu")
    await expect(page.locator("#nav")).to_be_hidden()
    await menu.click()
    await expect(menu).to_have_attribute("aria-expanded", "true")
    await page.locator("#nav").get_by_role("link", name="Gems").click()
    await expect(page.locator(".view[data-view=gems]")).to_be_attached()
    await expect(page.locator("#nav")).to_be_hidden()


async def test_what_fails_says_why_and_can_be_tried_again(visit: Visit) -> None:
    problem = {
        "code": "store_unavailable",
        "title": "Unavailable",
        "detail": "Postgres did not answer.",
        "request_id": "r1",
    }

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json=problem, content_type="application/problem+json")

    visit.expected.append("answer: 503")
    page = visit.page
    await page.route("**/api/v1/lattice/risk*", refuse)
    await visit.open()
    risk = page.get_by_role("region", name="Gems at risk")
    await expect(risk.get_by_role("alert")).to_contain_text("Postgres did not answer.")
    await expect(risk).to_contain_text("r1")
    await page.unroute("**/api/v1/lattice/risk*")
    await risk.get_by_role("button", name="Try again").click()
    await expect(risk.get_by_role("link", name="Lighthouse history")).to_be_visible()


async def test_the_page_says_when_it_is_not_live_and_comes_back(visit: Visit) -> None:
    page = await visit.open()
    state = page.locator("#live-state")
    await expect(state).to_have_text("Live")
    visit.expected += ["console:", "answer: 5"]
    await page.route("**/lattice/stream", lambda route: route.abort())
    await page.evaluate("dispatchEvent(new Event('online'))")  # which makes it connect anew
    await expect(state).to_have_text("Not live")
    await page.unroute("**/lattice/stream")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(state).to_have_text("Live")


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(context: BrowserContext, lattice_settings: Settings) -> AsyncIterator[Visit]:
    """A visit to a service that asks for a token."""
    settings: Any = lattice_settings.model_copy(update={"api_token": SecretStr(TOKEN)})
    with serving(settings) as address:
        async with new_visit(context, address) as visit:
            yield visit


@pytest_asyncio.fixture(loop_scope="session")
async def bare(context: BrowserContext, database_url: str, tmp_path: Path) -> AsyncIterator[Visit]:
    """A visit to a service on a lattice without gems."""
    with serving(Settings(database_url=SecretStr(database_url), data_dir=tmp_path)) as address:
        async with new_visit(context, address) as visit:
            yield visit


async def test_an_empty_lattice_says_what_to_do_and_invents_no_numbers(bare: Visit) -> None:
    says = {
        "overview": "No gem has a past yet",
        "gems": "Make one, and ingest something into it.",
        "graph": "Ingest something, and its gems, entities and relations appear here.",
        "reflect": "There is no gem to ask yet",
        "recall": "Ingest something first.",
        "router": "No LLM was asked in this time",
        "ingestion": "There is no gem yet: make one first.",
        "alerts": "Nothing fires",
    }
    for name, text in says.items():
        page = await bare.open(f"#/{name}")
        await expect(page.get_by_text(text).first).to_be_visible()
        await bare.check_accessibility()
    page = await bare.open("#/overview")
    numbers = page.locator(".stats").first
    await expect(numbers.locator(".stat", has_text="Gems").locator(".stat-value")).to_have_text("0")
    for name in ("Coherence", "Order parameter", "Uncertainty"):
        await expect(numbers.locator(".stat", has_text=name).locator(".stat-value")).to_have_text("–")
    await expect(page.get_by_role("region", name="Distribution")).to_contain_text("highest column 0 gems")
    await bare.open("#/gems?show=archived")
    await expect(page.get_by_text("No gem is archived")).to_be_visible()


async def test_a_token_is_asked_for_and_kept_for_the_tab(guarded: Visit) -> None:
    guarded.expected.append("answer: 401")
    page = guarded.page
    await page.goto(f"{guarded.address}/dashboard#/gems")
    dialog = page.get_by_role("dialog", name="This lattice asks for a token")
    await expect(dialog).to_be_visible()
    for _ in range(3):  # without it nothing can be shown
        await page.keyboard.press("Escape")
    await dialog.get_by_label("Token").fill("wrong")
    await dialog.get_by_role("button", name="Go on").click()
    await expect(dialog.get_by_role("alert")).to_have_text("The token was refused.")
    await guarded.check_accessibility()
    await dialog.get_by_label("Token").fill(TOKEN)
    await dialog.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("link", name="Ferry timetable")).to_be_visible()
    await expect(page.locator("#live-state")).to_have_text("Live")
    before = len(guarded.faults)
    await page.reload()
    await guarded.settle()
    await expect(page.get_by_role("link", name="Ferry timetable")).to_be_visible()
    assert len(guarded.faults) == before

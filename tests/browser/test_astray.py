"""An address that names what is not there says so once, and leads away from it."""

from dataclasses import dataclass

import pytest
from playwright.async_api import expect

from tests.browser.visit import Visit

UNKNOWN = "00000000-0000-4000-8000-000000000000"
WRONG = (UNKNOWN, "not-a-uuid")
ODD = ("%E0%A4%A", "a%2Fb")  # within a path


@dataclass(frozen=True, slots=True)
class DeepLink:
    """An address with an id in it.

    Attributes:
        address: with {} in the place of the id.
        what: is not there.
        way: the words of the link that leads away.
        leads_to: where it leads.
    """

    address: str
    what: str
    way: str
    leads_to: str


LINKS = (
    DeepLink("#/gems/{}", "gem", "See all gems", "#/gems"),
    DeepLink("#/reflections/{}", "reflection", "Ask a gem", "#/reflect"),
    DeepLink("#/reflect?gem={}&q=when", "gem", "Ask another gem", "#/reflect"),
    DeepLink("#/recall?gem={}&q=when", "gem", "Look in all gems", "#/recall"),
    DeepLink("#/graph?gem={}", "gem", "See the whole graph", "#/graph"),
    DeepLink("#/graph?entity={}", "entity", "See the whole graph", "#/graph"),
    DeepLink("#/ingestion?gem={}", "gem", "Choose another gem", "#/ingestion"),
    DeepLink("#/ingestion?job={}", "job", "See all jobs", "#/ingestion"),
    DeepLink("#/alerts?alert={}", "alert", "See all alerts", "#/alerts"),
)


async def see_one_message(visit: Visit, address: str, what: str) -> None:
    page = await visit.open(address)
    alerts = page.get_by_role("alert")
    await expect(alerts).to_have_count(1)
    await expect(alerts).to_contain_text(f"This {what} is not here")
    await expect(page.get_by_text("not here")).to_have_count(1)
    await expect(page.get_by_text("invalid UUID")).to_have_count(0)
    await expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    await expect(page.locator("h1")).to_have_count(1)


@pytest.mark.parametrize("link", LINKS, ids=[each.address for each in LINKS])
async def test_an_id_that_is_not_there_is_told_once_with_a_way_back(visit: Visit, link: DeepLink) -> None:
    visit.expected += ["answer: 404", "answer: 422"]
    for wrong in (*WRONG, *ODD) if "?" not in link.address else WRONG:
        await see_one_message(visit, link.address.format(wrong), link.what)
    page = visit.page
    await page.get_by_role("link", name=link.way).click()
    await expect(page.locator(".view[data-shown]")).to_be_attached()
    assert page.url.endswith(f"/dashboard{link.leads_to}")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_an_entity_that_its_gem_has_not_is_told_once(visit: Visit) -> None:
    visit.expected += ["answer: 404", "answer: 422"]
    gem = await visit.find_gem("Ferry timetable")
    for wrong in WRONG:
        await see_one_message(visit, f"#/graph?gem={gem}&entity={wrong}", "entity")
    await visit.check_accessibility()


async def test_another_reason_is_told_once_and_can_be_tried_again(visit: Visit) -> None:
    visit.expected.append("answer: 503")
    problem = {"code": "unavailable", "title": "Unavailable", "detail": "Postgres did not answer."}
    gem = await visit.find_gem("Ferry timetable")
    page = visit.page
    await page.route(f"**/api/v1/gems/{gem}", lambda route: route.fulfill(status=503, json=problem))
    await visit.open(f"#/gems/{gem}")
    await expect(page.get_by_role("alert")).to_contain_text("Postgres did not answer.")
    await expect(page.get_by_text("not here")).to_have_count(0)
    await page.unroute(f"**/api/v1/gems/{gem}")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", name="Ferry timetable")).to_be_visible()


async def test_a_job_that_the_list_does_not_show_is_opened_by_its_address(visit: Visit) -> None:
    gem = await visit.make_gem("Takes a file")
    files = {"files": {"name": "note.txt", "mimeType": "text/plain", "buffer": b"The pilot boards at the buoy."}}
    sent = await visit.page.request.post(f"{visit.address}/api/v1/gems/{gem}/ingestions", multipart=files)  # type: ignore[arg-type]
    job = (await sent.json())["id"]
    page = await visit.open(f"#/ingestion?state=failed&job={job}")
    await expect(page.locator(f"details[data-job='{job}'][open]")).to_contain_text("note.txt")


async def test_an_alert_that_is_over_is_told_to_be_over(visit: Visit) -> None:
    over = {"rule": "slow_recalls", "subject_name": None, "resolved_at": "2026-05-08T12:00:00Z"}
    page = visit.page
    await page.route(f"**/api/v1/alerts/{UNKNOWN}", lambda route: route.fulfill(json=over))
    await visit.open(f"#/alerts?alert={UNKNOWN}")
    await expect(page.get_by_role("region", name="Firing")).to_contain_text(
        "Slow recalls about the lattice is over, since"
    )

"""Ingestion: files in, jobs watched to their end, what could not be stored row by row, retry and cancel."""

from playwright.async_api import FilePayload, Route, expect

from tests.browser.told import make_gem, send
from tests.browser.visit import Visit

ROWS = b'{"text": "The dry dock is pumped out in four hours."}\n{"text": 12}\n{"nope": 1}\n'
NOTE = b"# Slipway\n\nBoats up to nine metres are hauled out here.\n"


async def test_files_are_taken_in_and_what_failed_is_told_by_row(visit: Visit) -> None:
    gem = await make_gem(visit, "Dry dock", {"text": "The dry dock was built in 1911."})
    page = await visit.open(f"#/ingestion?gem={gem}")
    files: list[FilePayload] = [
        {"name": "rows.jsonl", "mimeType": "application/jsonl", "buffer": ROWS},
        {"name": "slipway.md", "mimeType": "text/markdown", "buffer": NOTE},
    ]
    await page.get_by_label("Choose files").set_input_files(files)
    job = page.locator("details.job").first
    await expect(job).to_have_attribute("data-state", "done")
    await expect(job).to_contain_text("2 stored")
    await job.locator("summary").click()
    problems = page.get_by_role("table", name="What could not be stored")
    await expect(problems.get_by_role("row")).to_have_count(3)
    await expect(problems.get_by_role("row", name="rows.jsonl 2")).to_contain_text("must be a string")
    await visit.check_accessibility()
    await visit.picture("ingestion")
    listed = await send(visit, "GET", f"/gems/{gem}/documents")
    assert len(listed["items"]) == 3
    retry = job.get_by_role("button", name="Retry what failed")
    async with page.expect_response("**/retry") as answered:
        await retry.click()
    assert (await answered.value).ok


async def test_dropped_files_go_where_chosen_ones_go(visit: Visit) -> None:
    gem = await make_gem(visit, "Mooring", {"text": "There are nine mooring buoys."})
    page = await visit.open(f"#/ingestion?gem={gem}")
    await page.locator(".drop").evaluate(
        """zone => {
          const files = new DataTransfer();
          files.items.add(new File(["Buoy three was replaced."], "buoy.txt", { type: "text/plain" }));
          zone.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
        }"""
    )
    await expect(page.locator("details.job").filter(has_text="buoy.txt")).to_have_attribute("data-state", "done")
    assert len((await send(visit, "GET", f"/gems/{gem}/documents"))["items"]) == 2


async def test_a_running_job_moves_in_place_and_can_be_cancelled(visit: Visit) -> None:
    gem = await make_gem(visit, "Long load", {"text": "Much is coming."})
    first = (await send(visit, "GET", "/ingestions?limit=1"))["items"]
    base = first[0] if first else None
    if base is None:
        answer = await visit.page.request.post(
            f"{visit.address}/api/v1/gems/{gem}/ingestions",
            data='{"text": "One."}\n',
            headers={"content-type": "application/x-ndjson"},
        )
        base = await answer.json()
    read = 40
    running = base | {"id": "7a60c1d2-0000-4000-8000-000000000000", "state": "running", "total": 200, "failed": 0}
    running |= {"input": "long.csv", "finished_at": None, "error": None, "seconds_left": 61.0}

    async def tell(route: Route) -> None:
        await route.fulfill(json={"items": [running | {"read": read}], "next_cursor": None})

    page = visit.page
    await page.route("**/api/v1/ingestions?*", tell)
    await visit.open("#/ingestion")
    job = page.locator("details.job")
    await expect(job).to_contain_text("61 s left")
    await job.evaluate("job => { job.marked = true; }")
    read = 160
    await expect(job).to_contain_text("160 of 200 rows")
    assert await job.evaluate("job => job.marked")  # it is the same element
    cancelled: list[str] = []

    async def cancel(route: Route) -> None:
        cancelled.append(route.request.url)
        await route.fulfill(json=running | {"state": "cancelled"})

    await page.route("**/cancel", cancel)
    await job.locator("summary").click()
    await job.get_by_role("button", name="Cancel").click()
    await expect(job).to_be_visible()
    assert cancelled[0].endswith(f"/ingestions/{running['id']}/cancel")


async def test_a_gem_can_be_made_for_the_files(visit: Visit) -> None:
    page = await visit.open("#/ingestion")
    await page.get_by_role("button", name="New gem").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("Made for files")
    await dialog.get_by_role("button", name="Make it").click()
    await expect(page.get_by_label("Into the gem").locator("option:checked")).to_have_text("Made for files")

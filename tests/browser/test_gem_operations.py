"""Gems are merged, split and deleted after a dry run that tells the truth, and what was done is undone."""

from typing import Any

from playwright.async_api import Locator, Page, Request, expect

from tests.browser.visit import Visit


async def documents(visit: Visit, gem: str) -> set[str]:
    """Return the titles of what a gem holds."""
    return {each["title"] for each in (await visit.ask(f"/gems/{gem}/documents"))["items"]}


async def newest_operation(visit: Visit, kind: str, name: str) -> Any:
    """Return the last operation of a kind on a gem."""
    items = (await visit.ask("/operations?limit=20"))["items"]
    return next(each for each in items if (each["kind"], each["gem"]) == (kind, name))


def line_of(page: Page, what: str) -> Locator:
    """Return the line that tells of an operation."""
    return page.get_by_role("region", name="What was done to whole gems").locator("tbody tr", has_text=what).first


async def undo(visit: Visit, what: str) -> None:
    """Undo an operation from the list of gems, and wait until the list says so."""
    page = await visit.open("#/gems")
    line = line_of(page, what)
    await line.get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("goes back")
    await dialog.get_by_role("button", name="Undo").click()
    await expect(line_of(page, what).locator(".chip")).to_have_text("undone")


async def test_a_merge_is_tried_done_and_undone(visit: Visit) -> None:
    gem = await visit.make_gem("Takes in", "The bell rings at six.")
    other = await visit.make_gem("Is taken in", "The lamp is lit at dusk.", "The lamp is out at dawn.")
    page = await visit.open(f"#/gems/{gem}")
    await page.get_by_role("button", name="Merge").click()
    dialog = page.get_by_role("dialog", name="Merge into Takes in")
    await expect(dialog).to_contain_text("Choose the gems that shall be merged into this one.")
    await dialog.get_by_role("checkbox", name="Is taken in").check()
    # both gems have notes 1 of the same id with another text, which a merge leaves where it is
    await expect(dialog).to_contain_text("1 document of which the other gem has another text: note-1")
    await expect(dialog).to_contain_text("1 moved")
    await expect(dialog).to_contain_text("It can be undone.")
    await visit.check_accessibility()
    assert await documents(visit, gem) == {"Note 1"}
    await dialog.get_by_role("button", name="Merge").click()
    await expect(page.locator("#toasts")).to_contain_text("Merged")
    await expect(page.get_by_role("region", name="Passages").locator("tbody tr")).to_have_count(2)
    assert await documents(visit, gem) == {"Note 1", "Note 2"}
    assert (await visit.ask(f"/gems/{other}"))["archived_at"] is not None
    assert (await newest_operation(visit, "merge", "Takes in"))["documents"] == 1
    await undo(visit, "Takes in took in Is taken in 1 document")
    assert await documents(visit, gem) == {"Note 1"}
    assert await documents(visit, other) == {"Note 1", "Note 2"}
    assert (await visit.ask(f"/gems/{other}"))["archived_at"] is None


async def test_several_gems_are_merged_at_once_by_keyboard_on_a_phone(visit: Visit) -> None:
    gem = await visit.make_gem("Gathers", "The quay is swept on Fridays.")
    first = await visit.make_gem("First of two", "The lamp is lit at dusk.", "The lamp is out at dawn.")
    second = await visit.make_gem(
        "Second of two", "The bell rings at six.", "The bell is cast in bronze.", "It has a crack."
    )
    await visit.shrink()
    page = await visit.open(f"#/gems/{gem}")
    await page.get_by_role("button", name="Merge").press("Enter")
    dialog = page.get_by_role("dialog", name="Merge into Gathers")
    act = dialog.get_by_role("button", name="Merge")
    await expect(act).to_be_disabled()
    await expect(dialog.get_by_role("checkbox", name="Gathers")).to_have_count(0)
    find = dialog.get_by_role("searchbox", name="Filter by name")
    await expect(find).to_be_focused()
    for name in ("First of two", "Second of two"):
        await find.fill(name.lower()[:6])
        await page.keyboard.press("Enter")  # sends nothing
        await expect(dialog.get_by_role("checkbox")).to_have_count(1)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await expect(dialog.get_by_role("checkbox", name=name)).to_be_checked()
        await find.focus()
    # note 1 is there already, and note 2 is after the first of the two
    await expect(dialog).to_contain_text("Out of 2 gems: First of two, Second of two.")
    await expect(dialog).to_contain_text("3 documents of which the other gem has another text: note-1, note-2.")
    await expect(dialog.locator("dd").first).to_have_text("2 moved")
    await expect(dialog).to_contain_text("It can be undone.")
    await visit.check_accessibility()
    wide, room = await dialog.evaluate("dialog => [dialog.scrollWidth, innerWidth]")
    assert wide <= room
    assert await documents(visit, gem) == {"Note 1"}
    await act.press("Enter")
    await expect(page.locator("#toasts")).to_contain_text("Merged")
    assert await documents(visit, gem) == {"Note 1", "Note 2", "Note 3"}
    for other in (first, second):
        assert (await visit.ask(f"/gems/{other}"))["archived_at"] is not None
    await undo(visit, "Gathers took in First of two, Second of two 2 documents")
    assert await documents(visit, first) == {"Note 1", "Note 2"}
    assert await documents(visit, second) == {"Note 1", "Note 2", "Note 3"}


async def test_a_split_is_tried_done_and_undone(visit: Visit) -> None:
    gem = await visit.make_gem("Gives off", "The crane lifts forty tonnes.", "The ferry leaves at seven.")
    page = await visit.open(f"#/gems/{gem}")
    await page.get_by_role("button", name="Split").click()
    dialog = page.get_by_role("dialog", name="Split Gives off")
    act = dialog.get_by_role("button", name="Split")
    await expect(dialog).to_contain_text("Choose the documents that shall move.")
    await expect(act).to_be_disabled()
    await dialog.get_by_label("Name of the new gem").fill("Given off")
    await dialog.get_by_label("Note 2").check()
    await expect(dialog).to_contain_text("It can be undone.")
    assert await documents(visit, gem) == {"Note 1", "Note 2"}
    await act.click()
    await expect(page.locator("#toasts")).to_contain_text("Split")
    (new,) = (await newest_operation(visit, "split", "Gives off"))["other_ids"]
    assert await documents(visit, gem) == {"Note 1"}
    assert await documents(visit, new) == {"Note 2"}
    await undo(visit, "Gives off gave off Given off 1 document")
    assert await documents(visit, gem) == {"Note 1", "Note 2"}
    assert "Given off" not in {each["name"] for each in (await visit.ask("/gems?limit=200"))["items"]}


async def test_an_undoing_that_is_refused_says_why(visit: Visit) -> None:
    visit.expected.append("answer: 409")
    gem = await visit.make_gem("Cannot go back", "The pier is long.", "The pier is old.")
    ids = [each["id"] for each in (await visit.ask(f"/gems/{gem}/documents"))["items"]]
    moved = await visit.ask(f"/gems/{gem}/splits", {"name": "Went on", "document_ids": ids[:1], "dry_run": False})
    visit.made.append(moved["gem_id"])
    await visit.ask(f"/gems/{moved['gem_id']}/archive", {})
    page = await visit.open("#/gems")
    line = line_of(page, "Cannot go back gave off Went on")
    await line.get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Undo").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Went on")
    assert (await newest_operation(visit, "split", "Cannot go back"))["undone_at"] is None


async def test_nothing_is_deleted_before_it_is_confirmed(visit: Visit) -> None:
    gem = await visit.make_gem("To be deleted", "The old shed falls down.")
    page = await visit.open(f"#/gems/{gem}")
    sent: list[str] = []

    def listen(request: Request) -> None:
        if request.method == "DELETE":
            sent.append(request.url.partition("?")[2])

    page.on("request", listen)
    remove = page.get_by_role("button", name="Delete", exact=True)
    await remove.click()
    dialog = page.get_by_role("dialog", name="Delete To be deleted")
    await expect(dialog).to_contain_text("This cannot be undone.")
    names, counts = [await dialog.locator(each).all_text_contents() for each in ("dt", "dd")]
    told = dict(zip(names, counts, strict=True))
    assert (told["Gem"], told["Document"], told["Passage"]) == ("1", "1", "1")
    await visit.check_accessibility()
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(remove).to_be_focused()
    assert sent == ["dry_run=true"]
    assert (await visit.ask(f"/gems/{gem}"))["name"] == "To be deleted"
    await remove.click()
    await dialog.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_role("heading", name="Gems", exact=True)).to_be_visible()
    assert sent == ["dry_run=true", "dry_run=true", "dry_run=false"]
    assert "To be deleted" not in {each["name"] for each in (await visit.ask("/gems?limit=200"))["items"]}

"""Reflect: evidence first, then the answer as it streams, citations to passages in documents, the axiom, a rating."""

import json

import pytest
from playwright.async_api import Route, expect

from tests.browser.told import make_gem, send
from tests.browser.visit import Visit

QUESTION = "Who adjusts the hoist brake of the crane?"
LONG = "\n\n".join(f"Section {n}. " + "The quay wall is inspected by divers. " * 40 for n in range(5))


async def test_an_answer_streams_and_is_taken_apart(visit: Visit) -> None:
    gem = await visit.find_gem("Pier nine crane")
    page = await visit.open(f"#/reflect?gem={gem}")
    await page.get_by_role("textbox", name="Question").fill(QUESTION)
    await page.get_by_role("button", name="Ask").click()
    await expect(page.locator(".waterfall")).to_be_visible()
    await visit.settle()
    await expect(page.locator(".answer")).to_contain_text("Maria Okafor")

    newest = (await send(visit, "GET", f"/gems/{gem}/reflections?limit=1"))["items"][0]
    stored = await send(visit, "GET", f"/reflections/{newest['id']}")
    assert stored["question"] == QUESTION
    data = await visit.chart(".below", "waterfall")
    axiom = stored["axiom"]
    assert data["total"] == pytest.approx(axiom["score"])
    for letter, step in zip("ABCXYZEF", data["steps"], strict=True):
        assert step["name"].startswith(f"{letter} ")
        assert step["value"] == pytest.approx(axiom["terms"][letter])
        assert step["limiting"] == (axiom["limiting_term"] == letter)
    assert await page.locator("ol.evidence > li").count() == len(stored["evidence"])
    await visit.check_accessibility()
    await visit.picture("reflect")


async def test_a_citation_leads_to_the_passage_in_its_document(visit: Visit) -> None:
    gem = await make_gem(visit, "Quay wall", {"id": "quay", "title": "Quay", "text": LONG})
    page = await visit.open(f"#/reflect?gem={gem}&q=Who%20inspects%20the%20quay%20wall%3F")
    await page.get_by_role("button", name="Ask").click()
    cite = page.locator("button.cite").first
    await cite.click()
    sheet = page.get_by_role("dialog")
    await expect(sheet.locator("mark")).to_be_in_viewport()
    stored = await send(visit, "GET", f"/gems/{gem}/reflections?limit=1")
    reflection = await send(visit, "GET", f"/reflections/{stored['items'][0]['id']}")
    cited = next(each for each in reflection["evidence"] if each["label"] == 1)
    assert await sheet.locator("mark").text_content() == cited["text"]
    assert len(await sheet.locator(".document").text_content() or "") > len(cited["text"])
    await visit.check_accessibility()
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    await expect(cite).to_be_focused()


async def test_a_rating_is_stored_and_moves_the_gem(visit: Visit) -> None:
    gem = await make_gem(visit, "Rated", {"text": "The slipway is closed on Sundays."})
    asked = await send(visit, "POST", f"/gems/{gem}/reflections", {"question": "When is the slipway closed?"})
    page = await visit.open(f"#/reflections/{asked['id']}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("When is the slipway closed?")
    await page.get_by_role("radio", name="Mostly right").check()
    await expect(page.locator(".verdict")).to_contain_text("feedback is now +0.50")
    assert (await send(visit, "GET", f"/reflections/{asked['id']}"))["rating"] == 0.5
    assert (await send(visit, "GET", f"/gems/{gem}"))["feedback"] == 0.5
    await page.reload()
    await visit.settle()
    await expect(page.get_by_role("radio", name="Mostly right")).to_be_checked()
    await visit.check_accessibility()


async def test_evidence_comes_before_the_words_and_the_rest_can_be_stopped(visit: Visit) -> None:
    gem = await visit.find_gem("Pier nine crane")
    passages = (await send(visit, "POST", "/recall", {"question": QUESTION, "gem_ids": [gem], "k": 2}))["passages"]
    begun = f"event: evidence\ndata: {json.dumps({'passages': passages})}\n\n"
    words = 'event: token\ndata: {"text": "Maria Okafor does [1]"}\n\n'

    async def tell(route: Route) -> None:
        await route.fulfill(body=begun + words, content_type="text/event-stream")  # and no end

    page = visit.page
    await page.route(f"**/gems/{gem}/reflections", tell)  # the list of the newest has a query
    await visit.open(f"#/reflect?gem={gem}")
    await page.get_by_role("textbox", name="Question").fill(QUESTION)
    await page.keyboard.press("Enter")
    await expect(page.locator("ol.evidence > li")).to_have_count(2)
    await expect(page.locator(".answer").get_by_role("alert")).to_contain_text("broke off")


async def test_what_is_missing_or_gone_is_said(visit: Visit) -> None:
    visit.expected.append("answer: 404")
    page = await visit.open("#/reflections/00000000-0000-0000-0000-000000000001")
    await expect(page.get_by_role("alert")).to_contain_text("This reflection is not here")
    gem = await make_gem(visit, "Replaced", {"id": "note", "text": "The old mast stands by the gate."})
    asked = await send(visit, "POST", f"/gems/{gem}/reflections", {"question": "Where does the old mast stand?"})
    await send(visit, "POST", f"/gems/{gem}/documents", {"documents": [{"id": "note", "text": "It was sold."}]})
    await visit.open(f"#/reflections/{asked['id']}")
    await page.get_by_role("button", name="In its document").first.click()
    await expect(page.get_by_role("dialog")).to_contain_text("replaced or deleted")
    await expect(page.get_by_role("dialog").locator("mark")).to_have_text("The old mast stands by the gate.")

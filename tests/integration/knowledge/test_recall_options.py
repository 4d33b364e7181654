"""What a question may ask for beside words: a moment, a time, a threshold, a form."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from core.errors import InvalidInputError
from knowledge import Filters, RecallQuery
from knowledge.ranking import Findings
from knowledge.search import CANDIDATES
from tests.integration.knowledge.shelf import FLEET, Shelf, later


class Backwards:
    """A cross-encoder that likes the last text best."""

    model = "backwards"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def score(self, question: str, texts: Sequence[str]) -> list[float]:
        self.asked.append(list(texts))
        so_far = sum(map(len, self.asked))
        return [float(so_far + i) for i in range(len(texts))]


@pytest.mark.parametrize("exact_below", [0, 4_000])
async def test_what_is_superseded_is_found_as_of_then_and_not_now_in_every_channel(
    monkeypatch: pytest.MonkeyPatch, shelf: Shelf, exact_below: int
) -> None:
    monkeypatch.setattr("knowledge.search.EXACT_BELOW", exact_below)
    start = shelf.at
    await shelf.put({"id": "old", "title": "Harbour Rules", "text": "Harbour Rules: the fee is nine crowns."})
    new = {"id": "new", "title": "Harbour Rules", "text": "The fee of the Harbour Rules is ten crowns."}
    await shelf.put(new | {"supersedes": ["old"]}, at=later(start, 10))
    question = "What is the fee by the Harbour Rules, nine crowns?"
    now = later(start, 20)
    assert await shelf.ids(question, now) == ["new"]
    assert await shelf.ids(question, now, as_of=now.now) == ["new"]
    assert await shelf.ids(question, now, as_of=later(start, 5).now) == ["old"]
    assert await shelf.ids(question, now, as_of=later(start, 10).now) == ["new"]  # the very moment of the change
    assert await shelf.ids(question, now, as_of=later(start, -1).now) == []


async def test_as_of_filters_what_links_reach(shelf: Shelf) -> None:
    start = shelf.at
    await shelf.put({"id": "seed", "title": "Ferry Lines", "text": "The line to Hovden is run by Fjord Express."})
    await shelf.put({"id": "goal", "title": "Fjord Express", "text": "It was founded in 1911."}, at=later(start, 5))
    await shelf.put(*({"id": f"n{i}", "text": f"Note {i} tells of nothing."} for i in range(8)), at=later(start, 6))
    question, now = "Who runs the line to Hovden?", later(start, 9)
    linked = {each.external_id for each in await shelf.find(question, now) if each.score.link > 0}
    assert "goal" in linked
    assert await shelf.ids(question, now, as_of=start.now) == ["seed"]


async def test_filters_hold_for_what_links_reach(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    await shelf.put(
        {"id": "seed", "source": "in", "title": "Ferry Lines", "text": "The line to Hovden is run by Fjord Express."},
        {"id": "goal", "source": "out", "title": "Fjord Express", "text": "It was founded in 1911."},
        *({"id": f"n{i}", "source": "in", "text": f"Line {i} to Molde is run by company {i}."} for i in range(60)),
    )
    monkeypatch.setattr("knowledge.recall.CANDIDATES", 40)  # so that only a link could bring it
    question = "Who runs the line to Hovden?"
    assert "goal" in await shelf.ids(question, k=20)
    assert "goal" not in await shelf.ids(question, k=20, filters=Filters(sources=("in",)))


async def test_turns_around_are_those_that_recall_sees_whatever_the_clock_says(shelf: Shelf) -> None:
    turns = [{"id": str(i), "thread": "t", "speaker": "Ann", "text": f"The tug came at {i}."} for i in range(3)]
    await shelf.put(*turns)
    (found,) = await shelf.find("The tug came at 1", later(shelf.at, -1), k=1, expand="section")
    assert found.around is not None
    assert len(found.around.parts) == 3


async def test_a_time_in_the_question_narrows_only_if_that_is_asked_for(shelf: Shelf) -> None:
    await shelf.put(
        {"id": "may", "text": "We painted the boat.", "occurred_at": "2025-05-10"},
        {"id": "june", "text": "We painted the boat again.", "occurred_at": "2025-06-10"},
        {"id": "never", "text": "Painting a boat takes two days."},
    )
    question = "What did we paint in May 2025?"
    assert set(await shelf.ids(question)) == {"may", "june", "never"}
    assert await shelf.ids(question, dates=True) == ["may"]
    since = Filters(since=datetime(2025, 6, 1, tzinfo=UTC))
    assert await shelf.ids(question, dates=True, filters=since) == ["june"]  # what the caller set holds
    assert set(await shelf.ids("What did we paint?", dates=True)) == {"may", "june", "never"}


@pytest.mark.parametrize("options", [{}, {"fold": False}, {"diversity": 0.5}, {"k": 1}, {"max_tokens": 40}])
async def test_a_time_may_count_from_an_event(shelf: Shelf, options: dict[str, Any]) -> None:
    await shelf.put(
        {"id": "trip", "text": "Our trip to Norway began today.", "occurred_at": "2025-07-20"},
        {"id": "before", "text": "I bought new boots.", "occurred_at": "2025-07-06"},
        {"id": "long", "text": "I bought old boots.", "occurred_at": "2024-01-06"},
    )
    question = "What did I buy two weeks before the trip to Norway?"
    query = RecallQuery(question, (shelf.gem.gem_id,), dates=True, **options)
    narrowed, phrase = await shelf.recall.dated(shelf.tenant, query, shelf.at)
    assert phrase is not None
    assert phrase.window is not None
    assert (narrowed.filters.since, narrowed.filters.until) == (phrase.window.since, phrase.window.until)
    assert [each.external_id for each in await shelf.recall.recall(shelf.tenant, query, shelf.at)] == ["before"]


async def test_a_high_threshold_for_answers_is_none_for_the_event_that_a_time_counts_from(shelf: Shelf) -> None:
    await shelf.put({"id": "trip", "text": "Our trip to Norway began today.", "occurred_at": "2025-07-20"})
    question = "What did I buy two weeks before the trip to Norway?"
    query = RecallQuery(question, dates=True, min_score=1.0, diversity=0.9)
    _, phrase = await shelf.recall.dated(shelf.tenant, query, shelf.at)
    assert phrase is not None


async def test_an_event_without_a_date_leaves_the_question_as_it_is(shelf: Shelf) -> None:
    await shelf.put({"id": "trip", "text": "Our trip to Norway began today."})
    query = RecallQuery("What did I buy two weeks before the trip to Norway?", dates=True)
    narrowed, phrase = await shelf.recall.dated(shelf.tenant, query, shelf.at)
    assert phrase is None
    assert narrowed == replace(query, dates=False)


async def test_a_threshold_keeps_what_reaches_it_and_changes_no_score(shelf: Shelf) -> None:
    await shelf.put(*FLEET)
    question = "Which tug pulls barges up the river?"
    every = await shelf.find(question)
    assert len(every) == len(FLEET)
    for least in sorted({0.0, *(each.probability for each in every), 1.0}):
        kept = await shelf.find(question, min_score=least)
        expected = [(each.external_id, each.score) for each in every if each.probability >= least]
        assert [(each.external_id, each.score) for each in kept] == expected


async def test_what_is_below_the_threshold_takes_no_place_of_what_is_not(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf.put(*FLEET)
    question = "Which tug pulls barges up the river?"
    first, second, *_ = await shelf.find(question)
    chances = {first.passage_id: 0.1, second.passage_id: 0.9}

    def told(channels: Any, coverage: Any, link: Any) -> Any:
        return np.array([chances.get(each, 0.0) for each in held[-1]])

    held: list[Sequence[UUID]] = []
    whole = Findings.subset

    def keep(self: Any, places: Sequence[int]) -> Any:
        taken = whole(self, places)
        held.append(taken.passage_ids)
        return taken

    monkeypatch.setattr(Findings, "subset", keep)
    monkeypatch.setattr("knowledge.ranking.probability", told)
    assert await shelf.ids(question, k=1, fold=False, min_score=0.5) == [second.external_id]


async def test_what_says_the_same_is_folded_and_the_places_are_filled(shelf: Shelf) -> None:
    copies = [{"id": f"copy{i}", "text": "Seven gulls sat upon the old lighthouse rail."} for i in range(60)]
    await shelf.put(*copies, *FLEET)
    question = "How many gulls sat upon the lighthouse rail?"
    found = await shelf.find(question, k=4)
    assert len(found) == 4
    assert sum((each.external_id or "").startswith("copy") for each in found) == 1
    assert len(found[0].also_in) == 59
    assert found[0].document_id not in found[0].also_in
    unfolded = await shelf.find(question, k=4, fold=False)
    assert all((each.external_id or "").startswith("copy") for each in unfolded)
    assert all(not each.also_in for each in unfolded)


async def test_diversity_shows_other_things_and_keeps_the_best_first(shelf: Shelf) -> None:
    gulls = [f"{who} saw gulls upon the lighthouse rail." for who in ("Ann", "Ben", "Cleo", "Dan")]
    await shelf.put(*({"id": f"gull{i}", "text": text} for i, text in enumerate(gulls)), *FLEET)
    question = "Who saw gulls upon the lighthouse rail?"
    plain = await shelf.find(question, k=3)
    varied = await shelf.find(question, k=3, diversity=0.8)
    assert all((each.external_id or "").startswith("gull") for each in plain)
    assert varied[0].external_id == plain[0].external_id
    assert len(varied) == 3
    assert not all((each.external_id or "").startswith("gull") for each in varied)


@pytest.mark.parametrize("options", [{}, {"fold": False}, {"diversity": 0.3}])
async def test_k_is_filled_beyond_what_one_channel_brings(shelf: Shelf, options: dict[str, Any]) -> None:
    rows = [{"id": str(i), "text": f"Crate {i:03} stands in bay {i * 7 % 211}."} for i in range(210)]
    await shelf.put(*rows)
    found = await shelf.find("zebra", k=200, **options)  # no word is shared, so only meaning finds anything
    assert len(found) == 200
    assert len({each.passage_id for each in found}) == 200
    assert len(await shelf.find("zebra", k=CANDIDATES, fold=False)) == CANDIDATES


async def test_a_section_or_document_is_shown_around_within_the_budget(shelf: Shelf) -> None:
    text = "\n\n".join(f"# Part {i}\n\n" + f"Sentence about topic {i} and rope. " * 30 for i in range(4))
    await shelf.put({"id": "long", "text": text})
    for unit in ("section", "document"):
        (passage,) = await shelf.find("topic 2 and rope", k=1, expand=unit, fold=False)
        assert passage.around is not None
        assert passage.passage_id in passage.around.found
        assert passage.text in passage.around.text
    (passage,) = await shelf.find("topic 2 and rope", k=1, expand="document", fold=False)
    assert passage.around is not None
    assert passage.around.text == text.strip()
    (cut,) = await shelf.find("topic 2 and rope", k=1, expand="document", max_tokens=passage.tokens, fold=False)
    assert cut.around is not None
    assert cut.around.tokens == passage.tokens
    assert await shelf.find("topic 2 and rope", k=1, expand="document", max_tokens=1) == []


async def test_without_a_budget_showing_what_is_around_costs_no_result(shelf: Shelf) -> None:
    rows = [{"id": str(i), "text": f"Log {i}. " + f"Rope {i} held well in wind {i % 7}. " * 12} for i in range(60)]
    await shelf.put(*rows)
    plain = await shelf.ids("rope in the wind", k=60, fold=False)
    assert len(plain) == 60
    assert await shelf.ids("rope in the wind", k=60, fold=False, expand="document") == plain


async def test_a_cross_encoder_orders_the_best_anew(shelf: Shelf) -> None:
    await shelf.put(*FLEET)
    question = "Which tug pulls barges up the river?"
    with pytest.raises(InvalidInputError) as caught:
        await shelf.find(question, rerank=True)
    assert caught.value.field == "rerank"
    encoder = Backwards()
    shelf.recall = replace(shelf.recall, reranker=encoder)
    plain = await shelf.ids(question)
    assert encoder.asked == []
    assert await shelf.ids(question, rerank=True) == plain[::-1]
    assert await shelf.ids(question, rerank=True, k=1) == plain[-1:]  # it sees more than it shows
    assert encoder.asked[0][0].startswith("The tug")


async def test_all_options_together(shelf: Shelf) -> None:
    shelf.recall = replace(shelf.recall, reranker=Backwards())
    await shelf.put(*(row | {"occurred_at": "2025-05-10"} for row in FLEET))
    copies = [{"id": f"c{i}", "text": FLEET[0]["text"], "occurred_at": "2025-05-11"} for i in range(3)]
    await shelf.put(*copies, {"id": "other", "text": "The tug Marta rests.", "occurred_at": "2024-05-11"})
    options: dict[str, Any] = {
        "k": 3,
        "fold": True,
        "diversity": 0.4,
        "expand": "document",
        "rerank": True,
        "max_tokens": 200,
    }
    found = await shelf.find(
        "Which tug pulled barges in May 2025?", dates=True, min_score=0.0, as_of=shelf.at.now, **options
    )
    assert len(found) == 3
    assert "other" not in {each.external_id for each in found}
    assert len({each.text for each in found}) == 3
    assert sum(each.tokens for each in found) <= 200
    assert all(each.around is not None and each.text in each.around.text for each in found)
    for each in found:
        score = each.score
        channels = (score.late, score.dense, score.lexical, score.speaker, score.title, score.link)
        parts = (*channels, score.coherence, score.interference, score.novelty)
        assert score.score == pytest.approx(sum(parts), abs=1e-12)
        assert 0 <= each.probability <= 1

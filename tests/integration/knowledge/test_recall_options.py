"""What a question may ask for beside words: a moment, a time, a threshold, a form."""

import asyncio
from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest

from core.errors import InvalidInputError
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Filters, Ingestion, Recall, RecalledPassage, RecallQuery, parse_document
from knowledge.graph.catalogue import Graph
from knowledge.graph.mentions import find_entities
from knowledge.resonance import ResonanceCache
from knowledge.search import CANDIDATES, Search

FLEET: list[dict[str, Any]] = [
    {"id": "tug", "text": "The tug Marta pulls barges up the river."},
    {"id": "buoy", "text": "Buoy twelve was painted green in spring."},
    {"id": "dock", "text": "The dry dock is booked until the end of autumn."},
    {"id": "pilot", "text": "Pilots board large tankers off the lighthouse."},
]


def later(at: Moment, days: float) -> Moment:
    return replace(at, now=at.now + timedelta(days=days))


@pytest.fixture
async def gem(gems: Gems, tenant: UUID, at: Moment) -> Gem:
    return await gems.create(tenant, GemChange("fleet"), at)


class Shelf:
    """A gem, by what is put into it and asked of it."""

    def __init__(self, ingestion: Ingestion, recall: Recall, tenant: UUID, gem: Gem, at: Moment) -> None:
        self.ingestion, self.recall, self.tenant, self.gem, self.at = ingestion, recall, tenant, gem, at

    async def put(self, *rows: dict[str, Any], at: Moment | None = None) -> None:
        await self.ingestion.ingest(self.tenant, self.gem.gem_id, map(parse_document, rows), at or self.at)

    async def find(self, question: str, at: Moment | None = None, **query: Any) -> list[RecalledPassage]:
        return await self.recall.recall(self.tenant, RecallQuery(question, (self.gem.gem_id,), **query), at or self.at)

    async def ids(self, question: str, at: Moment | None = None, **query: Any) -> list[str | None]:
        return [each.external_id for each in await self.find(question, at, **query)]


@pytest.fixture
def shelf(ingestion: Ingestion, recall: Recall, tenant: UUID, gem: Gem, at: Moment) -> Shelf:
    return Shelf(ingestion, recall, tenant, gem, at)


class Backwards:
    """A cross-encoder that likes the last text best."""

    model = "backwards"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def score(self, question: str, texts: Sequence[str]) -> list[float]:
        self.asked.append(list(texts))
        so_far = sum(map(len, self.asked))
        return [float(so_far + i) for i in range(len(texts))]


# as_of


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


# dates


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


# min_score, fold, diversity, k


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
    subset = "knowledge.ranking.Findings.subset"
    whole = __import__("knowledge.ranking", fromlist=["Findings"]).Findings.subset

    def keep(self: Any, places: Sequence[int]) -> Any:
        taken = whole(self, places)
        held.append(taken.passage_ids)
        return taken

    monkeypatch.setattr(subset, keep)
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


# expand, rerank, and all of it together


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


# what is kept of a question


class Counted:
    """Counts the searches of a recall."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.searches = 0
        whole = Search.find

        async def find(search: Search, *rest: Any) -> Any:
            self.searches += 1
            return await whole(search, *rest)

        monkeypatch.setattr(Search, "find", find)


async def test_a_question_asked_again_is_not_searched_again_whatever_form_it_asks_for(
    monkeypatch: pytest.MonkeyPatch, shelf: Shelf
) -> None:
    await shelf.put(*FLEET)
    counted = Counted(monkeypatch)
    question = "Which tug pulls barges?"
    first = await shelf.find(question)
    assert await shelf.find(question) == first
    await shelf.find(question, later(shelf.at, 30), k=1, min_score=0.1, fold=False, diversity=0.2, expand="document")
    assert counted.searches == 1
    assert (shelf.recall.cache.hits, shelf.recall.cache.misses) == (2, 1)


@pytest.mark.parametrize(
    "query",
    [
        {"filters": Filters(sources=("a",))},
        {"filters": Filters(metadata={"v": 1})},
        {"filters": Filters(since=datetime(2025, 1, 1, tzinfo=UTC))},
        {"as_of": datetime(2026, 1, 1, tzinfo=UTC)},
        {"k": 200},
    ],
)
async def test_what_changes_what_is_found_is_searched_anew(
    monkeypatch: pytest.MonkeyPatch, shelf: Shelf, query: dict[str, Any]
) -> None:
    await shelf.put(*FLEET)
    counted = Counted(monkeypatch)
    await shelf.find("Which tug?")
    await shelf.find("Which tug?", **query)
    await shelf.find("Which tug?", **query)
    assert counted.searches == 2


async def test_every_write_is_seen_at_once(shelf: Shelf) -> None:
    await shelf.put(*FLEET)
    question = "Which tug pulls barges up the river?"
    assert (await shelf.ids(question))[0] == "tug"
    await shelf.put({"id": "tug2", "text": "The tug Olga pulls barges up the river.", "supersedes": ["tug"]})
    assert (await shelf.ids(question))[0] == "tug2"
    assert "tug" not in await shelf.ids(question)
    (document_id,) = {each.document_id for each in await shelf.find(question) if each.external_id == "tug2"}
    await shelf.ingestion.delete(shelf.tenant, shelf.gem.gem_id, [document_id], shelf.at)
    assert (await shelf.ids(question))[0] == "tug"


async def test_merging_and_splitting_names_is_seen_at_once(shelf: Shelf, database: Database) -> None:
    await shelf.put(
        {"id": "seed", "entities": ["Fjord Express"], "text": "The line to Hovden is run by Fjord Express."},
        {"id": "goal", "entities": ["FE Ltd"], "text": "Founded in 1911, FE Ltd owns nine ships."},
        *({"id": f"n{i}", "entities": ["Nothing"], "text": f"Note {i} tells of Nothing."} for i in range(12)),
    )
    graph = Graph(database, shelf.ingestion.embedder)

    async def is_linked() -> bool:
        found = await shelf.find("Who runs the line to Hovden?", k=20)
        return any(each.external_id == "goal" and each.score.link > 0 for each in found)

    assert not await is_linked()
    async with database.transaction(shelf.tenant, read_only=True) as conn:
        ids = await find_entities(conn, shelf.gem.gem_id, ["Fjord Express", "FE Ltd"], create=False)
    into, other = ids["fjord express"], ids["fe ltd"]
    await graph.merge(shelf.tenant, shelf.gem.gem_id, into, (other,), shelf.at)
    assert await is_linked()
    await graph.undo(shelf.tenant, shelf.gem.gem_id, None, shelf.at)
    assert not await is_linked()


async def test_equal_questions_at_once_are_searched_for_once(monkeypatch: pytest.MonkeyPatch, shelf: Shelf) -> None:
    await shelf.put(*FLEET)
    counted = Counted(monkeypatch)
    answers = await asyncio.gather(*(shelf.ids("Which tug pulls barges?") for _ in range(5)))
    assert counted.searches == 1
    assert answers == [answers[0]] * 5


async def test_a_failed_search_is_not_kept(monkeypatch: pytest.MonkeyPatch, shelf: Shelf) -> None:
    await shelf.put(*FLEET)
    whole = Search.find

    async def fail(*_: Any) -> Any:
        raise InvalidInputError("question", "cannot be read today")

    monkeypatch.setattr(Search, "find", fail)
    with pytest.raises(InvalidInputError):
        await shelf.find("Which tug?")
    monkeypatch.setattr(Search, "find", whole)
    assert len(await shelf.find("Which tug?")) == len(FLEET)


async def test_the_least_recently_used_question_is_given_up(monkeypatch: pytest.MonkeyPatch, shelf: Shelf) -> None:
    await shelf.put(*FLEET)
    shelf.recall = replace(shelf.recall, cache=ResonanceCache(2))
    counted = Counted(monkeypatch)
    for question in ("one", "two", "one", "three", "one", "two"):
        await shelf.find(question)
    assert counted.searches == 4
    assert len(shelf.recall.cache) == 2


async def test_tenants_share_no_findings(monkeypatch: pytest.MonkeyPatch, shelf: Shelf, recall: Recall) -> None:
    await shelf.put(*FLEET)
    await shelf.find("Which tug?")
    assert await recall.recall(uuid4(), RecallQuery("Which tug?"), shelf.at) == []


async def test_a_gem_that_goes_while_all_are_asked_is_no_error(
    monkeypatch: pytest.MonkeyPatch, shelf: Shelf, gems: Gems, recall: Recall
) -> None:
    await shelf.put(*FLEET)
    goner = await gems.create(shelf.tenant, GemChange("goner"), shelf.at)
    module = "knowledge.recall.list_active"
    whole = __import__("knowledge.recall", fromlist=["list_active"]).list_active

    async def list_then_lose(conn: Any) -> Any:
        found = await whole(conn)
        if goner.gem_id in found:
            await gems.delete(shelf.tenant, goner.gem_id)
        return found

    monkeypatch.setattr(module, list_then_lose)
    found = await recall.recall(shelf.tenant, RecallQuery("Which tug?"), shelf.at)
    assert len(found) == len(FLEET)


async def test_a_passage_that_goes_between_search_and_show_is_left_out(
    monkeypatch: pytest.MonkeyPatch, shelf: Shelf
) -> None:
    await shelf.put(*FLEET)
    (tug,) = [each for each in await shelf.find("Which tug?") if each.external_id == "tug"]
    whole = Search.find

    async def find_then_lose(*values: Any) -> Any:
        found = await whole(*values)
        await shelf.ingestion.delete(shelf.tenant, shelf.gem.gem_id, [tug.document_id], shelf.at)
        return found

    monkeypatch.setattr(Search, "find", find_then_lose)
    shelf.recall = replace(shelf.recall, cache=ResonanceCache(0))
    assert set(await shelf.ids("Which tug?", diversity=0.1)) == {"buoy", "dock", "pilot"}


# gems in unusual states


async def carry_out(database_url: str, *statements: str) -> None:
    """Change what only an upgrade, a bulk load or a move to another model leaves behind."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        for statement in statements:
            await admin.execute(statement.encode())


UNUSUAL = {
    "no token states": ["DELETE FROM passage_tokens"],
    "some token states": ["DELETE FROM passage_tokens WHERE slot % 2 = 0"],
    "token states of nothing": [r"UPDATE passage_tokens SET states = ''"],
    "token states of zeros": ["UPDATE passage_tokens SET states = decode(repeat('00', 256), 'hex')"],
    "the other column": [
        "UPDATE passage SET embedding_b = embedding",
        "UPDATE passage SET embedding = NULL",
        "UPDATE lattice SET embedding_column = 'embedding_b'",
    ],
    "words not indexed yet": ["DELETE FROM lexical_segment", "UPDATE gem SET sealed_slot = 0"],
    "neighbours not known": ["UPDATE passage SET around = '{}'"],
}


@pytest.mark.parametrize("state", UNUSUAL)
@pytest.mark.parametrize("exact_below", [0, 4_000])
async def test_a_gem_in_an_unusual_state_is_recalled_with_finite_scores(
    monkeypatch: pytest.MonkeyPatch, shelf: Shelf, database_url: str, state: str, exact_below: int
) -> None:
    monkeypatch.setattr("knowledge.search.EXACT_BELOW", exact_below)
    turns = [{"id": str(i), "thread": "t", "speaker": "Ann", "text": f"The tug came at {i}."} for i in range(3)]
    await shelf.put(*FLEET, *turns)
    await carry_out(database_url, *UNUSUAL[state])
    for question in ("Which tug pulls barges up the river?", "the", "🦀", "\u200b?"):
        for options in ({}, {"k": 1}, {"filters": Filters(until=datetime(2030, 1, 1, tzinfo=UTC))}, {"diversity": 0.5}):
            found = await shelf.find(question, **options)
            assert len(found) == (0 if "filters" in options else 1 if "k" in options else 7)
            numbers = [value for each in found for value in astuple(each.score) if value is not None]
            assert np.isfinite([*numbers, *(each.probability for each in found)]).all()
    assert (await shelf.ids("Which tug pulls barges up the river?"))[0] == "tug"

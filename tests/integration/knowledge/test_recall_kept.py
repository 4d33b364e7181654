"""What is kept of a question, and what a question meets that changes meanwhile, or is in an unusual state."""

import asyncio
from dataclasses import astuple, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
import pytest

from core.errors import InvalidInputError
from core.pg import Database
from gems import GemChange, Gems, list_active
from knowledge import Filters, Recall, RecallQuery
from knowledge.graph.catalogue import Graph
from knowledge.graph.mentions import find_entities
from knowledge.resonance import ResonanceCache
from knowledge.search import Search
from tests.integration.knowledge.shelf import FLEET, Shelf, later


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

    async def list_then_lose(conn: Any) -> Any:
        found = await list_active(conn)
        if goner.gem_id in found:
            await gems.delete(shelf.tenant, goner.gem_id)
        return found

    monkeypatch.setattr("knowledge.recall.list_active", list_then_lose)
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

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from core.errors import GemNotFoundError, InvalidInputError
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Filters, Ingestion, Recall, RecallQuery, measure_passages, parse_document
from knowledge.lexical import fetch_lists
from knowledge.resonance import ResonanceCache
from knowledge.search import Search

NOTES: list[dict[str, Any]] = [
    {"id": "crane", "text": "The gantry crane at pier nine lifts forty tonnes.", "source": "port.md"},
    {"id": "ferry", "text": "The island ferry leaves at seven and at noon.", "source": "port.md", "metadata": {"v": 1}},
    {"id": "gulls", "text": "Herring gulls nest on the warehouse roof in May.", "source": "birds.md"},
    {"id": "tide", "text": "Spring tides flood the lower quay twice a month.", "source": "sea.md"},
    {"id": "cook", "text": "Our cook salts the cod for two days before smoking it.", "source": "food.md"},
]
TALK = [
    ("Ann", "I finally sold the red sailing boat."),
    ("Ben", "Who bought it?"),
    ("Ann", "A teacher from the next village."),
    ("Ben", "I sold my bicycle to the baker, by the way."),
]


@pytest.fixture
async def port(gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> Gem:
    gem = await gems.create(tenant, GemChange("port"), at)
    rows = [note | {"occurred_at": f"2025-0{i + 1}-01"} for i, note in enumerate(NOTES)]
    await ingestion.ingest(tenant, gem.gem_id, map(parse_document, rows), at)
    return gem


@pytest.fixture
async def talk(gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> Gem:
    gem = await gems.create(tenant, GemChange("talk"), at)
    rows = [{"id": f"t{i}", "text": text, "speaker": who, "thread": "1"} for i, (who, text) in enumerate(TALK)]
    await ingestion.ingest(tenant, gem.gem_id, map(parse_document, rows), at)
    return gem


async def ask(recall: Recall, tenant: UUID, at: Moment, question: str, **query: Any) -> list[str | None]:
    return [each.external_id for each in await recall.recall(tenant, RecallQuery(question, **query), at)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How heavy a load can the crane lift?", "crane"),
        ("When does the boat to the island depart?", "ferry"),
        ("Which birds breed on top of buildings?", "gulls"),
        ("What is done to fish before it is smoked?", "cook"),
    ],
)
async def test_the_passage_that_answers_comes_first(
    recall: Recall, port: Gem, tenant: UUID, at: Moment, question: str, expected: str
) -> None:
    assert (await ask(recall, tenant, at, question, gem_ids=(port.gem_id,)))[0] == expected


async def test_a_score_is_the_sum_of_its_parts_and_orders_the_result(
    recall: Recall, port: Gem, tenant: UUID, at: Moment
) -> None:
    found = await recall.recall(tenant, RecallQuery("When does the ferry leave?", (port.gem_id,)), at)
    assert len(found) == len(NOTES)
    for each in found:
        score = each.score
        parts = (score.late, score.dense, score.lexical, score.speaker, score.title, score.link, score.novelty)
        assert score.score == pytest.approx(sum(parts) + score.coherence + score.interference, abs=1e-12)
        assert -1 <= score.field <= 1
    assert [each.score.score for each in found] == sorted((each.score.score for each in found), reverse=True)
    assert found[0].score.bm25 > 0
    assert found[0].text == NOTES[1]["text"]


async def test_the_named_speaker_is_preferred_and_the_text_is_shown_without_context(
    recall: Recall, talk: Gem, tenant: UUID, at: Moment
) -> None:
    query = RecallQuery("Whom did Ben give his bicycle?", (talk.gem_id,))
    found = await recall.recall(tenant, query, at)
    assert found[0].external_id == "t3"
    assert found[0].text == TALK[3][1]
    assert {each.external_id for each in found if each.score.speaker > 0} == {"t1", "t3"}  # Ben's


async def test_a_turn_is_found_by_the_words_of_the_turn_before_it(
    recall: Recall, talk: Gem, tenant: UUID, at: Moment
) -> None:
    found = await recall.recall(tenant, RecallQuery("red sailing boat", (talk.gem_id,)), at)
    scores = {each.external_id: each.score.bm25 for each in found}
    assert scores["t0"] > scores["t1"] > scores["t3"] > 0


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(sources=("port.md",)), {"crane", "ferry"}),
        (Filters(sources=("port.md", "sea.md")), {"crane", "ferry", "tide"}),
        (Filters(metadata={"v": 1}), {"ferry"}),
        (Filters(since=datetime(2025, 4, 1, tzinfo=UTC)), {"tide", "cook"}),
        (Filters(until=datetime(2025, 2, 1, tzinfo=UTC)), {"crane"}),
        (Filters(since=datetime(2025, 2, 1, tzinfo=UTC), sources=("port.md",)), {"ferry"}),
        (Filters(sources=("nowhere.md",)), set()),
    ],
)
@pytest.mark.parametrize("exact_below", [0, 4_000])
async def test_filters_hold_in_every_channel(
    monkeypatch: pytest.MonkeyPatch,
    recall: Recall,
    port: Gem,
    tenant: UUID,
    at: Moment,
    filters: Filters,
    expected: set[str],
    exact_below: int,
) -> None:
    monkeypatch.setattr("knowledge.search.EXACT_BELOW", exact_below)
    for question in ("the ferry, the crane, the cod, gulls and tides", "zzz"):
        found = await ask(recall, tenant, at, question, gem_ids=(port.gem_id,), filters=filters)
        assert set(found) == expected


async def test_k_and_the_token_budget_cut_the_result(recall: Recall, port: Gem, tenant: UUID, at: Moment) -> None:
    whole = await recall.recall(tenant, RecallQuery("ferry", (port.gem_id,)), at)
    assert len(await ask(recall, tenant, at, "ferry", gem_ids=(port.gem_id,), k=2)) == 2
    budget = whole[0].tokens + whole[1].tokens
    assert len(await ask(recall, tenant, at, "ferry", gem_ids=(port.gem_id,), max_tokens=budget)) == 2
    assert await ask(recall, tenant, at, "ferry", gem_ids=(port.gem_id,), max_tokens=1) == []


async def test_without_gems_every_gem_that_is_not_archived_is_searched(
    gems: Gems, recall: Recall, port: Gem, talk: Gem, tenant: UUID, at: Moment
) -> None:
    assert set(await ask(recall, tenant, at, "boat", k=50)) == {"t0", "t1", "t2", "t3"} | {n["id"] for n in NOTES}
    await gems.archive(tenant, talk.gem_id, at)
    assert "t0" not in await ask(recall, tenant, at, "boat", k=50)
    assert "t0" in await ask(recall, tenant, at, "boat", k=50, gem_ids=(talk.gem_id,))


async def test_another_tenant_recalls_nothing_of_it(recall: Recall, port: Gem, at: Moment) -> None:
    stranger = uuid4()
    assert await ask(recall, stranger, at, "ferry") == []
    with pytest.raises(GemNotFoundError):
        await ask(recall, stranger, at, "ferry", gem_ids=(port.gem_id,))


async def test_an_empty_gem_and_a_question_of_stop_words_are_no_errors(
    gems: Gems, recall: Recall, port: Gem, tenant: UUID, at: Moment
) -> None:
    empty = await gems.create(tenant, GemChange("empty"), at)
    assert await ask(recall, tenant, at, "anything", gem_ids=(empty.gem_id,)) == []
    assert len(await ask(recall, tenant, at, "who is it?", gem_ids=(port.gem_id,))) == len(NOTES)
    assert len(await ask(recall, tenant, at, "🦀", gem_ids=(port.gem_id,))) == len(NOTES)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"question": " "}, "question"),
        ({"question": "x" * 10_001}, "question"),
        ({"question": "x", "k": 0}, "k"),
        ({"question": "x", "k": 201}, "k"),
        ({"question": "x", "max_tokens": 0}, "max_tokens"),
    ],
)
def test_a_query_out_of_bounds_is_named(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        RecallQuery(**values)
    assert caught.value.field == field


async def test_the_state_moves_a_score_within_its_bounds_only(
    database: Database, recall: Recall, port: Gem, tenant: UUID, at: Moment
) -> None:
    later = replace(at, now=at.now + timedelta(days=90))
    query = RecallQuery("the ferry and the crane", (port.gem_id,))
    before = {each.external_id: each for each in await recall.recall(tenant, query, later)}
    async with database.transaction(tenant) as conn:
        await measure_passages(conn, {before["crane"].passage_id: 0.9}, later, cause="feedback")
    after = {each.external_id: each for each in await recall.recall(tenant, query, later)}
    assert after["crane"].state.coherence > before["crane"].state.coherence
    assert after["crane"].score.score > before["crane"].score.score
    for each in after.values():
        score = each.score
        relevance = score.late + score.dense + score.lexical + score.speaker + score.title + score.link
        assert abs(each.score.coherence + each.score.interference) <= 0.15 * relevance + 1e-12


async def test_ten_years_later_everything_is_still_recalled_in_the_same_order(
    recall: Recall, port: Gem, tenant: UUID, at: Moment
) -> None:
    question = "When does the ferry leave?"
    now = await ask(recall, tenant, at, question, gem_ids=(port.gem_id,))
    old = replace(at, now=at.now + timedelta(days=3650))
    assert await ask(recall, tenant, old, question, gem_ids=(port.gem_id,)) == now


async def test_the_index_and_the_full_comparison_find_the_same(
    monkeypatch: pytest.MonkeyPatch, recall: Recall, port: Gem, talk: Gem, tenant: UUID, at: Moment
) -> None:
    recall = replace(recall, cache=ResonanceCache(0))
    exact = await ask(recall, tenant, at, "boat to the island", k=50)
    monkeypatch.setattr("knowledge.search.EXACT_BELOW", 0)
    assert await ask(recall, tenant, at, "boat to the island", k=50) == exact


@pytest.mark.parametrize("at_query", ["fetch_lists", "nearest_exact", "hydrate_candidates"])
async def test_a_connection_that_breaks_in_the_middle_of_a_question_is_not_noticed(
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    recall: Recall,
    port: Gem,
    tenant: UUID,
    at: Moment,
    at_query: str,
) -> None:
    broken: list[str] = []

    async def breaking(conn: Any) -> None:
        if not broken:
            broken.append(at_query)
            with psycopg.connect(database_url, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", (conn.info.backend_pid,))

    whole = Search._rows

    async def rows(self: Search, conn: Any, query: str, scope: Any, values: Any) -> Any:
        if query == at_query:
            await breaking(conn)
        return await whole(self, conn, query, scope, values)

    async def lists(conn: Any, *rest: Any) -> Any:
        if at_query == "fetch_lists":
            await breaking(conn)
        return await fetch_lists(conn, *rest)

    monkeypatch.setattr(Search, "_rows", rows)
    monkeypatch.setattr("knowledge.search.fetch_lists", lists)
    assert (await ask(recall, tenant, at, "When does the ferry leave?", gem_ids=(port.gem_id,)))[0] == "ferry"
    assert broken == [at_query]

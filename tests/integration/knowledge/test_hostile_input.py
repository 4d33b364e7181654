"""Odd texts and odd questions: what is stored is whole, and recall over it answers."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from core.errors import InvalidInputError
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion, Recall, RecallQuery, SourceDocument, parse_document

ODD = {
    "emoji": "👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🚢🌊",
    "combining": "Z" + "\u0301" * 2_000 + "algo e\u0301te\u0301",
    "rtl": "המעבורת יוצאת בשבע \u202eתרוי אל\u202c العبارة تغادر في السابعة",
    "word": "ferry",
    "letter": "x",
    "punctuation": "?!" * 400,
    "unassigned": "\U0010fffd\u0378\uffff",
    "joined": "a" * 50_000,
    "controls": "a\x07\x1b[31mb\x00c",
    "surrogate": "half \ud83d of a pair",
    "blank lines": "first" + "\n" * 50_000 + "last",
    "script": "<script>alert('x')</script> {{ 7*7 }} '; DROP TABLE passage; --",
    "headings": "# a\n" * 2_000,
    "digits": "9" * 10_000,
}
QUESTIONS = (
    "👨‍👩‍👧‍👦🚢",
    "\u0301\u0301",
    "?",
    "fer\x00ry",
    "\ud83d",
    "\x07\x1b[31m",
    "\u200b\u202e",
    "ferry " * 1_666,
    "x" * 10_000,
    "🚢" * 10_000,
    "'; DROP TABLE passage; --",
    "%_\\ & | ! ( ) : * <->",
    "המעבורת",
    "9" * 5_000,
    '"never closed',
)


@pytest.fixture
async def gem(gems: Gems, tenant: UUID, at: Moment) -> Gem:
    return await gems.create(tenant, GemChange("odd"), at)


@pytest.fixture
def count(database: Database, tenant: UUID, gem: Gem) -> Callable[[], Any]:
    async def count_all() -> dict[str, int]:
        async with database.transaction(tenant, read_only=True) as conn:
            cursor = await conn.execute(
                "SELECT (SELECT count(*) FROM document), (SELECT sum(passages) FROM document), "
                "(SELECT count(*) FROM passage), (SELECT sum(size) FROM lexical_segment)"
            )
            found = await cursor.fetchone() or ()
        return dict(zip(("documents", "told", "passages", "indexed"), found, strict=True))

    return count_all


async def test_odd_texts_are_stored_whole_and_any_question_is_answered(
    ingestion: Ingestion, recall: Recall, gem: Gem, tenant: UUID, at: Moment, count: Any
) -> None:
    documents = [parse_document({"id": name, "text": text, "title": text[:900]}) for name, text in ODD.items()]
    report = await ingestion.ingest(tenant, gem.gem_id, documents, at)
    assert report.documents == len(ODD)
    counts = await count()
    assert counts["told"] == counts["passages"] == counts["indexed"] == report.passages
    for question in QUESTIONS:
        found = await recall.recall(tenant, RecallQuery(question, dates=True), at)
        assert all(passage.text for passage in found), question
    for question, expected in (("ferry", "ferry"), ("המעבורת", ODD["rtl"])):
        found = await recall.recall(tenant, RecallQuery(question, k=5), at)
        assert expected in [passage.text for passage in found], question


@pytest.mark.parametrize("question", ["", " \n", "\x00\x00", "q" * 10_001])
def test_a_question_that_asks_nothing_or_too_much_is_refused(question: str) -> None:
    with pytest.raises(InvalidInputError, match="question"):
        RecallQuery(question)


@pytest.mark.parametrize(
    ("fields", "stored"),
    [({}, 1), ({"source": "log"}, 1), ({"thread": "t", "speaker": "Ann"}, 2_000), ({"id": "same"}, 1)],
    ids=["alone", "of one source", "in a thread", "of one id"],
)
async def test_two_thousand_identical_rows_are_one_document_or_two_thousand_turns(
    ingestion: Ingestion, recall: Recall, gem: Gem, tenant: UUID, at: Moment, count: Any, fields: Any, stored: int
) -> None:
    row = parse_document({"text": "The ferry leaves at noon.", **fields})
    report = await ingestion.ingest(tenant, gem.gem_id, [row] * 2_000, at)
    assert (report.documents, report.skipped) == (stored, 2_000 - stored)
    assert await count() == dict.fromkeys(("documents", "told", "passages", "indexed"), stored)
    again = await ingestion.ingest(tenant, gem.gem_id, [row] * 2_000, at)
    assert (again.documents, again.skipped) == (0, 2_000)
    found = await recall.recall(tenant, RecallQuery("When does the ferry leave?"), at)
    assert found[0].text == "The ferry leaves at noon."


async def test_one_text_under_a_thousand_ids_is_as_many_documents_and_one_answer(
    ingestion: Ingestion, recall: Recall, gem: Gem, tenant: UUID, at: Moment, count: Any
) -> None:
    rows = (SourceDocument("The ferry leaves at noon.", external_id=f"r{i}") for i in range(1_000))
    report = await ingestion.ingest(tenant, gem.gem_id, rows, at)
    assert report.documents == 1_000
    assert await count() == dict.fromkeys(("documents", "told", "passages", "indexed"), 1_000)
    (found,) = await recall.recall(tenant, RecallQuery("When does the ferry leave?"), at)
    assert found.text == "The ferry leaves at noon."
    assert found.also_in


async def test_a_document_full_of_names_and_relations_is_stored_and_replaced(
    ingestion: Ingestion, recall: Recall, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    relations = [[f"Ship {i}", "calls at", f"Port {i % 50}"] for i in range(10_000)]
    crowded = {
        "id": "fleet", "text": "The fleet calls at many ports.", "relations": relations,
        "entities": [f"Ship {i}" for i in range(9_997)] + ["n" * 1_000, "\u202e👨‍👩‍👧‍👦", "e\u0301" * 400],
    }  # fmt: skip
    report = await ingestion.ingest(tenant, gem.gem_id, [parse_document(crowded)], at)
    assert report.documents == 1
    async with database.transaction(tenant, read_only=True) as conn:
        cursor = await conn.execute("SELECT count(*) FROM relation WHERE known_to IS NULL")
        assert await cursor.fetchone() == (10_000,)
    found = await recall.recall(tenant, RecallQuery("Where does Ship 7 call?"), at)
    assert found[0].text == crowded["text"]
    plain = parse_document({"id": "fleet", "text": "The fleet was sold."})
    assert (await ingestion.ingest(tenant, gem.gem_id, [plain], at)).replaced == 1
    async with database.transaction(tenant, read_only=True) as conn:
        cursor = await conn.execute("SELECT count(*) FROM relation WHERE known_to IS NULL")
        assert await cursor.fetchone() == (0,)

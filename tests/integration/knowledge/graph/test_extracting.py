"""What models find becomes part of the graph; each text is asked about once, whatever ends a run."""

import asyncio
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from core.errors import (
    AllTargetsFailedError,
    GemArchivedError,
    GemNotFoundError,
    InvalidInputError,
    StructureInvalidError,
)
from core.pg import Connection, Database
from gems import GemChange, Gems, Moment
from knowledge import Ingestion, parse_document
from knowledge.graph.catalogue import Graph
from knowledge.graph.extracting import COST_REACHED, Ended, Extracting
from knowledge.graph.extraction import BATCH_PASSAGES, Extractor
from knowledge.graph.extraction_progress import Counts, ExtractionWish
from knowledge.graph.relations import Relation, RelationQuery
from tests.integration.knowledge.graph.scribe import CALL_USD, Scribe

ALL = ExtractionWish()
OSLO, TEA = "Ann lives in Oslo since 2010.", "Bo likes tea."
PEOPLE = [f"{name} likes tea." for name in ("Ann", "Bo", "Cy", "Dee", "Eve", "Fay", "Gus", "Hal", "Ida", "Jo")]


@dataclass
class Library:
    """A gem with documents, and what is extracted from them."""

    database: Database
    gems: Gems
    ingestion: Ingestion
    tenant: UUID
    at: Moment
    gem_id: UUID

    @property
    def extracting(self) -> Extracting:
        return Extracting(self.database, lambda: self.at)

    def another(self, gem_id: UUID) -> "Library":
        return replace(self, gem_id=gem_id)

    async def write(self, *texts: str, **rest: Any) -> None:
        documents = [parse_document({"text": text, **rest}) for text in texts]
        await self.ingestion.ingest(self.tenant, self.gem_id, documents, self.at)

    async def extract(self, scribe: Extractor, wish: ExtractionWish = ALL, **rest: Any) -> Ended:
        return await self.extracting.carry_out(self.tenant, self.gem_id, scribe, wish, **rest)

    async def relations(self) -> list[Relation]:
        graph = Graph(self.database, self.ingestion.embedder)
        return await graph.list_relations(self.tenant, self.gem_id, RelationQuery(), self.at, before=None, limit=100)

    async def held(self) -> set[tuple[str, str, str]]:
        return {(each.subject, each.object, each.origin) for each in await self.relations()}

    async def count(self, table: str) -> int:
        async with self.database.transaction(self.tenant) as conn:
            row = await (await conn.execute(f"SELECT count(*) FROM {table}".encode())).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
async def library(database: Database, gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> Library:
    gem = await gems.create(tenant, GemChange("people"), at)
    return Library(database, gems, ingestion, tenant, at, gem.gem_id)


@pytest.fixture
def one_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call shows one passage."""
    monkeypatch.setattr("knowledge.graph.extraction.BATCH_PASSAGES", 1)


async def test_what_a_model_finds_is_in_the_graph(library: Library) -> None:
    await library.write(OSLO, TEA)
    ended = await library.extract(scribe := Scribe())
    (lives,) = [each for each in await library.relations() if each.object == "Oslo"]
    assert (lives.subject, lives.predicate, lives.origin, lives.support) == ("Ann", "lives in", "llm", 1)
    assert lives.valid_from is not None
    assert lives.valid_from.year == 2010
    assert ended == Ended(Counts(2, 0, 0, 1, 4, 2, {}, 10, 20, CALL_USD), None)
    graph = Graph(library.database, library.ingestion.embedder)
    entity = await graph.resolve_entity(library.tenant, library.gem_id, "tea", library.at)
    detail = await graph.get_entity(library.tenant, library.gem_id, entity, library.at)
    assert [each.text for each in detail.passages] == [TEA]
    ann = await graph.resolve_entity(library.tenant, library.gem_id, "ann", library.at)
    assert (await graph.get_entity(library.tenant, library.gem_id, ann, library.at)).entity.kind == "person"
    assert scribe.asked == [[OSLO, TEA]]


async def test_what_was_asked_once_is_not_asked_again(library: Library) -> None:
    await library.write(OSLO, TEA)
    await library.extract(scribe := Scribe())
    again = await library.extract(scribe)
    assert again == Ended(Counts(), None)
    await library.write(OSLO, "Cy likes tea.", id="again")
    await library.extract(scribe)
    assert scribe.texts.count(OSLO) == 1
    other = library.another((await library.gems.create(library.tenant, GemChange("others"), library.at)).gem_id)
    await other.write(TEA, OSLO)
    ended = await other.extract(scribe)
    assert (ended.counts.passages, ended.counts.known, ended.counts.calls) == (2, 2, 0)
    assert await other.held() == {("Ann", "Oslo", "llm"), ("Bo", "tea", "llm")}
    await library.extract(another := Scribe("another"))
    assert len(another.texts) == 3


async def test_equal_passages_of_one_gem_are_asked_about_once(library: Library) -> None:
    await library.write(TEA, id="a")
    await library.write(TEA, id="b")
    ended = await library.extract(scribe := Scribe())
    assert scribe.texts == [TEA]
    assert ended.counts.passages == 2
    (told,) = await library.relations()
    assert told.support == 2


@pytest.mark.usefixtures("one_each")
async def test_a_kill_between_two_calls_costs_nothing(library: Library) -> None:
    await library.write(*PEOPLE)
    scribe = Scribe()

    async def die_after_three(conn: Connection, counts: Counts) -> bool:
        if counts.calls > 3:
            run.cancel()
            await asyncio.sleep(1)
        return True

    run = asyncio.create_task(library.extract(scribe, record=die_after_three))
    with pytest.raises(asyncio.CancelledError):
        await run
    assert len(await library.held()) == 3
    ended = await library.extract(later := Scribe())
    assert ended.counts.passages == len(PEOPLE) - 3
    assert len(later.texts) == len(PEOPLE) - 3
    assert len(await library.held()) == len(PEOPLE)


@pytest.mark.usefixtures("one_each")
async def test_an_answer_that_fails_leaves_the_others_stored(library: Library) -> None:
    await library.write(*PEOPLE)
    scribe = Scribe()
    scribe.fails[1] = AllTargetsFailedError("nobody is there")
    with pytest.raises(AllTargetsFailedError):
        await library.extract(scribe)
    stored = len(await library.held())
    assert 1 <= stored < len(PEOPLE)
    await library.extract(later := Scribe())
    assert len(later.texts) == len(PEOPLE) - stored


async def test_what_cannot_be_read_is_asked_in_smaller_calls_and_left_for_later(library: Library) -> None:
    await library.write(*PEOPLE)
    scribe = Scribe()
    scribe.unreadable, scribe.silent = {PEOPLE[3]}, {PEOPLE[7], PEOPLE[8]}
    ended = await library.extract(scribe)
    assert (ended.counts.passages, ended.counts.failed) == (len(PEOPLE) - 1, 1)
    assert len(await library.held()) == len(PEOPLE) - 1
    scribe.unreadable.clear()
    scribe.asked.clear()
    await library.extract(scribe)
    assert scribe.texts == [PEOPLE[3]]


async def test_a_model_that_passes_over_a_passage_again_and_again_has_found_nothing_there(library: Library) -> None:
    await library.write("Nothing of note.", TEA)
    scribe = Scribe()
    read = scribe.extract

    async def extract(passages: Any) -> Any:
        answer = await read(passages)
        return replace(answer, found=[each if each and each.relations else None for each in answer.found])

    scribe.extract = extract  # type: ignore[method-assign]
    assert (await library.extract(scribe)).counts.passages == 2
    assert (await library.extract(scribe)).counts.passages == 0


async def test_a_model_that_never_makes_sense_is_not_asked_for_ever(library: Library) -> None:
    texts = [f"Nonsense number {number}." for number in range(3 * BATCH_PASSAGES)]
    await library.write(*texts)
    scribe = Scribe()
    scribe.unreadable = {*texts}
    with pytest.raises(StructureInvalidError):
        await library.extract(scribe)
    assert len(scribe.asked) < 3 * BATCH_PASSAGES
    assert await library.count("extraction") == 0


@pytest.mark.usefixtures("one_each")
async def test_a_limit_of_cost_is_kept_to_also_by_calls_side_by_side(library: Library) -> None:
    await library.write(*PEOPLE)
    wish = ExtractionWish(5 * CALL_USD)
    ended = await library.extract(scribe := Scribe(), wish)
    assert ended.stop == COST_REACHED
    assert ended.counts.cost_usd == 4 * CALL_USD  # a fifth may cost twice as much
    assert len(scribe.asked) == 4 == len(await library.held())
    more = await library.extract(scribe, ExtractionWish(6 * CALL_USD), counts=ended.counts)
    assert len(scribe.asked) == 5
    assert more.counts.cost_usd == 5 * CALL_USD


async def test_a_limit_of_cost_needs_known_prices(library: Library) -> None:
    await library.write(TEA)
    with pytest.raises(InvalidInputError, match="max_usd"):
        await library.extract(Scribe(cost_usd=None), ExtractionWish(Decimal(1)))
    assert (await library.extract(Scribe(cost_usd=None))).counts.unpriced == 1


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity"])
def test_a_limit_of_cost_is_an_amount(amount: str) -> None:
    with pytest.raises(InvalidInputError, match="max_usd"):
        ExtractionWish(Decimal(amount))
    with pytest.raises(InvalidInputError, match="limit"):
        ExtractionWish(most=0)


async def test_so_many_passages_and_no_more(library: Library) -> None:
    await library.write(*PEOPLE)
    assert (await library.extract(scribe := Scribe(), ExtractionWish(most=4))).counts.passages == 4
    assert scribe.texts == PEOPLE[:4]


async def test_a_plan_tells_what_it_would_take_and_does_nothing(library: Library) -> None:
    await library.write(*PEOPLE)
    await library.extract(Scribe(), ExtractionWish(most=2))
    await library.write(PEOPLE[0], id="again")
    plan = await library.extracting.plan(library.tenant, library.gem_id, scribe := Scribe(), ALL)
    assert (plan.passages, plan.known, plan.calls) == (9, 1, 1)
    assert (plan.cost_usd, plan.most_usd) == (CALL_USD, 2 * CALL_USD)
    assert plan.output_tokens == 2 * plan.input_tokens > 0
    few = await library.extracting.plan(library.tenant, library.gem_id, scribe, ExtractionWish(most=3))
    assert few.passages == 3
    free = await library.extracting.plan(library.tenant, library.gem_id, Scribe(cost_usd=None), ALL)
    assert (free.cost_usd, free.most_usd) == (None, None)
    assert not scribe.asked
    assert len(await library.held()) == 2


async def test_nothing_invented_is_stored(library: Library) -> None:
    await library.write(OSLO)
    scribe = Scribe()
    scribe.invents = True
    ended = await library.extract(scribe)
    assert ended.counts.dropped == {"unsaid_entities": 1, "unsaid_relations": 1}
    assert await library.held() == {("Ann", "Oslo", "llm")}
    async with library.database.transaction(library.tenant) as conn:
        found = await (await conn.execute("SELECT found::text FROM extraction")).fetchone()
        names = await (await conn.execute("SELECT name FROM entity WHERE name = 'Atlantis'")).fetchall()
    assert found is not None
    assert "Atlantis" not in found[0]
    assert not names


async def test_another_model_replaces_what_the_one_before_found(library: Library) -> None:
    await library.write("Ann lives in Oslo since 2010. Ann likes tea.")
    await library.extract(Scribe())
    before = {each.object: each.relation_id for each in await library.relations()}
    choosy = Scribe("choosy")
    choosy.says = re.compile(r"(\w+) (lives in) (\w+)(?: since (\d+))?")
    await library.extract(choosy)
    (left,) = await library.relations()
    assert left.relation_id == before["Oslo"]  # what is found again is left as it is


async def test_what_a_caller_told_is_left_alone_and_counted_once(library: Library) -> None:
    await library.write(TEA, relations=[["Bo", "likes", "tea"]])
    await library.extract(Scribe())
    (told,) = await library.relations()
    assert told.support == 1
    assert await library.count("relation") == 2


async def test_an_edit_closes_what_the_old_text_alone_said(library: Library) -> None:
    await library.write(f"{OSLO}\n\n{TEA}", id="letter")
    await library.extract(scribe := Scribe())
    await library.write(TEA, id="letter")
    assert await library.held() == set()
    await library.extract(scribe)
    assert await library.held() == {("Bo", "tea", "llm")}
    (told,) = await library.relations()
    assert told.document_id is not None
    await library.ingestion.delete(library.tenant, library.gem_id, [told.document_id], library.at)
    assert await library.held() == set()
    assert await library.count("extracted_passage") == 0


async def test_what_holds_again_is_found_again_without_asking(library: Library) -> None:
    await library.write(OSLO, id="old")
    await library.extract(scribe := Scribe())
    await library.write("Ann has moved.", id="new", supersedes=["old"])
    assert await library.held() == set()
    await library.write("Ann has moved, they say.", id="new")
    await library.extract(scribe)
    assert await library.held() == {("Ann", "Oslo", "llm")}
    assert scribe.texts.count(OSLO) == 1


async def test_what_was_decided_against_stays_so(library: Library) -> None:
    await library.write("Ann lives in Oslo since 2010. Ann lives in Rome since 2010.")
    await library.extract(Scribe())
    graph = Graph(library.database, library.ingestion.embedder)
    told = {each.object: each.relation_id for each in await library.relations()}
    await graph.resolve_contradiction(library.tenant, library.gem_id, told["Oslo"], told["Rome"], library.at)
    await library.extract(Scribe("another"))
    assert await library.held() == {("Ann", "Oslo", "llm")}


async def test_nothing_is_written_where_nothing_may_be(library: Library) -> None:
    await library.write(TEA)
    await library.gems.archive(library.tenant, library.gem_id, library.at)
    with pytest.raises(GemArchivedError):
        await library.extract(Scribe())
    with pytest.raises(GemNotFoundError):
        await library.extracting.plan(library.tenant, library.tenant, Scribe(), ALL)


@pytest.mark.usefixtures("one_each")
async def test_a_word_ends_a_run(library: Library) -> None:
    await library.write(*PEOPLE)

    async def cancelled(conn: Connection, counts: Counts) -> bool:
        return counts.calls < 2

    ended = await library.extract(scribe := Scribe(), record=cancelled)
    assert ended.stop == "cancelled"
    assert len(scribe.asked) < len(PEOPLE)
    assert ended.counts.passages == len(scribe.asked)  # what was paid for is stored

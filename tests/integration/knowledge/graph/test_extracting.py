"""What models find becomes part of the graph; each text is asked about once."""

import re

import pytest

from core.errors import GemArchivedError, GemNotFoundError
from gems import GemChange
from knowledge.graph.catalogue import Graph
from knowledge.graph.extracting import Ended
from knowledge.graph.extraction_progress import Counts
from tests.integration.knowledge.graph.library import ALL, Library
from tests.integration.knowledge.graph.scribe import CALL_USD, Scribe

OSLO, TEA = "Ann lives in Oslo since 2010.", "Bo likes tea."


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

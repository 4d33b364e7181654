"""What replaces what, and what the lattice took to hold when."""

from itertools import permutations
from uuid import uuid4

import pytest

from core.errors import GemArchivedError, GemNotFoundError
from gems import Gems
from tests.integration.knowledge.graph.conftest import Notes, relate

OSLO = ("Ann", "Oslo", "2010-01-01", "-")


async def test_a_later_claim_ends_an_earlier_one_and_the_past_stays_known(notes: Notes) -> None:
    await notes.write("Ann lives in Oslo.", relate("Ann", "lives in", "Oslo", "2010-01-01"), on="2026-01-01")
    await notes.write("Ann lives in Bergen.", relate("Ann", "livesIn", "Bergen", "2020-01-01"), on="2026-02-01")
    ended = ("Ann", "Oslo", "2010-01-01", "2020-01-01")
    bergen = ("Ann", "Bergen", "2020-01-01", "-")
    assert await notes.held() == {ended, bergen}
    assert await notes.held(as_of="2026-01-15") == {OSLO}
    assert await notes.held(as_of="2026-02-01") == {ended, bergen}
    assert await notes.held(as_of="2025-12-31") == set()
    assert await notes.held(valid_at="2015-01-01") == {ended}
    assert await notes.held(valid_at="2020-01-01") == {bergen}
    assert await notes.held(as_of="2026-01-15", valid_at="2022-01-01") == {OSLO}
    (first,) = await notes.relations(object_id=await notes.entity("Oslo"))
    (second,) = await notes.relations(object_id=await notes.entity("Bergen"))
    assert (first.closed_reason, first.closed_by) == ("replaced", second.claim_id)


async def test_the_order_in_which_dated_claims_come_does_not_matter(notes: Notes) -> None:
    told = [("Oslo", "2010-01-01"), ("Bergen", "2015-01-01"), ("Oslo", "2020-01-01")]
    for i, order in enumerate(permutations(told)):
        who = f"Resident {'abcdef'[i]}"
        for day, (place, since) in enumerate(order, start=1):
            await notes.write(place, relate(who, "lives in", place, since), on=f"2026-01-{day + i * 3:02}")
        held = {each[1:] for each in await notes.held() if each[0] == who}
        assert held == {
            ("Oslo", "2010-01-01", "2015-01-01"),
            ("Bergen", "2015-01-01", "2020-01-01"),
            ("Oslo", "2020-01-01", "-"),
        }


async def test_what_a_removed_document_had_replaced_holds_again(notes: Notes) -> None:
    await notes.write("Oslo", relate("Ann", "lives in", "Oslo", "2010-01-01"), on="2026-01-01")
    bergen = await notes.write("Bergen", relate("Ann", "lives in", "Bergen", "2020-01-01"), on="2026-02-01")
    await notes.forget(bergen, on="2026-03-01")
    assert await notes.held() == {OSLO}
    assert len(await notes.held(as_of="2026-02-15")) == 2


async def test_the_same_from_two_documents_is_one_relation_that_stands_as_long_as_one_does(notes: Notes) -> None:
    first = await notes.write("Ann likes tea.", relate("Ann", "likes", "tea"), relate("ann", "LIKES", "Tea"))
    await notes.write("Ann still likes tea.", relate("Ann", "likes", "tea"), on="2026-02-01")
    (shown,) = await notes.relations()
    assert shown.support == 2
    await notes.forget(first, on="2026-03-01")
    (left,) = await notes.relations()
    assert (left.relation_id, left.support) == (shown.relation_id, 1)
    (before,) = await notes.relations(as_of="2026-01-15")
    assert before.support == 1
    assert before.document_id == first


async def test_what_a_document_says_happened_dates_its_claims(notes: Notes) -> None:
    await notes.write("Bergen", relate("Ann", "works at", "the mill"), occurred_at="2022-01-01", on="2026-01-01")
    await notes.write("Oslo", relate("Ann", "works at", "the port"), occurred_at="2019-01-01", on="2026-02-01")
    assert await notes.held() == {("Ann", "the mill", "-", "-"), ("Ann", "the port", "-", "2022-01-01")}


async def test_of_two_undated_claims_the_one_learned_later_stands(notes: Notes) -> None:
    await notes.write("Oslo", relate("Ann", "lives in", "Oslo"), on="2026-01-01")
    await notes.write("Bergen", relate("Ann", "lives in", "Bergen"), on="2026-02-01")
    assert await notes.held() == {("Ann", "Oslo", "-", "2026-02-01"), ("Ann", "Bergen", "-", "-")}


async def test_what_is_not_decided_stays_side_by_side(notes: Notes) -> None:
    await notes.write("Oslo", relate("Ann", "lives in", "Oslo", "2020-01-01"), on="2026-01-01")
    await notes.write("Bergen", relate("Ann", "lives in", "Bergen"), on="2026-02-01")
    await notes.write("Both", relate("Bo", "lives in", "Oslo"), relate("Bo", "lives in", "Bergen"))
    await notes.write("Many", relate("Ann", "visited", "Rome"), on="2026-01-01")
    await notes.write("Many", relate("Ann", "visited", "Paris"), on="2026-02-01")
    assert all(valid_to == "-" for *_, valid_to in await notes.held())
    assert len(await notes.held()) == 6


async def test_marking_a_predicate_settles_what_was_told_before(notes: Notes) -> None:
    await notes.write("Red", relate("Crane", "is painted", "red", "2010-01-01"), on="2026-01-01")
    await notes.write("Blue", relate("Crane", "is painted", "blue", "2020-01-01"), on="2026-01-02")
    marked = await notes.graph.put_predicates(
        notes.tenant, notes.gem_id, {"is_painted": "one_at_a_time"}, notes.on("2026-02-01")
    )
    assert marked.find("is painted") == "one_at_a_time"
    assert ("Crane", "red", "2010-01-01", "2020-01-01") in await notes.held()
    assert ("Crane", "red", "2010-01-01", "-") in await notes.held(as_of="2026-01-20")
    await notes.graph.put_predicates(notes.tenant, notes.gem_id, {}, notes.on("2026-03-01"))
    assert ("Crane", "red", "2010-01-01", "-") in await notes.held()
    assert ("Crane", "red", "2010-01-01", "2020-01-01") in await notes.held(as_of="2026-02-15")


async def test_a_claim_without_a_name_or_predicate_is_left_out(notes: Notes) -> None:
    await notes.write("Nothing", relate("", "likes", "tea"), relate("Ann", " ", "tea"), relate("Ann", "likes", " "))
    assert await notes.relations() == []


async def test_relations_are_paged_and_filtered(notes: Notes) -> None:
    for i in range(5):
        await notes.write(f"{i}", relate("Ann", "owns", f"boat {'abcde'[i]}"), on=f"2026-01-0{i + 1}")
    await notes.write("x", relate("Bo", "sold", "boat a"), on="2026-01-09")
    seen, before = [], None
    from knowledge.graph.relations import RelationQuery  # noqa: PLC0415

    query = RelationQuery(predicate="OWNS")
    for size in (2, 2, 1):
        page = await notes.graph.list_relations(notes.tenant, notes.gem_id, query, notes.at, before=before, limit=2)
        assert len(page) == size
        before = (page[-1].learned_at, page[-1].relation_id)
        seen += [each.object for each in page]
    assert seen == [f"boat {letter}" for letter in "edcba"]
    assert len(await notes.relations(entity_id=await notes.entity("boat a"))) == 2
    assert len(await notes.relations(subject_id=await notes.entity("Bo"))) == 1


async def test_an_archived_gem_is_read_only_and_a_foreign_one_is_not_there(notes: Notes, gems: Gems) -> None:
    await gems.archive(notes.tenant, notes.gem_id, notes.at)
    assert await notes.relations() == []
    with pytest.raises(GemArchivedError):
        await notes.graph.put_predicates(notes.tenant, notes.gem_id, {}, notes.at)
    with pytest.raises(GemNotFoundError):
        await notes.graph.put_predicates(uuid4(), notes.gem_id, {}, notes.at)

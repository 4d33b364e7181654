"""What cannot both hold is reported with both passages, and decided by people."""

from uuid import uuid4

import pytest

from core.errors import ConflictError, RelationNotFoundError
from knowledge.graph.contradictions import Contradiction
from tests.integration.knowledge.graph.conftest import Notes, relate


async def contradictions(notes: Notes) -> list[Contradiction]:
    return await notes.graph.list_contradictions(
        notes.tenant, notes.gem_id, notes.on("2026-12-01"), subject_id=None, limit=50
    )


async def test_claims_of_one_time_are_reported_with_their_passages(notes: Notes) -> None:
    await notes.write("Ann lives in Oslo.", relate("Ann", "lives in", "Oslo", "2020-01-01"), on="2026-01-01")
    await notes.write("Ann lives in Bergen.", relate("Ann", "lives in", "Bergen", "2020-01-01"), on="2026-02-01")
    (found,) = await contradictions(notes)
    assert found.cardinality == "one_at_a_time"
    assert (found.newer.text, found.older.text) == ("Ann lives in Bergen.", "Ann lives in Oslo.")
    assert found.newer.passage_id in notes.passages.values()


async def test_what_was_replaced_does_not_contradict(notes: Notes) -> None:
    for year, place in ((2010, "Oslo"), (2015, "Bergen"), (2020, "Oslo")):
        await notes.write(place, relate("Ann", "lives in", place, f"{year}-01-01"))
    assert await contradictions(notes) == []


async def test_a_given_end_that_a_later_claim_cuts_off_contradicts(notes: Notes) -> None:
    await notes.write("x", relate("Ann", "works at", "mill", "2010-01-01", "2020-01-01"))
    await notes.write("y", relate("Ann", "works at", "port", "2019-01-01"))
    await notes.write("z", relate("Bo", "works at", "mill", None, "2015-01-01"))
    await notes.write("w", relate("Bo", "works at", "port", "2015-01-01"))
    (found,) = await contradictions(notes)
    assert {found.newer.relation.object, found.older.relation.object} == {"mill", "port"}
    assert found.newer.relation.subject == "Ann"


async def test_what_is_constant_contradicts_at_any_time(notes: Notes) -> None:
    await notes.write("x", relate("Ann", "born in", "Oslo"), occurred_at="2019-01-01")
    await notes.write("y", relate("Ann", "born in", "Bergen"), occurred_at="2020-01-01", on="2026-02-01")
    (found,) = await contradictions(notes)
    assert found.cardinality == "one"


async def test_an_unmarked_predicate_is_reported_only_if_other_subjects_have_one_object(notes: Notes) -> None:
    told = [relate(f"Ship {letter}", "sails under", f"flag {letter}") for letter in "abcdefghijklmnopqrst"]
    await notes.write("fleet", *told)
    await notes.write("guests", *(relate("Ann", "visited", place) for place in ("Oslo", "Bergen")))
    await notes.write("odd", relate("Ship a", "sails under", "flag x"), on="2026-02-01")
    (found,) = await contradictions(notes)
    assert (found.cardinality, found.newer.relation.object) == (None, "flag x")
    await notes.graph.put_predicates(notes.tenant, notes.gem_id, {"sails under": "many"}, notes.at)
    assert await contradictions(notes) == []


async def test_resolving_closes_every_support_of_the_other_and_can_be_undone(notes: Notes) -> None:
    await notes.write("Oslo", relate("Ann", "born in", "Oslo"))
    await notes.write("Bergen", relate("Ann", "born in", "Bergen"), on="2026-01-02")
    await notes.write("Bergen again", relate("Ann", "born in", "Bergen"), on="2026-01-03")
    before = await notes.dump()
    (found,) = await contradictions(notes)
    keep, drop = found.older.relation, found.newer.relation
    change = await notes.graph.resolve_contradiction(
        notes.tenant, notes.gem_id, keep.relation_id, drop.relation_id, notes.on("2026-03-01")
    )
    assert change.facts == {"kept": "Ann born in Oslo", "closed": "Ann born in Bergen", "relations": 2}
    assert {each.object for each in await notes.relations()} == {"Oslo"}
    assert {each.object for each in await notes.relations(as_of="2026-02-01")} == {"Oslo", "Bergen"}
    assert await contradictions(notes) == []
    await notes.graph.undo(notes.tenant, notes.gem_id, None, notes.on("2026-04-01"))
    assert await notes.dump() == before


async def test_undoing_does_not_bring_back_what_lost_its_document(notes: Notes) -> None:
    await notes.write("Oslo", relate("Ann", "born in", "Oslo"))
    bergen = await notes.write("Bergen", relate("Ann", "born in", "Bergen"), on="2026-01-02")
    (found,) = await contradictions(notes)
    ids = (found.older.relation.relation_id, found.newer.relation.relation_id)
    await notes.graph.resolve_contradiction(notes.tenant, notes.gem_id, *ids, notes.on("2026-02-01"))
    await notes.forget(bergen, on="2026-03-01")
    await notes.graph.undo(notes.tenant, notes.gem_id, None, notes.on("2026-04-01"))
    assert {each.object for each in await notes.relations()} == {"Oslo"}


async def test_only_what_contradicts_can_be_resolved(notes: Notes) -> None:
    await notes.write("x", relate("Ann", "lives in", "Oslo", "2010-01-01"), relate("Ann", "likes", "tea"))
    await notes.write("y", relate("Ann", "lives in", "Bergen", "2020-01-01"), on="2026-02-01")
    by_object = {each.object: each.relation_id for each in await notes.relations()}
    (old,) = await notes.relations(as_of="2026-01-15", predicate="lives in")
    for keep, drop in (("Oslo", "tea"), ("Oslo", "Oslo"), ("Bergen", "Oslo")):
        with pytest.raises(ConflictError):
            await notes.graph.resolve_contradiction(
                notes.tenant, notes.gem_id, by_object[keep], by_object[drop], notes.at
            )
    with pytest.raises(ConflictError, match="closed meanwhile"):
        await notes.graph.resolve_contradiction(
            notes.tenant, notes.gem_id, by_object["Bergen"], old.relation_id, notes.at
        )
    with pytest.raises(RelationNotFoundError):
        await notes.graph.resolve_contradiction(notes.tenant, notes.gem_id, by_object["Oslo"], uuid4(), notes.at)

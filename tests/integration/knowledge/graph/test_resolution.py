"""Aliases, merging, splitting, suggestions, and undoing them to the last row."""

import random
from uuid import UUID, uuid4

import pytest

from core.errors import (
    ChangeFollowedError,
    ChangeNotFoundError,
    EntityNameTakenError,
    EntityNotFoundError,
    InvalidInputError,
)
from knowledge.graph.splitting import Split
from tests.integration.knowledge.graph.conftest import Notes, relate


async def merge(notes: Notes, into: str, *others: str, on: str = "2026-05-01") -> UUID:
    ids = tuple([await notes.entity(each) for each in others])
    made = await notes.graph.merge(notes.tenant, notes.gem_id, await notes.entity(into), ids, notes.on(on))
    return made.change.change_id


async def undo(notes: Notes, change: UUID | None = None, on: str = "2026-06-01") -> None:
    await notes.graph.undo(notes.tenant, notes.gem_id, change, notes.on(on))


async def slots(notes: Notes, name: str) -> set[str]:
    detail = await notes.graph.get_entity(notes.tenant, notes.gem_id, await notes.entity(name), notes.at)
    return {each.text for each in detail.passages}


async def test_merged_entities_have_all_names_mentions_and_relations(notes: Notes) -> None:
    await notes.write("x", relate("Robert", "lives in", "Oslo", "2010-01-01"), entities=["Robert"])
    await notes.write("y", relate("Bob", "lives in", "Bergen", "2020-01-01"), entities=["Bob"], on="2026-02-01")
    await notes.write("z", relate("Ann", "knows", "Bob"), entities=["Robert", "Bob"])
    await merge(notes, "Robert", "Bob")
    assert await notes.entity("bob") == await notes.entity("robert")
    assert await slots(notes, "Bob") == {"x", "y", "z"}
    assert ("Robert", "Oslo", "2010-01-01", "2020-01-01") in await notes.held()
    assert ("Ann", "Robert", "-", "-") in await notes.held()
    await notes.write("w", relate("Bob", "likes", "tea"), entities=["Bob"])
    assert await slots(notes, "Robert") == {"w", "x", "y", "z"}


async def test_undoing_gives_back_every_row(notes: Notes) -> None:
    await notes.write("x", relate("Robert", "lives in", "Oslo", "2010-01-01"), entities=["Robert"], title="Robert")
    await notes.write("y", relate("Bob", "lives in", "Bergen", "2020-01-01"), entities=["Bob", "Robert"])
    await notes.write("z", relate("Ann", "knows", "Bob"), relate("Bob", "is", "Robert"), entities=["Bob"])
    before = await notes.dump()
    change = await merge(notes, "Robert", "Bob", "Ann")
    assert await notes.dump() != before
    await undo(notes, change)
    assert await notes.dump() == before


@pytest.mark.parametrize("seed", range(8))
async def test_changes_undone_in_reverse_leave_no_trace(notes: Notes, seed: int) -> None:
    lots = random.Random(seed)
    people, places = [f"Person {letter}" for letter in "abcde"], [f"Place {letter}" for letter in "abc"]
    for i in range(14):
        since = lots.choice([None, f"20{lots.randint(10, 25)}-01-01"])
        predicate = lots.choice(["lives in", "visited", "born in"])
        relation = relate(lots.choice(people), predicate, lots.choice(places), since)
        named = lots.sample(people + places, 2)
        await notes.write(f"text {i}", relation, on=f"2026-01-{i + 1:02}", entities=named)
    dumps, changes, names = [await notes.dump()], list[UUID](), people + places
    for step in range(4):
        at = notes.on(f"2026-03-{step + 1:02}")
        if step % 2 == 0:
            into, other = lots.sample(names, 2)
            names.remove(other)
            changes.append(await merge(notes, into, other, on=f"2026-03-{step + 1:02}"))
        else:
            detail = await notes.graph.list_entities(notes.tenant, notes.gem_id, at, part=None, before=None, limit=50)
            several = [each for each in detail if len(each.names) > 1]
            split = Split(several[0].entity_id, f"New {step}", names=(several[0].names[-1],))
            changes.append((await notes.graph.split(notes.tenant, notes.gem_id, split, at)).change.change_id)
        dumps.append(await notes.dump())
    for change, before in zip(reversed(changes), reversed(dumps[:-1]), strict=True):
        await undo(notes, None)
        assert await notes.dump() == before, change


async def test_what_came_after_a_merge_survives_its_undoing(notes: Notes) -> None:
    await notes.write("x", relate("Robert", "lives in", "Oslo", "2010-01-01"), entities=["Robert"])
    await notes.write("y", relate("Bob", "lives in", "Bergen", "2020-01-01"), entities=["Bob"])
    change = await merge(notes, "Robert", "Bob")
    await notes.write("z", relate("Robert", "lives in", "Rome", "2024-01-01"), on="2026-05-15")
    bergen = next(each.document_id for each in await notes.relations() if each.object == "Bergen")
    assert bergen is not None
    await notes.forget(bergen, on="2026-05-20")
    await undo(notes, change)
    assert await notes.held() == {
        ("Robert", "Oslo", "2010-01-01", "2024-01-01"),
        ("Robert", "Rome", "2024-01-01", "-"),
    }


async def test_a_change_with_followers_is_undone_after_them(notes: Notes) -> None:
    await notes.write("x", entities=["Ann", "Bo", "Cy", "Di", "Ed"])
    first = await merge(notes, "Ann", "Bo")
    apart = await merge(notes, "Di", "Ed")
    second = await merge(notes, "Ann", "Cy")
    with pytest.raises(ChangeFollowedError) as caught:
        await undo(notes, first)
    assert caught.value.details["change_ids"] == [str(second)]
    await undo(notes, apart)
    await undo(notes, second)
    await undo(notes)
    with pytest.raises(ChangeNotFoundError, match="nothing is left"):
        await undo(notes)
    with pytest.raises(ChangeNotFoundError, match="already"):
        await undo(notes, first)
    with pytest.raises(ChangeNotFoundError):
        await undo(notes, uuid4())


async def test_an_alias_leads_to_its_entity_until_it_is_undone(notes: Notes) -> None:
    await notes.write("x", entities=["William", "Ann"])
    william = await notes.entity("William")
    made = await notes.graph.add_aliases(notes.tenant, notes.gem_id, william, ("Bill", "BILL"), notes.at)
    assert made.entity.names == ("bill", "william")
    assert await notes.entity("Bill") == william
    with pytest.raises(EntityNameTakenError):
        await notes.graph.add_aliases(notes.tenant, notes.gem_id, william, ("Ann",), notes.at)
    for names in (("Bill",), ("  ",), ()):
        with pytest.raises(InvalidInputError):
            await notes.graph.add_aliases(notes.tenant, notes.gem_id, william, names, notes.at)
    await undo(notes)
    with pytest.raises(KeyError):
        await notes.entity("Bill")


async def test_a_name_is_split_off_with_what_says_it(notes: Notes) -> None:
    await notes.write("Mercury is hot.", relate("Mercury", "orbits", "the Sun"), entities=["Mercury"])
    await notes.write("Hermod is a god.", relate("Hermod", "is", "a god"), entities=["Hermod"])
    await notes.write("Hermod, whom some call Mercury.", entities=["Hermod", "Mercury"])
    await merge(notes, "Mercury", "Hermod")
    before = await notes.dump()
    split = Split(await notes.entity("Mercury"), "Hermod the god", names=("Hermod",))
    made = await notes.graph.split(notes.tenant, notes.gem_id, split, notes.on("2026-05-02"))
    assert made.entity.names == ("hermod", "hermod the god")
    assert await slots(notes, "Hermod") == {"Hermod is a god.", "Hermod, whom some call Mercury."}
    assert await slots(notes, "Mercury") == {"Mercury is hot.", "Hermod, whom some call Mercury."}
    assert {each[:2] for each in await notes.held()} == {("Mercury", "the Sun"), ("Hermod the god", "a god")}
    await undo(notes)
    assert await notes.dump() == before


async def test_passages_are_split_off_where_one_name_means_two_things(notes: Notes) -> None:
    await notes.write("Mercury is hot.", relate("Mercury", "orbits", "the Sun"), entities=["Mercury"])
    god = await notes.write("Mercury is a god.", relate("Mercury", "is", "a god"), entities=["Mercury"])
    planet = await notes.entity("Mercury")
    split = Split(planet, "Mercury (god)", passage_ids=(notes.passages[god],))
    made = await notes.graph.split(notes.tenant, notes.gem_id, split, notes.at)
    assert await slots(notes, "Mercury") == {"Mercury is hot."}
    detail = await notes.graph.get_entity(notes.tenant, notes.gem_id, made.entity.entity_id, notes.at)
    assert [each.text for each in detail.passages] == ["Mercury is a god."]
    assert [(each.subject, each.object) for each in detail.relations] == [("Mercury (god)", "a god")]
    await notes.write("z", entities=["Mercury"])
    await undo(notes)
    assert await slots(notes, "Mercury") == {"Mercury is hot.", "Mercury is a god.", "z"}


async def test_what_cannot_be_merged_or_split_is_told(notes: Notes) -> None:
    await notes.write("x", entities=["Ann", "Bo"])
    ann, bo = await notes.entity("Ann"), await notes.entity("Bo")
    graph, tenant, gem, at = notes.graph, notes.tenant, notes.gem_id, notes.at
    for others in ((), (ann,), (bo, ann)):
        with pytest.raises(InvalidInputError):
            await graph.merge(tenant, gem, ann, others, at)
    with pytest.raises(EntityNotFoundError):
        await graph.merge(tenant, gem, ann, (uuid4(),), at)
    for split in (
        Split(ann, "New"),
        Split(ann, "New", names=("Ann",)),
        Split(ann, "New", names=("Bo",)),
        Split(ann, " ", names=("Ann",)),
        Split(ann, "New", passage_ids=(uuid4(),)),
    ):
        with pytest.raises(InvalidInputError):
            await graph.split(tenant, gem, split, at)
    with pytest.raises(EntityNameTakenError):
        await graph.split(tenant, gem, Split(ann, "Bo", passage_ids=tuple(notes.passages.values())), at)


async def test_names_close_in_meaning_are_suggested(notes: Notes) -> None:
    await notes.write("x", entities=["United States", "United States of America", "Herring gull", "Pier 1", "Pier 2"])
    found = await notes.graph.suggest_merges(notes.tenant, notes.gem_id, notes.at, threshold=0.8)
    assert [{each.first, each.second} for each in found.items] == [{"United States", "United States of America"}]
    assert (found.compared, found.waiting) == (5, 0)
    again = await notes.graph.suggest_merges(notes.tenant, notes.gem_id, notes.at, threshold=0.8)
    assert again == found
    with pytest.raises(InvalidInputError):
        await notes.graph.suggest_merges(notes.tenant, notes.gem_id, notes.at, threshold=0)


async def test_changes_are_listed_the_last_one_first(notes: Notes) -> None:
    await notes.write("x", entities=["Ann", "Bo", "Cy"])
    first = await merge(notes, "Ann", "Bo")
    second = await merge(notes, "Ann", "Cy")
    await undo(notes)
    listed = await notes.graph.list_changes(notes.tenant, notes.gem_id, notes.at, before=None, limit=1)
    assert [each.change_id for each in listed] == [second]
    assert listed[0].undone_at is not None
    before = (listed[0].made_at, second)
    rest = await notes.graph.list_changes(notes.tenant, notes.gem_id, notes.at, before=before, limit=5)
    assert [(each.change_id, each.facts) for each in rest] == [(first, {"into": "Ann", "merged": ["Bo"]})]

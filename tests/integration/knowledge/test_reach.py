"""Recall beyond the gems that are asked: in what is entangled with them, and in the whole lattice."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from core.pg import Database
from gems import Entanglements, Gem, GemChange, Gems, Moment
from knowledge import Ingestion, Recall, RecallQuery, parse_document
from knowledge.reach import ELSEWHERE
from knowledge.recalled import RecalledPassage

QUESTION = "When does the ferry leave?"
HARBOUR: list[dict[str, Any]] = [
    {"id": "ferry", "text": "The island ferry leaves at seven and at noon."},
    {"id": "crane", "text": "The gantry crane at pier nine lifts forty tonnes."},
]
ISLAND: list[dict[str, Any]] = [
    {"id": "boats", "text": "The ferry from the island leaves at nine and at four."},
    {"id": "goats", "text": "Goats graze on the northern cliffs."},
]
KITCHEN: list[dict[str, Any]] = [{"id": "cook", "text": "The cook hears the ferry leave when he salts the cod."}]
PARTS = ("late", "dense", "lexical", "speaker", "title", "link", "coherence", "interference", "novelty", "reach")


class Islands:
    """Three gems, the first two entangled."""

    def __init__(self, recall: Recall, gems: Gems, links: Entanglements, tenant: UUID, at: Moment) -> None:
        self.recall, self.gems, self.links, self.tenant, self.at = recall, gems, links, tenant, at
        self.by_name: dict[str, Gem] = {}

    async def fill(self, ingestion: Ingestion, name: str, rows: list[dict[str, Any]]) -> None:
        gem = await self.gems.create(self.tenant, GemChange(name), self.at)
        await ingestion.ingest(self.tenant, gem.gem_id, [parse_document(row) for row in rows], self.at)
        self.by_name[name] = gem

    async def entangle(self, one: str, other: str, strength: float) -> None:
        ids = (self.by_name[one].gem_id, self.by_name[other].gem_id)
        await self.links.entangle(self.tenant, *ids, strength, self.at)

    async def ask(self, *names: str, question: str = QUESTION, **query: Any) -> list[RecalledPassage]:
        gem_ids = tuple(self.by_name[name].gem_id for name in names)
        return await self.recall.recall(self.tenant, RecallQuery(question, gem_ids, **query), self.at)


@pytest.fixture
async def islands(
    database: Database, recall: Recall, gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment
) -> Islands:
    islands = Islands(recall, gems, Entanglements(database), tenant, at)
    for name, rows in {"harbour": HARBOUR, "island": ISLAND, "kitchen": KITCHEN}.items():
        await islands.fill(ingestion, name, rows)
    await islands.entangle("harbour", "island", 0.5)
    return islands


def named(passages: list[RecalledPassage]) -> set[str]:
    return {each.gem_name for each in passages}


async def test_by_default_only_what_is_asked_is_looked_at(islands: Islands) -> None:
    found = await islands.ask("harbour")
    assert named(found) == {"harbour"}
    assert all(each.entanglement is None and each.score.reach == 0 for each in found)


async def test_partners_are_reached_by_their_strength_and_named(islands: Islands) -> None:
    found = await islands.ask("harbour", reach="entangled")
    assert named(found) == {"harbour", "island"}
    assert (found[0].external_id, found[0].gem_name) == ("ferry", "harbour")
    for each in found:
        assert sum(getattr(each.score, part) for part in PARTS) == pytest.approx(each.score.score)
        if each.gem_name == "island":
            assert each.entanglement == 0.5
            assert each.score.reach == pytest.approx(-each.score.score)  # half of the whole was taken
        else:
            assert each.entanglement is None
            assert each.score.reach == 0


async def test_an_entanglement_reaches_one_hop_and_in_both_directions(islands: Islands) -> None:
    await islands.entangle("island", "kitchen", 1.0)
    assert named(await islands.ask("harbour", reach="entangled")) == {"harbour", "island"}
    assert named(await islands.ask("island", reach="entangled")) == {"harbour", "island", "kitchen"}
    assert named(await islands.ask("kitchen", reach="entangled")) == {"island", "kitchen"}


async def test_the_lattice_is_reached_with_the_own_gem_first_among_equals(islands: Islands) -> None:
    found = await islands.ask("harbour", reach="lattice")
    assert named(found) == {"harbour", "island", "kitchen"}
    by_gem = {each.gem_name: each for each in reversed(found)}
    assert [by_gem[name].entanglement for name in ("harbour", "island", "kitchen")] == [None, 0.5, None]
    for name, worth in {"harbour": 1.0, "island": (1 + ELSEWHERE) / 2, "kitchen": ELSEWHERE}.items():
        score = by_gem[name].score
        assert score.score == pytest.approx(worth * (score.score - score.reach))


async def test_where_no_gem_is_named_all_are_asked_alike(islands: Islands) -> None:
    plain = await islands.ask()
    for reach in ("entangled", "lattice"):
        assert await islands.ask(reach=reach) == plain


async def test_a_strength_that_changed_counts_at_once(islands: Islands) -> None:
    await islands.ask("harbour", reach="entangled")
    await islands.entangle("harbour", "island", 1.0)
    found = await islands.ask("harbour", reach="entangled")
    assert {each.entanglement for each in found if each.gem_name == "island"} == {1.0}
    assert all(each.score.reach == 0 for each in found)


async def test_archived_gems_are_not_reached_but_answer_when_they_are_asked(islands: Islands) -> None:
    await islands.gems.archive(islands.tenant, islands.by_name["island"].gem_id, islands.at)
    for reach in ("entangled", "lattice"):
        assert "island" not in named(await islands.ask("harbour", reach=reach))
    assert named(await islands.ask("island", reach="entangled")) == {"harbour", "island"}


async def test_a_large_weak_partner_takes_no_places_from_the_gem_that_is_asked(
    islands: Islands, ingestion: Ingestion
) -> None:
    timetable = [{"id": f"t{i}", "text": f"The ferry {i} leaves at {i} past the hour."} for i in range(130)]
    await islands.fill(ingestion, "timetable", timetable)
    await islands.entangle("harbour", "timetable", 0.01)
    own = [each.external_id for each in await islands.ask("harbour")]
    reached = await islands.ask("harbour", reach="entangled", k=200)
    assert {each.external_id for each in reached if each.gem_name == "harbour"} == set(own)
    assert reached[0].external_id == own[0]


async def test_what_is_reached_is_of_the_own_tenant(islands: Islands, gems: Gems, ingestion: Ingestion) -> None:
    stranger = replace(islands.at), UUID(int=77)
    gem = await gems.create(stranger[1], GemChange("theirs"), islands.at)
    await ingestion.ingest(stranger[1], gem.gem_id, [parse_document(row) for row in HARBOUR], islands.at)
    assert named(await islands.ask("harbour", reach="lattice")) == {"harbour", "island", "kitchen"}
    theirs = await islands.recall.recall(stranger[1], RecallQuery(QUESTION, (gem.gem_id,), reach="lattice"), islands.at)
    assert named(theirs) == {"theirs"}


async def test_a_use_measures_what_was_recalled_and_the_gems_that_hold_it(islands: Islands) -> None:
    later = replace(islands.at, now=islands.at.now + islands.at.time_unit)
    query = RecallQuery(QUESTION, (islands.by_name["harbour"].gem_id,), reach="entangled")
    found = await islands.recall.recall(islands.tenant, query, later)
    await islands.recall.use(islands.tenant, found, later)
    for name in ("harbour", "island"):
        log = await islands.gems.list_measurements(islands.tenant, islands.by_name[name].gem_id, later)
        told = {each.passage_id for each in log if each.cause == "recall"}
        assert told == {None} | {each.passage_id for each in found if each.gem_name == name}
    await islands.recall.use(islands.tenant, [], later)

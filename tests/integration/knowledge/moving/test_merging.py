from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.pg import Database
from gems import Gem, Gems, Moment
from knowledge import Ingestion, Recall, RecallQuery, parse_document
from knowledge.graph import Graph
from knowledge.moving import Moves
from reflection import ReflectionRequest, Reflections
from tests.integration.knowledge.moving.conftest import texts
from tests.integration.knowledge.moving.portrait import fetch_rows, portray

HARBOUR = ["The gantry crane lifts forty tonnes.", "The island ferry leaves at seven.", "Nets dry on the quay."]
ISLAND = ["The beacon on the island burns green.", "Clara Voss keeps the beacon.", "Goats graze below the beacon."]


@pytest.fixture
async def harbour(make_gem: Any) -> Gem:
    gem: Gem = await make_gem("harbour", texts(*HARBOUR, prefix="h"))
    return gem


@pytest.fixture
async def island(make_gem: Any) -> Gem:
    gem: Gem = await make_gem("island", texts(*ISLAND, prefix="i"))
    return gem


async def ids(recall: Recall, tenant: UUID, gem: Gem, question: str, at: Moment) -> list[str | None]:
    found = await recall.recall(tenant, RecallQuery(question, (gem.gem_id,)), at)
    return [each.external_id for each in found]


async def test_moved_passages_are_found_in_the_new_gem_and_no_longer_in_the_old(
    moves: Moves, recall: Recall, harbour: Gem, island: Gem, gems: Gems, tenant: UUID, at: Moment
) -> None:
    question = "What burns green?"
    assert (await ids(recall, tenant, island, question, at))[0] == "i0"  # kept by the cache, if versions did not rise
    assert "i0" not in await ids(recall, tenant, harbour, question, at)
    moved = await moves.merge(tenant, harbour.gem_id, [island.gem_id], at)
    assert (await ids(recall, tenant, harbour, question, at))[0] == "i0"
    assert await ids(recall, tenant, island, question, at) == []
    gone = await gems.get(tenant, island.gem_id, at)
    assert (gone.archived_at, gone.merged_into) == (at.now, harbour.gem_id)
    await moves.undo(tenant, moved.operation_id or uuid4(), at)
    assert (await ids(recall, tenant, island, question, at))[0] == "i0"
    assert "i0" not in await ids(recall, tenant, harbour, question, at)
    back = await gems.get(tenant, island.gem_id, at)
    assert (back.archived_at, back.merged_into) == (None, None)


async def test_states_log_and_evidence_follow_the_passage_and_the_log_still_proves_every_state(
    database: Database,
    moves: Moves,
    reflections: Reflections,
    harbour: Gem,
    island: Gem,
    gems: Gems,
    tenant: UUID,
    at: Moment,
) -> None:
    used = Moment(at.now + timedelta(days=2), at.time_unit)
    asked = await reflections.reflect(tenant, ReflectionRequest(island.gem_id, "What burns green?"), used)
    before = (await portray(database, tenant, island.gem_id)).states
    assert len(set(before.values())) > 1
    later = Moment(at.now + timedelta(days=3), at.time_unit)
    moved = await moves.merge(tenant, harbour.gem_id, [island.gem_id], later)
    assert before.items() <= (await portray(database, tenant, harbour.gem_id)).states.items()
    log = "SELECT gem_id, passage_id IS NULL AS of_gem, count(*) AS n FROM measurement GROUP BY 1, 2"
    rows = {(row["gem_id"], row["of_gem"]): row["n"] for row in await fetch_rows(database, tenant, log)}
    assert (island.gem_id, False) not in rows
    assert rows[harbour.gem_id, False] > 0
    assert rows[island.gem_id, True] == 2  # its birth and the reflection stay its own
    evidence = "SELECT DISTINCT gem_id FROM reflection_evidence WHERE reflection_id = %(reflection_id)s"
    found = await fetch_rows(database, tenant, evidence, reflection_id=asked.reflection_id)
    assert [row["gem_id"] for row in found] == [harbour.gem_id]
    assert (await gems.replay(tenant, later)).faults == 0
    await reflections.reflect(tenant, ReflectionRequest(harbour.gem_id, "Who keeps the beacon?"), later)
    await moves.undo(tenant, moved.operation_id or uuid4(), later)
    assert (await gems.replay(tenant, later)).faults == 0
    assert (await gems.replay(tenant, later, island.gem_id)).faults == 0


async def test_what_the_other_gem_has_already_stays_and_is_told(
    database: Database, moves: Moves, ingestion: Ingestion, recall: Recall, make_gem: Any, tenant: UUID, at: Moment
) -> None:
    same = parse_document({"id": "h0", "text": HARBOUR[0]})
    other = parse_document({"id": "h1", "text": "The island ferry leaves at nine."})
    unnamed = parse_document({"text": "Tar smells sweet."})
    target = await make_gem("target", [*texts(*HARBOUR, prefix="h"), unnamed])
    source = await make_gem("source", [same, other, unnamed, *texts("Oil lamps hang in the loft.", prefix="new")])
    third = await make_gem("third", [*texts("Oil lamps hang in the loft.", prefix="new"), *texts("Rust.", prefix="r")])
    planned = await moves.plan_merge(tenant, target.gem_id, [source.gem_id, third.gem_id], at)
    assert (planned.amount.documents, planned.amount.repeated, planned.amount.differing) == (2, 3, ("h1",))
    before = [await portray(database, tenant, gem.gem_id) for gem in (target, source, third)]
    moved = await moves.merge(tenant, target.gem_id, [source.gem_id, third.gem_id], at)
    assert moved.amount == planned.amount
    assert set(await ids(recall, tenant, source, "When does the ferry leave?", at)) == {"h1", "h0", None}
    fresh = await make_gem("fresh", [*texts(*HARBOUR, prefix="h"), unnamed])
    for rows in (texts("Oil lamps hang in the loft.", prefix="new"), texts("Rust.", prefix="r")):
        await ingestion.ingest(tenant, fresh.gem_id, rows, at)
    merged = await portray(database, tenant, target.gem_id)
    assert merged.differences(await portray(database, tenant, fresh.gem_id)) == ""
    left = await make_gem("left", [same, other, unnamed])
    assert (await portray(database, tenant, source.gem_id)).differences(
        await portray(database, tenant, left.gem_id)
    ) == ""
    await moves.undo(tenant, moved.operation_id or uuid4(), at)
    after = [await portray(database, tenant, gem.gem_id) for gem in (target, source, third)]
    assert [was.differences(now) for was, now in zip(before, after, strict=True)] == ["", "", ""]


async def test_entities_that_become_one_are_told_apart_again(
    database: Database, moves: Moves, make_gem: Any, tenant: UUID, at: Moment
) -> None:
    told = [["Bob", "lives in", "Tartu"]]
    rows = [
        parse_document({"id": "b", "text": "Bob mends sails.", "entities": ["Bob"], "relations": told}),
        parse_document({"id": "r", "text": "Robert paints hulls.", "entities": ["Robert"]}),
        parse_document({"id": "both", "text": "Bob met Robert.", "entities": ["Bob", "Robert"]}),
    ]
    source = await make_gem("source", rows)
    target = await make_gem(
        "target", [parse_document({"id": "t", "text": "Robert or Bob?", "entities": ["Robert", "Bob"]})]
    )
    graph = Graph(database, moves.embedder)
    robert, bob = [await graph.resolve_entity(tenant, target.gem_id, name, at) for name in ("Robert", "Bob")]
    await graph.merge(tenant, target.gem_id, robert, (bob,), at)
    before = [await portray(database, tenant, gem.gem_id) for gem in (target, source)]
    moved = await moves.merge(tenant, target.gem_id, [source.gem_id], at)
    merged = await portray(database, tenant, target.gem_id)
    assert {tuple(row[3]) for row in merged.mentions} == {("bob", "robert")}
    assert merged.relations[0]["subject"] == ["bob", "robert"]
    await moves.undo(tenant, moved.operation_id or uuid4(), at)
    after = [await portray(database, tenant, gem.gem_id) for gem in (target, source)]
    assert [was.differences(now) for was, now in zip(before, after, strict=True)] == ["", ""]

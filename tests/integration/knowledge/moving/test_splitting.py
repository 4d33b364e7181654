from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.errors import InvalidInputError
from core.pg import Database
from gems import Gem, Gems, Moment
from knowledge import Ingestion, Recall, RecallQuery, parse_document
from knowledge.graph import Graph
from knowledge.moving import Moved, Moves, SplitWish
from reflection import ReflectionRequest, Reflections
from tests.integration.knowledge.moving.conftest import texts
from tests.integration.knowledge.moving.portrait import fetch_rows, portray

TALK = [
    "We sail at dawn.",
    "Where shall we go?",
    "Home, past the lighthouse.",
    "Is the anchor up?",
    "The anchor is stuck in mud.",
    "Then cut the rope.",
    "The rope is cut.",
]


@pytest.fixture
async def log(make_gem: Any) -> Gem:
    gem: Gem = await make_gem(
        "log", [*texts(*TALK, prefix="t", thread="talk", speaker="Ann"), *texts("A note.", prefix="n")]
    )
    return gem


async def split(moves: Moves, tenant: UUID, gem: Gem, at: Moment, **wish: Any) -> Moved:
    return await moves.split(tenant, gem.gem_id, SplitWish("part", **wish), at)


async def find(database: Database, tenant: UUID, *external_ids: str) -> tuple[UUID, ...]:
    rows = await fetch_rows(database, tenant, "SELECT external_id, document_id FROM document")
    found = {row["external_id"]: row["document_id"] for row in rows}
    return tuple(found[each] for each in external_ids)


async def test_the_middle_of_a_thread_goes_and_comes_back_to_its_place(
    database: Database, moves: Moves, log: Gem, make_gem: Any, ingestion: Ingestion, tenant: UUID, at: Moment
) -> None:
    before = await portray(database, tenant, log.gem_id)
    moved = await split(moves, tenant, log, at, document_ids=await find(database, tenant, "t2", "t3"))
    left = await portray(database, tenant, log.gem_id)
    assert left.passages["t1", 0]["around"][3] == ("t4", 0)
    assert left.passages["t4", 0]["around"][0] == ("t1", 0)
    assert left.passages["t4", 0]["embedding"] != before.passages["t4", 0]["embedding"]
    await moves.undo(tenant, moved.operation_id or uuid4(), at)
    assert before.differences(await portray(database, tenant, log.gem_id)) == ""


async def test_what_comes_back_to_a_place_that_is_taken_goes_to_the_end_of_its_thread(
    database: Database, moves: Moves, log: Gem, ingestion: Ingestion, tenant: UUID, at: Moment
) -> None:
    last = f"t{len(TALK) - 1}"
    moved = await split(moves, tenant, log, at, document_ids=await find(database, tenant, last))
    more = parse_document({"id": "more", "text": "Anchor down.", "thread": "talk", "speaker": "Ann"})
    await ingestion.ingest(tenant, log.gem_id, [more], at)
    await moves.undo(tenant, moved.operation_id or uuid4(), at)
    around = (await portray(database, tenant, log.gem_id)).passages[last, 0]["around"]
    assert (around[0], around[3]) == (("more", 0), None)


async def test_a_gem_may_give_all_it_has_and_get_it_back(
    database: Database,
    moves: Moves,
    recall: Recall,
    log: Gem,
    gems: Gems,
    ingestion: Ingestion,
    tenant: UUID,
    at: Moment,
) -> None:
    before = await portray(database, tenant, log.gem_id)
    rows = await fetch_rows(database, tenant, "SELECT document_id FROM document")
    moved = await split(moves, tenant, log, at, document_ids=tuple(row["document_id"] for row in rows))
    assert moved.gem_id is not None
    assert before.differences(await portray(database, tenant, moved.gem_id)) == ""
    assert (await gems.get(tenant, log.gem_id, at)).archived_at is None
    assert await recall.recall(tenant, RecallQuery("Where to sail?", (log.gem_id,)), at) == []
    await ingestion.ingest(tenant, log.gem_id, texts("Fog.", prefix="fog"), at)
    assert [each.text for each in await recall.recall(tenant, RecallQuery("fog", (log.gem_id,)), at)] == ["Fog."]
    (fog,) = await find(database, tenant, "fog0")
    await ingestion.delete(tenant, log.gem_id, [fog], at)
    await moves.undo(tenant, moved.operation_id or uuid4(), at)
    assert before.differences(await portray(database, tenant, log.gem_id)) == ""


@pytest.mark.parametrize(
    ("wish", "ids"),
    [
        ({"source": "north"}, {"n0", "n1"}),
        ({"thread": "talk"}, {"t0", "t1"}),
        ({"metadata": {"year": 2024}}, {"t0", "t1", "n2"}),
        ({"thread": "talk", "source": "north"}, None),
    ],
)
async def test_what_goes_is_all_of_what_is_asked_for(
    database: Database,
    moves: Moves,
    make_gem: Any,
    tenant: UUID,
    at: Moment,
    wish: dict[str, Any],
    ids: set[str] | None,
) -> None:
    gem = await make_gem(
        "mixed",
        [
            *texts("One turn.", "Another turn.", prefix="t", thread="talk", metadata={"year": 2024, "n": 1}),
            *texts("North one.", "North two.", prefix="n", source="north", metadata={"year": 2023}),
            parse_document({"id": "n2", "text": "South.", "source": "south", "metadata": {"year": 2024}}),
        ],
    )
    if ids is None:
        with pytest.raises(InvalidInputError, match="no document") as caught:
            await split(moves, tenant, gem, at, **wish)
        assert set(str(caught.value.details["field"]).split(", ")) == set(wish)
        return
    planned = await moves.plan_split(tenant, gem.gem_id, SplitWish("part", **wish), at)
    moved = await split(moves, tenant, gem, at, **wish)
    assert moved.amount == planned.amount
    assert moved.gem_id is not None
    assert {each["document"] for each in (await portray(database, tenant, moved.gem_id)).documents} == ids


async def test_what_users_said_of_predicates_goes_along(
    database: Database, moves: Moves, make_gem: Any, tenant: UUID, at: Moment
) -> None:
    rows = [
        parse_document({"id": f"d{i}", "text": "Rota.", "occurred_at": f"2024-0{i}-01", "source": "north",
                        "relations": [["Mara", "keeps", place]]})
        for i, place in ((1, "the pier"), (2, "the quay"))
    ]  # fmt: skip
    gem = await make_gem("rota", [*rows, *texts("A note.", prefix="n")])
    graph = Graph(database, moves.embedder)
    await graph.put_predicates(tenant, gem.gem_id, {"keeps": "one_at_a_time"}, at)
    moved = await split(moves, tenant, gem, at, source="north")
    assert moved.gem_id is not None
    assert (await graph.get_predicates(tenant, moved.gem_id, at)).find("keeps") == "one_at_a_time"
    ends = {row["object"][0]: row["closed_reason"] for row in (await portray(database, tenant, moved.gem_id)).relations}
    assert ends == {"the pier": "replaced", "the quay": None}
    other = await make_gem(
        "other", [parse_document({"id": "o", "text": "X.", "relations": [["Mara", "keeps", "a cat"]]})]
    )
    merged = await moves.merge(tenant, other.gem_id, [moved.gem_id], at)
    assert (await graph.get_predicates(tenant, other.gem_id, at)).find("keeps") == "one_at_a_time"
    await moves.undo(tenant, merged.operation_id or uuid4(), at)
    assert (await graph.get_predicates(tenant, other.gem_id, at)).find("keeps") is None


async def test_links_of_what_went_are_gone_and_found_anew(
    database: Database, moves: Moves, log: Gem, tenant: UUID, at: Moment
) -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute(
            b"INSERT INTO passage_link (gem_id, slot, target, cosine) SELECT a.gem_id, a.slot, b.slot, 0.9 "
            b"FROM passage a JOIN passage b ON b.gem_id = a.gem_id AND b.slot <> a.slot"
        )
    await split(moves, tenant, log, at, thread="talk")
    assert await fetch_rows(database, tenant, "SELECT slot FROM passage_link") == []


async def test_a_split_off_gem_that_was_used_is_kept_when_the_split_is_undone(
    moves: Moves, reflections: Reflections, log: Gem, gems: Gems, tenant: UUID, at: Moment
) -> None:
    moved = await split(moves, tenant, log, at, thread="talk")
    assert moved.gem_id is not None
    await reflections.reflect(tenant, ReflectionRequest(moved.gem_id, "Where to?"), at)
    later = replace(at, now=at.now + timedelta(hours=1))
    await moves.undo(tenant, moved.operation_id or uuid4(), later)
    kept = await gems.get(tenant, moved.gem_id, later)
    assert (kept.archived_at, kept.merged_into) == (later.now, log.gem_id)
    assert (await gems.replay(tenant, later)).faults == 0

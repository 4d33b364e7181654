import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from core.pg import Connection, Database
from gems import Gem, GemChange, Gems, Moment, replay, set_entanglement
from knowledge import Ingestion, Recall, RecallQuery, parse_document
from knowledge.keeping import FieldChange, RestoreWish, RetentionPolicy, Snapshots
from knowledge.measuring import measure_passages
from reflection import ReflectionRequest, Reflections
from tests.integration.knowledge.keeping.lattice_state import apply, differing, dump


async def others(conn: Connection, gem_id: UUID) -> list[UUID]:
    return [
        row[0] for row in await (await conn.execute("SELECT gem_id FROM gem WHERE gem_id <> %s", (gem_id,))).fetchall()
    ]


async def test_what_is_alike_is_stored_once_and_goes_with_the_last_that_holds_it(
    snapshots: Snapshots, used: Gem, tenant: UUID, at: Moment, database_url: str
) -> None:
    first = await snapshots.create(tenant, used.gem_id, at, note="as it is")
    again = await snapshots.create(tenant, used.gem_id, at)
    whole = await snapshots.create(tenant, None, at)
    assert (again.added_bytes, again.gems[0].sha256) == (0, first.gems[0].sha256)
    assert first.added_bytes < first.size_bytes < whole.size_bytes
    assert [gem.name for gem in first.gems] == ["friends"]
    assert {gem.name: (gem.counts["document"], gem.counts["passage"]) for gem in whole.gems} == {
        "friends": (10, 10),
        "harbour": (1, 1),
    }
    assert await snapshots.delete(tenant, first.snapshot_id) == 0
    assert (await snapshots.verify(tenant, again.snapshot_id)).is_sound
    assert await snapshots.delete(tenant, again.snapshot_id) == 0
    assert await snapshots.delete(tenant, whole.snapshot_id) == first.added_bytes + whole.added_bytes
    assert apply(database_url, "SELECT FROM snapshot_item UNION ALL SELECT FROM snapshot_member") == 0


async def test_a_deleted_gem_comes_back_with_all_it_had(
    database: Database,
    snapshots: Snapshots,
    gems: Gems,
    recall: Recall,
    used: Gem,
    tenant: UUID,
    at: Moment,
    database_url: str,
) -> None:
    before = dump(database_url, tenant)
    question = RecallQuery("Who runs along the water?", gem_ids=(used.gem_id,))
    found = await recall.recall(tenant, question, at)
    taken = await snapshots.create(tenant, used.gem_id, at)
    await gems.delete(tenant, used.gem_id)
    restored = await snapshots.restore(tenant, taken.snapshot_id, RestoreWish(), at)
    assert (restored.safety, restored.others, restored.gems[0].change) == (None, 1, "added")
    after = differing(before, dump(database_url, tenant))
    assert set(after) == {"measurement"}
    lost, came = after["measurement"]
    assert lost == []
    assert len(came) == 1
    assert '"cause": "restore"' in came[0]
    assert await recall.recall(tenant, question, at) == found
    async with database.transaction(tenant, read_only=True) as conn:
        assert (await replay(conn, at)).agrees


async def test_a_difference_tells_exactly_what_changed(
    database: Database, snapshots: Snapshots, gems: Gems, ingestion: Ingestion, used: Gem, tenant: UUID, at: Moment
) -> None:
    first = await snapshots.create(tenant, used.gem_id, at)
    assert await snapshots.compare(tenant, first.snapshot_id) == []
    rows: list[dict[str, Any]] = [
        {"id": "crane", "text": "The gantry crane lifts fifty tonnes.", "title": "crane"},
        {
            "id": "gulls",
            "text": "Herring gulls nest in May.",
            "title": "gulls",
            "relations": [["gulls", "eat", "fish"]],
        },
    ]
    await ingestion.ingest(tenant, used.gem_id, [parse_document(row) for row in rows], at)
    await gems.update(tenant, used.gem_id, GemChange(description="Of friends", metadata={"n": 1}), at)
    async with database.transaction(tenant) as conn:
        moved = await conn.execute("DELETE FROM document WHERE external_id = 'given' RETURNING document_id")
        assert moved.rowcount == 1
        first_two = "SELECT passage_id FROM passage WHERE gem_id = %s ORDER BY slot LIMIT 2"
        passages = await (await conn.execute(first_two, (used.gem_id,))).fetchall()
        await measure_passages(conn, {passage_id: 0.3 for (passage_id,) in passages}, at, cause="manual")
        await set_entanglement(conn, used.gem_id, (await others(conn, used.gem_id))[0], 0.75, at.now)
    (found,) = await snapshots.compare(tenant, first.snapshot_id)
    documents = found.documents
    assert (found.change, sorted(found.fields)) == (None, ["description", "meta"])
    assert found.fields["description"] == FieldChange("", "Of friends")
    assert (documents.added, documents.removed, documents.changed, documents.states) == (1, 1, 1, 2)
    assert {(each.external_id, each.change) for each in documents.shown} == {
        ("gulls", "added"),
        ("given", "removed"),
        ("crane", "changed"),
    }
    (crane,) = [each for each in documents.shown if each.external_id == "crane"]
    assert {"body", "content_hash"} <= set(crane.fields)
    assert {name: rows.total for name, rows in found.tables.items() if name in {"relation", "entanglement"}} == {
        "relation": 1,
        "entanglement": 1,
    }
    (pair,) = found.tables["entanglement"].shown
    assert (pair.change, (pair.before or {})["strength"], (pair.after or {})["strength"]) == ("changed", 0.5, 0.75)

    second = await snapshots.create(tenant, used.gem_id, at)
    assert await snapshots.compare(tenant, first.snapshot_id, second.snapshot_id) == [found]
    (back,) = await snapshots.compare(tenant, second.snapshot_id, first.snapshot_id)
    assert (back.documents.added, back.documents.removed, back.fields["description"].after) == (1, 1, "")
    planned = await snapshots.plan_restore(tenant, first.snapshot_id, RestoreWish())
    assert planned.gems == (back,)


async def test_a_restore_is_undone_by_the_snapshot_that_it_took_first(
    snapshots: Snapshots,
    ingestion: Ingestion,
    reflections: Reflections,
    used: Gem,
    tenant: UUID,
    at: Moment,
    database: Database,
    database_url: str,
) -> None:
    first = await snapshots.create(tenant, used.gem_id, at)
    await ingestion.ingest(tenant, used.gem_id, [parse_document({"id": "ferry", "text": "The ferry sank."})], at)
    await reflections.reflect(tenant, ReflectionRequest(used.gem_id, "What became of the ferry?"), at)
    later = dump(database_url, tenant)
    done = await snapshots.restore(tenant, first.snapshot_id, RestoreWish(), at)
    assert done.safety is not None
    assert (done.safety.reason, done.safety.scope) == ("safety", "gem")
    assert differing(later, dump(database_url, tenant)).keys() > {"document", "passage", "measurement"}
    await snapshots.restore(tenant, done.safety.snapshot_id, RestoreWish(), at)
    lost, came = differing(later, dump(database_url, tenant))["measurement"]
    assert set(differing(later, dump(database_url, tenant))) == {"measurement"}
    assert lost == []
    assert all('"cause": "restore"' in row for row in came)
    async with database.transaction(tenant, read_only=True) as conn:
        assert (await replay(conn, at)).agrees


async def test_a_lattice_snapshot_is_one_moment_while_others_write(
    snapshots: Snapshots, ingestion: Ingestion, used: Gem, tenant: UUID, at: Moment
) -> None:
    """Each turn is one document in one gem, then one in the other: a moment has as many, or one more in the first."""
    held = {gem.gem_id: gem.counts["document"] for gem in (await snapshots.create(tenant, None, at)).gems}
    gems = list(held)
    stop = asyncio.Event()

    async def write() -> int:
        turn = 0
        while not stop.is_set():
            for gem_id in gems:
                row = {"id": f"turn {turn}", "text": f"This is turn {turn}."}
                await ingestion.ingest(tenant, gem_id, [parse_document(row)], at)
            turn += 1
        return turn

    writing = asyncio.create_task(write())
    taken = [await snapshots.create(tenant, None, at) for _ in range(4)]
    stop.set()
    assert await writing > 1
    for snapshot in taken:
        came = {gem.gem_id: gem.counts["document"] - held[gem.gem_id] for gem in snapshot.gems}
        assert came[gems[0]] - came[gems[1]] in {0, 1}
        assert (await snapshots.verify(tenant, snapshot.snapshot_id)).is_sound
    assert taken[-1].documents > taken[0].documents


async def test_retention_deletes_what_no_rule_keeps(
    snapshots: Snapshots, used: Gem, tenant: UUID, at: Moment, database_url: str
) -> None:
    for days in range(4):
        await snapshots.create(tenant, used.gem_id, Moment(at.now - timedelta(days=days), at.time_unit))
    await snapshots.create(tenant, None, at)
    policy = RetentionPolicy(keep_last=1, keep_daily=2)
    planned = await snapshots.plan_retention(tenant, None, policy)
    assert [each.reasons for each in planned.verdicts if each.snapshot.group is not None] == [
        ("last", "daily"),
        ("daily",),
        (),
        (),
    ]
    assert len(await snapshots.list_page(tenant, used.gem_id)) == 5
    assert (await snapshots.retain(tenant, None, policy)).verdicts == planned.verdicts
    left = await snapshots.list_page(tenant, used.gem_id)
    assert sorted(each.scope for each in left) == ["gem", "gem", "lattice"]
    assert all([(await snapshots.verify(tenant, each.snapshot_id)).is_sound for each in left])
    assert (await snapshots.retain(tenant, used.gem_id, RetentionPolicy(keep_last=1))).verdicts[1].reasons == ()
    assert apply(database_url, "SELECT FROM snapshot") == 2

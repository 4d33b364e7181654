"""What a restore withstands, refuses, and does where the lattice is another one than it was."""

from dataclasses import replace
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from core.errors import (
    ConflictError,
    EmbeddingMismatchError,
    GemNameTakenError,
    GemNotFoundError,
    SnapshotDamagedError,
    SnapshotNotFoundError,
    StoreUnavailableError,
)
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion, Recall, parse_document
from knowledge.keeping import ImportWish, RestoreWish, Snapshots
from tests.integration.knowledge.keeping.conftest import (
    OtherModel,
    export,
    importing,
    read_vectors,
    reembedding,
)
from tests.integration.knowledge.keeping.lattice_state import apply, differing, dump


async def test_what_is_killed_in_the_middle_leaves_nothing_half_written(
    snapshots: Snapshots, gems: Gems, used: Gem, tenant: UUID, at: Moment, database_url: str
) -> None:
    taken = await snapshots.create(tenant, None, at)
    await gems.delete(tenant, used.gem_id)
    before = dump(database_url, tenant)
    rows = "SELECT FROM snapshot UNION ALL SELECT FROM snapshot_gem UNION ALL SELECT FROM snapshot_member"
    held = apply(database_url, rows)

    def kill(done: int, total: int) -> None:
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        apply(database_url, f"{kill} AND datname = current_database() AND state = 'idle in transaction'")

    for act in (
        snapshots.create(tenant, None, at, watch=kill),
        snapshots.restore(tenant, taken.snapshot_id, RestoreWish(), at, watch=kill),
    ):
        with pytest.raises(StoreUnavailableError):
            await act
        assert differing(before, dump(database_url, tenant)) == {}
        assert apply(database_url, rows) == held
    assert (await snapshots.restore(tenant, taken.snapshot_id, RestoreWish(), at)).gems


async def test_another_tenant_sees_none_of_it(
    snapshots: Snapshots, used: Gem, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    taken = await snapshots.create(tenant, used.gem_id, at)
    assert await snapshots.list_page(stranger, used.gem_id) == []
    assert (await snapshots.create(stranger, None, at)).gems == ()
    for use in (
        snapshots.get(stranger, taken.snapshot_id),
        snapshots.compare(stranger, taken.snapshot_id),
        snapshots.restore(stranger, taken.snapshot_id, RestoreWish(), at),
        snapshots.verify(stranger, taken.snapshot_id),
        snapshots.delete(stranger, taken.snapshot_id),
    ):
        with pytest.raises(SnapshotNotFoundError):
            await use
    with pytest.raises(GemNotFoundError):
        await snapshots.create(stranger, used.gem_id, at)
    assert (await snapshots.verify(tenant, taken.snapshot_id)).is_sound


SPOILED = {
    "changed": "UPDATE snapshot_item SET packed = '\\x00'::bytea || packed WHERE sha256 = %(sha256)s",
    "missing": "DELETE FROM snapshot_item WHERE sha256 = %(sha256)s",
    "list": "DELETE FROM snapshot_member WHERE sha256 = %(sha256)s",
    "snapshot": "UPDATE snapshot SET taken_at = now()",
}


@pytest.mark.parametrize("kind", SPOILED)
async def test_verification_tells_what_is_damaged_and_a_restore_refuses_it(
    snapshots: Snapshots, gems: Gems, used: Gem, tenant: UUID, at: Moment, database_url: str, kind: str
) -> None:
    taken = await snapshots.create(tenant, used.gem_id, at)
    with psycopg.connect(database_url) as conn:
        query = "SELECT key, sha256 FROM snapshot_member WHERE kind = 'vectors' ORDER BY key LIMIT 1"
        document_id, sha256 = conn.execute(query).fetchone() or (None, b"")
        conn.execute("SET session_replication_role = replica")  # foreign keys look away
        conn.execute(SPOILED[kind].encode(), {"sha256": sha256})
    found = await snapshots.verify(tenant, taken.snapshot_id)
    (problem,) = found.shown
    assert (problem.kind, found.is_sound) == (kind, False)
    if kind in {"changed", "missing"}:
        assert (problem.content, problem.document_id, problem.name) == ("vectors", document_id, "friends")
        assert problem.sha256 == sha256.hex()
    await gems.delete(tenant, used.gem_id)
    before = dump(database_url, tenant)
    with pytest.raises(SnapshotDamagedError):
        await snapshots.restore(tenant, taken.snapshot_id, RestoreWish(), at)
    assert differing(before, dump(database_url, tenant)) == {}


async def test_what_stands_in_the_way_is_told(
    snapshots: Snapshots, gems: Gems, used: Gem, tenant: UUID, at: Moment, database_url: str
) -> None:
    taken = await snapshots.create(tenant, used.gem_id, at)
    await gems.delete(tenant, used.gem_id)
    await gems.create(tenant, GemChange(name="friends"), at)
    for act in (
        snapshots.plan_restore(tenant, taken.snapshot_id, RestoreWish()),
        snapshots.restore(tenant, taken.snapshot_id, RestoreWish(), at),
    ):
        with pytest.raises(GemNameTakenError, match="rename"):
            await act
    with pytest.raises(SnapshotNotFoundError, match="does not hold"):
        await snapshots.restore(tenant, taken.snapshot_id, RestoreWish(gem_id=uuid4()), at)
    apply(database_url, "DELETE FROM gem WHERE name = 'friends'")
    await snapshots.restore(tenant, taken.snapshot_id, RestoreWish(), at)
    other = "SELECT gem_id FROM gem WHERE name = 'harbour'"
    apply(database_url, f"UPDATE document SET gem_id = ({other}) WHERE external_id = 'given'")
    with pytest.raises(ConflictError, match="1 in 'harbour'"):
        await snapshots.plan_restore(tenant, taken.snapshot_id, RestoreWish())


async def test_a_snapshot_from_before_another_model_is_embedded_anew(
    database: Database, snapshots: Snapshots, gems: Gems, used: Gem, tenant: UUID, at: Moment, other: OtherModel
) -> None:
    taken = await snapshots.create(tenant, used.gem_id, at)
    moving = await reembedding(database, other)
    await moving.carry_out(tenant)
    expected = await read_vectors(database, tenant)
    moved = replace(snapshots, embedder=other)
    async with database.transaction(tenant) as conn:
        await conn.execute("DELETE FROM document WHERE external_id IN ('t2', 'ferry')")
    with pytest.raises(EmbeddingMismatchError, match="reembed"):
        await moved.restore(tenant, taken.snapshot_id, RestoreWish(), at)
    await moved.restore(tenant, taken.snapshot_id, RestoreWish(reembed=True), at)
    assert await read_vectors(database, tenant) == expected
    await gems.delete(tenant, used.gem_id)
    await moved.restore(tenant, taken.snapshot_id, RestoreWish(reembed=True), at)
    assert await read_vectors(database, tenant) == expected


async def test_slots_that_were_given_anew_are_no_difference_and_are_restored(
    snapshots: Snapshots,
    gems: Gems,
    ingestion: Ingestion,
    recall: Recall,
    used: Gem,
    tenant: UUID,
    at: Moment,
    database: Database,
    local: Any,
    database_url: str,
) -> None:
    """Documents that were stored again, and a gem that was imported, count their slots otherwise."""
    await ingestion.ingest(tenant, used.gem_id, [parse_document({"id": "fares", "text": "The ferry is free."})], at)
    before = dump(database_url, tenant)
    taken = await snapshots.create(tenant, used.gem_id, at)
    file = await export(database, tenant, at, [used.gem_id])
    await gems.delete(tenant, used.gem_id)
    await importing(database, local).carry_out(tenant, BytesIO(file), "f", ImportWish())
    (found,) = await snapshots.compare(tenant, taken.snapshot_id)
    assert (found.fields, found.documents.added, found.documents.changed, found.documents.states) == ({}, 0, 0, 0)
    assert found.documents.places > 0
    await snapshots.restore(tenant, taken.snapshot_id, RestoreWish(), at)
    for table, (lost, _came) in differing(before, dump(database_url, tenant)).items():
        assert table in {"measurement", "graph_change"} or lost == [], table

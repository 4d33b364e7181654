"""What happened since an operation, what happens meanwhile, and whose gems they are."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.errors import (
    GemArchivedError,
    GemNotFoundError,
    LatticeError,
    OperationFollowedError,
    OperationNotFoundError,
)
from core.pg import Database
from gems import Gem, Gems, Moment
from knowledge import Ingestion, parse_document
from knowledge.graph import Graph
from knowledge.moving import Moves, SplitWish, moving
from tests.integration.knowledge.moving.conftest import Writer, texts
from tests.integration.knowledge.moving.portrait import fetch_rows, portray


@pytest.fixture
async def target(make_gem: Any) -> Gem:
    gem: Gem = await make_gem("target", texts("Clara Voss lives near the pier.", "Fog.", prefix="t"))
    return gem


@pytest.fixture
async def source(make_gem: Any) -> Gem:
    gem: Gem = await make_gem("source", texts("Clara Voss paints.", "Ben Okafor rows.", prefix="s", source="north"))
    return gem


@pytest.fixture
async def merged(moves: Moves, target: Gem, source: Gem, tenant: UUID, at: Moment) -> UUID:
    """The operation that merged the source into the target."""
    moved = await moves.merge(tenant, target.gem_id, [source.gem_id], at)
    assert moved.operation_id is not None
    return moved.operation_id


async def test_a_later_move_of_the_same_documents_is_to_be_undone_first(
    moves: Moves, target: Gem, source: Gem, merged: UUID, database: Database, tenant: UUID, at: Moment
) -> None:
    split = await moves.split(tenant, target.gem_id, SplitWish("part", source="north"), at)
    with pytest.raises(OperationFollowedError, match=str(split.operation_id)):
        await moves.undo(tenant, merged, at)
    await moves.undo(tenant, split.operation_id or uuid4(), at)
    await moves.undo(tenant, merged, at)
    assert {each["document"] for each in (await portray(database, tenant, source.gem_id)).documents} == {"s0", "s1"}
    listed = await moves.list_page(tenant)
    assert [(each.kind, each.undone_at) for each in listed] == [("split", at.now), ("merge", at.now)]


async def test_changes_of_the_graph_since_are_to_be_undone_first(
    moves: Moves, target: Gem, merged: UUID, database: Database, tenant: UUID, at: Moment
) -> None:
    graph = Graph(database, moves.embedder)
    clara, ben = [await graph.resolve_entity(tenant, target.gem_id, each, at) for each in ("Clara Voss", "Ben Okafor")]
    made = await graph.merge(tenant, target.gem_id, clara, (ben,), at)
    with pytest.raises(OperationFollowedError, match=str(made.change.change_id)):
        await moves.undo(tenant, merged, at)
    await graph.undo(tenant, target.gem_id, made.change.change_id, at)
    await moves.undo(tenant, merged, at)


async def test_what_was_edited_goes_back_as_it_is_and_what_was_deleted_stays_deleted(
    moves: Moves,
    target: Gem,
    source: Gem,
    merged: UUID,
    ingestion: Ingestion,
    database: Database,
    make_gem: Any,
    tenant: UUID,
    at: Moment,
) -> None:
    await ingestion.ingest(tenant, target.gem_id, texts("Clara Voss draws ships.", prefix="s", source="north"), at)
    (gone,) = await fetch_rows(database, tenant, "SELECT document_id FROM document WHERE external_id = 's1'")
    await ingestion.delete(tenant, target.gem_id, [gone["document_id"]], at)
    await moves.undo(tenant, merged, at)
    fresh = await make_gem("fresh", texts("Clara Voss draws ships.", prefix="s", source="north"))
    here = await portray(database, tenant, source.gem_id)
    assert here.differences(await portray(database, tenant, fresh.gem_id)) == ""


async def test_an_id_that_is_taken_again_stands_against_it(
    moves: Moves, gems: Gems, source: Gem, merged: UUID, ingestion: Ingestion, tenant: UUID, at: Moment
) -> None:
    await gems.restore(tenant, source.gem_id, at)
    await ingestion.ingest(tenant, source.gem_id, texts("Another text.", prefix="s"), at)
    with pytest.raises(OperationFollowedError, match=r"same ids by now.*s0"):
        await moves.undo(tenant, merged, at)


async def test_archived_and_deleted_gems_stand_against_it(
    moves: Moves, gems: Gems, target: Gem, source: Gem, merged: UUID, tenant: UUID, at: Moment
) -> None:
    await gems.archive(tenant, target.gem_id, at)
    with pytest.raises(GemArchivedError, match="restore it first"):
        await moves.undo(tenant, merged, at)
    await gems.delete(tenant, source.gem_id)
    with pytest.raises(OperationFollowedError, match="deleted since"):
        await moves.undo(tenant, merged, at)


async def test_an_archiving_is_logged_once_and_not_undone_after_the_gem_was_restored(
    moves: Moves, gems: Gems, target: Gem, tenant: UUID, at: Moment
) -> None:
    for _ in range(2):
        await gems.archive(tenant, target.gem_id, at)
    (archived,) = await moves.list_page(tenant)
    await gems.restore(tenant, target.gem_id, at)
    restored = (await moves.list_page(tenant, limit=1))[0]
    assert (restored.kind, restored.facts) == ("restore", {"gem": "target"})
    with pytest.raises(OperationFollowedError, match="since"):
        await moves.undo(tenant, archived.operation_id, at)
    await moves.undo(tenant, restored.operation_id, at)
    assert (await gems.get(tenant, target.gem_id, at)).archived_at == at.now
    await moves.undo(tenant, archived.operation_id, at)
    assert (await gems.get(tenant, target.gem_id, at)).archived_at is None


async def test_nobody_moves_undoes_or_sees_what_another_tenant_has(
    moves: Moves, target: Gem, source: Gem, merged: UUID, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    for act in (
        moves.merge(stranger, target.gem_id, [source.gem_id], at),
        moves.plan_merge(stranger, target.gem_id, [source.gem_id], at),
        moves.split(stranger, target.gem_id, SplitWish("part", source="north"), at),
        moves.plan_deletion(stranger, target.gem_id, at),
    ):
        with pytest.raises(GemNotFoundError):
            await act
    with pytest.raises(OperationNotFoundError):
        await moves.undo(stranger, merged, at)
    assert await moves.list_page(stranger) == []
    assert len(await moves.list_page(tenant)) == 1


async def test_a_move_that_fails_at_its_end_leaves_everything_as_it_was(
    moves: Moves,
    target: Gem,
    source: Gem,
    database: Database,
    tenant: UUID,
    at: Moment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("power")

    before = [await portray(database, tenant, gem.gem_id) for gem in (target, source)]
    monkeypatch.setattr(moving, "find_wordings", fail)
    with pytest.raises(RuntimeError, match="power"):
        await moves.merge(tenant, target.gem_id, [source.gem_id], at)
    after = [await portray(database, tenant, gem.gem_id) for gem in (target, source)]
    assert [was.differences(now) for was, now in zip(before, after, strict=True)] == ["", ""]
    assert await moves.list_page(tenant) == []


async def test_who_writes_meanwhile_waits_or_is_refused_and_nothing_is_lost(
    moves: Moves, ingestion: Ingestion, make_gem: Any, gems: Gems, database: Database, tenant: UUID, at: Moment
) -> None:
    writer = Writer(7)
    first, second, late = ([d for d in writer.write(p, 12) if d.external_id and not d.supersedes] for p in "abc")
    one, other = await make_gem("one", first), await make_gem("other", second)

    async def write(gem: Gem, prefix: str) -> int:
        stored = 0
        for i, document in enumerate(late):
            row = parse_document({"id": f"{prefix}{i}", "text": document.text})
            try:
                await ingestion.ingest(tenant, gem.gem_id, [row], at)
            except GemArchivedError:
                return stored
            stored += 1
        return stored

    _, into, _ = await asyncio.gather(
        moves.merge(tenant, one.gem_id, [other.gem_id], at), write(one, "x"), write(other, "y")
    )
    assert into == len(late)
    held = await portray(database, tenant, one.gem_id)
    assert len(held.documents) == len({each["document"] for each in held.documents})
    rows = await fetch_rows(
        database,
        tenant,
        "SELECT count(*) AS n, count(*) FILTER (WHERE gem_id <> %(gem)s) AS away FROM document",
        gem=one.gem_id,
    )
    assert (rows[0]["n"], rows[0]["away"]) == (len(held.documents), 0)
    fresh = await make_gem("fresh")
    order = (
        "SELECT d.*, d.entities AS names FROM document d JOIN passage p USING (document_id) WHERE d.gem_id = %(gem)s "
        "GROUP BY d.tenant_id, d.document_id ORDER BY min(p.slot)"
    )
    stored = {each.external_id: each for each in (*first, *second)}
    for row in await fetch_rows(database, tenant, order, gem=one.gem_id):
        document = stored.get(row["external_id"]) or parse_document({"id": row["external_id"], "text": row["body"]})
        await ingestion.ingest(tenant, fresh.gem_id, [document], at)
    assert held.scores == (await portray(database, tenant, fresh.gem_id)).scores


async def test_two_merges_into_each_other_do_not_wait_for_ever(
    moves: Moves, target: Gem, source: Gem, tenant: UUID, at: Moment
) -> None:
    done = await asyncio.gather(
        moves.merge(tenant, target.gem_id, [source.gem_id], at),
        moves.merge(tenant, source.gem_id, [target.gem_id], at),
        return_exceptions=True,
    )
    refused = [each for each in done if isinstance(each, LatticeError)]
    assert [type(each) for each in refused] == [GemArchivedError]

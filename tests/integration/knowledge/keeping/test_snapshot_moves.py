"""A snapshot of the lattice, restored after whole gems were merged, split, archived, entangled or deleted."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.errors import ConflictError, LatticeError, OperationFollowedError
from core.pg import Database
from gems import Gem, Gems, Moment
from knowledge import Ingestion, Recall, parse_document
from knowledge.keeping import RestoreWish, Snapshots
from knowledge.moving import Moves, SplitWish
from reflection import Reflections
from reflection.travelling import FOLLOWING_TABLES, REFLECTION_TABLES
from tests.integration.knowledge.keeping.lattice_moves import ACTIONS, Doing, Tools, keep

THREAD = "talk"


@pytest.fixture
def tools(
    tenant: UUID,
    database_url: str,
    database: Database,
    gems: Gems,
    ingestion: Ingestion,
    recall: Recall,
    reflections: Reflections,
    snapshots: Snapshots,
    used: Gem,
    local: Any,
) -> Tools:
    moves = Moves(database, local, FOLLOWING_TABLES, REFLECTION_TABLES)
    return Tools(tenant, database_url, database, gems, ingestion, recall, reflections, moves, snapshots)


@pytest.fixture
async def harbour(tools: Tools) -> UUID:
    ((gem_id,),) = await tools.rows("SELECT gem_id FROM gem WHERE name = 'harbour'")
    return UUID(str(gem_id))


async def test_a_merge_since_is_taken_back_and_its_log_and_answers_follow(
    tools: Tools, used: Gem, harbour: UUID, at: Moment
) -> None:
    kept, doing = await keep(tools, at), Doing(tools, at)
    await tools.moves.merge(tools.tenant, harbour, [used.gem_id], doing.later())
    number = sorted([used.gem_id, harbour]).index(harbour)
    await doing.reflect(number, 0)
    await doing.use(1, 5)
    restored = await kept.restore(doing.later())
    assert {each.gem_id: (each.documents.added, each.documents.removed) for each in restored.gems} == {
        used.gem_id: (10, 0),
        harbour: (0, 10),
    }
    assert (await tools.gems.get(tools.tenant, used.gem_id, doing.at)).archived_at is None


async def test_a_split_since_is_taken_back_and_what_else_the_new_gem_holds_stays(
    tools: Tools, used: Gem, at: Moment
) -> None:
    kept, doing = await keep(tools, at), Doing(tools, at)
    wish = SplitWish("talks", thread=THREAD)
    new = (await tools.moves.split(tools.tenant, used.gem_id, wish, doing.later())).gem_id
    assert new is not None
    await doing.reflect(sorted([*kept.gem_ids, new]).index(new), 0)
    alone = await tools.gems.ensure(tools.tenant, "alone", doing.later())
    turn = {"id": "t6", "text": "I shall bring her.", "thread": THREAD, "speaker": "Ann"}
    for gem_id in (new, alone.gem_id):
        await tools.ingestion.ingest(tools.tenant, gem_id, [parse_document(turn)], doing.at)
    plan = await tools.snapshots.plan_restore(tools.tenant, kept.snapshot.snapshot_id, RestoreWish())
    restored = await kept.restore(doing.later())
    assert plan.gems == restored.gems
    (told,) = [each for each in restored.gems if each.gem_id == new]
    assert (told.name, told.documents.removed, told.documents.added, restored.others) == ("talks", 6, 0, 1)
    stored = "SELECT embedding::text, context_hash, cardinality(array_remove(around, -1)) FROM passage WHERE gem_id"
    (left,) = await tools.rows(f"{stored} = '{new}'")
    assert [left] == await tools.rows(f"{stored} = '{alone.gem_id}'")
    assert restored.safety is not None
    await tools.snapshots.restore(tools.tenant, restored.safety.snapshot_id, RestoreWish(), doing.later())
    held = await tools.rows(f"SELECT external_id FROM document WHERE gem_id = '{new}' ORDER BY 1")
    assert [each for (each,) in held] == ["t0", "t1", "t2", "t3", "t4", "t5", "t6"]
    await kept.restore(doing.later())


async def test_one_gem_alone_does_not_take_back_what_is_in_another(tools: Tools, used: Gem, at: Moment) -> None:
    kept, doing = await keep(tools, at), Doing(tools, at)
    await tools.moves.split(tools.tenant, used.gem_id, SplitWish("talks", thread=THREAD), doing.later())
    wish = RestoreWish(gem_id=used.gem_id)
    with pytest.raises(ConflictError, match="6 in 'talks'"):
        await tools.snapshots.restore(tools.tenant, kept.snapshot.snapshot_id, wish, doing.later())


async def test_archived_flags_names_and_deleted_gems_come_back(
    tools: Tools, used: Gem, harbour: UUID, at: Moment
) -> None:
    doing = Doing(tools, at)
    await tools.gems.archive(tools.tenant, harbour, at)
    kept = await keep(tools, doing.later())
    await tools.gems.restore(tools.tenant, harbour, doing.later())
    await doing.rename(0, 0)
    await doing.rename(1, 0)
    await tools.gems.archive(tools.tenant, used.gem_id, doing.later())
    await kept.restore(doing.later())
    await tools.gems.delete(tools.tenant, used.gem_id)
    await kept.restore(doing.later())
    await tools.gems.delete(tools.tenant, harbour)
    await tools.gems.delete(tools.tenant, used.gem_id)
    await kept.restore(doing.later())


async def test_entanglements_are_those_that_were(tools: Tools, used: Gem, harbour: UUID, at: Moment) -> None:
    doing = Doing(tools, at)
    third = await tools.gems.ensure(tools.tenant, "third", at)
    kept = await keep(tools, doing.later())
    made = await tools.gems.ensure(tools.tenant, "made since", doing.later())
    order = sorted([used.gem_id, harbour, third.gem_id, made.gem_id])
    pairs = [(used.gem_id, harbour), (used.gem_id, third.gem_id), (made.gem_id, harbour)]
    for one, other in pairs:
        await doing.entangle(order.index(one), order.index(other))
    await doing.reflect(order.index(used.gem_id), 0)
    await kept.restore(doing.later())
    await doing.disentangle(order.index(used.gem_id), order.index(harbour))
    await kept.restore(doing.later())


async def test_a_merge_that_a_restore_took_back_is_not_undone_a_second_time(
    tools: Tools, used: Gem, harbour: UUID, at: Moment
) -> None:
    kept, doing = await keep(tools, at), Doing(tools, at)
    done = await tools.moves.merge(tools.tenant, harbour, [used.gem_id], doing.later())
    await kept.restore(doing.later())
    assert done.operation_id is not None
    with pytest.raises(OperationFollowedError, match="in another gem by now"):
        await tools.moves.undo(tools.tenant, done.operation_id, doing.later())
    await kept.check(doing.later())


steps = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=6)


@settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=steps)
async def test_whatever_was_done_since_a_restore_gives_the_same_lattice(
    tools: Tools, at: Moment, steps: list[tuple[str, int, int]]
) -> None:
    ((since,),) = await tools.rows("SELECT max(measured_at) FROM measurement")
    doing = Doing(tools, Moment(max(since, at.now), at.time_unit))
    kept = await keep(tools, doing.later())
    for action, one, other in steps:
        with suppress(LatticeError):  # not everything can be done to every gem
            await getattr(doing, action)(one, other)
    await kept.restore(doing.later())

"""Merged, split and brought back, a gem is what it would be had its documents been ingested there."""

from typing import Any
from uuid import UUID

import pytest

from core.pg import Database
from gems import Moment
from knowledge.moving import Moves, SplitWish
from tests.integration.knowledge.moving.conftest import Writer
from tests.integration.knowledge.moving.portrait import portray


@pytest.mark.parametrize("seed", range(4))
async def test_a_merged_gem_is_as_if_all_had_been_ingested_there(
    database: Database, moves: Moves, make_gem: Any, tenant: UUID, at: Moment, seed: int
) -> None:
    writer = Writer(seed)
    first, second, third = writer.write("a", 14), writer.write("b", 14), writer.write("c", 8)
    target, one, other = await make_gem("target", first), await make_gem("one", second), await make_gem("other", third)
    fresh = await make_gem("fresh", first, second, third)
    before = [await portray(database, tenant, gem.gem_id) for gem in (target, one, other)]
    moved = await moves.merge(tenant, target.gem_id, [one.gem_id, other.gem_id], at)
    merged = await portray(database, tenant, target.gem_id)
    assert merged.differences(await portray(database, tenant, fresh.gem_id)) == ""
    assert (await portray(database, tenant, one.gem_id)).passages == {}
    await moves.undo(tenant, moved.operation_id, at)  # type: ignore[arg-type]
    after = [await portray(database, tenant, gem.gem_id) for gem in (target, one, other)]
    assert [was.differences(now) for was, now in zip(before, after, strict=True)] == ["", "", ""]


@pytest.mark.parametrize("seed", range(10, 14))
async def test_both_parts_of_a_split_gem_are_as_if_ingested_apart(
    database: Database, moves: Moves, make_gem: Any, tenant: UUID, at: Moment, seed: int
) -> None:
    writer = Writer(seed)
    written = writer.write("a", 30)
    gem = await make_gem("whole", written)
    before = await portray(database, tenant, gem.gem_id)
    moved = await moves.split(tenant, gem.gem_id, SplitWish("part", metadata={"part": 1}), at)
    assert moved.gem_id is not None
    assert moved.operation_id is not None
    for gem_id, part in ((gem.gem_id, 0), (moved.gem_id, 1)):
        alone = await make_gem(f"fresh {part}", [each for each in written if each.metadata["part"] == part])
        here = await portray(database, tenant, gem_id, wordings=False)
        assert here.differences(await portray(database, tenant, alone.gem_id, wordings=False)) == ""
    await moves.undo(tenant, moved.operation_id, at)
    after = await portray(database, tenant, gem.gem_id)
    assert before.differences(after) == ""

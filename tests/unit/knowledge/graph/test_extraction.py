"""How passages share calls, and what calls that run side by side may spend."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from knowledge.graph.extraction import BATCH_PASSAGES, BATCH_TOKENS, ShownPassage, plan_batches
from knowledge.graph.purse import Purse

PASSAGE = ShownPassage("Ann lives in Oslo.", 6, "Letters", "May", "Bo", datetime(2026, 5, 1, tzinfo=UTC))


def test_passages_share_a_call_as_far_as_they_fit() -> None:
    sizes = [900, 900, 300, 5_000, 1, 1]
    assert plan_batches([ShownPassage("x", size) for size in sizes]) == [[0, 1], [2], [3], [4, 5]]
    many = plan_batches([ShownPassage("x", 1)] * (BATCH_PASSAGES + 1))
    assert [len(each) for each in many] == [BATCH_PASSAGES, 1]
    assert plan_batches([]) == []
    assert BATCH_TOKENS == 2_000


@pytest.mark.parametrize("part", ["text", "title", "heading", "speaker"])
def test_the_key_is_of_all_that_is_shown(part: str) -> None:
    assert replace(PASSAGE, **{part: "another"}).key != PASSAGE.key  # type: ignore[arg-type]
    assert replace(PASSAGE, occurred_at=None).key != PASSAGE.key
    assert replace(PASSAGE, tokens=7).key == PASSAGE.key


async def test_a_purse_is_never_overdrawn() -> None:
    purse = Purse(Decimal(10))
    assert await purse.take(Decimal(6))
    second = asyncio.create_task(purse.take(Decimal(6)))
    await asyncio.sleep(0)
    assert not second.done()  # the first may turn out cheaper
    await purse.settle(Decimal(6), Decimal(1))
    assert await second
    await purse.settle(Decimal(6), Decimal(6))
    assert purse.spent_usd == 7
    assert not await purse.take(Decimal(4))
    assert await purse.take(Decimal(3))


async def test_with_a_limit_nothing_of_unknown_cost_is_bought() -> None:
    purse = Purse(Decimal(10))
    assert not await purse.take(None)
    assert await purse.take(Decimal(1))
    await purse.settle(Decimal(1), None)
    assert not await purse.take(Decimal(1))
    assert purse.unpriced == 1


async def test_without_a_limit_everything_is() -> None:
    purse = Purse()
    assert await purse.take(None)
    await purse.settle(None, None)
    assert await purse.take(Decimal(1_000))
    await purse.settle(Decimal(1_000), Decimal(900))
    assert purse.spent_usd == 900
    assert purse.unpriced == 1

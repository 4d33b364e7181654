import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from gems import Gem, QuantumState
from knowledge import Filters, FusionWeights
from knowledge.fusion import Channels, fuse
from knowledge.ranking import Findings
from knowledge.resonance import ResonanceCache
from knowledge.search import Scope

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TENANT = uuid4()
WEIGHTS = FusionWeights()
GEM = Gem(
    gem_id=uuid4(),
    name="port",
    description="",
    metadata={},
    state=QuantumState.new(),
    measured_at=NOON,
    feedback=0.0,
    ratings=0,
    version=3,
    slots=5,
    speakers=(),
    archived_at=None,
    created_at=NOON,
    updated_at=NOON,
)
SCOPE = Scope((GEM,), Filters(), None, "embedding", 100)


def find(passages: int = 1) -> Findings:
    zeros = np.zeros(passages)
    found = np.zeros((passages, 2), np.float32)
    channels = Channels(zeros, zeros, zeros, zeros, found, np.ones(passages, np.bool_), np.full(2, 0.5, np.float32))
    ids = tuple(uuid4() for _ in range(passages))
    return Findings(ids, channels, fuse(channels, WEIGHTS), zeros, 1.0)


class Searcher:
    """Finds one passage a search, and counts; waits for `go` if it is given."""

    def __init__(self, go: asyncio.Event | None = None, passages: int = 1) -> None:
        self.searches, self.began, self._go, self._passages = 0, asyncio.Event(), go, passages

    async def __call__(self) -> Findings:
        self.searches += 1
        self.began.set()
        if self._go is not None:
            await self._go.wait()
        return find(self._passages)


async def ask(
    cache: ResonanceCache,
    search: Callable[[], Coroutine[Any, Any, Findings]],
    question: str = "why?",
    scope: Scope = SCOPE,
    tenant: UUID = TENANT,
    weights: FusionWeights = WEIGHTS,
) -> Findings:
    return await cache.once(tenant, question, scope, weights, search)


async def test_those_who_ask_at_the_same_time_get_one_search_even_if_nothing_is_kept() -> None:
    cache, go = ResonanceCache(0), asyncio.Event()
    search = Searcher(go)
    asked = [asyncio.create_task(ask(cache, search)) for _ in range(5)]
    await search.began.wait()
    go.set()
    found = await asyncio.gather(*asked)
    assert search.searches == 1
    assert all(each is found[0] for each in found)
    assert (cache.hits, cache.misses, len(cache)) == (4, 1, 0)


async def test_whoever_began_a_search_may_leave_and_the_others_still_get_it() -> None:
    cache, go = ResonanceCache(), asyncio.Event()
    search = Searcher(go)
    first, second = (asyncio.create_task(ask(cache, search)) for _ in range(2))
    await search.began.wait()
    first.cancel()
    go.set()
    assert (await second).passage_ids
    with pytest.raises(asyncio.CancelledError):
        await first
    assert search.searches == 1


@pytest.mark.parametrize(
    "change",
    [
        {"question": "Why?"},
        {"tenant": uuid4()},
        {"weights": WEIGHTS.without("link")},
        {"scope": replace(SCOPE, gems=(replace(GEM, version=4),))},
        {"scope": replace(SCOPE, gems=(replace(GEM, updated_at=NOON + timedelta(seconds=1)),))},  # imported anew
        {"scope": replace(SCOPE, gems=(GEM, replace(GEM, gem_id=uuid4())))},
        {"scope": replace(SCOPE, as_of=NOON)},
        {"scope": replace(SCOPE, column="embedding_b")},
        {"scope": replace(SCOPE, candidates=220)},
        {"scope": replace(SCOPE, filters=Filters(metadata={"a": 2**70}))},
        {"scope": replace(SCOPE, filters=Filters(since=NOON))},
        {"scope": replace(SCOPE, filters=Filters(until=NOON))},
        {"scope": replace(SCOPE, filters=Filters(sources=()))},
    ],
)
async def test_all_that_shapes_what_is_found_is_told_apart(change: dict[str, Any]) -> None:
    cache, search = ResonanceCache(), Searcher()
    await ask(cache, search)
    await ask(cache, search, **change)
    assert search.searches == 2


async def test_the_order_of_a_filter_and_the_state_of_a_gem_do_not_matter() -> None:
    cache, search = ResonanceCache(), Searcher()
    await ask(cache, search, scope=replace(SCOPE, filters=Filters(metadata={"a": 1, "b": 2})))
    measured = replace(GEM, measured_at=NOON + timedelta(days=1), feedback=0.5)
    await ask(cache, search, scope=replace(SCOPE, gems=(measured,), filters=Filters(metadata={"b": 2, "a": 1})))
    assert search.searches == 1


async def test_no_more_is_kept_than_it_may_weigh() -> None:
    size = find(10).size
    cache = ResonanceCache(most_bytes=3 * size)
    for i in range(5):
        await ask(cache, Searcher(passages=10), str(i))
    assert len(cache) == 3
    await ask(cache, Searcher(passages=1_000), "too much")
    assert len(cache) == 3

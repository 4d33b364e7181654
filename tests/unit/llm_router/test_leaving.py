"""Callers who leave at any moment whatever: nothing that was held for them stays held."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from decimal import Decimal

import pytest

from llm_router import (
    Answer,
    AnswerCache,
    BreakerConfig,
    CacheConfig,
    Clocks,
    ModelConfig,
    Parts,
    Prices,
    Prompt,
    Reply,
    ReplyEvent,
    RetryBudgetConfig,
    Router,
    ScriptedTarget,
    TargetFault,
    Usage,
)
from tests.unit.llm_router.conftest import Setup
from tests.unit.llm_router.till import Till
from tests.wire.clock import Clock

Build = Callable[..., Router]
PRICES = Prices(Decimal(1), Decimal(1))
STEPS = 70  # of the event loop: more than any of these calls takes
WHOLE = Answer("Turin", "m", "stop", Usage(1, 1))
BREAKER = BreakerConfig(minimum_calls=1, open_s=10.0, ramp_s=0.0)


class Counting(ScriptedTarget):
    """Counts its open streams, and takes some turns of the loop to open and to close one."""

    open = 0

    async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
        [*_, last] = [item async for item in self.stream(prompt, clocks)]
        assert isinstance(last, Answer)
        return last

    async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
        await asyncio.sleep(0)
        self.open += 1
        try:
            async for item in super().stream(prompt, clocks):
                await asyncio.sleep(0)
                yield item
        finally:
            self.open -= 1
            await asyncio.sleep(0)


async def call(router: Router, prompt: Prompt, streamed: bool, read: int = 100) -> Reply | None:
    if not streamed:
        return await router.ask(prompt)
    async with aclosing(router.stream(prompt)) as events:
        async for event in events:
            read -= 1
            if isinstance(event, ReplyEvent):
                return event.reply
            if not read:
                return None
    return None


def probing(router: Router, clock: Clock) -> None:
    """Bring each target to where it waits for its one probe."""
    for route in router.routes:
        route.health.breaker.trip()
    clock.now_s += 11.0


async def check(
    router: Router, targets: list[Counting], till: Till, clock: Clock, before: set[asyncio.Task[object]]
) -> None:
    for _ in range(20):  # whoever leaves twice does not see to the end what is being closed
        await asyncio.sleep(0)
    await router.aclose()
    assert asyncio.all_tasks() == before
    assert [target.open for target in targets] == [0] * len(targets)
    assert [route.health.busy for route in router.routes] == [0] * len(router.routes)
    assert not till.held
    clock.now_s += 1_000.0
    for route in router.routes:
        assert route.health.breaker.admit() is not None, "a probe was lost"


@pytest.mark.parametrize("again_after", [None, 0, 1, 3])
@pytest.mark.parametrize("way", ["plain", "hedged", "cached", "failing"])
async def test_nothing_stays_held_whenever_the_caller_leaves(
    build: Build, prompt: Prompt, clock: Clock, streamed: bool, way: str, again_after: int | None
) -> None:
    ended = 0
    for steps in range(STEPS):
        first: list[str | TargetFault | Answer | float] = {
            "failing": [TargetFault("a", "malformed")],
            "hedged": ["", 0.0, 0.0, 0.0, "Tur", "in", WHOLE],
        }.get(way, ["", "Tur", "in", WHOLE])  # type: ignore[assignment]
        targets = [Counting([first], "a"), Counting([["", "Tur", "in", WHOLE]], "b")]
        till = Till()
        parts = Parts(till, cache=AnswerCache(CacheConfig(size=10)) if way == "cached" else None)
        model = ModelConfig("default", ("a", "b"), extractive=False, hedge_after_s=1e-9 if way == "hedged" else None)
        lavish = RetryBudgetConfig(burst=10.0)
        setups = [Setup(target, prices=PRICES) for target in targets]
        router = build(*setups, parts=parts, models=(model,), breaker=BREAKER, retry_budget=lavish)
        probing(router, clock)
        before = asyncio.all_tasks()
        task = asyncio.create_task(call(router, prompt, streamed))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        if again_after is not None:
            for _ in range(again_after):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait([task])
        ended += not task.cancelled()
        await check(router, targets, till, clock, before)
    assert ended, "these steps do not reach the end of the call"


@pytest.mark.parametrize("read", [1, 2, 3])
@pytest.mark.parametrize("hedged", [False, True])
async def test_a_reader_who_leaves_after_any_piece_leaves_nothing_held(
    build: Build, prompt: Prompt, clock: Clock, hedged: bool, read: int
) -> None:
    targets = [Counting([["", "Tur", "in", WHOLE]], name) for name in "ab"]
    till = Till()
    model = ModelConfig("default", ("a", "b"), extractive=False, hedge_after_s=1e-9 if hedged else None)
    setups = [Setup(target, prices=PRICES) for target in targets]
    router = build(*setups, parts=Parts(till), models=(model,), breaker=BREAKER)
    probing(router, clock)
    before = asyncio.all_tasks()
    await call(router, prompt, streamed=True, read=read)
    await check(router, targets, till, clock, before)


async def test_followers_who_leave_one_after_another_leave_nothing_held(
    build: Build, prompt: Prompt, clock: Clock
) -> None:
    for steps in range(STEPS):
        target, till = Counting([["", "Tur", "in", WHOLE]], "a"), Till()
        parts = Parts(till, cache=AnswerCache(CacheConfig(size=10)))
        router = build(Setup(target, prices=PRICES), parts=parts, breaker=BREAKER)
        probing(router, clock)
        before = asyncio.all_tasks()
        tasks = [asyncio.create_task(call(router, prompt, streamed=False)) for _ in range(3)]
        for number, task in enumerate(tasks):
            for _ in range(steps // (number + 1)):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait(tasks)
        await check(router, [target], till, clock, before)

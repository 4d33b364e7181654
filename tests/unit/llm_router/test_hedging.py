"""A second target is asked when the first is slow."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest

from core.errors import AllTargetsFailedError
from llm_router import (
    Answer,
    Clocks,
    ModelConfig,
    Prices,
    Prompt,
    RetryBudgetConfig,
    Router,
    ScriptedTarget,
    TargetFault,
)
from tests.unit.llm_router.conftest import Setup, run
from tests.unit.llm_router.test_router import fault

Build = Callable[..., Router]


def hedged(*names: str) -> tuple[ModelConfig, ...]:
    return (ModelConfig("default", names, hedge_after_s=0.02),)


def slow(prompt: Prompt, pause_s: float, name: str = "a") -> ScriptedTarget:
    return ScriptedTarget([[pause_s, f"From {name}.", ScriptedTarget([]).answer(f"From {name}.", prompt)]], name)


async def test_the_second_answers_for_a_slow_first_and_both_are_paid(
    build: Build, prompt: Prompt, streamed: bool
) -> None:
    prices = Prices(Decimal(1), Decimal(1))
    first = Setup(slow(prompt, 5.0), prices=prices)
    router = build(first, Setup(ScriptedTarget(["From b."], "b"), prices=prices), models=hedged("a", "b"))
    reply = await run(router, prompt, streamed)
    assert reply.text == "From b."
    assert {(each.target, each.outcome) for each in reply.attempts} == {("a", "cancelled"), ("b", "answered")}
    lost = next(each for each in reply.attempts if each.outcome == "cancelled")
    assert lost.usage is not None
    assert lost.usage.estimated
    assert reply.cost_usd == sum(each.cost_usd or 0 for each in reply.attempts)
    assert [route.health.busy for route in router.routes] == [0, 0]


async def test_a_quick_first_is_not_hedged(build: Build, prompt: Prompt, streamed: bool) -> None:
    second = ScriptedTarget(["From b."], "b")
    reply = await run(build(ScriptedTarget(["Turin."], "a"), second, models=hedged("a", "b")), prompt, streamed)
    assert (reply.text, len(reply.attempts)) == ("Turin.", 1)
    assert not second.asked


async def test_a_slow_first_may_still_win(build: Build, prompt: Prompt, streamed: bool) -> None:
    router = build(slow(prompt, 0.06), slow(prompt, 5.0, "b"), models=hedged("a", "b"))
    assert (await run(router, prompt, streamed)).text == "From a."


async def test_a_failed_hedge_leaves_the_first_alone(build: Build, prompt: Prompt, streamed: bool) -> None:
    broken = ScriptedTarget([[TargetFault("b", "malformed")]], "b")
    reply = await run(build(slow(prompt, 0.08), broken, models=hedged("a", "b")), prompt, streamed)
    assert reply.text == "From a."
    assert [each.error for each in reply.attempts] == ["malformed", None]


async def test_the_local_answer_waits_for_both(build: Build, prompt: Prompt, streamed: bool) -> None:
    local = Setup(ScriptedTarget(["Quoted."], "local"), provider="extractive")
    first = ScriptedTarget([[0.05, TargetFault("a", "malformed")]], "a")
    router = build(first, slow(prompt, 0.15, "b"), local, models=hedged("a", "b"))
    assert (await run(router, prompt, streamed)).text == "From b."


async def test_when_both_fail_all_attempts_are_told(build: Build, prompt: Prompt) -> None:
    first = ScriptedTarget([[0.05, fault("malformed")]], "a")
    second = ScriptedTarget([[0.05, TargetFault("b", "malformed")]], "b")
    model = ModelConfig("default", ("a", "b"), hedge_after_s=0.02, extractive=False)
    with pytest.raises(AllTargetsFailedError, match="a: malformed, b: malformed"):
        await build(first, second, models=(model,)).ask(prompt)


async def test_a_hedge_is_paid_from_the_retry_budget(build: Build, prompt: Prompt) -> None:
    second = ScriptedTarget(["From b."], "b")
    broke = RetryBudgetConfig(ratio=0.0, burst=0.0)
    router = build(slow(prompt, 0.06), second, models=hedged("a", "b"), retry_budget=broke)
    assert (await router.ask(prompt)).text == "From a."
    assert not second.asked


async def test_cancelling_the_caller_cancels_both(build: Build, prompt: Prompt, streamed: bool) -> None:
    router = build(slow(prompt, 5.0), slow(prompt, 5.0, "b"), models=hedged("a", "b"))
    before = asyncio.all_tasks()
    task = asyncio.ensure_future(run(router, prompt, streamed))
    await asyncio.sleep(0.06)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before
    assert [route.health.busy for route in router.routes] == [0, 0]


class Lingering(ScriptedTarget):
    """A target whose connection takes its time to close."""

    async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
        try:
            async for item in super().stream(prompt, clocks):
                yield item
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)
            raise


async def test_a_caller_who_leaves_while_the_loser_is_closed_leaves_nothing_open(
    build: Build, prompt: Prompt, streamed: bool
) -> None:
    first = Lingering([[5.0, "late"]], "a")
    second = ScriptedTarget([["From", 5.0, "b."]] if streamed else ["From b."], "b")
    router = build(first, second, models=hedged("a", "b"))
    task = asyncio.ensure_future(run(router, prompt, streamed))
    await asyncio.sleep(0.06)
    assert [route.health.busy for route in router.routes] == [1, int(streamed)]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [route.health.busy for route in router.routes] == [0, 0]

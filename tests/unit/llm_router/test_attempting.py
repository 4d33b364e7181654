"""What an attempt leaves behind, however it ends."""

import asyncio
from collections.abc import Callable

import pytest

from core.errors import AllTargetsFailedError, BudgetExceededError, LatticeError, StoreUnavailableError
from llm_router import (
    Answer,
    BreakerConfig,
    Clocks,
    Parts,
    Prompt,
    RetryBudgetConfig,
    Router,
    RouterConfig,
    ScriptedTarget,
    TargetFault,
    build_router_of,
)
from llm_router.ports import AttemptWatch, Blind, Operation
from tests.unit.llm_router.conftest import PRICES, Setup, priced, run
from tests.unit.llm_router.till import Till
from tests.wire.clock import Clock

Build = Callable[..., Router]


@pytest.mark.parametrize("failure", [StoreUnavailableError("Postgres did not answer"), ValueError("a bug")])
async def test_an_answer_is_not_lost_for_its_receipt(
    build: Build, prompt: Prompt, streamed: bool, failure: Exception
) -> None:
    router = build(priced(ScriptedTarget(["Turin."], "a")), parts=Parts(Till(fails=failure)))
    assert (await run(router, prompt, streamed)).text == "Turin."


async def test_a_slow_till_holds_no_answer_back_and_is_waited_for_at_the_end(
    build: Build, prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm_router.attempting.SETTLE_S", 0.02)
    till = Till(settles_s=0.1)
    router = build(priced(ScriptedTarget(["Turin."], "a")), parts=Parts(till))
    assert (await router.ask(prompt)).text == "Turin."
    assert not till.settled
    await router.aclose()
    assert [each.outcome for each in till.settled] == ["answered"]
    assert not till.held


async def test_closing_that_is_cancelled_loses_no_receipt(build: Build, prompt: Prompt) -> None:
    till = Till(settles_s=0.05)
    router = build(priced(ScriptedTarget(["Turin."], "a")), parts=Parts(till))
    asking = asyncio.ensure_future(router.ask(prompt))
    await asyncio.sleep(0.01)
    asking.cancel()
    closing = asyncio.ensure_future(router.aclose())
    await asyncio.sleep(0.01)
    closing.cancel()
    await asyncio.gather(asking, closing, return_exceptions=True)
    await router.aclose()
    assert len(till.settled) == 1


async def test_a_caller_who_leaves_while_reserving_leaves_no_reservation(
    build: Build, prompt: Prompt, streamed: bool
) -> None:
    till = Till(reserves_s=0.03)
    target = ScriptedTarget(["Turin."], "a")
    router = build(priced(target), parts=Parts(till), breaker=BreakerConfig(minimum_calls=1))
    task = asyncio.ensure_future(run(router, prompt, streamed))
    await asyncio.sleep(0.01)
    assert till.held
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await router.aclose()
    assert not till.held
    assert not target.asked
    assert router.routes[0].health.busy == 0


async def test_what_cannot_be_counted_is_not_spent_but_what_is_free_goes_on(
    build: Build, prompt: Prompt, streamed: bool
) -> None:
    away = {"a": StoreUnavailableError("Postgres did not answer")}
    capped = priced(ScriptedTarget(["Turin."], "a"))
    local = Setup(ScriptedTarget(["Quoted."], "local"), provider="extractive")
    reply = await run(build(capped, local, parts=Parts(Till(refuses={**away}))), prompt, streamed)
    assert (reply.target, len(reply.attempts)) == ("local", 1)
    with pytest.raises(StoreUnavailableError):
        await run(build(capped, parts=Parts(Till(refuses={**away}))), prompt, streamed)
    assert not capped.target.asked


async def test_accounts_that_hang_do_not_outlast_the_deadline(prompt: Prompt) -> None:
    setup = priced(ScriptedTarget(["Turin."], "a"))
    config = RouterConfig((setup.config(),), deadline_s=0.05)
    router = build_router_of([setup.target], config, Parts(Till(reserves_s=5.0)))
    async with asyncio.timeout(1.0):
        with pytest.raises(LatticeError):
            await router.ask(prompt)


async def test_a_target_over_budget_costs_no_extra_call(build: Build, prompt: Prompt, streamed: bool) -> None:
    till = Till(refuses={"a": BudgetExceededError("spent")})
    first, second = ScriptedTarget(["Turin."], "a"), ScriptedTarget(["Rome."], "b")
    broke = RetryBudgetConfig(ratio=0.0, burst=0.0)
    router = build(priced(first), priced(second), parts=Parts(till), retry_budget=broke)
    assert (await run(router, prompt, streamed)).text == "Rome."
    assert not first.asked


async def test_the_budget_is_the_error_when_it_alone_stood_in_the_way(
    build: Build, prompt: Prompt, streamed: bool
) -> None:
    till = Till(refuses={"a": BudgetExceededError("spent")})
    with pytest.raises(BudgetExceededError):
        await run(build(priced(ScriptedTarget(["Turin."], "a")), parts=Parts(till)), prompt, streamed)


async def test_each_attempt_is_told_what_reserving_has_left(build: Build, prompt: Prompt, clock: Clock) -> None:
    told: list[float] = []

    class Told(ScriptedTarget):
        async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
            told.append(clocks.total_s)
            return await super().ask(prompt, clocks)

    def pass_time() -> None:
        clock.now_s += 7.0

    target = Setup(Told(["Turin."], "a"), Clocks(total_s=25.0), prices=PRICES)
    await build(target, deadline_s=30.0, parts=Parts(Till(reserving=pass_time))).ask(prompt)
    assert told == [23.0]


async def test_a_bug_is_entered_as_failed_and_counts_against_nobody(
    build: Build, prompt: Prompt, streamed: bool
) -> None:
    class Buggy(ScriptedTarget):
        def stream(self, prompt: Prompt, clocks: Clocks) -> object:  # type: ignore[override]
            raise KeyError("Where is Ada?")

    till = Till()
    router = build(priced(Buggy(["x"], "a")), parts=Parts(till), breaker=BreakerConfig(minimum_calls=1))
    with pytest.raises(KeyError):
        await run(router, prompt, streamed)
    assert [(each.outcome, each.error) for each in till.settled] == [("failed", "unknown")]
    [route] = router.routes
    assert (route.health.busy, route.health.breaker.state, route.health.breaker.count().calls) == (0, "closed", 0)
    assert not till.held


class BlindUntilItFails(Blind):
    def start_attempt(self, target: str, provider: str, model: str) -> AttemptWatch:
        raise RuntimeError("an observer's bug")


async def test_an_observer_s_bug_leaves_no_probe_and_no_busy_counter(build: Build, prompt: Prompt) -> None:
    target = ScriptedTarget([[TargetFault("a", "server_error")], "Turin."], "a")
    observers = [Blind(), BlindUntilItFails()]

    class Changing(Blind):
        def start_call(self, model: str, prompt: Prompt, *, streamed: bool, operation: Operation = "chat") -> Blind:
            return observers.pop(0) if observers else Blind()

    breaker = BreakerConfig(minimum_calls=1, open_s=0.01, ramp_s=0.0)
    router = build(target, parts=Parts(observer=Changing()), breaker=breaker, attempts_per_target=1)
    with pytest.raises(AllTargetsFailedError):
        await router.ask(prompt)
    with pytest.raises(RuntimeError):
        await router.ask(prompt)
    assert router.routes[0].health.busy == 0
    assert (await router.ask(prompt)).text == "Turin."


async def test_a_probe_is_given_back_whatever_becomes_of_it(build: Build, prompt: Prompt, streamed: bool) -> None:
    """A budget that refuses a probe, or accounts that fail while it waits, must not leave the target out for ever."""
    till = Till()
    target = ScriptedTarget([[TargetFault("a", "server_error")], "Turin."], "a")
    breaker = BreakerConfig(minimum_calls=1, open_s=0.01, ramp_s=0.0)
    router = build(priced(target), parts=Parts(till), breaker=breaker, attempts_per_target=1)
    with pytest.raises(AllTargetsFailedError):
        await run(router, prompt, streamed)
    for refusal in (BudgetExceededError("spent"), StoreUnavailableError("away"), RuntimeError("a bug")):
        till.refuses = {"a": refusal}
        with pytest.raises(type(refusal)):
            await run(router, prompt, streamed)
    till.refuses = {}
    assert (await run(router, prompt, streamed)).text == "Turin."

"""What is written down of an attempt: its time, its usage, its outcome."""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from types import MappingProxyType

import pytest

from llm_router import (
    Answer,
    Parts,
    Prompt,
    Reply,
    ReplyEvent,
    Router,
    ScriptedTarget,
    TargetFault,
    TokenEvent,
    Usage,
)
from tests.unit.llm_router.conftest import PRICES, Setup, priced, run
from tests.unit.llm_router.till import Till
from tests.wire.clock import Clock

Build = Callable[..., Router]


async def test_a_slow_reader_does_not_make_the_target_look_slow(build: Build, prompt: Prompt, clock: Clock) -> None:
    answer = Answer("Turin", "m", "stop", Usage(1, 1))
    router = build(ScriptedTarget([["Tur", "in", answer]], "a"))
    reply: Reply | None = None
    async for event in router.stream(prompt):
        clock.now_s += 5.0
        reply = event.reply if isinstance(event, ReplyEvent) else None
    assert reply is not None
    assert reply.attempts[0].seconds == 0.0
    assert router.routes[0].health.latency.percentile(0.5) == 0.0


async def test_failures_and_cancelled_calls_are_no_latency(build: Build, prompt: Prompt, streamed: bool) -> None:
    failing = ScriptedTarget([[TargetFault("a", "malformed")]], "a")
    slow = ScriptedTarget([[9.0, "late"]], "b")
    router = build(failing, slow)
    task = asyncio.ensure_future(run(router, prompt, streamed))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [route.health.latency.count for route in router.routes] == [0, 0]


async def test_whoever_leaves_after_the_whole_answer_leaves_an_answered_attempt(build: Build, prompt: Prompt) -> None:
    till, usage = Till(), Usage(7, 3)
    target = Setup(ScriptedTarget([[Answer("Turin.", "m", "stop", usage)]], "a"), prices=PRICES)
    router = build(target, parts=Parts(till))
    events = router.stream(prompt)
    assert isinstance(await anext(events), TokenEvent)
    await events.aclose()
    assert [(each.outcome, each.usage) for each in till.settled] == [("answered", usage)]


async def test_waiting_for_the_accounts_is_not_the_target_s_latency(
    build: Build, prompt: Prompt, streamed: bool, clock: Clock
) -> None:
    def pass_time() -> None:
        clock.now_s += 7.0

    router = build(priced(ScriptedTarget(["Turin."], "a")), parts=Parts(Till(reserving=pass_time)))
    reply = await run(router, prompt, streamed)
    assert reply.attempts[0].seconds == 0.0
    assert router.routes[0].health.latency.percentile(0.5) == 0.0


async def test_attempts_are_json_whatever_the_provider_said_of_its_usage(build: Build, prompt: Prompt) -> None:
    raw = MappingProxyType({"total": 3, "details": MappingProxyType({"cached": 1})})
    answer = Answer("Turin.", "m", "stop", Usage(1, 2), raw_usage=raw, cost_usd=Decimal("0.000001"))
    reply = await build(priced(ScriptedTarget([[answer]], "a"))).ask(prompt)
    [told] = json.loads(json.dumps([each.as_json() for each in reply.attempts]))
    assert (told["cost_usd"], told["raw_usage"]["total"], told["usage"]["input_tokens"]) == ("0.000001", 3, 1)

"""How long is waited, who pays, and what is told when nobody answers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import AllTargetsFailedError
from llm_router import (
    BreakerConfig,
    Prompt,
    Router,
    ScriptedTarget,
    TargetFault,
    TokenEvent,
    ToolCall,
    Usage,
)
from llm_router.reply import Answer
from tests.unit.llm_router.conftest import Setup, run
from tests.wire.clock import Clock

Build = Callable[..., Router]


@pytest.mark.parametrize("deadline_s", [0.0, -1.0])
async def test_a_deadline_that_has_passed_leaves_the_local_target_alone(
    build: Build, prompt: Prompt, streamed: bool, deadline_s: float
) -> None:
    remote = ScriptedTarget(["Turin."], "a")
    local = Setup(ScriptedTarget(["Quoted."], "local"), provider="extractive")
    assert (await run(build(remote, local), prompt, streamed, deadline_s)).target == "local"
    with pytest.raises(AllTargetsFailedError, match="none could be asked"):
        await run(build(remote), prompt, streamed, deadline_s)
    assert not remote.asked


@pytest.mark.parametrize("asked_s", [600.0, 1e9])
async def test_the_error_of_the_failing_call_itself_says_when_to_come_back(
    build: Build, prompt: Prompt, clock: Clock, streamed: bool, asked_s: float
) -> None:
    target = ScriptedTarget([[TargetFault("a", "rate_limited", retry_after_s=asked_s)]], "a")
    other = ScriptedTarget([[TargetFault("b", "rate_limited", retry_after_s=2 * asked_s)]], "b")
    with pytest.raises(AllTargetsFailedError) as caught:
        await run(build(target, other, deadline_s=30.0), prompt, streamed)
    assert caught.value.details["retry_after_s"] == min(asked_s, 86_400)
    assert clock.slept == []


async def test_no_time_is_told_when_a_target_may_be_asked_at_once(build: Build, prompt: Prompt) -> None:
    refused = ScriptedTarget([[TargetFault("a", "invalid_request")]], "a")
    scarce = Setup(ScriptedTarget([[TargetFault("b", "rate_limited", retry_after_s=600.0)]], "b"), provider="other")
    with pytest.raises(AllTargetsFailedError) as caught:
        await build(refused, scarce).ask(prompt)
    assert "retry_after_s" not in caught.value.details


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
async def test_no_wait_passes_the_deadline(
    build: Build, prompt: Prompt, clock: Clock, streamed: bool, jitter: float
) -> None:
    begun_s = clock.now_s
    target = ScriptedTarget([[TargetFault("a", "server_error", retry_after_s=3.0)]], "a")
    router = build(target, deadline_s=10.0, attempts_per_target=100, jitter=jitter)
    with pytest.raises(AllTargetsFailedError):
        await run(router, prompt, streamed)
    assert clock.now_s - begun_s < 10.0


async def test_a_call_that_waits_for_a_breaker_keeps_to_its_deadline(
    build: Build, prompt: Prompt, clock: Clock, streamed: bool
) -> None:
    target = ScriptedTarget([[TargetFault("a", "server_error")]], "a")
    router = build(target, attempts_per_target=1, deadline_s=25.0, breaker=BreakerConfig(minimum_calls=1, open_s=10.0))
    with pytest.raises(AllTargetsFailedError):
        await run(router, prompt, streamed)
    begun_s = clock.now_s
    with pytest.raises(AllTargetsFailedError):
        await run(router, prompt, streamed)
    assert clock.now_s - begun_s <= 25.0
    assert len(target.asked) == 2


async def test_when_all_are_switched_off_nobody_is_asked(build: Build, prompt: Prompt, streamed: bool) -> None:
    targets = [ScriptedTarget(["Turin."], name) for name in "ab"]
    router = build(*targets)
    for target in targets:
        router.set_enabled(target.name, enabled=False)
    with pytest.raises(AllTargetsFailedError, match="none could be asked"):
        await run(router, prompt, streamed)
    assert not any(target.asked for target in targets)


async def test_the_clock_on_the_wall_decides_nothing(
    build: Build, prompt: Prompt, streamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = iter(range(100))
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("llm_router.ledger.utc_now", lambda: begun - timedelta(hours=next(hours)))
    first = ScriptedTarget([[TargetFault("a", "server_error")]], "a")
    reply = await run(build(first, ScriptedTarget(["Rome."], "b")), prompt, streamed)
    assert [each.seconds for each in reply.attempts] == [0.0] * 4


async def test_the_first_cause_is_told_first(build: Build, prompt: Prompt, streamed: bool) -> None:
    first = ScriptedTarget([[TargetFault("a", "quota_exceeded", status=402)]], "a")
    second = ScriptedTarget([[TargetFault("b", "connection")]], "b")
    with pytest.raises(AllTargetsFailedError, match=r"\(a: quota_exceeded, b: connection\)"):
        await run(build(first, second, attempts_per_target=1), prompt, streamed)


async def test_no_target_is_come_back_to(build: Build, prompt: Prompt, streamed: bool) -> None:
    targets = [ScriptedTarget([[TargetFault(name, "malformed")]], name) for name in "abc"]
    with pytest.raises(AllTargetsFailedError):
        await run(build(*targets), prompt, streamed)
    assert [len(target.asked) for target in targets] == [1, 1, 1]


async def test_each_attempt_gets_the_prompt_as_it_was(build: Build, prompt: Prompt, streamed: bool) -> None:
    first = ScriptedTarget([[TargetFault("a", "server_error")]], "a")
    second = ScriptedTarget(["Rome."], "b")
    before = repr(prompt)
    await run(build(first, second), prompt, streamed)
    assert {repr(each) for each in (*first.asked, *second.asked)} == {before}


async def test_a_stream_of_tool_calls_alone_has_no_empty_piece(build: Build, prompt: Prompt) -> None:
    answer = Answer("", "m", "tool_use", Usage(1, 1), tool_calls=(ToolCall("1", "look", {}),))
    events = [event async for event in build(ScriptedTarget([["", answer]], "a")).stream(prompt)]
    assert not [event for event in events if isinstance(event, TokenEvent)]

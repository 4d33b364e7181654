import asyncio
import json
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest

from core.errors import AllTargetsFailedError, StreamBrokenError
from llm_router import (
    Answer,
    Clocks,
    FaultKind,
    Prices,
    Prompt,
    Reply,
    ReplyEvent,
    Router,
    ScriptedTarget,
    TargetFault,
    TokenEvent,
    Usage,
)
from llm_router.reply import Finish
from tests.unit.llm_router.conftest import Setup, run
from tests.wire.clock import Clock

Build = Callable[..., Router]
USAGE = Usage(1_000_000, 0)


def whole(text: str = "Turin.", finish: Finish = "stop") -> Answer:
    return Answer(text, "m-1", finish, USAGE)


def fault(kind: FaultKind = "overloaded", **facts: object) -> TargetFault:
    return TargetFault("a", kind, **facts)  # type: ignore[arg-type]


async def read(router: Router, prompt: Prompt) -> tuple[list[str], Reply]:
    events = [event async for event in router.stream(prompt)]
    assert isinstance(events[-1], ReplyEvent)
    return [event.text for event in events if isinstance(event, TokenEvent)], events[-1].reply


async def test_the_first_target_answers(build: Build, prompt: Prompt, streamed: bool) -> None:
    first, second = ScriptedTarget(["Turin."], "a"), ScriptedTarget(["Rome."], "b")
    reply = await run(build(first, second), prompt, streamed)
    assert (reply.text, reply.target, reply.provider, reply.model) == ("Turin.", "a", "scripted", "scripted")
    assert reply.finish == "stop"
    assert reply.usage.estimated
    assert [(each.target, each.outcome, each.usage) for each in reply.attempts] == [("a", "answered", reply.usage)]
    assert not second.asked


async def test_a_passing_fault_is_retried_with_growing_jittered_waits(
    build: Build, prompt: Prompt, clock: Clock, streamed: bool
) -> None:
    target = ScriptedTarget([[fault("overloaded", status=529)], [fault("server_error")], [fault()], "Turin."], "a")
    reply = await run(build(target, attempts_per_target=4, backoff_max_s=1.5), prompt, streamed)
    assert clock.slept == [0.25, 0.5, 0.75]  # half of 0.5, 1 and the ceiling of 1.5
    assert [each.error for each in reply.attempts] == ["overloaded", "server_error", "overloaded", None]
    assert [each.status for each in reply.attempts] == [529, None, None, None]


async def test_attempts_are_counted_for_each_target(build: Build, prompt: Prompt, streamed: bool) -> None:
    first, second = ScriptedTarget([[fault()]], "a"), ScriptedTarget(["Rome."], "b")
    reply = await run(build(first, second, attempts_per_target=3), prompt, streamed)
    assert (len(first.asked), reply.target) == (3, "b")
    assert [each.target for each in reply.attempts] == ["a", "a", "a", "b"]


@pytest.mark.parametrize("kind", ["unauthenticated", "quota_exceeded", "not_found", "malformed"])
async def test_a_lasting_fault_moves_on_at_once(
    build: Build, prompt: Prompt, clock: Clock, streamed: bool, kind: FaultKind
) -> None:
    first, second = ScriptedTarget([[fault(kind)]], "a"), ScriptedTarget(["Rome."], "b")
    reply = await run(build(first, second), prompt, streamed)
    assert (len(first.asked), reply.target, clock.slept) == (1, "b", [])


async def test_retry_after_is_a_floor(build: Build, prompt: Prompt, clock: Clock, streamed: bool) -> None:
    target = ScriptedTarget([[fault("rate_limited", retry_after_s=7.0)], "Turin."], "a")
    await run(build(target), prompt, streamed)
    assert clock.slept == [7.25]


async def test_a_wait_beyond_the_deadline_leaves_the_target(
    build: Build, prompt: Prompt, clock: Clock, streamed: bool
) -> None:
    first = ScriptedTarget([[fault("rate_limited", retry_after_s=600.0)]], "a")
    reply = await run(build(first, ScriptedTarget(["Rome."], "b"), deadline_s=30.0), prompt, streamed)
    assert (len(first.asked), reply.target, clock.slept) == (1, "b", [])


async def test_past_the_deadline_only_the_local_target_is_asked(
    build: Build, prompt: Prompt, clock: Clock, streamed: bool
) -> None:
    class Slow(ScriptedTarget):
        async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
            await clock.sleep(31.0)
            async for item in super().stream(prompt, clocks):
                yield item

    first, second = Slow([[fault()]], "a"), ScriptedTarget(["Rome."], "b")
    last = Setup(ScriptedTarget(["Quoted."], "c"), provider="extractive")
    reply = await run(build(first, second, last, deadline_s=30.0), prompt, streamed)
    assert (len(first.asked), len(second.asked), reply.target) == (1, 0, "c")
    assert [each.seconds for each in reply.attempts] == [31.0, 0.0]


async def test_each_attempt_is_told_what_is_left(build: Build, prompt: Prompt, clock: Clock) -> None:
    told: list[float] = []

    class Told(ScriptedTarget):
        async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
            told.append(clocks.total_s)
            return await super().ask(prompt, clocks)

    target = Told([[fault(retry_after_s=20.0)], [fault()]], "a")
    with pytest.raises(AllTargetsFailedError):
        await build(Setup(target, Clocks(total_s=25.0)), deadline_s=30.0, attempts_per_target=2).ask(prompt)
    assert told == [25.0, 9.75]


async def test_a_slow_target_is_cut_off(build: Build, prompt: Prompt, streamed: bool) -> None:
    slow = Setup(ScriptedTarget([[9.0, "late", whole()]], "a"), Clocks(total_s=0.01))
    reply = await run(build(slow, ScriptedTarget(["Rome."], "b"), attempts_per_target=1), prompt, streamed)
    assert [each.error for each in reply.attempts] == ["timeout", None]


async def test_all_failed_tells_every_attempt_and_no_prompt(build: Build, prompt: Prompt, streamed: bool) -> None:
    first = ScriptedTarget([[fault("unauthenticated", status=401)]], "a")
    second = ScriptedTarget([[fault("overloaded")]], "b")
    with pytest.raises(AllTargetsFailedError, match=r"a: unauthenticated, b: overloaded, b: overloaded") as caught:
        await run(build(first, second, attempts_per_target=2), prompt, streamed)
    attempts = caught.value.details["attempts"]
    assert isinstance(attempts, list)
    assert [(each["target"], each["error"], each["status"]) for each in attempts] == [
        ("a", "unauthenticated", 401),
        ("b", "overloaded", None),
        ("b", "overloaded", None),
    ]
    assert "Ada" not in json.dumps(caught.value.details)


@pytest.mark.parametrize(
    ("finish", "kind"),
    [("stop", "malformed"), ("length", "truncated"), ("content_filter", "content_policy"), ("tool_use", "malformed")],
)
async def test_an_empty_answer_is_a_fault_that_is_paid_for(
    build: Build, prompt: Prompt, streamed: bool, finish: Finish, kind: FaultKind
) -> None:
    silent = Setup(ScriptedTarget([["", whole(" ", finish)]], "a"), prices=Prices(Decimal(3), Decimal(15)))
    reply = await run(
        build(
            silent,
            Setup(
                ScriptedTarget(["Rome."], "b"),
            ),
        ),
        prompt,
        streamed,
    )
    assert [each.error for each in reply.attempts] == [kind, None]
    assert reply.attempts[0].usage == USAGE


async def test_every_attempt_is_charged(build: Build, prompt: Prompt, streamed: bool) -> None:
    prices = Prices(Decimal(3), Decimal(15))
    target = Setup(ScriptedTarget([[fault(usage=USAGE)], ["Turin.", whole()]], "a"), prices=prices)
    reply = await run(build(target), prompt, streamed)
    assert reply.cost_usd == Decimal(6)


async def test_one_unknown_price_makes_the_cost_unknown(build: Build, prompt: Prompt, streamed: bool) -> None:
    first = Setup(ScriptedTarget([[fault("malformed", usage=USAGE)]], "a"))
    second = Setup(ScriptedTarget(["Rome."], "b"), prices=Prices(Decimal(3), Decimal(15)))
    assert (await run(build(first, second), prompt, streamed)).cost_usd is None


async def test_a_stream_gives_its_pieces_as_they_come(build: Build, prompt: Prompt) -> None:
    pieces, reply = await read(build(ScriptedTarget([["", "\n", "Tur", "in", ".", whole()]])), prompt)
    assert pieces == ["\nTur", "in", "."]
    assert reply.usage == USAGE


async def test_a_stream_falls_over_until_it_says_something(build: Build, prompt: Prompt) -> None:
    first, second = ScriptedTarget([["", " ", fault()]], "a"), ScriptedTarget(["Rome."], "b")
    pieces, reply = await read(build(first, second, attempts_per_target=2), prompt)
    assert (len(first.asked), pieces, reply.target) == (2, ["Rome."], "b")


async def test_a_stream_that_breaks_after_its_first_word_raises_with_what_came(build: Build, prompt: Prompt) -> None:
    second = ScriptedTarget(["Rome."], "b")
    router = build(ScriptedTarget([["Tur", "in", fault(usage=USAGE)]], "a"), second)
    pieces: list[str] = []

    async def collect() -> None:
        async for event in router.stream(prompt):
            assert isinstance(event, TokenEvent)
            pieces.append(event.text)

    with pytest.raises(StreamBrokenError) as caught:
        await collect()
    assert pieces == ["Tur", "in"]
    assert caught.value.partial_text == "Turin"
    attempts = caught.value.details["attempts"]
    assert isinstance(attempts, list)
    attempt = attempts[0]
    assert (attempt["error"], attempt["usage"]["input_tokens"]) == ("overloaded", 1_000_000)
    assert not second.asked


async def test_a_stream_without_its_answer_is_truncated(build: Build, prompt: Prompt) -> None:
    with pytest.raises(StreamBrokenError, match="truncated"):
        await read(build(ScriptedTarget([["Tur", "in"]], "a")), prompt)


async def test_a_stalled_stream_breaks_by_the_clock(build: Build, prompt: Prompt) -> None:
    stalled = Setup(ScriptedTarget([["Tur", 9.0, "in"]], "a"), Clocks(total_s=0.02))
    with pytest.raises(StreamBrokenError, match="timeout"):
        await read(build(stalled), prompt)


async def test_a_slow_reader_is_not_cut_off_in_its_own_code(build: Build, prompt: Prompt) -> None:
    target = Setup(ScriptedTarget([["Tur", "in", whole()]], "a"), Clocks(total_s=0.02))
    pieces = []
    async for event in build(target).stream(prompt):
        await asyncio.sleep(0.03)
        pieces.append(event)
    assert isinstance(pieces[-1], ReplyEvent)


async def test_cancelling_is_nobodys_fault(build: Build, prompt: Prompt, streamed: bool) -> None:
    second = ScriptedTarget(["Rome."], "b")
    router = build(ScriptedTarget([[9.0, "late", whole()]], "a"), second)
    task = asyncio.ensure_future(run(router, prompt, streamed))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not second.asked


async def test_leaving_a_stream_closes_it(build: Build, prompt: Prompt) -> None:
    closed: list[bool] = []

    class Watched(ScriptedTarget):
        async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
            try:
                async for item in super().stream(prompt, clocks):
                    yield item
            finally:
                closed.append(True)

    events = build(Watched([["Tur", "in", whole()]], "a")).stream(prompt)
    await anext(events)
    assert not closed
    await events.aclose()
    assert closed


async def test_a_bug_is_not_hidden_by_falling_over(build: Build, prompt: Prompt, streamed: bool) -> None:
    class Buggy(ScriptedTarget):
        async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
            if prompt.question:
                raise KeyError("a bug")
            yield ""

    with pytest.raises(KeyError):
        await run(build(Buggy(["x"]), ScriptedTarget(["Rome."], "b")), prompt, streamed)

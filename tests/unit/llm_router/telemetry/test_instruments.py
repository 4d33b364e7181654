"""OpenTelemetry's own metrics, as the conventions for generative AI want them."""

import asyncio

import pytest

from core.errors import AllTargetsFailedError
from llm_router import Answer, Prompt, ReplyEvent, ScriptedTarget, TargetFault, Usage
from llm_router.telemetry.instruments import TOKENS
from llm_router.telemetry.metrics import SECONDS
from tests.unit.llm_router.conftest import Setup
from tests.unit.llm_router.telemetry.conftest import Build, Seen

USAGE = Usage(100, 20, cache_read_tokens=30, cache_write_tokens=4, reasoning_tokens=7)
ABOUT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "scripted", "gen_ai.request.model": "a"}


def test_the_bounds_are_the_advised_ones() -> None:
    assert SECONDS == (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
    assert TOKENS[:4] == (1, 4, 16, 64)
    assert (len(TOKENS), TOKENS[-1]) == (14, 67_108_864)


async def test_an_answer_is_measured_in_time_and_tokens(watched: Build, seen: Seen, prompt: Prompt) -> None:
    router = watched(ScriptedTarget([[Answer("Turin.", "m", "stop", USAGE)]], "a"))
    events = [event async for event in router.stream(prompt)]
    assert isinstance(events[-1], ReplyEvent)
    await router.ask(prompt)
    about = {**ABOUT, "gen_ai.response.model": "m"}
    (duration,) = seen.points("gen_ai.client.operation.duration")
    assert (dict(duration.attributes), duration.count) == (about, 2)
    assert duration.explicit_bounds == SECONDS
    (first,) = seen.points("gen_ai.client.operation.time_to_first_chunk")
    assert (dict(first.attributes), first.count) == (about, 1)
    tokens = {point.attributes["gen_ai.token.type"]: point for point in seen.points("gen_ai.client.token.usage")}
    assert {kind: (point.count, point.sum) for kind, point in tokens.items()} == {"input": (2, 268), "output": (2, 54)}


async def test_a_fault_is_measured_with_its_kind(watched: Build, seen: Seen, prompt: Prompt) -> None:
    with pytest.raises(AllTargetsFailedError):
        await watched(ScriptedTarget([[TargetFault("a", "malformed")]], "a")).ask(prompt)
    (duration,) = seen.points("gen_ai.client.operation.duration")
    assert dict(duration.attributes) == {**ABOUT, "error.type": "malformed"}
    assert not seen.points("gen_ai.client.token.usage")


async def test_what_nobody_counted_or_waited_for_is_not_measured(watched: Build, seen: Seen, prompt: Prompt) -> None:
    guess = Answer("Turin.", "m", "stop", Usage(100, 20, estimated=True))
    await watched(ScriptedTarget([[guess]], "a")).ask(prompt)
    call = asyncio.ensure_future(watched(ScriptedTarget([[5.0, "late"]], "a")).ask(prompt))
    await asyncio.sleep(0.01)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert [point.count for point in seen.points("gen_ai.client.operation.duration")] == [1]
    assert not seen.points("gen_ai.client.token.usage")


async def test_a_target_without_a_model_is_measured_without_one(watched: Build, seen: Seen, prompt: Prompt) -> None:
    await watched(Setup(ScriptedTarget(["Quoted."], "local"), provider="extractive", model="")).ask(prompt)
    (duration,) = seen.points("gen_ai.client.operation.duration")
    assert "gen_ai.request.model" not in duration.attributes

"""Gauges of the targets, read when they are asked for."""

import asyncio

import pytest

from core.errors import AllTargetsFailedError
from llm_router import BreakerConfig, Prompt, ScriptedTarget, TargetFault
from tests.unit.llm_router.telemetry.conftest import Build, Seen
from tests.wire.clock import Clock

SENSITIVE = BreakerConfig(minimum_calls=1, open_s=10.0, ramp_s=0.0)


def state_of(seen: Seen, target: str) -> str:
    states = ("closed", "open", "half_open")
    found = [
        each for each in states if seen.value("lattice_llm_target_breaker_state", target=target, state=each) == 1.0
    ]
    assert len(found) == 1
    return found[0]


async def test_the_breaker_is_shown_in_each_state(watched: Build, seen: Seen, prompt: Prompt, clock: Clock) -> None:
    target = ScriptedTarget([[TargetFault("a", "server_error", retryable=False)], "Turin."], "a")
    router = watched(target, breaker=SENSITIVE)
    seen.telemetry.watch_routes(lambda: router.routes)
    assert state_of(seen, "a") == "closed"
    with pytest.raises(AllTargetsFailedError):
        await router.ask(prompt)
    assert state_of(seen, "a") == "open"
    clock.now_s += 10.0
    assert state_of(seen, "a") == "half_open"
    await router.ask(prompt)
    assert state_of(seen, "a") == "closed"


async def test_calls_under_way_and_switches_are_shown(watched: Build, seen: Seen, prompt: Prompt) -> None:
    router = watched(ScriptedTarget([[5.0, "late"]], "a"), ScriptedTarget(["Turin."], "b"))
    seen.telemetry.watch_routes(lambda: router.routes)
    calls = [asyncio.ensure_future(router.ask(prompt)) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert seen.value("lattice_llm_target_busy", target="a") == 3
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert seen.value("lattice_llm_target_busy", target="a") == 0
    router.set_enabled("b", enabled=False)
    assert [seen.value("lattice_llm_target_enabled", target=name) for name in ("a", "b")] == [1, 0]


def test_of_two_targets_with_one_name_the_later_is_shown(watched: Build, seen: Seen) -> None:
    one, other = watched(ScriptedTarget([], "a")), watched(ScriptedTarget([], "a"))
    other.set_enabled("a", enabled=False)
    seen.telemetry.watch_routes(lambda: (*one.routes, *other.routes))
    assert seen.text.count("lattice_llm_target_enabled{") == 1
    assert seen.value("lattice_llm_target_enabled", target="a") == 0


def test_a_second_collector_of_the_same_gauges_is_refused(seen: Seen) -> None:
    seen.telemetry.watch_routes(tuple)
    with pytest.raises(ValueError, match="lattice_llm_target_busy"):
        seen.telemetry.watch_routes(tuple)

"""Prometheus metrics after scripted calls."""

import asyncio
from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from core.errors import AllTargetsFailedError
from llm_router import Answer, Parts, Prices, Prompt, ReplyEvent, ScriptedTarget, TargetFault, Usage
from llm_router.cache import build_answer_cache
from llm_router.config import CacheConfig
from llm_router.telemetry import Telemetry, build_registry
from tests.unit.llm_router.conftest import Setup
from tests.unit.llm_router.telemetry.conftest import Build, Seen
from tests.wire.clock import Clock

USAGE = Usage(100, 20, cache_read_tokens=30, cache_write_tokens=4, reasoning_tokens=7)
PRICES = Prices(Decimal(10), Decimal(20))


def priced(name: str = "a") -> Setup:
    return Setup(ScriptedTarget([[Answer("Turin.", "m", "stop", USAGE)]], name), prices=PRICES)


async def test_calls_and_attempts_are_counted_by_how_they_ended(watched: Build, seen: Seen, prompt: Prompt) -> None:
    failing = ScriptedTarget([[TargetFault("a", "malformed")]], "a")
    router = watched(failing, ScriptedTarget(["Turin."], "b"))
    for _ in range(3):
        await router.ask(prompt)
    with pytest.raises(AllTargetsFailedError):
        await watched(failing).ask(prompt)
    assert seen.value("lattice_llm_calls_total", model="default", outcome="answered") == 3
    assert seen.value("lattice_llm_calls_total", model="default", outcome="failed") == 1
    assert seen.value("lattice_llm_attempts_total", target="a", outcome="failed", error="malformed") == 4
    assert seen.value("lattice_llm_attempts_total", target="b", outcome="answered", error="") == 3


async def test_tokens_and_cost_of_every_attempt_are_added_up(watched: Build, seen: Seen, prompt: Prompt) -> None:
    paid = Setup(ScriptedTarget([[TargetFault("b", "malformed", usage=USAGE)]], "b"), prices=PRICES)
    await watched(paid, priced()).ask(prompt)
    for target in ("a", "b"):
        found = {
            bucket: seen.value("lattice_llm_tokens_total", target=target, bucket=bucket)
            for bucket in ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning")
        }
        assert found == {
            "input": 100,
            "output": 20,
            "cache_read": 30,
            "cache_write": 4,
            "cache_write_1h": 0,
            "reasoning": 7,
        }
        assert seen.value("lattice_llm_cost_usd_total", target=target) == pytest.approx(float(PRICES.cost(USAGE)))


async def test_an_unknown_cost_is_no_cost(watched: Build, seen: Seen, prompt: Prompt) -> None:
    await watched(ScriptedTarget(["Turin."], "a")).ask(prompt)
    assert "lattice_llm_cost_usd_total{" not in seen.text


@pytest.mark.parametrize("cost_usd", ["-1", "Infinity", "NaN"])
async def test_a_cost_that_makes_no_sense_harms_nobody(
    watched: Build, seen: Seen, prompt: Prompt, cost_usd: str
) -> None:
    odd = Answer("Turin.", "m", "stop", USAGE, cost_usd=Decimal(cost_usd))
    assert (await watched(ScriptedTarget([[odd]], "a")).ask(prompt)).text == "Turin."
    assert seen.value("lattice_llm_cost_usd_total", target="a") == 0


async def test_durations_and_first_tokens_fall_into_their_bounds(
    watched: Build, seen: Seen, prompt: Prompt, clock: Clock
) -> None:
    class Thoughtful(ScriptedTarget):
        async def stream(self, prompt, clocks):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            clock.now_s += 0.3
            async for item in super().stream(prompt, clocks):
                yield item
            clock.now_s += 2.0

    router = watched(Thoughtful(["Turin."], "a"))
    events = [event async for event in router.stream(prompt)]
    assert isinstance(events[-1], ReplyEvent)
    await router.ask(prompt)
    first = "lattice_llm_time_to_first_token_seconds"
    assert seen.value(f"{first}_count", target="a") == 1
    assert seen.value(f"{first}_sum", target="a") == pytest.approx(0.3)
    assert seen.value(f"{first}_bucket", target="a", le="0.16") == 0
    assert seen.value(f"{first}_bucket", target="a", le="0.32") == 1
    whole = "lattice_llm_attempt_duration_seconds"
    assert seen.value(f"{whole}_count", target="a", outcome="answered") == 2
    assert seen.value(f"{whole}_bucket", target="a", outcome="answered", le="81.92") == 2


async def test_a_caller_who_leaves_is_counted_as_such(watched: Build, seen: Seen, prompt: Prompt) -> None:
    router = watched(ScriptedTarget([["Tur", 5.0, "in"]], "a"))
    stream = router.stream(prompt)
    await anext(stream)
    await stream.aclose()
    task = asyncio.ensure_future(router.ask(prompt))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert seen.value("lattice_llm_calls_total", model="default", outcome="cancelled") == 2
    assert seen.value("lattice_llm_attempts_total", target="a", outcome="cancelled", error="") == 2
    assert seen.value("lattice_llm_time_to_first_token_seconds_count", target="a") == 0


async def test_looks_into_the_cache_are_counted(build: Build, seen: Seen, prompt: Prompt) -> None:
    cache = build_answer_cache(CacheConfig(size=10))
    router = build(ScriptedTarget(["Turin."], "a"), parts=Parts(observer=seen.telemetry, cache=cache))
    for _ in range(4):
        await router.ask(prompt)
    assert seen.value("lattice_llm_cache_lookups_total", cache="answers", hit="true") == 3
    assert seen.value("lattice_llm_cache_lookups_total", cache="answers", hit="false") == 1
    assert seen.value("lattice_llm_calls_total", model="default", outcome="answered") == 1


async def test_both_formats_are_well_formed(watched: Build, seen: Seen, prompt: Prompt) -> None:
    router = watched(priced())
    seen.telemetry.watch_routes(lambda: router.routes)
    await router.ask(prompt)
    encode, _ = choose_encoder("application/openmetrics-text")
    parsed = text_string_to_metric_families(encode(seen.registry).decode())  # type: ignore[no-untyped-call]
    families = {each.name: each for each in parsed}
    ours = {name for name in families if name.startswith("lattice_llm_")}
    assert ours == {
        "lattice_llm_calls",
        "lattice_llm_attempts",
        "lattice_llm_attempt_duration_seconds",
        "lattice_llm_time_to_first_token_seconds",
        "lattice_llm_tokens",
        "lattice_llm_cost_usd",
        "lattice_llm_cache_lookups",
        "lattice_llm_target_breaker_state",
        "lattice_llm_target_busy",
        "lattice_llm_target_enabled",
    }
    assert all(families[name].documentation for name in ours)
    assert b"# TYPE lattice_llm_calls_total counter" in generate_latest(seen.registry)


def test_two_applications_in_one_process_have_a_registry_each() -> None:
    one, other = build_registry(), build_registry()
    Telemetry(one).see_lookup("answers", hit=True)
    Telemetry(other)
    hit = {"cache": "answers", "hit": "true"}
    assert one.get_sample_value("lattice_llm_cache_lookups_total", hit) == 1
    assert other.get_sample_value("lattice_llm_cache_lookups_total", hit) is None
    assert one.get_sample_value("python_info", _python_labels(one))


def test_one_registry_is_counted_in_by_one_observer_alone() -> None:
    registry = CollectorRegistry()
    Telemetry(registry)
    with pytest.raises(ValueError, match="lattice_llm_calls"):
        Telemetry(registry)


def _python_labels(registry: CollectorRegistry) -> dict[str, str]:
    (labels,) = [s.labels for family in registry.collect() for s in family.samples if s.name == "python_info"]
    return labels

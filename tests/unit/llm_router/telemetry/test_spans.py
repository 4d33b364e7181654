"""Spans: their tree, and what they tell."""

import asyncio
from contextlib import suppress
from decimal import Decimal
from random import Random

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NoOpTracerProvider, SpanKind, StatusCode
from prometheus_client import CollectorRegistry

from core.errors import AllTargetsFailedError, StreamBrokenError
from llm_router import (
    Answer,
    BreakerConfig,
    ModelConfig,
    OutputSchema,
    Parameters,
    Parts,
    Prices,
    Prompt,
    RetryBudgetConfig,
    ScriptedTarget,
    TargetFault,
    TokenEvent,
    Usage,
)
from llm_router.telemetry import Telemetry
from llm_router.telemetry.spans import Spans
from tests.unit.llm_router.conftest import Setup
from tests.unit.llm_router.telemetry.conftest import (
    Build,
    Seen,
    attempts_of,
    call_of,
    id_of,
    parent_id,
    read,
    slow,
    told,
)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_attempts_hang_under_the_call_and_the_call_under_the_current_span(
    watched: Build, seen: Seen, prompt: Prompt, streamed: bool
) -> None:
    first = ScriptedTarget([[TargetFault("a", "server_error", status=500, retryable=False)]], "a")
    router = watched(first, ScriptedTarget(["Turin."], "b"))
    with seen.tracers.get_tracer("outside").start_as_current_span("outer") as outer:
        reply = await (read(router, prompt) if streamed else router.ask(prompt))
        assert trace.get_current_span() is outer
    assert reply.target == "b"
    call, attempts = call_of(seen), attempts_of(seen)
    assert parent_id(call) == id_of(outer)
    assert [parent_id(each) for each in attempts] == [id_of(call)] * 2
    assert [(each.name, each.kind) for each in (call, *attempts)] == [
        ("chat default", SpanKind.INTERNAL),
        ("chat a", SpanKind.CLIENT),
        ("chat b", SpanKind.CLIENT),
    ]
    assert [span.name for span in seen.spans] == ["chat a", "chat b", "chat default", "outer"]
    assert ("gen_ai.request.stream" in told(call)) is streamed


async def test_an_answered_call_tells_who_answered_and_an_attempt_what_it_took(
    watched: Build, seen: Seen, prompt: Prompt
) -> None:
    usage = Usage(100, 20, cache_read_tokens=30, cache_write_tokens=4, reasoning_tokens=7, cache_write_1h_tokens=1)
    target = ScriptedTarget([[Answer("Turin.", "m-2026", "stop", usage)]], "a")
    prices = Prices(Decimal(10), Decimal(20))
    await watched(Setup(target, prices=prices, provider="openai-responses", model="m")).ask(prompt)
    (attempt,) = attempts_of(seen)
    cost = told(attempt)["lattice.llm.cost_usd"]
    assert isinstance(cost, float)
    assert told(attempt) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.request.max_tokens": 100,
        "gen_ai.response.model": "m-2026",
        "gen_ai.usage.input_tokens": 135,
        "gen_ai.usage.output_tokens": 27,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.cache_creation.input_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 7,
        "lattice.llm.target": "a",
        "lattice.llm.attempt": 1,
        "lattice.llm.outcome": "answered",
        "lattice.llm.cost_usd": float(prices.cost(usage)),
    }
    assert told(call_of(seen)) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "default",
        "gen_ai.request.max_tokens": 100,
        "gen_ai.response.model": "m-2026",
        "gen_ai.response.finish_reasons": ("stop",),
        "lattice.llm.target": "a",
        "lattice.llm.attempts": 1,
        "lattice.llm.outcome": "answered",
    }
    assert {span.status.status_code for span in seen.spans} == {StatusCode.UNSET}


async def test_what_was_asked_for_is_told_as_numbers(watched: Build, seen: Seen) -> None:
    sampling = Parameters(temperature=0.0, top_p=0.9, stop=("end",), seed=7)
    output = OutputSchema("place", {"type": "object"})
    prompt = Prompt("", "Q?", (), 50, output=output, parameters=sampling)
    await watched(ScriptedTarget(["{}"], "a")).ask(prompt)
    asked = {
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.seed": 7,
        "gen_ai.output.type": "json",
    }
    for span in seen.spans:
        assert asked.items() <= told(span).items()


async def test_faults_are_errors_of_their_kind(watched: Build, seen: Seen, prompt: Prompt) -> None:
    first = ScriptedTarget([[TargetFault("a", "unauthenticated", status=401)]], "a")
    second = ScriptedTarget([[TargetFault("b", "malformed")]], "b")
    with pytest.raises(AllTargetsFailedError):
        await watched(first, second).ask(prompt)
    assert [(told(each)["error.type"], told(each)["lattice.llm.outcome"]) for each in seen.spans] == [
        ("unauthenticated", "failed"),
        ("malformed", "failed"),
        ("all_targets_failed", "failed"),
    ]
    assert [told(each).get("http.response.status_code") for each in attempts_of(seen)] == [401, None]
    assert {span.status.status_code for span in seen.spans} == {StatusCode.ERROR}
    assert not any(span.events for span in seen.spans)  # an exception's text may quote the prompt


async def test_a_stream_that_breaks_is_an_error_and_its_tokens_are_marked_as_estimated(
    watched: Build, seen: Seen, prompt: Prompt
) -> None:
    target = ScriptedTarget([["Tur", TargetFault("a", "truncated")]], "a")
    with pytest.raises(StreamBrokenError):
        await read(watched(target), prompt)
    (attempt,) = attempts_of(seen)
    assert told(attempt)["error.type"] == "truncated"
    assert told(attempt)["lattice.llm.usage_estimated"] is True
    assert told(attempt)["gen_ai.response.time_to_first_chunk"] == 0.0
    assert told(call_of(seen))["error.type"] == "stream_broken"


async def test_a_caller_who_leaves_is_no_error(watched: Build, seen: Seen, prompt: Prompt) -> None:
    task = asyncio.ensure_future(watched(slow(prompt, 5.0)).ask(prompt))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [told(span)["lattice.llm.outcome"] for span in seen.spans] == ["cancelled", "cancelled"]
    assert {span.status.status_code for span in seen.spans} == {StatusCode.UNSET}
    assert not any("error.type" in told(span) for span in seen.spans)


async def test_a_stream_may_be_left_by_another_task_than_it_was_begun_by(
    watched: Build, seen: Seen, prompt: Prompt, caplog: pytest.LogCaptureFixture
) -> None:
    target = ScriptedTarget([["Tur", 5.0, "in", ScriptedTarget([]).answer("Turin", prompt)]], "a")
    stream = watched(target).stream(prompt)
    with seen.tracers.get_tracer("outside").start_as_current_span("outer") as outer:
        assert await asyncio.create_task(anext(stream)) == TokenEvent("Tur")
    with seen.tracers.get_tracer("outside").start_as_current_span("elsewhere") as elsewhere:
        await asyncio.create_task(stream.aclose())
        assert trace.get_current_span() is elsewhere
    call = call_of(seen)
    assert parent_id(call) == id_of(outer)
    assert [parent_id(each) for each in attempts_of(seen)] == [id_of(call)]
    assert [told(each)["lattice.llm.outcome"] for each in (call, *attempts_of(seen))] == ["cancelled", "cancelled"]
    assert not caplog.records  # the API logs a context that is left in another one than it was entered in


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_a_hedge_is_an_attempt_beside_the_first(
    watched: Build, seen: Seen, prompt: Prompt, streamed: bool
) -> None:
    model = ModelConfig("default", ("a", "b"), hedge_after_s=0.01)
    router = watched(slow(prompt, 5.0), ScriptedTarget(["From b."], "b"), models=(model,))
    await (read(router, prompt) if streamed else router.ask(prompt))
    call = call_of(seen)
    found = {str(told(each)["lattice.llm.target"]): each for each in attempts_of(seen)}
    assert {name: told(each)["lattice.llm.outcome"] for name, each in found.items()} == {
        "a": "cancelled",
        "b": "answered",
    }
    assert {parent_id(each) for each in found.values()} == {id_of(call)}
    assert [told(found[name])["lattice.llm.attempt"] for name in ("a", "b")] == [1, 2]
    assert seen.spans[-1] is call


async def test_the_extractive_is_no_client_of_anybody(watched: Build, seen: Seen, prompt: Prompt) -> None:
    await watched(Setup(ScriptedTarget(["Quoted."], "local"), provider="extractive", model="")).ask(prompt)
    (attempt,) = attempts_of(seen)
    assert (attempt.name, attempt.kind) == ("chat", SpanKind.INTERNAL)
    assert "gen_ai.request.model" not in told(attempt)


async def test_calls_at_once_keep_their_attempts_apart(watched: Build, seen: Seen, prompt: Prompt) -> None:
    router = watched(slow(prompt, 0.01))
    await asyncio.gather(*(read(router, prompt) if odd % 2 else router.ask(prompt) for odd in range(20)))
    calls = {id_of(span) for span in seen.spans if "lattice.llm.attempts" in told(span)}
    assert len(calls) == 20
    assert {parent_id(each) for each in attempts_of(seen)} == calls
    assert all(parent_id(span) is None for span in seen.spans if id_of(span) in calls)


class Balance(SpanProcessor):
    """Counts the spans that have begun and not ended."""

    def __init__(self) -> None:
        self.open = self.begun = 0

    def on_start(self, span: trace.Span, parent_context: Context | None = None) -> None:
        self.open += 1
        self.begun += 1

    def on_end(self, span: ReadableSpan) -> None:
        self.open -= 1


async def test_no_span_stays_open_however_calls_end(watched: Build, seen: Seen, prompt: Prompt) -> None:
    balance, chance = Balance(), Random(7)
    seen.tracers.add_span_processor(balance)
    failing = ScriptedTarget([[0.004, TargetFault("a", "malformed")]], "a")
    patient = {"breaker": BreakerConfig(minimum_calls=1_000), "retry_budget": RetryBudgetConfig(burst=1_000.0)}
    router = watched(failing, slow(prompt, 0.004, "b"), **patient)

    async def leave_at_some_moment(number: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(chance.random() * 0.02 if number % 4 else None):
                await (read(router, prompt) if number % 2 else router.ask(prompt))

    await asyncio.gather(*(leave_at_some_moment(number) for number in range(60)))
    assert balance.begun > 100
    assert balance.open == 0
    assert {told(span)["lattice.llm.outcome"] for span in seen.spans} == {"answered", "failed", "cancelled"}


@pytest.mark.parametrize("tracers", [NoOpTracerProvider(), TracerProvider(ALWAYS_OFF)], ids=["no_sdk", "unsampled"])
async def test_what_nobody_records_is_counted_still(
    build: Build, prompt: Prompt, tracers: trace.TracerProvider
) -> None:
    registry = CollectorRegistry()
    assert Spans(tracers).start_call("default", prompt, streamed=False) is None
    telemetry = Telemetry(registry, tracer_provider=tracers)
    await build(ScriptedTarget(["Turin."], "a"), parts=Parts(observer=telemetry)).ask(prompt)
    assert registry.get_sample_value("lattice_llm_calls_total", {"model": "default", "outcome": "answered"}) == 1

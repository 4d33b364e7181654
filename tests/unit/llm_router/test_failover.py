"""Who is asked after whom, and who is left alone."""

import asyncio
from collections.abc import Callable, Iterable

import pytest

from core.errors import AllTargetsFailedError, ModelNotFoundError, PromptUnsupportedError, TargetNotFoundError
from llm_router import (
    BreakerConfig,
    Capabilities,
    Clocks,
    FaultKind,
    ModelConfig,
    Parameters,
    Prompt,
    ReplyEvent,
    RetryBudgetConfig,
    Router,
    RouterConfig,
    ScriptedTarget,
    TargetConfig,
    TargetFault,
    TokenEvent,
    Tool,
    Variant,
    build_router_of,
)
from llm_router.config import ExperimentConfig
from llm_router.providers.scripted import Step
from tests.unit.llm_router.conftest import Setup
from tests.wire.clock import Clock

Build = Callable[..., Router]
SENSITIVE = BreakerConfig(minimum_calls=2, open_s=10.0, ramp_s=0.0)


def failing(kind: FaultKind, name: str = "a", **facts: object) -> ScriptedTarget:
    return ScriptedTarget([[TargetFault(name, kind, **facts)]], name)  # type: ignore[arg-type]


def well(name: str = "b") -> ScriptedTarget:
    return ScriptedTarget([f"From {name}."], name)


async def failed_call(router: Router, prompt: Prompt) -> AllTargetsFailedError:
    with pytest.raises(AllTargetsFailedError) as caught:
        await router.ask(prompt)
    return caught.value


@pytest.mark.parametrize("kind", ["unauthenticated", "quota_exceeded", "forbidden"])
async def test_a_fault_of_the_key_rules_out_its_other_targets(build: Build, prompt: Prompt, kind: FaultKind) -> None:
    same_key = well("b")
    router = build(Setup(failing(kind), api_key="k"), Setup(same_key, api_key="k"), well("c"))
    assert (await router.ask(prompt)).target == "c"
    assert not same_key.asked


@pytest.mark.parametrize(("kind", "asked"), [("unauthenticated", 0), ("quota_exceeded", 0), ("forbidden", 1)])
async def test_a_dead_key_is_remembered(build: Build, prompt: Prompt, kind: FaultKind, asked: int) -> None:
    same_key = well("b")
    router = build(Setup(failing(kind), api_key="k"), Setup(same_key, api_key="k"), well("c"))
    await router.ask(prompt)
    assert (await router.ask(prompt)).target == ("b" if asked else "c")
    assert len(same_key.asked) == asked


async def test_a_refused_request_goes_to_another_wire_alone(build: Build, prompt: Prompt) -> None:
    same_wire = well("b")
    router = build(failing("invalid_request"), same_wire, Setup(well("c"), provider="anthropic"))
    assert (await router.ask(prompt)).target == "c"
    assert not same_wire.asked


async def test_too_long_a_prompt_goes_where_it_fits(build: Build, prompt: Prompt) -> None:
    def sized(target: ScriptedTarget, tokens: int | None) -> Setup:
        return Setup(target, capabilities=Capabilities(context_tokens=tokens))

    smaller, larger = well("b"), well("c")
    router = build(sized(failing("context_length"), 8_000), sized(smaller, 4_000), sized(larger, 16_000))
    assert (await router.ask(prompt)).target == "c"
    assert not smaller.asked


async def test_refused_content_is_not_sent_to_the_same_model_again(build: Build, prompt: Prompt) -> None:
    same_model = well("b")
    router = build(Setup(failing("content_policy"), model="m"), Setup(same_model, model="m"), well("c"))
    assert (await router.ask(prompt)).target == "c"
    assert not same_model.asked


async def test_a_request_s_own_fault_never_opens_the_breaker(build: Build, prompt: Prompt) -> None:
    target = failing("invalid_request")
    router = build(target, breaker=SENSITIVE)
    for _ in range(10):
        await failed_call(router, prompt)
    assert len(target.asked) == 10


async def test_a_missing_model_is_left_alone_and_its_sibling_is_not(build: Build, prompt: Prompt) -> None:
    missing = failing("not_found")
    router = build(Setup(missing, api_key="k"), Setup(well("b"), api_key="k"))
    replies = [await router.ask(prompt) for _ in range(3)]
    assert [len(reply.attempts) for reply in replies] == [2, 1, 1]
    assert len(missing.asked) == 1


async def test_one_out_of_quota_is_left_for_another_at_once(build: Build, prompt: Prompt, clock: Clock) -> None:
    scarce = failing("rate_limited", retry_after_s=30.0)
    router = build(scarce, well("b"))
    await router.ask(prompt)
    assert (len(scarce.asked), clock.slept) == (1, [])
    assert (await router.ask(prompt)).attempts[0].target == "b"
    clock.now_s += 31.0
    assert (await router.ask(prompt)).attempts[0].target == "a"


async def test_one_out_of_quota_without_another_is_waited_for(build: Build, prompt: Prompt, clock: Clock) -> None:
    target = ScriptedTarget([[TargetFault("a", "rate_limited", retry_after_s=30.0)], "Turin."], "a")
    assert (await build(target).ask(prompt)).text == "Turin."
    assert clock.slept == [30.25]


async def test_a_sibling_of_the_same_key_is_spared_for_a_moment(build: Build, prompt: Prompt, clock: Clock) -> None:
    router = build(Setup(failing("malformed"), api_key="k"), Setup(well("b"), api_key="k"))
    await router.ask(prompt)
    assert clock.slept == [0.25]


async def test_persistent_failures_stop_reaching_the_target(build: Build, prompt: Prompt) -> None:
    target = failing("server_error")
    router = build(target, well("b"), breaker=BreakerConfig(), retry_budget=RetryBudgetConfig(burst=1_000.0))
    replies = [await router.ask(prompt) for _ in range(40)]
    assert {reply.target for reply in replies} == {"b"}
    assert len(target.asked) == 5


async def test_when_all_are_left_alone_the_first_to_return_is_waited_for(
    build: Build, prompt: Prompt, clock: Clock
) -> None:
    target = ScriptedTarget([[TargetFault("a", "server_error")], [TargetFault("a", "server_error")], "Turin."], "a")
    router = build(target, attempts_per_target=2, breaker=SENSITIVE)
    await failed_call(router, prompt)
    slept = len(clock.slept)
    assert (await router.ask(prompt)).text == "Turin."
    assert clock.slept[slept:] == [10.0]


async def test_when_none_returns_in_time_the_error_says_when(build: Build, prompt: Prompt) -> None:
    target = failing("server_error")
    router = build(target, attempts_per_target=2, deadline_s=8.0, breaker=SENSITIVE)
    await failed_call(router, prompt)
    error = await failed_call(router, prompt)
    assert error.details["retry_after_s"] == 10
    assert len(target.asked) == 2


async def test_extra_calls_are_paid_from_one_budget(build: Build, prompt: Prompt) -> None:
    first, second = failing("server_error"), failing("server_error", "b")
    quiet = BreakerConfig(minimum_calls=10_000)
    router = build(first, second, breaker=quiet, retry_budget=RetryBudgetConfig(ratio=0.1, burst=5.0))
    for _ in range(50):
        await failed_call(router, prompt)
    assert (
        len(first.asked) + len(second.asked) == 50 + 5 + 4
    )  # one each, those saved up, one in ten earned after the first


async def test_a_local_answer_is_free(build: Build, prompt: Prompt) -> None:
    local = Setup(ScriptedTarget(["Quoted."], "local"), provider="extractive")
    router = build(failing("malformed"), local, retry_budget=RetryBudgetConfig(ratio=0.0, burst=0.0))
    assert (await router.ask(prompt)).target == "local"


async def test_a_disabled_target_is_not_asked(build: Build, prompt: Prompt) -> None:
    first = well("a")
    router = build(first, well("b"))
    router.set_enabled("a", enabled=False)
    assert (await router.ask(prompt)).target == "b"
    router.set_enabled("a", enabled=True)
    assert (await router.ask(prompt)).target == "a"
    with pytest.raises(TargetNotFoundError, match="known are a, b"):
        router.set_enabled("c", enabled=False)


async def test_what_no_target_can_do_is_told_before_anything_is_sent(build: Build, prompt: Prompt) -> None:
    target = well("a")
    router = build(Setup(target, capabilities=Capabilities(tools=False, refuses=frozenset({"seed"}))))
    asked = Prompt("", "Q?", (), 100, tools=(Tool("look", "", {}),), parameters=Parameters(seed=7))
    with pytest.raises(PromptUnsupportedError, match="a lacks seed, tools"):
        await router.ask(asked)
    with pytest.raises(PromptUnsupportedError):
        await anext(router.stream(asked))
    assert not target.asked


async def test_targets_that_cannot_are_passed_over(build: Build) -> None:
    small = Setup(well("a"), capabilities=Capabilities(context_tokens=50))
    assert (await build(small, well("b")).ask(Prompt("", "Q? " * 100, (), 10))).target == "b"


async def test_an_unknown_model_is_named_with_the_known(build: Build, prompt: Prompt) -> None:
    with pytest.raises(ModelNotFoundError, match="known are default"):
        await build(well()).ask(prompt, model="smart")


async def test_a_target_that_cannot_stream_gives_one_piece(build: Build, prompt: Prompt) -> None:
    whole = Setup(
        ScriptedTarget([["Tur", "in", *[ScriptedTarget([]).answer("Turin", prompt)]]], "a"),
        capabilities=Capabilities(streaming=False),
    )
    events = [event async for event in build(whole).stream(prompt)]
    assert [event.text for event in events if isinstance(event, TokenEvent)] == ["Turin"]
    assert isinstance(events[-1], ReplyEvent)


@pytest.mark.parametrize(("jitter", "variant"), [(0.1, "kind/plain"), (0.9, "kind/brief")])
async def test_an_experiment_splits_by_share(build: Build, prompt: Prompt, jitter: float, variant: str) -> None:
    target = well("a")
    arms = (Variant("plain"), Variant("brief", system="Be very brief."))
    model = ModelConfig("default", ("a",), extractive=False, experiment=ExperimentConfig("kind", arms))
    reply = await build(target, jitter=jitter, models=(model,)).ask(prompt)
    assert reply.variant == variant
    assert target.asked[0].system.endswith("Be very brief.") is (variant == "kind/brief")


async def test_cancelling_a_call_while_it_waits_frees_the_probe(build: Build, prompt: Prompt) -> None:
    slow = ScriptedTarget([[TargetFault("a", "server_error")], [5.0, "late"], "Turin."], "a")
    router = build(slow, attempts_per_target=1, breaker=BreakerConfig(minimum_calls=1, open_s=0.01, ramp_s=0.0))
    await failed_call(router, prompt)
    probe = asyncio.ensure_future(router.ask(prompt))
    await asyncio.sleep(0.01)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    [route] = router.routes
    assert route.health.busy == 0
    assert (await router.ask(prompt)).text == "Turin."


async def test_the_clock_of_the_first_sign_is_not_that_of_the_gaps(build: Build, prompt: Prompt) -> None:
    answer = ScriptedTarget([]).answer("Turin", prompt)
    late = Setup(ScriptedTarget([[0.2, "Turin", answer]], "a"), Clocks(first_token_s=0.05, gap_s=5.0))
    thinking = Setup(ScriptedTarget([["", 0.03, "", 0.03, "", 0.03, "Turin", answer]], "b"), Clocks(first_token_s=0.05))
    stuck = Setup(ScriptedTarget([["", 0.2, "Turin", answer]], "c"), Clocks(first_token_s=5.0, gap_s=0.05))
    router = build(late, stuck, thinking, attempts_per_target=1)
    events = [event async for event in router.stream(prompt)]
    assert isinstance(events[-1], ReplyEvent)
    assert [(each.target, each.error) for each in events[-1].reply.attempts] == [
        ("a", "timeout"),
        ("c", "timeout"),
        ("b", None),
    ]


def test_the_credential_s_digest_tells_nothing() -> None:
    config = TargetConfig("a", "openai", "m", api_key="sk-secret")
    assert "secret" not in config.credential
    assert "secret" not in repr(config)


async def test_calls_that_are_told_to_wait_together_are_answered_one_after_another(
    build: Build, prompt: Prompt
) -> None:
    scarce: list[Step] = [0.01, TargetFault("a", "rate_limited", retry_after_s=0.05)]
    scripts: list[Iterable[Step] | str] = [*[scarce] * 5, "Turin."]
    target = ScriptedTarget(scripts, "a")
    router = build_router_of([target], RouterConfig(backoff_initial_s=0.0, deadline_s=5.0))
    replies = await asyncio.gather(*(router.ask(prompt) for _ in range(5)))
    assert {reply.text for reply in replies} == {"Turin."}
    assert len(target.asked) == 10

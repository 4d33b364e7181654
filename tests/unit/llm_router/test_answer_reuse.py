"""The router with a cache: one request for the same question, and never one answer for two questions."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import BaseModel

from core.errors import AllTargetsFailedError, StructureInvalidError
from llm_router import (
    Answer,
    AnswerCache,
    CacheConfig,
    Caller,
    ModelConfig,
    Parts,
    Prices,
    Prompt,
    ReplyEvent,
    Router,
    ScriptedTarget,
    TargetFault,
    TokenEvent,
    Tool,
    ToolCall,
    Usage,
    ask_for,
)
from llm_router.config import ExperimentConfig, Variant
from llm_router.providers.scripted import Step
from tests.unit.llm_router.conftest import Setup
from tests.wire.clock import Clock

Build = Callable[..., Router]
ANNE, BERT = Caller(UUID(int=1), "anne"), Caller(UUID(int=2), "bert")


def question(text: str) -> Prompt:
    return Prompt("", text, (), 100)


@pytest.fixture
def parts() -> Parts:
    return Parts(cache=AnswerCache(CacheConfig(size=100)))


class Echo(ScriptedTarget):
    """Says what it was asked, a little later."""

    async def ask(self, prompt: Prompt, clocks: object) -> Answer:
        self.asked.append(prompt)
        await asyncio.sleep(0.01)
        return Answer(prompt.question, "m", "stop", Usage(1, 1))


async def test_the_same_question_is_asked_once(build: Build, prompt: Prompt, parts: Parts) -> None:
    target = ScriptedTarget(["Turin."], "a")
    router = build(Setup(target, prices=Prices(Decimal(1), Decimal(1))), parts=parts)
    first, second = await router.ask(prompt), await router.ask(prompt)
    assert (first.cached, second.cached, second.text) == (False, True, "Turin.")
    assert (second.cost_usd, second.attempts, second.usage) == (Decimal(0), (), first.usage)
    events = [event async for event in router.stream(prompt)]
    assert events == [TokenEvent("Turin."), ReplyEvent(second)]
    assert len(target.asked) == 1


async def test_a_whole_stream_is_kept_and_a_broken_or_left_one_is_not(
    build: Build, prompt: Prompt, parts: Parts
) -> None:
    whole = Answer("Turin", "m", "stop", Usage(1, 1))
    scripts: list[list[Step]] = [["Tur", TargetFault("a", "truncated")], ["Tur", "in", whole], ["Tur", "in", whole]]
    target = ScriptedTarget(scripts, "a")
    router = build(target, parts=parts)
    with pytest.raises(Exception, match="broke off"):
        [event async for event in router.stream(prompt)]
    events = router.stream(prompt)
    await anext(events)
    await events.aclose()
    assert [event async for event in router.stream(prompt)]
    assert (await router.ask(prompt)).cached
    assert len(target.asked) == 3


async def test_questions_to_local_targets_alone_are_not_taken_for_each_other(build: Build, parts: Parts) -> None:
    local = Setup(Echo([], "local"), provider="extractive")
    router = build(local, parts=parts)
    replies = await asyncio.gather(
        router.ask(question("one"), caller=ANNE),
        router.ask(question("two"), caller=ANNE),
        router.ask(question("three"), caller=BERT),
    )
    assert [reply.text for reply in replies] == ["one", "two", "three"]


async def test_calls_at_the_same_time_make_one_request(build: Build, prompt: Prompt, parts: Parts) -> None:
    first, second = Echo([], "a"), Echo([], "b")
    weights = ModelConfig("default", ("a", "b"), policy="weighted", extractive=False)
    router = build(first, second, parts=parts, models=(weights,))
    replies = await asyncio.gather(*(router.ask(prompt) for _ in range(20)))
    assert len(first.asked) + len(second.asked) == 1
    assert sorted(reply.cached for reply in replies) == [False] + [True] * 19
    assert sum(len(reply.attempts) for reply in replies) == 1


async def test_a_leader_who_leaves_leaves_the_answer_to_the_others(build: Build, prompt: Prompt, parts: Parts) -> None:
    target = Echo([], "a")
    router = build(target, parts=parts)
    leader = asyncio.ensure_future(router.ask(prompt))
    await asyncio.sleep(0)
    follower = asyncio.ensure_future(router.ask(prompt))
    await asyncio.sleep(0.001)
    leader.cancel()
    assert (await follower).text == prompt.question
    assert len(target.asked) == 1
    assert router.routes[0].health.busy == 0


async def test_an_error_reaches_all_who_wait_and_is_not_kept(build: Build, prompt: Prompt, parts: Parts) -> None:
    target = ScriptedTarget([[0.01, TargetFault("a", "malformed")], "Turin."], "a")
    router = build(target, parts=parts)
    results = await asyncio.gather(*(router.ask(prompt) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [AllTargetsFailedError] * 3
    assert (await router.ask(prompt)).text == "Turin."
    assert len(target.asked) == 2


@pytest.mark.parametrize(
    "differing",
    [
        ({"caller": ANNE}, {"caller": BERT}),
        ({"caller": Caller(key="a")}, {"caller": Caller(key="b")}),  # each key has its own budgets
        ({"deadline_s": 0.5}, {"deadline_s": 60.0}),  # the patient one must not be cut off, nor hold the other up
    ],
)
async def test_who_would_fare_differently_shares_no_request(
    build: Build, prompt: Prompt, parts: Parts, differing: tuple[dict[str, object], ...]
) -> None:
    target = Echo([], "a")
    router = build(target, parts=parts)
    replies = await asyncio.gather(*(router.ask(prompt, **each) for each in differing))  # type: ignore[arg-type]
    assert [reply.cached for reply in replies] == [False, False]
    assert len(target.asked) == 2


async def test_tool_calls_are_nobody_else_s(build: Build, parts: Parts) -> None:
    asked = Prompt("", "Q?", (), 100, tools=(Tool("look", "", {}),))
    answer = Answer("", "m", "tool_use", Usage(1, 1), tool_calls=(ToolCall("1", "look", {"at": 1}),))
    target = ScriptedTarget([[0.01, answer]], "a")
    router = build(target, parts=parts)
    replies = await asyncio.gather(*(router.ask(asked) for _ in range(2)))
    assert [reply.cached for reply in replies] == [False, False]


async def test_one_of_two_targets_of_the_same_kind_is_kept_too(build: Build, prompt: Prompt, parts: Parts) -> None:
    first, second = ScriptedTarget(["Turin."], "a"), ScriptedTarget(["Rome."], "b")
    router = build(Setup(first, model="m", api_key="k"), Setup(second, model="m", api_key="k"), parts=parts)
    assert [(await router.ask(prompt)).cached for _ in range(2)] == [False, True]


async def test_variants_share_no_answer(build: Build, prompt: Prompt) -> None:
    target = Echo([], "a")
    arms = (Variant("plain"), Variant("brief", system="Be very brief."))
    model = ModelConfig("default", ("a",), extractive=False, experiment=ExperimentConfig("kind", arms))
    shared = Parts(cache=AnswerCache(CacheConfig(size=100)))
    routers = [build(target, jitter=jitter, models=(model,), parts=shared) for jitter in (0.1, 0.9, 0.1)]
    replies = [await router.ask(prompt) for router in routers]
    assert [(reply.variant, reply.cached) for reply in replies] == [
        ("kind/plain", False),
        ("kind/brief", False),
        ("kind/plain", True),
    ]


class City(BaseModel):
    name: str


async def test_an_answer_without_the_form_is_not_kept(build: Build, prompt: Prompt, parts: Parts) -> None:
    target = ScriptedTarget(["{}", "{}", '{"name": "Turin"}'], "a")
    router = build(target, parts=parts)
    with pytest.raises(StructureInvalidError):
        await ask_for(router, prompt, City)
    answer = await ask_for(router, prompt, City)
    assert (answer.value.name, len(answer.replies)) == ("Turin", 1)
    assert (await ask_for(router, prompt, City)).replies[0].cached


async def test_hits_and_failures_leave_no_latency(build: Build, prompt: Prompt, parts: Parts, clock: Clock) -> None:
    router = build(ScriptedTarget(["Turin."], "a"), parts=parts)
    for _ in range(5):
        await router.ask(prompt)
    assert router.routes[0].health.latency.count == 1

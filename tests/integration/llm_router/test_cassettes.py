"""The provider `replay`, on recordings that are kept: also a guard, for a changed request is a miss.

To record them anew from the stub server: `pytest tests/integration/llm_router/test_cassettes.py --lattice-record=all`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import CassetteMissError, ConfigurationError, PromptUnsupportedError
from llm_router import ModelConfig, Parameters, Prompt, Reply, ReplyEvent, Router, TargetConfig, Usage, use_cassette
from llm_router.cassettes.session import load_deck
from tests.integration.llm_router.conftest import KEY, Connect
from tests.wire import anthropic_messages, openai_chat, openai_responses
from tests.wire.stub import Response, serving

CASSETTES = Path(__file__).resolve().parents[2] / "cassettes" / "llm_router"
PIECES = ("In ", "2019", " [1].")
TEXT = "".join(PIECES)
LIMITED = openai_chat.error(429, headers={"retry-after": "0"}, type="requests", code="rate_limit_exceeded")

WORDS: dict[str, Any] = {"openai": openai_chat, "openai-responses": openai_responses, "anthropic": anthropic_messages}
USAGES = {
    "openai": Usage(36, 15, 64, 0, 5),
    "openai-responses": Usage(36, 15, 64, 0, 5),
    "anthropic": Usage(36, 15, 64, 7, 5),
}


@dataclass(frozen=True, slots=True)
class Recording:
    """What is on a cassette: answers of a wire, the last of them good."""

    wire: str
    responses: tuple[Response, ...]
    errors: tuple[str | None, ...] = (None,)
    streamed: bool = False

    def target(self, **others: Any) -> TargetConfig:
        return TargetConfig("main", others.pop("provider", "replay"), "m", wire=self.wire, **others)


RECORDINGS = {
    **{f"{wire}_whole": Recording(wire, (words.whole(TEXT),)) for wire, words in WORDS.items()},
    **{f"{wire}_stream": Recording(wire, (words.streamed(*PIECES),), streamed=True) for wire, words in WORDS.items()},
    "openai_429_then_whole": Recording("openai", (LIMITED, openai_chat.whole(TEXT)), ("rate_limited", None)),
    "anthropic_529_then_whole": Recording(
        "anthropic",
        (anthropic_messages.error(529, "overloaded_error"), anthropic_messages.whole(TEXT)),
        ("overloaded", None),
    ),
}


@asynccontextmanager
async def recording(file: Path, each: Recording, connect: Connect) -> AsyncIterator[Router]:
    """A router before the stub server, both recorded."""
    async with serving(*each.responses) as stub:
        base_url = stub.address if each.wire == "anthropic" else f"{stub.address}/v1"
        target = each.target(provider=each.wire, base_url=base_url, api_key=KEY)
        with use_cassette(file, "all"):
            async with connect(target) as router:
                yield router


@pytest.fixture(params=[*RECORDINGS])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def tell(router: Router, prompt: Prompt, *, streamed: bool) -> Reply:
    if not streamed:
        return await router.ask(prompt)
    events = [event async for event in router.stream(prompt)]
    assert isinstance(events[-1], ReplyEvent)
    return events[-1].reply


async def test_a_recording_is_answered_from(
    name: str, connect: Connect, prompt: Prompt, pytestconfig: pytest.Config
) -> None:
    each, file = RECORDINGS[name], CASSETTES / f"{name}.yaml"
    if pytestconfig.getoption("lattice_record") == "all":
        async with recording(file, each, connect) as router:
            await tell(router, prompt, streamed=each.streamed)
    async with connect(each.target(cassette=str(file))) as router:
        for _ in range(2):
            reply = await tell(router, prompt, streamed=each.streamed)
            assert (reply.text, reply.finish, reply.target) == (TEXT, "stop", "main")
            assert (reply.model, reply.usage) == (WORDS[each.wire].MODEL, USAGES[each.wire])
        assert [attempt.error for attempt in reply.attempts] == [None]  # a refusal is played once, the answer again


@pytest.mark.parametrize("name", [name for name, each in RECORDINGS.items() if len(each.errors) > 1])
async def test_a_refusal_is_played_before_the_answer(name: str, connect: Connect, prompt: Prompt) -> None:
    each = RECORDINGS[name]
    async with connect(each.target(cassette=str(CASSETTES / f"{name}.yaml"))) as router:
        reply = await router.ask(prompt)
    assert tuple(attempt.error for attempt in reply.attempts) == each.errors


@pytest.mark.parametrize("wire", [*WORDS])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_a_miss_is_an_error_and_no_failover(wire: str, streamed: bool, connect: Connect, prompt: Prompt) -> None:
    each, file = RECORDINGS[f"{wire}_stream" if streamed else f"{wire}_whole"], CASSETTES / f"{wire}_whole.yaml"
    second = TargetConfig("second", "replay", "m", wire=wire, cassette=str(file))
    async with connect(each.target(cassette=str(file)), second) as router:
        with pytest.raises(CassetteMissError, match=r"has no answer to POST \S+ \(body [0-9a-f]{12}\)") as caught:
            await tell(router, replace(prompt, question="Another question?"), streamed=streamed)
    assert "differs in body (" in caught.value.message
    assert "question" not in str(caught.value)
    assert caught.value.details["target"] == "main"


async def test_what_the_recorded_wire_has_no_word_for_is_told_before_it_is_looked_up(
    connect: Connect, prompt: Prompt
) -> None:
    name, alone = "anthropic_whole", ModelConfig("default", ("main",), extractive=False)
    target = RECORDINGS[name].target(cassette=str(CASSETTES / f"{name}.yaml"))
    async with connect(target, models=(alone,)) as router:
        with pytest.raises(PromptUnsupportedError, match="main lacks seed"):
            await router.ask(replace(prompt, parameters=Parameters(seed=7)))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "cassette: is needed"),
        ({"cassette": "absent.yaml"}, "does not exist"),
        ({"cassette": "absent.yaml", "wire": "smoke"}, "known are anthropic, openai, openai-responses"),
    ],
)
async def test_a_target_without_a_recording_is_refused(settings: dict[str, str], told: str, connect: Connect) -> None:
    with pytest.raises(ConfigurationError, match=told):
        async with connect(TargetConfig("main", "replay", "m", **settings)):  # type: ignore[arg-type]
            pass


def test_no_recording_holds_a_key_or_tells_of_the_machine() -> None:
    files = sorted(CASSETTES.glob("*.yaml"))
    assert [file.stem for file in files] == sorted(RECORDINGS)
    for file in files:
        assert load_deck(file).held == len(RECORDINGS[file.stem].responses)
        text = file.read_text("utf-8").lower()
        assert KEY not in text
        for header in ("authorization", "x-api-key", "cookie", "user-agent", "x-stainless", "openai-organization"):
            assert f"{header}:" not in text

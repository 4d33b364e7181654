"""Exchanges that other projects recorded with the real providers; they are kept beside the repository, not in it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from llm_router import FaultKind, Prompt, Reply, ReplyEvent, Router, Usage
from llm_router.reply import Finish
from tests.integration.llm_router.conftest import SPEAKERS, Connect
from tests.wire.recorded import read_responses
from tests.wire.stub import serving

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "cassettes"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings at {FOLDER.name}/ beside the repository")


@dataclass(frozen=True)
class Said:
    """What a recording must be read as; a text may be given by its beginning and end."""

    model: str
    begins: str
    ends: str
    finish: Finish
    usage: Usage


ANSWERS = {
    ("openai_chat__basic_raw_headers", 0): Said(
        "gpt-4o-mini-2024-07-18", "This is a test.", "How can I assist you further?", "stop", Usage(12, 12)
    ),
    ("openai_chat__prompt_cache_hit", 0): Said("gpt-5.6-sol", "OK", "OK", "stop", Usage(8, 4, 0, 4012)),
    ("openai_chat__prompt_cache_hit", 1): Said("gpt-5.6-sol", "OK", "OK", "stop", Usage(8, 4, 4012)),
    ("openai_err__400_unsupported_param_then_200", 1): Said(
        "o1-mini-2024-09-12", "The capital", "**Paris**.", "stop", Usage(14, 20, reasoning_tokens=64)
    ),
    ("groq_err__400_tool_use_failed", 2): Said(
        "openai/gpt-oss-120b",
        "The first call failed",
        '"Something with name: test".',
        "stop",
        Usage(80, 37, 256, 0, 59),
    ),
    ("anthropic__basic_raw_headers", 0): Said(
        "claude-3-opus-20240229", "When Nietzsche", 'dead" in his', "length", Usage(22, 15)
    ),
}

STREAMS = {
    "openai_chat__stream_no_usage": Said("gpt-4-0613", "This is a", "test.", "stop", Usage(37, 4, estimated=True)),
    "anthropic__stream_text": Said("claude-sonnet-4-5-20250929", "- Captain", "Scoop", "stop", Usage(17, 10)),
    "anthropic__stream_thinking": Said(
        "claude-haiku-4-5-20251001", "1. **Pouch**", 'on "pelican"', "stop", Usage(46, 133)
    ),
}

ERRORS: dict[tuple[str, int], tuple[FaultKind, int]] = {
    ("openai_err__404_model_not_found_raw_headers", 0): ("not_found", 404),
    ("openai_err__400_unsupported_role", 0): ("invalid_request", 400),
    ("openai_err__400_unsupported_param_then_200", 0): ("invalid_request", 400),
    ("groq_err__400_tool_use_failed", 0): ("invalid_request", 400),
    ("openrouter_err__429_three_retries", 0): ("rate_limited", 429),
    ("anthropic_err__400_invalid_request_raw_headers", 0): ("invalid_request", 400),
    ("anthropic_err__400_unsupported_effort", 0): ("invalid_request", 400),
    ("anthropic_err__401", 0): ("unauthenticated", 401),
}


def provider_of(name: str) -> str:
    return "anthropic" if name.startswith("anthropic") else "openai"


async def read(router: Router, prompt: Prompt) -> Reply:
    events = [event async for event in router.stream(prompt)]
    assert isinstance(events[-1], ReplyEvent)
    return events[-1].reply


def assert_said(reply: Reply, said: Said) -> None:
    assert (reply.model, reply.finish) == (said.model, said.finish)
    assert reply.text.startswith(said.begins)
    assert reply.text.endswith(said.ends)
    assert reply.usage == said.usage


@pytest.mark.parametrize(("name", "index"), [*ANSWERS])
async def test_an_answer_is_read(name: str, index: int, connect: Connect, prompt: Prompt) -> None:
    response = read_responses(FOLDER / f"{name}.yaml")[index]
    async with serving(response) as stub, connect(SPEAKERS[provider_of(name)].config(stub.address)) as router:
        reply = await router.ask(prompt)
    assert_said(reply, ANSWERS[name, index])


@pytest.mark.parametrize("name", [*STREAMS])
async def test_a_stream_is_read(name: str, connect: Connect, prompt: Prompt) -> None:
    [response] = read_responses(FOLDER / f"{name}.yaml")
    async with serving(response) as stub, connect(SPEAKERS[provider_of(name)].config(stub.address)) as router:
        reply = await read(router, prompt)
    assert_said(reply, STREAMS[name])


@pytest.mark.parametrize(("name", "index"), [*ERRORS])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_an_error_is_named(name: str, index: int, streamed: bool, connect: Connect, prompt: Prompt) -> None:
    response = read_responses(FOLDER / f"{name}.yaml")[index]
    config = SPEAKERS[provider_of(name)].config
    async with serving(response) as stub, connect(config(stub.address), attempts_per_target=1) as router:
        reply = await (read(router, prompt) if streamed else router.ask(prompt))
    failed, answered = reply.attempts
    assert (failed.error, failed.status) == ERRORS[name, index]
    assert answered.target == "extractive"


async def test_an_error_event_in_mid_stream_is_no_end(connect: Connect, prompt: Prompt) -> None:
    [response] = read_responses(FOLDER / "openrouter_err__midstream_sse_error.yaml")
    async with serving(response) as stub, connect(SPEAKERS["openai"].config(stub.address)) as router:
        reply = await read(router, prompt)
    assert [attempt.error for attempt in reply.attempts] == ["invalid_request", None]
    assert len(stub.asked) == 1

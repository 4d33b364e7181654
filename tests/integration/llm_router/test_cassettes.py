"""The adapters against recorded exchanges. To record them anew from the stub server:

delete tests/cassettes/llm_router and run `pytest tests/integration/llm_router/test_cassettes.py --record-mode=once`.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from vcr.cassette import Cassette
from vcr.errors import CannotOverwriteExistingCassetteException
from vcr.request import Request

from llm_router import Prompt, Reply, ReplyEvent, Router, Usage
from tests.integration.llm_router.conftest import KEY, SPEAKERS, Connect
from tests.wire import anthropic_messages, openai_chat
from tests.wire.stub import Response, serving

CASSETTES = Path(__file__).resolve().parents[2] / "cassettes" / "llm_router"
PLACE = "http://127.0.0.1:1"  # a fixed address in place of the stub's; nothing can listen there
SECRET_HEADERS = ["authorization", "x-api-key", "cookie"]

USAGES = {"openai": Usage(36, 15, 64, 0, 5), "anthropic": Usage(36, 15, 64, 7, 5)}
OPENAI, ANTHROPIC = openai_chat, anthropic_messages


def at_fixed_place(request: Request) -> Request:
    """Forget the stub's port and the headers that tell of the machine."""
    request.uri = PLACE + request.path
    request.headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower() in {"accept", "content-type", "anthropic-version"}
    }
    return request


@pytest.fixture
def vcr_config() -> dict[str, Any]:
    return {
        "filter_headers": SECRET_HEADERS,
        "before_record_request": at_fixed_place,
        "match_on": ["method", "uri", "body"],
        "decode_compressed_response": True,
    }


@pytest.fixture
def vcr_cassette_dir() -> str:
    return str(CASSETTES)


@pytest.fixture
def is_recording(record_mode: str) -> bool:
    return record_mode != "none"


@pytest.fixture
def played(vcr: Cassette, is_recording: bool) -> Iterator[None]:
    """Fail a test that leaves a part of its cassette unplayed."""
    yield
    assert is_recording or (len(vcr) > 0 and vcr.play_count == len(vcr))


@pytest_asyncio.fixture
async def router_on(is_recording: bool, connect: Connect) -> AsyncIterator[Callable[..., Any]]:
    """Connect a router to a cassette; the responses are what the stub says while it is recorded."""
    async with AsyncExitStack() as stack:

        async def router_on_cassette(provider: str, *responses: Response) -> Router:
            address = PLACE
            if is_recording:
                address = (await stack.enter_async_context(serving(*responses))).address
            return await stack.enter_async_context(connect(SPEAKERS[provider].config(address)))

        yield router_on_cassette


RouterOn = Callable[..., Any]


async def read(router: Router, prompt: Prompt) -> Reply:
    events = [event async for event in router.stream(prompt)]
    assert isinstance(events[-1], ReplyEvent)
    return events[-1].reply


def assert_answered(reply: Reply, provider: str, errors: list[str | None]) -> None:
    assert (reply.text, reply.finish, reply.target) == ("In 2019 [1].", "stop", "main")
    assert (reply.model, reply.usage) == (SPEAKERS[provider].words.MODEL, USAGES[provider])
    assert [attempt.error for attempt in reply.attempts] == errors


@pytest.mark.vcr
@pytest.mark.usefixtures("played")
async def test_openai_chat_ok(router_on: RouterOn, prompt: Prompt) -> None:
    router = await router_on("openai", OPENAI.whole("In 2019 [1]."))
    assert_answered(await router.ask(prompt), "openai", [None])


@pytest.mark.vcr
@pytest.mark.usefixtures("played")
async def test_openai_chat_stream_ok(router_on: RouterOn, prompt: Prompt) -> None:
    router = await router_on("openai", OPENAI.streamed("In ", "2019", " [1]."))
    assert_answered(await read(router, prompt), "openai", [None])


@pytest.mark.vcr
@pytest.mark.usefixtures("played")
async def test_openai_chat_429_then_ok(router_on: RouterOn, prompt: Prompt) -> None:
    limited = OPENAI.error(429, headers={"retry-after": "0"}, type="requests", code="rate_limit_exceeded")
    router = await router_on("openai", limited, OPENAI.whole("In 2019 [1]."))
    reply = await router.ask(prompt)
    assert_answered(reply, "openai", ["rate_limited", None])
    assert reply.attempts[0].status == 429


@pytest.mark.vcr
@pytest.mark.usefixtures("played")
async def test_anthropic_messages_ok(router_on: RouterOn, prompt: Prompt) -> None:
    router = await router_on("anthropic", ANTHROPIC.whole("In 2019 [1]."))
    assert_answered(await router.ask(prompt), "anthropic", [None])


@pytest.mark.vcr
@pytest.mark.usefixtures("played")
async def test_anthropic_messages_stream_ok(router_on: RouterOn, prompt: Prompt) -> None:
    router = await router_on("anthropic", ANTHROPIC.streamed("In ", "2019", " [1]."))
    assert_answered(await read(router, prompt), "anthropic", [None])


@pytest.mark.vcr
@pytest.mark.usefixtures("played")
async def test_anthropic_messages_529_then_ok(router_on: RouterOn, prompt: Prompt) -> None:
    router = await router_on("anthropic", ANTHROPIC.error(529, "overloaded_error"), ANTHROPIC.whole("In 2019 [1]."))
    reply = await router.ask(prompt)
    assert_answered(reply, "anthropic", ["overloaded", None])
    assert reply.attempts[0].status == 529


@pytest.mark.vcr(record_mode="none")
@pytest.mark.default_cassette("test_openai_chat_ok.yaml")
@pytest.mark.parametrize("provider", [*SPEAKERS])
async def test_a_miss_is_an_error_and_no_failover(provider: str, router_on: RouterOn, prompt: Prompt) -> None:
    router = await router_on(provider)
    with pytest.raises(Exception, match=r".") as caught:
        await router.ask(replace(prompt, question="Another question?"))
    errors = (caught.value, caught.value.__cause__)
    assert any(isinstance(error, CannotOverwriteExistingCassetteException) for error in errors)


def test_no_cassette_holds_a_key_or_tells_of_the_machine() -> None:
    texts = [file.read_text(encoding="utf-8").lower() for file in sorted(CASSETTES.glob("*.yaml"))]
    assert len(texts) == 6
    for text in texts:
        assert KEY not in text
        assert f"uri: {PLACE}/" in text
        assert not any(f"{header}:" in text for header in [*SECRET_HEADERS, "user-agent", "x-stainless"])

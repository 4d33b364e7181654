"""Recording from a provider and playing without it, by the SDKs' own clients."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from core.errors import CassetteMissError, ConfigurationError
from llm_router.cassettes.opening import CassetteMode, use_cassette
from tests.wire import anthropic_messages, openai_chat
from tests.wire.stub import JSON, Response, Stub, Whole, serving

KEY = "sk-stub-0123456789"
MESSAGES: Any = [{"role": "user", "content": "When did Ada move to Turin?"}]
ASKED: dict[str, Any] = {"model": "m", "messages": MESSAGES, "max_tokens": 9}

LIMITED = openai_chat.error(429, headers={"retry-after": "0"}, code="rate_limit_exceeded")


@asynccontextmanager
async def openai_at(address: str) -> AsyncIterator[openai.AsyncOpenAI]:
    headers = {"OpenAI-Organization": "org-secret", "Cookie": "a=cookie-secret"}
    async with openai.AsyncOpenAI(
        api_key=KEY, base_url=f"{address}/v1", max_retries=0, default_headers=headers
    ) as client:
        yield client


@asynccontextmanager
async def anthropic_at(address: str) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key=KEY, base_url=address, max_retries=0) as client:
        yield client


async def ask(client: openai.AsyncOpenAI, **others: Any) -> object:
    return (await client.chat.completions.create(**{**ASKED, **others})).choices[0].message.content


async def stream(client: openai.AsyncOpenAI) -> str:
    chunks = await client.chat.completions.create(**ASKED, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])


async def ask_anthropic(client: anthropic.AsyncAnthropic) -> str:
    message = await client.messages.create(**ASKED)
    return "".join(block.text for block in message.content if block.type == "text")


async def stream_anthropic(client: anthropic.AsyncAnthropic) -> str:
    async with client.messages.stream(**ASKED) as events:
        return "".join([text async for text in events.text_stream])


async def embed(client: openai.AsyncOpenAI) -> list[list[float]]:
    told = await client.embeddings.create(model="e", input=["a", "b"], encoding_format="float")
    return [each.embedding for each in told.data]


async def session(stub: str) -> list[object]:
    """All ways of asking, over both SDKs."""
    async with openai_at(stub) as client, anthropic_at(stub) as other:
        with pytest.raises(openai.RateLimitError) as limited:
            await ask(client)
        return [
            limited.value.response.headers["retry-after"],
            await ask(client),
            await stream(client),
            await ask_anthropic(other),
            await stream_anthropic(other),
            await embed(client),
        ]


EMBEDDED = Whole(
    b'{"object": "list", "model": "e", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}],'
    b' "usage": {"prompt_tokens": 1, "total_tokens": 1}}'
)
RESPONSES: tuple[Response, ...] = (
    LIMITED,
    openai_chat.whole("In 2019."),
    openai_chat.streamed("In ", "2019."),
    anthropic_messages.whole("In 2019."),
    anthropic_messages.streamed("In ", "2019."),
    EMBEDDED,
)
SAID = ["0", "In 2019.", "In 2019.", "In 2019.", "In 2019.", [[0.5, 1.0]]]


@asynccontextmanager
async def recorded(file: Path, *responses: Response, mode: CassetteMode = "record") -> AsyncIterator[Stub]:
    async with serving(*responses) as stub:
        with use_cassette(file, mode):
            yield stub


def read_unfolded(file: Path) -> str:
    """Return a file's text as it was before YAML folded its lines; nothing if there is no file."""
    return re.sub(r"\\?\n\s*\\?", "", file.read_text("utf-8")) if file.exists() else ""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "session.yaml"


async def test_a_session_is_recorded_and_played_without_its_providers(file: Path) -> None:
    async with recorded(file, *RESPONSES) as stub:
        assert await session(stub.address) == SAID
    with use_cassette(file, "replay") as cassette:
        assert await session(stub.address) == SAID
        assert cassette.held == len(SAID)
        assert not cassette.list_unplayed()
    assert len(stub.asked) == len(SAID)
    with pytest.raises(openai.APIConnectionError):  # and now nothing is in between
        async with openai_at(stub.address) as client:
            await ask(client)


async def test_no_secret_stands_in_the_file(file: Path) -> None:
    echo = Whole(f'{{"error": {{"message": "no such key: {KEY}"}}}}'.encode(), 401, {**JSON, "set-cookie": "cookie-2"})
    async with recorded(file, *RESPONSES, echo) as stub:
        await session(stub.address)
        async with openai_at(stub.address) as client:
            with pytest.raises(openai.AuthenticationError):
                await ask(client)
    text = read_unfolded(file)
    for secret in (KEY, "org-secret", "cookie-secret", "cookie-2", "Bearer", "x-stainless", "python"):
        assert secret.lower() not in text.lower()
    assert "no such key: [filtered]" in text


async def test_a_stream_is_not_held_back_by_its_recording(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_router.cassettes.deck.REST_S", 0.05)
    whole = openai_chat.streamed("In ", "2019.")
    async with recorded(file, type(whole)(whole.chunks, "stall")) as stub, openai_at(stub.address) as client:
        chunks = await client.chat.completions.create(**ASKED, stream=True)
        texts = []
        async for chunk in chunks:
            if chunk.choices:
                texts.append(chunk.choices[0].delta.content)
            if "2019." in texts:
                break
        await chunks.close()
    assert texts[-1] == "2019."
    assert not read_unfolded(file)  # what has no end is not kept


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
async def test_a_miss_is_in_the_chain_of_what_the_sdk_raises(sdk: str, file: Path) -> None:
    async with recorded(file, openai_chat.whole("In 2019.")) as stub, openai_at(stub.address) as client:
        await ask(client)
    with use_cassette(file, "replay") as cassette:
        with pytest.raises(Exception, match=r".") as caught:  # noqa: PT012
            if sdk == "openai":
                async with openai_at(stub.address) as client:
                    await ask(client, temperature=0.5)
            else:
                async with anthropic_at(stub.address) as other:
                    await ask_anthropic(other)
        [miss] = cassette.misses
    assert miss in (caught.value, caught.value.__cause__)
    assert miss.details["differs"] == (["body (temperature)"] if sdk == "openai" else ["path"])
    assert "Turin" not in str(miss)
    assert len(stub.asked) == 1


async def test_what_is_recorded_later_is_added(file: Path) -> None:
    for text in ("one", "two"):
        async with recorded(file, openai_chat.whole(text)) as stub, httpx2.AsyncClient() as client:
            await client.post(f"{stub.address}/v1", json={})
    with use_cassette(file, "none") as cassette:
        assert cassette.held == 2


async def say(file: Path, mode: CassetteMode, *responses: Response, times: int = 1) -> tuple[list[str], int]:
    """Ask the same so often; return the answers and how many requests were sent."""
    async with serving(*responses) as stub:
        with use_cassette(file, mode):
            async with httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(proxy=stub.address)) as client:
                texts = [(await client.post("http://provider/v1", json={"a": 1})).text for _ in range(times)]
        return texts, len(stub.asked)


async def test_the_modes_of_tests(file: Path) -> None:
    one, two, three = Whole(b"one"), Whole(b"two"), Whole(b"three")
    assert await say(file, "once", one, two, times=2) == (["one", "two"], 2)
    assert await say(file, "once", three, times=2) == (["one", "two"], 0)
    assert await say(file, "none", three, times=2) == (["one", "two"], 0)
    with pytest.raises(CassetteMissError, match="more often"):
        await say(file, "none", three, times=3)
    with pytest.raises(CassetteMissError, match="more often"):
        await say(file, "once", three, times=3)
    assert await say(file, "new", three, times=3) == (["one", "two", "three"], 1)
    assert await say(file, "none", times=3) == (["one", "two", "three"], 0)
    assert await say(file, "replay", times=5) == (["one", "two", "three", "three", "three"], 0)
    assert await say(file, "all", three, one, times=2) == (["three", "one"], 2)
    assert await say(file, "none", times=2) == (["three", "one"], 0)
    assert await say(file, "record", two) == (["two"], 1)
    assert await say(file, "none", times=3) == (["three", "one", "two"], 0)


def test_a_cassette_that_cannot_be_used_is_told_of_at_once(file: Path) -> None:
    modes: tuple[CassetteMode, ...] = ("record", "replay", "none", "once", "new", "all")
    file.write_text("no cassette", "utf-8")
    for mode in modes:
        with pytest.raises(ConfigurationError, match="is no cassette"), use_cassette(file, mode):
            pass
    file.unlink()
    with pytest.raises(ConfigurationError, match="does not exist"), use_cassette(file, "replay"):
        pass
    with use_cassette(file, "none"), use_cassette(file.with_name("other.yaml"), "record"):
        pass
    assert not file.exists()


async def test_what_is_recorded_does_not_go_to_the_log(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with recorded(file, openai_chat.whole("In 2019.")) as stub, openai_at(stub.address) as client:
        await ask(client)
    assert not [record for record in caplog.records if record.name.startswith("vcr")]

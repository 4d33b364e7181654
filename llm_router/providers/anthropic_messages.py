"""Anthropic's Messages wire. The SDK does transport and keys; bodies are read as plain JSON by the protocol."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import cast

import anthropic
import httpx2

from llm_router.config import Capabilities, TargetConfig
from llm_router.prompt import Prompt
from llm_router.providers.bodies import measure
from llm_router.providers.events import read_stream
from llm_router.providers.messages_reading import MessageReading
from llm_router.providers.messages_request import build_messages_request
from llm_router.providers.provider import Materials, Provider
from llm_router.providers.wire import Phases, faults_of
from llm_router.reply import Answer
from llm_router.target import Clocks

ADDRESS = "https://api.anthropic.com"

PHASES: Phases = {
    anthropic.APIStatusError: "answer",
    anthropic.APIResponseValidationError: "decode",
    anthropic.APITimeoutError: "clock",
    anthropic.APIConnectionError: "connection",
    anthropic.APIError: "stream",
}

_PATH = "/v1/messages"
_Events = anthropic.AsyncStream[object]


class AnthropicTarget:
    """A model behind Anthropic's Messages API, or a server that speaks it.

    Args:
        config: of the target.
        http_client: in the place of the SDK's own.
    """

    def __init__(self, config: TargetConfig, http_client: httpx2.AsyncClient | None = None) -> None:
        self.name = config.name
        self.provider = config.provider
        self.model = config.model
        self._client = _build_client(config, http_client)

    async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
        """Return the whole answer."""
        reading = MessageReading(self.name, self.model, prompt)
        with faults_of(self.name, "anthropic", PHASES):
            body = await self._client.post(
                _PATH,
                body=build_messages_request(prompt, self.model),
                options=_options(clocks),
                cast_to=bytes,
            )
        reading.read_whole(body)
        return reading.answer()

    async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
        """Yield the answer's pieces and, last, the whole of it."""
        reading = MessageReading(self.name, self.model, prompt)
        body = {**build_messages_request(prompt, self.model), "stream": True}
        with faults_of(self.name, "anthropic", PHASES, reading.spent):
            async with (
                await self._open_stream(body, clocks) as events,
                aclosing(read_stream(events.response, reading)) as pieces,
            ):
                async for piece in pieces:
                    yield piece
        yield reading.answer()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _open_stream(self, body: dict[str, object], clocks: Clocks) -> _Events:
        return await self._client.post(
            _PATH, body=body, options=_options(clocks), cast_to=object, stream=True, stream_cls=_Events
        )


def _build_client(config: TargetConfig, http_client: httpx2.AsyncClient | None) -> anthropic.AsyncAnthropic:
    headers: dict[str, str | anthropic.Omit] = {**config.headers}
    if config.api_key_header and config.api_key:
        headers[config.api_key_header] = config.api_key
    if config.api_key_header or not config.api_key:
        headers["Authorization"] = anthropic.Omit()
    return anthropic.AsyncAnthropic(
        api_key=config.api_key or "none",  # without one the SDK would look for credentials on this machine
        base_url=config.base_url or ADDRESS,
        max_retries=0,
        default_headers=cast("Mapping[str, str]", headers),
        default_query=config.query,
        open_telemetry=False,
        http_client=http_client or anthropic.DefaultAsyncHttpxClient(event_hooks={"response": [measure]}),
    )


def _options(clocks: Clocks) -> anthropic.RequestOptions:
    return {
        "timeout": httpx2.Timeout(clocks.total_s, connect=clocks.connect_s),
        "follow_redirects": False,  # the prompt goes to the address of the configuration and to no other
    }


def _build(config: TargetConfig, _: Materials) -> AnthropicTarget:
    return AnthropicTarget(config)


PROVIDER = Provider(build=_build, limits=Capabilities(refuses=frozenset({"seed"})), key_variable="ANTHROPIC_API_KEY")

"""OpenAI's Responses wire. The SDK does transport and keys; bodies are read as plain JSON by the protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from urllib.parse import quote

import httpx2

from llm_router.config import Capabilities, TargetConfig
from llm_router.faults import TargetFault
from llm_router.prompt import Prompt
from llm_router.providers.events import read_stream
from llm_router.providers.openai_client import KEY_VARIABLE, PHASES, OpenAIClient
from llm_router.providers.provider import Materials, Provider
from llm_router.providers.responses_reading import ResponseReading
from llm_router.providers.responses_request import build_responses_request
from llm_router.providers.wire import faults_of
from llm_router.reply import Answer
from llm_router.target import Clocks

_PATH = "/responses"

_POLL_FIRST_S, _POLL_MOST_S = 0.5, 5.0
"""How long to wait before asking again for an answer in the making; the wait doubles."""


class OpenAIResponsesTarget:
    """A model behind a server that speaks Responses.

    Args:
        config: of the target.
        http_client: in the place of the SDK's own.
    """

    def __init__(self, config: TargetConfig, http_client: httpx2.AsyncClient | None = None) -> None:
        self.name = config.name
        self.provider = config.provider
        self.model = config.model
        self._client = OpenAIClient(config, http_client)

    async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
        """Return the whole answer."""
        reading = ResponseReading(self.name, self.model, prompt)
        with faults_of(self.name, "openai", PHASES, reading.spent):
            body = await self._client.post(_PATH, build_responses_request(prompt, self.model), clocks)
            reading.read_whole(body)
            if reading.is_pending:
                await self._await_end(reading, clocks)
        return reading.answer()

    async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
        """Yield the answer's pieces and, last, the whole of it."""
        reading = ResponseReading(self.name, self.model, prompt)
        body = {**build_responses_request(prompt, self.model), "stream": True}
        with faults_of(self.name, "openai", PHASES, reading.spent):
            async with (
                await self._client.open_stream(_PATH, body, clocks) as events,
                aclosing(read_stream(events.response, reading)) as pieces,
            ):
                async for piece in pieces:
                    yield piece
        yield reading.answer()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _await_end(self, reading: ResponseReading, clocks: Clocks) -> None:
        """Ask for an answer in the making until it has its end."""
        if not reading.response_id:
            raise TargetFault(self.name, "malformed")
        path, pause_s = f"{_PATH}/{quote(reading.response_id, safe='')}", _POLL_FIRST_S
        async with asyncio.timeout(clocks.total_s):
            while reading.is_pending:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _POLL_MOST_S)
                reading.read_whole(await self._client.get(path, clocks))


def _build(config: TargetConfig, _: Materials) -> OpenAIResponsesTarget:
    return OpenAIResponsesTarget(config)


PROVIDER = Provider(build=_build, limits=Capabilities(refuses=frozenset({"stop", "seed"})), key_variable=KEY_VARIABLE)

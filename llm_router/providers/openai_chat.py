"""OpenAI's Chat Completions wire, as spoken by OpenAI and by every compatible server.

The SDK does transport and keys; bodies are read as plain JSON by the protocol, since compatible servers differ in what
they leave out and add, and the SDK's typed models promise more than is sent.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx2

from llm_router.config import TargetConfig
from llm_router.prompt import Prompt
from llm_router.providers.chat_reading import ChatReading
from llm_router.providers.chat_request import build_chat_request
from llm_router.providers.events import read_stream
from llm_router.providers.openai_client import KEY_VARIABLE, PHASES, OpenAIClient
from llm_router.providers.provider import Materials, Provider
from llm_router.providers.wire import faults_of
from llm_router.reply import Answer
from llm_router.target import Clocks

_PATH = "/chat/completions"


class OpenAIChatTarget:
    """A model behind any server that speaks Chat Completions.

    Args:
        config: of the target.
        http_client: in the place of the SDK's own.
    """

    def __init__(self, config: TargetConfig, http_client: httpx2.AsyncClient | None = None) -> None:
        self.name = config.name
        self.provider = config.provider
        self.model = config.model
        self._legacy_max_tokens = config.legacy_max_tokens
        self._client = OpenAIClient(config, http_client)

    async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
        """Return the whole answer."""
        reading = ChatReading(self.name, self.model, prompt)
        with faults_of(self.name, "openai", PHASES):
            body = await self._client.post(_PATH, self._body(prompt), clocks)
        reading.read_whole(body)
        return reading.answer()

    async def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
        """Yield the answer's pieces and, last, the whole of it."""
        reading = ChatReading(self.name, self.model, prompt)
        body = {**self._body(prompt), "stream": True, "stream_options": {"include_usage": True}}
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

    def _body(self, prompt: Prompt) -> dict[str, object]:
        return build_chat_request(prompt, self.model, legacy_max_tokens=self._legacy_max_tokens)


def _build(config: TargetConfig, _: Materials) -> OpenAIChatTarget:
    return OpenAIChatTarget(config)


PROVIDER = Provider(build=_build, key_variable=KEY_VARIABLE)

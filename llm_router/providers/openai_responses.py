"""OpenAI's Responses wire. The SDK does transport and keys; bodies are read as plain JSON by the protocol."""

import asyncio
from functools import partial
from urllib.parse import quote

import httpx2

from llm_router.config import Capabilities, TargetConfig
from llm_router.faults import TargetFault
from llm_router.providers.openai_client import KEY_VARIABLE, PHASES, OpenAIClient
from llm_router.providers.provider import Materials, Provider
from llm_router.providers.responses_reading import ResponseReading
from llm_router.providers.responses_request import build_responses_request
from llm_router.providers.wire_target import Dialect, WireTarget
from llm_router.target import Clocks

_PATH = "/responses"

_POLL_FIRST_S, _POLL_MOST_S = 0.5, 5.0
"""How long to wait before asking again for an answer in the making; the wait doubles."""


class OpenAIResponsesTarget(WireTarget[ResponseReading]):
    """A model behind a server that speaks Responses.

    Args:
        config: of the target.
        http_client: in the place of the SDK's own.
    """

    def __init__(self, config: TargetConfig, http_client: httpx2.AsyncClient | None = None) -> None:
        self._connections = OpenAIClient(config, http_client)
        dialect = Dialect(
            wire="openai",
            phases=PHASES,
            path=_PATH,
            build=partial(build_responses_request, model=config.model),
            read=ResponseReading,
        )
        super().__init__(config, self._connections, dialect)

    async def _await_end(self, reading: ResponseReading, clocks: Clocks) -> None:
        """Ask for an answer in the making until it has its end."""
        if not reading.is_pending:
            return
        if not reading.response_id:
            raise TargetFault(self.name, "malformed")
        path, pause_s = f"{_PATH}/{quote(reading.response_id, safe='')}", _POLL_FIRST_S
        async with asyncio.timeout(clocks.total_s):
            while reading.is_pending:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _POLL_MOST_S)
                reading.read_whole(await self._connections.get(path, clocks))


def _build(config: TargetConfig, _: Materials) -> OpenAIResponsesTarget:
    return OpenAIResponsesTarget(config)


PROVIDER = Provider(build=_build, limits=Capabilities(refuses=frozenset({"stop", "seed"})), key_variable=KEY_VARIABLE)

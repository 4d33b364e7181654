"""Anthropic's Messages wire. The SDK does transport and keys; bodies are read as plain JSON by the protocol."""

from collections.abc import Mapping
from functools import partial
from typing import cast

import anthropic
import httpx2

from llm_router.config import Capabilities, TargetConfig
from llm_router.providers.bodies import measure
from llm_router.providers.messages_reading import MessageReading
from llm_router.providers.messages_request import build_messages_request
from llm_router.providers.provider import Materials, Provider
from llm_router.providers.wire import Phases
from llm_router.providers.wire_target import Dialect, WireTarget
from llm_router.target import Clocks

ADDRESS = "https://api.anthropic.com"

PHASES: Phases = {
    anthropic.APIStatusError: "answer",
    anthropic.APIResponseValidationError: "decode",
    anthropic.APITimeoutError: "clock",
    anthropic.APIConnectionError: "connection",
    anthropic.APIError: "stream",
}

_Events = anthropic.AsyncStream[object]


class AnthropicTarget(WireTarget[MessageReading]):
    """A model behind Anthropic's Messages API, or a server that speaks it.

    Args:
        config: of the target.
        http_client: in the place of the SDK's own.
    """

    def __init__(self, config: TargetConfig, http_client: httpx2.AsyncClient | None = None) -> None:
        dialect = Dialect(
            wire="anthropic",
            phases=PHASES,
            path="/v1/messages",
            build=partial(build_messages_request, model=config.model),
            read=MessageReading,
        )
        super().__init__(config, AnthropicClient(config, http_client), dialect)


class AnthropicClient:
    """The connections of one target. Bodies go and come as plain JSON, and nothing is ever sent twice.

    Args:
        config: address, key, headers and query.
        http_client: in the place of the SDK's own.
    """

    def __init__(self, config: TargetConfig, http_client: httpx2.AsyncClient | None) -> None:
        headers: dict[str, str | anthropic.Omit] = {**config.headers}
        if config.api_key_header and config.api_key:
            headers[config.api_key_header] = config.api_key
        if config.api_key_header or not config.api_key:
            headers["Authorization"] = anthropic.Omit()
        self._sdk = anthropic.AsyncAnthropic(
            api_key=config.api_key or "none",  # without one the SDK would look for credentials on this machine
            base_url=config.base_url or ADDRESS,
            max_retries=0,
            default_headers=cast("Mapping[str, str]", headers),
            default_query=config.query,
            open_telemetry=False,
            http_client=http_client or anthropic.DefaultAsyncHttpxClient(event_hooks={"response": [measure]}),
        )

    async def post(self, path: str, body: dict[str, object], clocks: Clocks) -> bytes:
        """Send a body and return the one that comes back, unread: the SDK's reader knows no bounds."""
        return await self._sdk.post(path, body=body, options=_options(clocks), cast_to=bytes)

    async def open_stream(self, path: str, body: dict[str, object], clocks: Clocks) -> _Events:
        """Send a body and return the stream that comes back, to be closed by the caller."""
        options = _options(clocks)
        return await self._sdk.post(path, body=body, options=options, cast_to=object, stream=True, stream_cls=_Events)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()


def _options(clocks: Clocks) -> anthropic.RequestOptions:
    return {
        "timeout": httpx2.Timeout(clocks.total_s, connect=clocks.connect_s),
        "follow_redirects": False,  # the prompt goes to the address of the configuration and to no other
    }


def _build(config: TargetConfig, _: Materials) -> AnthropicTarget:
    return AnthropicTarget(config)


PROVIDER = Provider(build=_build, limits=Capabilities(refuses=frozenset({"seed"})), key_variable="ANTHROPIC_API_KEY")

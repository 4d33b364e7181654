"""OpenAI's SDK, for all the wires that it speaks: transport, keys and the errors that it raises."""

import httpx2
import openai

from llm_router.config import TargetConfig
from llm_router.providers.bodies import measure
from llm_router.providers.wire import Phases
from llm_router.target import Clocks

ADDRESS = "https://api.openai.com/v1"
KEY_VARIABLE = "OPENAI_API_KEY"

PHASES: Phases = {
    openai.APIStatusError: "answer",
    openai.APIResponseValidationError: "decode",
    openai.APITimeoutError: "clock",
    openai.APIConnectionError: "connection",
    openai.APIError: "stream",  # bare, it is an error event inside a stream
}

Events = openai.AsyncStream[object]


class OpenAIClient:
    """The connections of one target. Bodies go and come as plain JSON, and nothing is ever sent twice.

    Args:
        config: address, key, headers and query.
        http_client: in the place of the SDK's own.
    """

    def __init__(self, config: TargetConfig, http_client: httpx2.AsyncClient | None = None) -> None:
        headers = {**config.headers}
        if config.api_key_header and config.api_key:
            headers[config.api_key_header] = config.api_key
        self._sends_bearer = bool(config.api_key) and not config.api_key_header
        self._sdk = openai.AsyncOpenAI(
            api_key=config.api_key or "none",  # without one the SDK would look for a key in the environment
            base_url=config.base_url or ADDRESS,
            max_retries=0,
            default_headers=headers,
            default_query=config.query,
            http_client=http_client or openai.DefaultAsyncHttpxClient(event_hooks={"response": [measure]}),
        )
        self._sdk.organization = self._sdk.project = None  # of the environment's account, not of the target's

    async def post(self, path: str, body: dict[str, object], clocks: Clocks) -> bytes:
        """Send a body and return the one that comes back, unread: the SDK's reader knows no bounds."""
        return await self._sdk.post(path, body=body, options=self._options(clocks), cast_to=bytes)

    async def get(self, path: str, clocks: Clocks) -> bytes:
        """Return the body that stands at a path, unread."""
        return await self._sdk.get(path, options=self._options(clocks), cast_to=bytes)

    async def open_stream(self, path: str, body: dict[str, object], clocks: Clocks) -> Events:
        """Send a body and return the stream that comes back, to be closed by the caller."""
        options = self._options(clocks)
        return await self._sdk.post(path, body=body, options=options, cast_to=object, stream=True, stream_cls=Events)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()

    def _options(self, clocks: Clocks) -> openai.RequestOptions:
        options: openai.RequestOptions = {
            "timeout": httpx2.Timeout(clocks.total_s, connect=clocks.connect_s),
            "follow_redirects": False,  # the prompt goes to the address of the configuration and to no other
        }
        if not self._sends_bearer:
            options["headers"] = {"Authorization": openai.omit}
        return options

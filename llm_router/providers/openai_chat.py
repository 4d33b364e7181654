"""OpenAI's Chat Completions wire, as spoken by OpenAI and by every compatible server.

The SDK does transport and keys; bodies are read as plain JSON by the protocol, since compatible servers differ in what
they leave out and add, and the SDK's typed models promise more than is sent.
"""

from functools import partial

import httpx2

from llm_router.config import TargetConfig
from llm_router.providers.chat_reading import ChatReading
from llm_router.providers.chat_request import build_chat_request
from llm_router.providers.openai_client import KEY_VARIABLE, PHASES, OpenAIClient
from llm_router.providers.provider import Materials, Provider
from llm_router.providers.wire_target import Dialect, WireTarget


class OpenAIChatTarget(WireTarget[ChatReading]):
    """A model behind any server that speaks Chat Completions.

    Args:
        config: of the target.
        http_client: in the place of the SDK's own.
    """

    def __init__(self, config: TargetConfig, http_client: httpx2.AsyncClient | None = None) -> None:
        dialect = Dialect(
            wire="openai",
            phases=PHASES,
            path="/chat/completions",
            build=partial(build_chat_request, model=config.model, legacy_max_tokens=config.legacy_max_tokens),
            read=ChatReading,
            streaming={"stream": True, "stream_options": {"include_usage": True}},
        )
        super().__init__(config, OpenAIClient(config, http_client), dialect)


def _build(config: TargetConfig, _: Materials) -> OpenAIChatTarget:
    return OpenAIChatTarget(config)


PROVIDER = Provider(build=_build, key_variable=KEY_VARIABLE)

"""Answers from a cassette: the target of a wire, with a recording in the place of its network."""

import pkgutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx2

from core.errors import ConfigurationError
from llm_router.cassettes.deck import DeckTransport
from llm_router.cassettes.session import load_deck
from llm_router.config import TargetConfig
from llm_router.providers.provider import Materials, Provider
from llm_router.target import Target

WIRES = {
    "openai": "llm_router.providers.openai_chat:OpenAIChatTarget",
    "openai-responses": "llm_router.providers.openai_responses:OpenAIResponsesTarget",
    "anthropic": "llm_router.providers.anthropic_messages:AnthropicTarget",
}


def build(config: TargetConfig, materials: Materials) -> Target:
    """Return the target of the configuration's wire, played from its cassette; the file is read at once.

    Which server was recorded does not matter: method, path and body say which answer is meant.

    Raises:
        ConfigurationError: no cassette, an unreadable or empty one, or an unknown wire.
    """
    if not config.cassette:
        raise ConfigurationError(f"llm: targets.{config.name}.cassette: is needed by the provider replay")
    if config.wire not in WIRES:
        raise ConfigurationError(
            f"llm: targets.{config.name}.wire: {config.wire!r} is unknown; known are {', '.join(sorted(WIRES))}"
        )
    adapter: Callable[..., Target] = pkgutil.resolve_name(WIRES[config.wire])
    transport = DeckTransport(load_deck(Path(config.cassette)))
    return adapter(replace(config, provider=config.wire), http_client=httpx2.AsyncClient(transport=transport))


PROVIDER = Provider(build)

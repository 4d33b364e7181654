"""From configuration to a router: adapters, and with them their SDKs, are loaded only where configured."""

import pkgutil
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from core.errors import ConfigurationError
from llm_router.config import EXTRACTIVE, RouterConfig, TargetConfig
from llm_router.prompt import Embed
from llm_router.router import Router
from llm_router.target import Route, Target

if TYPE_CHECKING:
    from llm_router.openai_embeddings import OpenAIEmbedder

ADAPTERS = {
    "anthropic": "llm_router.anthropic_messages:AnthropicTarget",
    "openai": "llm_router.openai_chat:OpenAIChatTarget",
}


class RemoteTarget(Target, Protocol):
    """A target that holds connections."""

    async def aclose(self) -> None:
        """Close them."""


def build_router(config: RouterConfig, embed: Embed | None) -> Router:
    """Return the router of a configuration.

    Args:
        config: the targets in order.
        embed: lets `extractive` compare meanings; None leaves it with words alone.

    Raises:
        ConfigurationError: a target names an unknown provider.
    """
    routes: list[Route] = []
    closers: list[Callable[[], Awaitable[None]]] = []
    for target in config.targets:
        if target.provider == EXTRACTIVE:
            extractive = pkgutil.resolve_name("llm_router.extractive:ExtractiveTarget")
            routes.append(Route(extractive(target.name, embed), target.timeout_s, target.prices, local=True))
        else:
            remote = _build_remote(target)
            routes.append(Route(remote, target.timeout_s, target.prices))
            closers.append(remote.aclose)
    return Router(routes, config, closers=closers)


def load_openai_embedder(*, model: str, dimension: int, base_url: str | None, api_key: str) -> "OpenAIEmbedder":
    """Return an embedding model behind a server that speaks OpenAI's wire; nothing is sent yet."""
    embedder: type[OpenAIEmbedder] = pkgutil.resolve_name("llm_router.openai_embeddings:OpenAIEmbedder")
    return embedder(model=model, dimension=dimension, base_url=base_url, api_key=api_key)


def _build_remote(config: TargetConfig) -> RemoteTarget:
    if config.provider not in ADAPTERS:
        known = ", ".join(sorted([*ADAPTERS, EXTRACTIVE]))
        raise ConfigurationError(f"llm: {config.name}: provider {config.provider!r} is unknown; known are {known}")
    adapter: Callable[[TargetConfig], RemoteTarget] = pkgutil.resolve_name(ADAPTERS[config.provider])
    return adapter(config)

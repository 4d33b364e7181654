"""From configuration to a router of embeddings: an adapter, and with it its SDK, is loaded only where configured."""

import pkgutil
from collections.abc import Callable

from core.errors import ConfigurationError
from llm_router.embedding.config import EmbeddingConfig, EmbeddingTargetConfig
from llm_router.embedding.router import EmbeddingRouter
from llm_router.embedding.target import EmbeddingTarget
from llm_router.ports import Accounts, Blind, Observer

ADAPTERS = {"openai": "llm_router.providers.openai_embeddings:OpenAIEmbeddingTarget"}


def build_embedding_router(
    config: EmbeddingConfig, *, accounts: Accounts | None = None, observer: Observer | None = None
) -> EmbeddingRouter:
    """Return the router of a configuration; nothing is sent yet.

    Args:
        config: the targets, all of one model.
        accounts: caps and keeps what is spent; None caps and keeps nothing.
        observer: sees the looks into the cache.

    Raises:
        ConfigurationError: a target's provider embeds nothing.
    """
    targets = [_build_target(each) for each in config.targets]
    return EmbeddingRouter(config, targets, accounts=accounts, observer=observer or Blind())


def _build_target(config: EmbeddingTargetConfig) -> EmbeddingTarget:
    provider = config.target.provider
    if provider not in ADAPTERS:
        known = ", ".join(sorted(ADAPTERS))
        raise ConfigurationError(
            f"embedding: {config.target.name}: the provider {provider!r} embeds nothing; those that do are {known}"
        )
    adapter: Callable[[EmbeddingTargetConfig], EmbeddingTarget] = pkgutil.resolve_name(ADAPTERS[provider])
    return adapter(config)

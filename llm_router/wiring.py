"""From configuration to a router: providers, and with them their SDKs, are loaded only where configured."""

from collections.abc import Sequence
from dataclasses import replace

from core.errors import ConfigurationError
from llm_router.config import DEFAULT_MODEL, EXTRACTIVE, ModelConfig, RouterConfig, TargetConfig
from llm_router.embedding import (
    EmbeddingConfig,
    EmbeddingRouter,
    EmbeddingTargetConfig,
    build_embedding_router,
)
from llm_router.health.health import Health
from llm_router.ports import Accounts, Observer
from llm_router.prompt import Embed
from llm_router.providers.provider import Materials
from llm_router.route import Route
from llm_router.router import Parts, Router
from llm_router.snapshot import build_routes
from llm_router.target import Target


def build_router(config: RouterConfig, embed: Embed | None, parts: Parts | None = None) -> Router:
    """Return the router of a configuration; nothing is sent yet.

    Args:
        config: the targets and models.
        embed: lets `extractive` compare meanings; None leaves it with words alone.
        parts: accounts, cache, observer.

    Raises:
        ConfigurationError: a target names an unknown provider.
    """
    parts = replace(parts or Parts(), materials=Materials(embed))
    return Router(config, build_routes(config, parts.materials, parts.pace.clock), parts)


def build_router_of(
    targets: Sequence[Target], config: RouterConfig | None = None, parts: Parts | None = None
) -> Router:
    """Return a router whose model "default" asks these targets in order, and nothing after them: for tests.

    Targets of the same names in the configuration say how each is treated; its models are kept if there are any.
    """
    config, parts = config or RouterConfig(), parts or Parts()
    told = {target.name: target for target in config.targets}
    configs = [told.get(target.name) or TargetConfig(target.name, target.provider, target.model) for target in targets]
    models = tuple(model for model in config.models if model.targets) or (
        ModelConfig(DEFAULT_MODEL, tuple(target.name for target in targets), extractive=False),
    )
    config = replace(config, targets=tuple(configs), models=models)
    routes = [
        Route(target, each, Health(config.breaker, parts.pace.clock), each.capabilities, each.provider == EXTRACTIVE)
        for target, each in zip(targets, configs, strict=True)
    ]
    return Router(config, routes, parts)


def build_embedder(
    config: RouterConfig, accounts: Accounts | None = None, observer: Observer | None = None
) -> EmbeddingRouter:
    """Return the embedding model that a configuration's targets serve; nothing is sent yet.

    Raises:
        ConfigurationError: it names none, or a target's provider embeds nothing.
    """
    told = config.embedding
    if told is None:
        raise ConfigurationError("llm: embedding: is missing: name the model, its dimension and its targets")
    targets = {target.name: target for target in config.targets}
    embedding = EmbeddingConfig(
        targets=tuple(EmbeddingTargetConfig(targets[name], told.dimension, told.model) for name in told.targets),
        policy=told.policy,
        weights=told.weights,
        batch_texts=told.batch_texts,
        batch_tokens=told.batch_tokens,
        batches_at_once=told.batches_at_once,
        cache_size=told.cache_size,
        patience=config,
    )
    return build_embedding_router(embedding, accounts=accounts, observer=observer)


def load_openai_embedder(
    *,
    model: str,
    dimension: int,
    base_url: str | None,
    api_key: str,
    accounts: Accounts | None = None,
    observer: Observer | None = None,
) -> EmbeddingRouter:
    """Return an embedding model behind one server that speaks OpenAI's wire; nothing is sent yet."""
    target = TargetConfig("embedding", "openai", model, base_url, api_key)
    config = EmbeddingConfig((EmbeddingTargetConfig(target, dimension),))
    return build_embedding_router(config, accounts=accounts, observer=observer)

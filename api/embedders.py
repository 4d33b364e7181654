"""The embedder that the settings name."""

from contextlib import AsyncExitStack

from api.settings import EmbeddingSettings
from core.errors import ConfigurationError
from knowledge import Chunker, Embedder, load_fastembed, load_local
from llm_router import PostgresAccounts, RouterConfig, Telemetry, build_embedder, load_openai_embedder


def open_embedder(
    settings: EmbeddingSettings,
    config: RouterConfig,
    accounts: PostgresAccounts,
    telemetry: Telemetry,
    stack: AsyncExitStack,
) -> tuple[Embedder, Chunker]:
    """Return what turns text into vectors, and what cuts it, whose tokenizer is always the local model's.

    Raises:
        ConfigurationError: the settings contradict each other, or lack something.
    """
    local = load_local()
    stack.push_async_callback(local.aclose)
    chunker = Chunker(lambda: local.tokenizer)  # loaded by who first needs it
    if config.embedding is not None:
        if settings != EmbeddingSettings():
            raise ConfigurationError(
                "LATTICE_LLM__CONFIG has an [embedding], so none of LATTICE_EMBEDDING__… must be set"
            )
        return build_embedder(config, accounts, telemetry), chunker
    if settings.provider == "local":
        if settings.model != local.model:
            raise ConfigurationError(
                f"LATTICE_EMBEDDING__MODEL: the provider `local` has {local.model} only; for {settings.model} set "
                "LATTICE_EMBEDDING__PROVIDER to fastembed or openai"
            )
        return local, chunker
    if settings.provider == "fastembed":
        return load_fastembed(settings.model), chunker
    if settings.dimension is None:
        raise ConfigurationError("LATTICE_EMBEDDING__DIMENSION: is required for the provider `openai`")
    remote = load_openai_embedder(
        model=settings.model,
        dimension=settings.dimension,
        base_url=settings.base_url,
        api_key=settings.api_key.get_secret_value(),
        accounts=accounts,
        observer=telemetry,
    )
    return remote, chunker

from dataclasses import replace

import pytest

from core.errors import ConfigurationError
from llm_router.config import TargetConfig
from llm_router.embedding import EmbeddingConfig, EmbeddingTargetConfig, build_embedding_router


def target(name: str = "main", model: str = "small", dimension: int = 2, serves: str = "") -> EmbeddingTargetConfig:
    return EmbeddingTargetConfig(TargetConfig(name, "openai", model, "http://127.0.0.1:1/v1"), dimension, serves)


def test_targets_of_one_model_may_have_their_own_names_for_it() -> None:
    config = EmbeddingConfig((target(), target("spare", "vendor/small", serves="small")))
    assert (config.model, config.dimension) == ("small", 2)


@pytest.mark.parametrize(
    ("spare", "told"),
    [
        (target("spare", "large"), "main: small of 2, spare: large of 2"),
        (target("spare", dimension=3), "main: small of 2, spare: small of 3"),
        (target("spare", "small", serves="large"), "spare: large of 2"),
    ],
)
def test_vectors_of_different_models_are_never_mixed(spare: EmbeddingTargetConfig, told: str) -> None:
    with pytest.raises(ConfigurationError, match="must serve the same model and dimension") as caught:
        EmbeddingConfig((target(), spare))
    assert told in str(caught.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    main = target(dimension=0)
    with pytest.raises(ConfigurationError) as caught:
        EmbeddingConfig(
            (main, replace(main, target=replace(main.target, api_key="ä"))),
            weights={"other": 1.0},
            batch_texts=0,
            batch_tokens=0,
            batches_at_once=0,
            cache_size=-1,
        )
    told = str(caught.value)
    for problem in (
        "'main' is named twice",
        "api_key",
        "dimension must be",
        "batch_texts",
        "batch_tokens",
        "batches_at_once",
        "cache_size",
        "'other' is",
    ):
        assert problem in told
    with pytest.raises(ConfigurationError, match="needs a target"):
        EmbeddingConfig(())


def test_a_provider_that_embeds_nothing_is_told() -> None:
    config = EmbeddingConfig((EmbeddingTargetConfig(TargetConfig("main", "anthropic", "small"), 2),))
    with pytest.raises(ConfigurationError, match="'anthropic' embeds nothing; those that do are openai"):
        build_embedding_router(config)

from datetime import timedelta

import pytest
import typer

from api.cli.forget import parse_span
from api.cli.reembed import choose_model
from api.settings import EmbeddingSettings, Settings

REMOTE = Settings(embedding=EmbeddingSettings(provider="openai", model="big", dimension=1536, base_url="http://b/v1"))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("36h", timedelta(hours=36)),
        ("180d", timedelta(days=180)),
        ("26w", timedelta(weeks=26)),
        ("0.5d", timedelta(hours=12)),
    ],
)
def test_a_span_is_read(text: str, span: timedelta) -> None:
    assert parse_span(text, "--for") == span


@pytest.mark.parametrize("text", ["", "180", "d", "-1d", "1e3d", "9999999d", "1y", "١d"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_span(text, "--for")


def test_without_options_the_model_is_that_of_the_settings() -> None:
    assert choose_model(REMOTE, {}) is REMOTE


def test_another_model_of_the_same_provider_keeps_the_rest() -> None:
    chosen = choose_model(REMOTE, {"model": "bigger", "dimension": 3072}).embedding
    assert (chosen.provider, chosen.model, chosen.dimension, chosen.base_url) == (
        "openai",
        "bigger",
        3072,
        "http://b/v1",
    )


def test_another_provider_takes_nothing_over_but_the_key() -> None:
    assert choose_model(REMOTE, {"provider": "local"}).embedding == EmbeddingSettings()
    with pytest.raises(typer.BadParameter, match="required"):
        choose_model(REMOTE, {"provider": "fastembed"})


@pytest.mark.parametrize("given", [{"dimension": 256}, {"base_url": "http://b/v1"}])
def test_what_only_a_remote_model_has_is_refused_for_another(given: dict[str, object]) -> None:
    with pytest.raises(typer.BadParameter, match="is for the provider openai alone, not local"):
        choose_model(REMOTE, {"provider": "local", **given})

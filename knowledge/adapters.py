"""Embedding models by kind; each adapter, and with it its SDK, is imported only where it is used."""

from typing import TYPE_CHECKING

from knowledge.embedding import Embedder

if TYPE_CHECKING:
    from knowledge.minilm import MiniLM


def load_local() -> "MiniLM":
    """Load the model that comes with the project; its tokenizer also measures passages for other models."""
    from knowledge.minilm import MiniLM  # noqa: PLC0415

    return MiniLM()


def load_fastembed(name: str) -> Embedder:
    """Load a model that fastembed knows.

    Raises:
        ConfigurationError: the extra is not installed, or the model cannot be had.
    """
    from knowledge.fastembed_models import FastEmbedModel  # noqa: PLC0415

    return FastEmbedModel(name)

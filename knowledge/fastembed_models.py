"""Other embedding models by name, through the optional extra `fastembed`, which downloads them from a hub once."""

import asyncio
import importlib
from collections.abc import Sequence
from pathlib import Path

from core.errors import ConfigurationError
from knowledge.embedding import FloatArray, unit_rows


class FastEmbedModel:
    """An `Embedder` for any text model that fastembed knows."""

    def __init__(self, name: str, cache: Path | None = None) -> None:
        """Load the model called `name`, out of the folder `cache` if it was downloaded before.

        Raises:
            ConfigurationError: the extra is not installed, or the model is unknown or cannot be had.
        """
        try:
            importlib.import_module("knowledge.onnx")  # before fastembed opens a session
            fastembed = importlib.import_module("fastembed")
        except ImportError as error:
            raise ConfigurationError(
                f"the embedding model {name!r} needs an extra: pip install 'crystal-lattice[fastembed]'"
            ) from error
        try:
            self._sdk = fastembed.TextEmbedding(model_name=name, cache_dir=str(cache) if cache else None)
            self._dimension = int(self._sdk.embedding_size)
        except (ValueError, OSError) as error:  # fastembed raises these for unknown names and failed downloads
            raise ConfigurationError(f"fastembed cannot load the embedding model {name!r}: {error}") from error
        self._name = name

    @property
    def model(self) -> str:
        """The model's name, as fastembed calls it."""
        return self._name

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._dimension

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Embed n texts, one after another: in a batch a quantised model's vector depends on its neighbours.

        Returns:
            Vectors of shape (n, dimension), each of length 1.

        Raises:
            EmbedderUnavailableError: the model gave vectors that cannot be used.
        """
        return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> FloatArray:
        return unit_rows(list(self._sdk.embed(texts, batch_size=1)), len(texts), self._dimension)

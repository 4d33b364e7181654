"""What turns text into vectors, as the rest of the package sees it."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import EmbedderUnavailableError

FloatArray: TypeAlias = NDArray[np.float32]


class Embedder(Protocol):
    """One embedding model. Equal texts get equal vectors, whatever is embedded beside them."""

    @property
    def model(self) -> str:
        """The model's name, as it is recorded with what was embedded."""
        ...

    @property
    def dimension(self) -> int:
        """The length d of a vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Embed n texts.

        Returns:
            Vectors of shape (n, d), each of length 1; (0, d) of no texts.
        """
        ...


def unit_rows(vectors: ArrayLike, count: int, dimension: int) -> FloatArray:
    """Check what a foreign model gave for `count` texts, and scale each vector to length 1.

    Returns:
        Shape (count, dimension).

    Raises:
        EmbedderUnavailableError: another shape, or a vector that is zero or not finite.
    """
    rows = np.asarray(vectors, np.float32)
    if not count and not rows.size:
        return np.empty((0, dimension), np.float32)
    if rows.shape != (count, dimension):
        raise EmbedderUnavailableError(
            f"the embedding model gave an array of shape {rows.shape}, not {(count, dimension)}"
        )
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise EmbedderUnavailableError("the embedding model gave a vector that is zero or not finite")
    return np.asarray(rows / lengths, np.float32)

"""What turns text into vectors, as the rest of the package sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import EmbedderUnavailableError

FloatArray: TypeAlias = NDArray[np.float32]
ByteArray: TypeAlias = NDArray[np.int8]

STATE_SIZE = 128  # of a token state as it is kept


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What one pass over a passage gives.

    Attributes:
        vector: shape (d,), of length 1.
        states: shape (t, STATE_SIZE), the states of the t tokens of the passage's own text, each scaled so that its
            greatest number is 127; its length is lost and not needed, since states are compared by cosine.
    """

    vector: FloatArray
    states: ByteArray


@dataclass(frozen=True, slots=True, eq=False)
class QuestionReading:
    """What one pass over a question gives.

    Attributes:
        vector: shape (d,), of length 1.
        states: shape (t, STATE_SIZE), one a word piece without [CLS] and [SEP], each of length 1.
        offsets: shape (t, 2), where each begins and ends in the question, in characters.
    """

    vector: FloatArray
    states: FloatArray
    offsets: NDArray[np.int64]


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


@runtime_checkable
class TokenEmbedder(Embedder, Protocol):
    """An embedder that also tells the state of each token, for late interaction."""

    async def read(self, texts: Sequence[str], own: Sequence[int]) -> list[Reading]:
        """Read n passages with their contexts; `own` says how many characters of each are the passage's own."""
        ...

    async def read_question(self, question: str) -> QuestionReading:
        """Read one question."""
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

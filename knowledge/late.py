"""Late interaction: each token of a question looks for the token of a passage that is most like it. Pure.

Source:
    Khattab and Zaharia, "ColBERT", 2020, section 3.3: the sum of maximal similarities; here weighted by how rare a
    word is, over projected states of a sentence-embedding model, with the neighbours of a turn (docs/recall.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import STATE_SIZE, ByteArray, FloatArray

MOST = 127  # of an int8
NEIGHBOURS = 4  # three passages before in the thread, nearest first, and the one after
NEIGHBOUR_SHARES = np.array([0.8, 0.7, 0.6, 0.6], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """What makes a token's state small: its principal directions, fitted once for the model and shipped with it.

    Attributes:
        mean: shape (d,), of the states that it was fitted on.
        directions: shape (d, STATE_SIZE), orthonormal columns.
    """

    mean: FloatArray
    directions: FloatArray

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file that `scripts/fit_projection.py` wrote."""
        with np.load(path) as file:
            return cls(file["mean"].astype(np.float32), file["directions"].astype(np.float32))

    def project(self, states: FloatArray) -> FloatArray:
        """Return states of shape (t, d) as (t, STATE_SIZE), each of length 1."""
        small = (states - self.mean) @ self.directions
        return np.asarray(small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-9), np.float32)

    def pack(self, states: FloatArray) -> ByteArray:
        """Return states of shape (t, d) projected to int8, (t, STATE_SIZE), the greatest number of each 127."""
        small = (states - self.mean) @ self.directions
        greatest = np.maximum(np.abs(small).max(axis=1, keepdims=True, initial=0), 1e-9)
        return np.rint(small * (MOST / greatest)).astype(np.int8)


def max_similarities(question: FloatArray, passages: Sequence[bytes | memoryview]) -> FloatArray:
    """Compare each token of a question with every token of n passages.

    Args:
        question: token states, shape (t, STATE_SIZE), each of length 1.
        passages: packed states of each passage, STATE_SIZE bytes a token; b"" if there are none.

    Returns:
        The greatest cosine for each passage and token, shape (n, t); 0 for a passage without tokens.
    """
    found = np.zeros((len(passages), len(question)), np.float32)
    counts = np.array([len(each) // STATE_SIZE for each in passages], np.int64)
    held = np.flatnonzero(counts)
    if not len(held) or not len(question):
        return found
    states = np.frombuffer(b"".join(passages), np.int8).reshape(-1, STATE_SIZE).astype(np.float32)
    cosines = states @ question.T
    cosines /= np.sqrt(np.einsum("ij,ij->i", states, states))[:, None]
    starts = np.concatenate([[0], np.cumsum(counts[held])[:-1]])
    found[held] = np.maximum.reduceat(cosines, starts, axis=0)
    return found


def lend(found: FloatArray, around: NDArray[np.integer]) -> FloatArray:
    """Let the neighbours of a turn answer for it in part.

    Args:
        found: from `max_similarities`, shape (n, t).
        around: rows of the neighbours of the first m passages, shape (m, NEIGHBOURS); -1 for none.

    Returns:
        Shape (m, t).
    """
    padded = np.vstack([found, np.full((1, found.shape[1]), -1, np.float32)])  # -1: no passage is less alike
    own = found[: len(around)]
    shares = padded[around] * NEIGHBOUR_SHARES[None, :, None]
    return np.asarray(np.maximum(own, shares.max(axis=1, initial=-1)), np.float32)

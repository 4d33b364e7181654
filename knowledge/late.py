"""Late interaction: each token of a question looks for the token of a passage that is most like it. Pure.

Source:
    Khattab and Zaharia, "ColBERT", 2020, section 3.3: the sum of maximal similarities; here weighted by how rare a
    word is, over projected states of a sentence-embedding model, with the neighbours of a turn (docs/recall.md).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import STATE_SIZE, ByteArray, FloatArray
from knowledge.lexical import STOP_WORDS, question_terms

MOST = 127  # of an int8
NEIGHBOURS = 4  # three passages before in the thread, nearest first, and the one after
NEIGHBOUR_SHARES = np.array([0.85, 0.75, 0.65, 0.65], np.float32)
ANSWER_SHARE = 1.0  # of the turn before, if that asks a question: what it asks about, its answer is about
STOP_RARITY = 0.25  # of stop words and marks
_WORD = re.compile(r"\w+")


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
        return np.asarray(np.rint(small * (MOST / greatest)), np.int8)


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
    squares = np.einsum("ij,ij->i", states, states)
    cosines /= np.sqrt(np.maximum(squares, 1))[:, None]  # of whole numbers; a state of zeros is like none
    starts = np.concatenate([[0], np.cumsum(counts[held])[:-1]])
    found[held] = np.maximum.reduceat(cosines, starts, axis=0)
    return found


def weigh_tokens(question: str, offsets: NDArray[np.int64], rarity: Callable[[str], float]) -> FloatArray:
    """Return how much each token of a question counts: as much as its word is rare; shape (t,), summing to 1.

    Args:
        question: as it was read.
        offsets: where each token begins and ends in it, shape (t, 2).
        rarity: the idf of a lexical term among the passages that are asked.
    """
    words = [(found.start(), found.end(), _rarity_of(found.group(), rarity)) for found in _WORD.finditer(question)]
    starts = np.array([start for start, _, _ in words] or [0], np.int64)
    at = np.searchsorted(starts, offsets[:, 0], side="right") - 1
    weights = [
        words[i][2] if words and i >= 0 and begin < words[i][1] else STOP_RARITY
        for i, begin in zip(at.tolist(), offsets[:, 0].tolist(), strict=True)
    ]
    total = sum(weights)
    return np.array([weight / total for weight in weights], np.float32)


def _rarity_of(word: str, rarity: Callable[[str], float]) -> float:
    terms = question_terms(word) if word.lower() not in STOP_WORDS else []
    return rarity(terms[0]) if terms else STOP_RARITY


def lend(found: FloatArray, around: NDArray[np.integer[Any]], answers: NDArray[np.bool_]) -> FloatArray:
    """Let the neighbours of a turn answer for it in part.

    Args:
        found: from `max_similarities`, shape (n, t).
        around: rows of the neighbours of the first m passages, shape (m, NEIGHBOURS); -1 for none.
        answers: whether the turn before asks a question, shape (m,).

    Returns:
        Shape (m, t).
    """
    padded = np.vstack([found, np.full((1, found.shape[1]), -np.inf, np.float32)])  # nobody lends nothing
    shares = np.repeat(NEIGHBOUR_SHARES[None, :], len(around), axis=0)
    shares[answers, 0] = ANSWER_SHARE
    lent = (padded[around] * shares[:, :, None]).max(axis=1, initial=-np.inf)
    return np.asarray(np.maximum(found[: len(around)], lent), np.float32)

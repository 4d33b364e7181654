"""Results that differ from each other: maximal marginal relevance. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def select_diverse(relevance: Sequence[float] | Floats, vectors: Floats, k: int, balance: float) -> list[int]:
    """Return the indices of at most k results, best first, each chosen for being relevant and unlike those before it.

    The next one is that with the largest balance · relevance − (1 − balance) · greatest cosine to a chosen one. The
    relevance is first divided by the largest, so that a balance means the same for every question. Takes O(k·n·d).

    Args:
        relevance: of each result, of shape (n,); any scale.
        vectors: their embeddings, of shape (n, d) and any length.
        k: how many to choose.
        balance: 1 orders by relevance alone, 0 by unlikeness alone after the most relevant.

    Source:
        Carbonell and Goldstein, "The use of MMR, diversity-based reranking", SIGIR 1998.
    """
    worth = np.asarray(relevance, np.float64)
    if not worth.size or k < 1:
        return []
    worth = worth / (np.abs(worth).max() or 1.0)
    unit = np.asarray(vectors, np.float32)
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    closest = np.full(len(worth), -np.inf)
    chosen = [int(worth.argmax())]
    left = np.ones(len(worth), np.bool_)
    while len(chosen) < min(k, len(worth)):
        left[chosen[-1]] = False
        np.maximum(closest, unit @ unit[chosen[-1]], out=closest)
        gain = balance * worth - (1 - balance) * closest
        chosen.append(int(np.where(left, gain, -np.inf).argmax()))
    return chosen

"""From channels to one score that can be taken apart again. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gems import QuantumState, field

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much each channel and the state count; docs/recall.md says how they were measured.

    Attributes:
        kappa: how far coherence moves a score, up and down.
        lambda_: how far the interference with the other candidates moves it.
    """

    dense: float = 0.50
    lexical: float = 0.40
    speaker: float = 0.10
    kappa: float = 0.10
    lambda_: float = 0.05


@dataclass(frozen=True, slots=True)
class Fused:
    """Scores of n candidates and their parts, each of shape (n,); the five parts sum to the score."""

    score: FloatArray
    dense: FloatArray
    lexical: FloatArray
    speaker: FloatArray
    coherence: FloatArray
    interference: FloatArray
    field: FloatArray


def fuse(
    cosine: FloatArray,
    bm25: FloatArray,
    speaks: FloatArray,
    state: QuantumState[FloatArray],
    weights: FusionWeights,
) -> Fused:
    """Fuse the channels linearly and let the state modulate the result, never rule it.

    r = (w_d·n(cosine) + w_b·bm25/max + w_s·speaks) / max, score = r·(1 + κ(2c − 1) + λf), f from `gems.field`.

    Args:
        cosine: similarity of question and candidate, shape (n,).
        bm25: lexical score, 0 where no term is shared, shape (n,).
        speaks: 1 where the question names the candidate's speaker, shape (n,).
        state: the candidates' states now, each of shape (n,).
        weights: of the channels and of the state.
    """
    parts = np.stack([weights.dense * _stretch(cosine), weights.lexical * _share(bm25), weights.speaker * speaks])
    best = parts.sum(0).max(initial=0.0)
    if best > 0:
        parts /= best
    relevance = parts.sum(0)
    swing = field(state)
    coherence = relevance * weights.kappa * (2 * state.coherence - 1)
    interference = relevance * weights.lambda_ * swing
    return Fused(
        score=relevance + coherence + interference,
        dense=parts[0],
        lexical=parts[1],
        speaker=parts[2],
        coherence=coherence,
        interference=interference,
        field=swing,
    )


def split_names(question: str, speakers: Iterable[str]) -> tuple[str, frozenset[str]]:
    """Return the question without the names of speakers, and the names it had.

    A question of nothing but names, or with none, comes back as it is.
    """
    known = {name for name in speakers if name.strip() and name in question}  # few: a pattern of thousands is slow
    if not known:
        return question, frozenset()
    longest_first = sorted(known, key=lambda name: (-len(name), name))
    pattern = re.compile(rf"(?<!\w)({'|'.join(re.escape(name) for name in longest_first)})(['’]s)?(?!\w)")
    named = frozenset(found.group(1) for found in pattern.finditer(question))
    nameless = " ".join(pattern.sub(" ", question).split())
    if not named or not re.search(r"\w", nameless):
        return question, named
    return nameless, named


def _stretch(values: FloatArray) -> FloatArray:
    """Map values to [0, 1] by their least and greatest; equal values are all 1."""
    if len(values) == 0:
        return values
    low, high = values.min(), values.max()
    return np.ones_like(values) if high <= low else (values - low) / (high - low)


def _share(values: FloatArray) -> FloatArray:
    high = values.max(initial=0.0)
    return values / high if high > 0 else values

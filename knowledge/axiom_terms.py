"""What the axiom is fed with, for the evidence of one reflection. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from axiom import Terms, signals_from_text, subjectivity_from_signals
from gems import Gem, QuantumState, interference_matrix
from knowledge.context import own_text
from knowledge.lexical import count_terms, question_terms
from knowledge.recalled import RecalledPassage

FloatArray: TypeAlias = NDArray[np.float64]


def feed_axiom(question: str, evidence: Sequence[RecalledPassage], gem: Gem) -> Terms[float]:
    """Return the eight terms of the axiom; passages count by their recall score.

    A is the mean resonance of question and evidence, B the share of the question's terms that the evidence covers,
    C the mean coherence, X one minus the mean subjectivity, Y half of one plus the mean interference of two passages,
    Z one minus the mean uncertainty, E the gem's energy, F its feedback. Without evidence A, B, C, X, Y and Z are 0.

    Source:
        docs/architecture.md, "The axiom".
    """
    if not evidence:
        return Terms(A=0.0, B=0.0, C=0.0, X=0.0, Y=0.0, Z=0.0, E=gem.state.energy, F=gem.feedback)
    scores = np.maximum([passage.score.score for passage in evidence], 1e-9)
    weights = scores / scores.sum()
    state = QuantumState(
        *(np.array([getattr(p.state, name) for p in evidence]) for name in QuantumState.__dataclass_fields__)
    )
    resonance = np.maximum(0.0, [passage.score.cosine for passage in evidence])
    return Terms(
        A=float(weights @ resonance),
        B=_coverage(question, evidence),
        C=float(weights @ state.coherence),
        X=1.0 - float(weights @ measure_subjectivity(p.text for p in evidence)),
        Y=(1.0 + _mean_interference(state, weights)) / 2.0,
        Z=1.0 - float(weights @ state.uncertainty),
        E=gem.state.energy,
        F=gem.feedback,
    )


def measure_subjectivity(texts: Iterable[str]) -> FloatArray:
    """Return the subjectivity of each of n texts, shape (n,)."""
    return np.array([subjectivity_from_signals(*astuple(signals_from_text(text))).value for text in texts])


def mean_agreement(wave: NDArray[np.complex128], squares: FloatArray, count: int) -> FloatArray:
    """Return half of one plus the mean interference of two different ones of n states, in O(1) from their sums.

    Σ over pairs of cos(φx − φy)·cx·cy is |Σz|² − Σc² with z = c·e^{iφ}. A single state meets only itself.

    Args:
        wave: Σz, shape (...).
        squares: Σc², of the same shape.
        count: n, at least 1.

    Returns:
        Of the same shape, in [0, 1].
    """
    mean = squares if count == 1 else (np.abs(wave) ** 2 - squares) / (count * (count - 1))
    return (1.0 + np.clip(mean, -1.0, 1.0)) / 2.0


def _coverage(question: str, evidence: Sequence[RecalledPassage]) -> float:
    asked = set(question_terms(question))
    if not asked:
        return 1.0  # nothing but stop words: there is nothing left to cover
    told = set[str]()
    for passage in evidence:
        told |= count_terms(
            own_text(passage.text, passage.title, passage.heading, passage.speaker), passage.title
        ).keys()
    return len(asked & told) / len(asked)


def _mean_interference(state: QuantumState[np.ndarray], weights: np.ndarray) -> float:
    """Return the weighted mean over pairs of different passages; a single passage meets only itself."""
    overlaps = interference_matrix(state)
    if len(weights) == 1:
        return float(overlaps[0, 0])
    pairs = np.outer(weights, weights)
    np.fill_diagonal(pairs, 0.0)
    return float((pairs * overlaps).sum() / pairs.sum())

"""From candidates to a ranking in which every score can be taken apart. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gems import Moment, QuantumState, evolve
from knowledge.fusion import Fused, FusionWeights, fuse
from knowledge.lexical import Scores


@dataclass(frozen=True, slots=True)
class PassageScore:
    """A score and its parts: dense, lexical, speaker, coherence and interference sum to it.

    Attributes:
        cosine: similarity of question and passage as embedded.
        bm25: the lexical score as computed.
        field: interference with the other candidates, in [−1, 1].
    """

    score: float
    dense: float
    lexical: float
    speaker: float
    coherence: float
    interference: float
    cosine: float
    bm25: float
    field: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score, before its text is fetched."""

    row: Mapping[str, Any]
    score: PassageScore
    state: QuantumState[float]


def rank(
    rows: Sequence[Mapping[str, Any]],
    scores: Scores,
    named: frozenset[str],
    at: Moment,
    weights: FusionWeights,
    *,
    k: int,
) -> list[Ranked]:
    """Score candidates in every channel and return the k best, best first, ties by id. Pure.

    Args:
        rows: from the query `hydrate_candidates`.
        scores: lexical, of every slot.
        named: the speakers that the question names.
        at: the moment to which states are evolved.
        weights: of channels and state.
        k: how many to return at the most.
    """
    if not rows:
        return []
    state = _states(rows, at)
    bm25 = np.array([scores.at(row["gem_id"], row["slot"]) for row in rows], np.float64)
    cosine = np.array([row["cosine"] for row in rows], np.float64)
    speaks = np.array([row["speaker"] in named for row in rows], np.float64)
    fused = fuse(cosine, bm25, speaks, state, weights)
    worth = fused.score.tolist()
    order = sorted(range(len(rows)), key=lambda i: (-worth[i], rows[i]["passage_id"].int))[:k]
    return [Ranked(rows[i], _score(fused, i, cosine, bm25), _at(state, i)) for i in order]


def _states(rows: Sequence[Mapping[str, Any]], at: Moment) -> QuantumState[NDArray[np.float64]]:
    columns = np.array(
        [(r["energy"], r["phase"], r["coherence"], r["uncertainty"], r["measured_at"]) for r in rows], np.float64
    ).T
    elapsed = np.maximum(0.0, at.now.astimezone(UTC).timestamp() - columns[4]) / at.tau_s
    return evolve(QuantumState(*columns[:4]), elapsed)


def _at(state: QuantumState[NDArray[np.float64]], i: int) -> QuantumState[float]:
    parts = (state.energy[i], state.phase[i], state.coherence[i], state.uncertainty[i])
    return QuantumState(*(float(part) for part in parts))


def _score(fused: Fused, i: int, cosine: NDArray[np.float64], bm25: NDArray[np.float64]) -> PassageScore:
    return PassageScore(
        score=float(fused.score[i]),
        dense=float(fused.dense[i]),
        lexical=float(fused.lexical[i]),
        speaker=float(fused.speaker[i]),
        coherence=float(fused.coherence[i]),
        interference=float(fused.interference[i]),
        cosine=float(cosine[i]),
        bm25=float(bm25[i]),
        field=float(fused.field[i]),
    )

"""From what was found to a ranking in which every score can be taken apart. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gems import Moment, QuantumState, evolve, field
from knowledge.calibration import probability
from knowledge.fusion import Channels, FloatArray, FusionWeights, Parts, order_by_novelty

LEAST_DEPTH = 20  # places that are filled by novelty


@dataclass(frozen=True, slots=True)
class PassageScore:
    """A score and its parts: late to novelty, and reach, sum to it.

    Attributes:
        cosine: similarity of question and passage as embedded.
        bm25: the lexical score as computed.
        coverage: the lexical score over the greatest that any passage could have.
        max_sim: mean likeness of the question's tokens to the passage's, by rarity; None if its states are not known.
        field: interference with the other candidates, in [−1, 1].
        reach: what was taken because its gem was reached and not asked; 0 in a gem that was asked.
    """

    score: float
    late: float
    dense: float
    lexical: float
    speaker: float
    title: float
    link: float
    coherence: float
    interference: float
    novelty: float
    cosine: float
    bm25: float
    coverage: float
    max_sim: float | None
    field: float
    reach: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What the channels found for a question, whatever the time: n passages, the candidates first, then linked ones.

    Attributes:
        passage_ids: of each passage.
        channels: what each channel says of each.
        parts: shares of each score by channel.
        link: what links add, shape (n,).
        rarity: the sum of the idf of the question's terms, the greatest possible lexical score.
    """

    passage_ids: tuple[UUID, ...]
    channels: Channels
    parts: Parts
    link: FloatArray
    rarity: float

    @property
    def relevance(self) -> FloatArray:
        """What channels and links make together, shape (n,)."""
        return self.parts.relevance + self.link

    @property
    def coverage(self) -> FloatArray:
        """The lexical scores over the greatest possible one, shape (n,)."""
        return self.channels.bm25 / self.rarity if self.rarity > 0 else np.zeros_like(self.channels.bm25)

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return 600 * len(self.passage_ids) + self.channels.found.nbytes

    def subset(self, places: Sequence[int]) -> "Findings":
        """Return some of the passages, for ranking them."""
        at = np.array(places, np.int64)
        channels = Channels(**_taken(self.channels, at), rarity=self.channels.rarity)
        parts = Parts(**_taken(self.parts, at))
        ids = tuple(self.passage_ids[i] for i in places)
        return replace(self, passage_ids=ids, channels=channels, parts=parts, link=self.link[at])


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its score, before its text is fetched."""

    passage_id: UUID
    score: PassageScore
    state: QuantumState[float]
    probability: float


def rank(
    findings: Findings,
    states: Mapping[UUID, Mapping[str, Any]],
    at: Moment,
    weights: FusionWeights,
    *,
    k: int,
    least: float = 0.0,
    worth: Mapping[UUID, float] = MappingProxyType({}),
) -> list[Ranked]:
    """Let the states modulate what was found, and return the k best, best first, ties by id. Pure.

    score = w·(r·(1 + κ(2c − 1) + λf) + novelty), f from `gems.field`, w how much the passage's gem is worth.

    Args:
        findings: whatever the time.
        states: rows of gem_id, energy, phase, coherence, uncertainty and measured_at by passage; what is missing is
            gone.
        at: the moment to which states are evolved.
        weights: of state and novelty.
        k: how many to return at the most.
        least: probability of what is returned; it moves no score.
        worth: of gems that were reached, in (0, 1]; 1 for all others.
    """
    present = sorted(
        (i for i, each in enumerate(findings.passage_ids) if each in states), key=lambda i: findings.passage_ids[i].int
    )
    if not present:
        return []
    held = findings.subset(present)
    state = _states([states[each] for each in held.passage_ids], at)
    relevance, swing = held.relevance, field(state)
    coherence = relevance * weights.kappa * (2 * state.coherence - 1)
    interference = relevance * weights.lambda_ * swing
    modulated = relevance + coherence + interference
    counts = _counts(worth, [states[each] for each in held.passage_ids])
    scores, depth = counts * modulated, max(k, LEAST_DEPTH)
    order, weighed = order_by_novelty(scores, held.channels, weights.novelty, depth, counts)
    scores, novelty = scores + weighed, weighed / counts
    reach = scores - (modulated + novelty) if worth else np.zeros_like(scores)
    probabilities = probability(held.channels, held.coverage, held.link)
    extra = {
        "coherence": coherence,
        "interference": interference,
        "novelty": novelty,
        "reach": reach,
        "field": swing,
    }
    return [
        Ranked(
            held.passage_ids[i],
            _score(held, i, float(scores[i]), extra),
            _at(state, i),
            float(probabilities[i]),
        )
        for i in [i for i in order if probabilities[i] >= least][:k]
    ]


def _counts(worth: Mapping[UUID, float], rows: Sequence[Mapping[str, Any]]) -> FloatArray:
    return np.array([worth.get(row["gem_id"], 1.0) for row in rows]) if worth else np.ones(len(rows))


def _taken(values: Channels | Parts, places: NDArray[np.int64]) -> dict[str, Any]:
    return {name: getattr(values, name)[places] for name in values.__dataclass_fields__ if name != "rarity"}


def _states(rows: Sequence[Mapping[str, Any]], at: Moment) -> QuantumState[FloatArray]:
    columns = np.array(
        [(r["energy"], r["phase"], r["coherence"], r["uncertainty"], r["measured_at"]) for r in rows], np.float64
    ).T
    elapsed = np.maximum(0.0, at.now.astimezone(UTC).timestamp() - columns[4]) / at.tau_s
    return evolve(QuantumState(*columns[:4]), elapsed)


def _at(state: QuantumState[FloatArray], i: int) -> QuantumState[float]:
    parts = (state.energy[i], state.phase[i], state.coherence[i], state.uncertainty[i])
    return QuantumState(*(float(part) for part in parts))


def _score(held: Findings, i: int, score: float, extra: Mapping[str, FloatArray]) -> PassageScore:
    channels, parts = held.channels, held.parts
    return PassageScore(
        score=score,
        **{name: float(getattr(parts, name)[i]) for name in Parts.__dataclass_fields__},
        link=float(held.link[i]),
        **{name: float(values[i]) for name, values in extra.items()},
        cosine=float(channels.cosine[i]),
        bm25=float(channels.bm25[i]),
        coverage=float(held.coverage[i]),
        max_sim=float(channels.found[i] @ channels.rarity) if channels.told[i] else None,
    )

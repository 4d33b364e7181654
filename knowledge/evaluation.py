"""How well recall finds the evidence of questions: the usual figures of retrieval. Pure.

A question's ranking is its distinct documents in the order of their best passage; k counts these documents.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

NDCG_DEPTH = 10
RESAMPLES = 2_000  # of a bootstrap: the ends of the interval are then steady to about a tenth of its width


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question that recall has answered.

    Attributes:
        ranking: ids of distinct documents, best first.
        evidence: ids of the documents that answer it; at least one.
        group: figures are also given for each group; None belongs to none.
        seconds: that recall took.
    """

    ranking: tuple[str, ...]
    evidence: frozenset[str]
    group: str | None
    seconds: float


def rank_documents(documents: Iterable[str]) -> tuple[str, ...]:
    """Return each document once, where its best passage stands."""
    return tuple(dict.fromkeys(documents))


def recall_at(k: int, ranking: Sequence[str], evidence: frozenset[str]) -> float:
    """Return the share of the evidence that is among the first k documents."""
    return len(evidence.intersection(ranking[:k])) / len(evidence)


def hit_at(k: int, ranking: Sequence[str], evidence: frozenset[str]) -> float:
    """Return 1 if any evidence is among the first k documents, else 0."""
    return float(not evidence.isdisjoint(ranking[:k]))


def reciprocal_rank(ranking: Sequence[str], evidence: frozenset[str]) -> float:
    """Return 1 / the rank of the first evidence, counted from 1; 0 if there is none."""
    return next((1.0 / rank for rank, document in enumerate(ranking, start=1) if document in evidence), 0.0)


def ndcg_at(k: int, ranking: Sequence[str], evidence: frozenset[str]) -> float:
    """Return the discounted gain of the first k documents over the best that is possible, in [0, 1].

    A document gains 1 if it is evidence, else 0; rank r is discounted by log2(r + 1).

    Source:
        Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002.
    """
    gain = sum(1.0 / math.log2(rank + 1) for rank, document in enumerate(ranking[:k], start=1) if document in evidence)
    best = sum(1.0 / math.log2(rank + 1) for rank in range(1, min(k, len(evidence)) + 1))
    return gain / best


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a mean lies with 95% confidence."""

    low: float
    high: float


def bootstrap_interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Return the bootstrap interval of the mean of at least one value; the same seed gives the same interval.

    For differences of two systems on the same questions this is the paired bootstrap.

    Source:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.
    """
    drawn = np.random.default_rng(seed)
    each = np.asarray(values, np.float64)
    means = [float(drawn.choice(each, len(each)).mean()) for _ in range(RESAMPLES)]
    low, high = np.percentile(means, (2.5, 97.5)).tolist()
    return Interval(low, high)


def measure_question(each: AskedQuestion, ks: Sequence[int]) -> dict[str, float]:
    """Return one question's figures: recall@k and hit@k for each k, mrr, ndcg@10."""
    return {
        **{f"recall@{k}": recall_at(k, each.ranking, each.evidence) for k in ks},
        **{f"hit@{k}": hit_at(k, each.ranking, each.evidence) for k in ks},
        "mrr": reciprocal_rank(each.ranking, each.evidence),
        f"ndcg@{NDCG_DEPTH}": ndcg_at(NDCG_DEPTH, each.ranking, each.evidence),
    }


def summarise_recall(asked: Sequence[AskedQuestion], ks: Sequence[int]) -> dict[str, float]:
    """Return the means over questions: recall@k and hit@k for each k, mrr, ndcg@10, questions, seconds_per_question.

    The reciprocal rank looks as deep as the rankings go. All figures of no questions are 0.
    """
    measured = [measure_question(each, ks) for each in asked] or [measure_question(_NOTHING, ks)]
    return {
        **{name: fmean(figures[name] for figures in measured) for name in measured[0]},
        "questions": len(asked),
        "seconds_per_question": fmean(each.seconds for each in asked) if asked else 0.0,
    }


def summarise_recall_by_group(asked: Sequence[AskedQuestion], ks: Sequence[int]) -> Mapping[str, dict[str, float]]:
    """Return the same for each group, by its name in alphabetical order."""
    return {name: summarise_recall(members, ks) for name, members in split_by_group(asked).items()}


def split_by_group(asked: Sequence[AskedQuestion]) -> Mapping[str, list[AskedQuestion]]:
    """Return the questions of each group, by its name in alphabetical order."""
    names = sorted({each.group for each in asked if each.group is not None})
    return {name: [each for each in asked if each.group == name] for name in names}


def bound_recall(asked: Sequence[AskedQuestion], ks: Sequence[int]) -> dict[str, Interval]:
    """Return the interval of each mean of `measure_question`; of no questions none."""
    measured = [measure_question(each, ks) for each in asked]
    names = measured[0] if measured else {}
    return {name: bootstrap_interval([figures[name] for figures in measured]) for name in names}


@dataclass(frozen=True, slots=True)
class Change:
    """How far a mean moved, and where that lies with 95% confidence."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ablation:
    """The figures without a channel, and by how much each has changed."""

    figures: Mapping[str, float]
    change: Mapping[str, Change]


def compare_recall(asked: Sequence[AskedQuestion], without: Sequence[AskedQuestion], ks: Sequence[int]) -> Ablation:
    """Compare two systems on the same questions, in the same order; at least one."""
    changes: dict[str, Change] = {}
    pairs = [(measure_question(a, ks), measure_question(b, ks)) for a, b in zip(asked, without, strict=True)]
    for name in pairs[0][0]:
        differences = [after[name] - before[name] for before, after in pairs]
        bounds = bootstrap_interval(differences)
        changes[name] = Change(fmean(differences), bounds.low, bounds.high)
    return Ablation(summarise_recall(without, ks), changes)


_NOTHING = AskedQuestion((), frozenset([""]), None, 0.0)

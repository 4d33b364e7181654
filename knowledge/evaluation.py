"""How well recall finds the evidence of questions: the usual figures of retrieval. Pure.

A question's ranking is its distinct documents in the order of their best passage; k counts these documents.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

NDCG_DEPTH = 10


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


def summarise_recall(asked: Sequence[AskedQuestion], ks: Sequence[int]) -> dict[str, float]:
    """Return the means over questions: recall@k and hit@k for each k, mrr, ndcg@10, questions, seconds_per_question.

    The reciprocal rank looks as deep as the rankings go. All figures of no questions are 0.
    """

    def mean(values: Iterable[float]) -> float:
        return fmean(values) if asked else 0.0

    recalls = {f"recall@{k}": mean(recall_at(k, each.ranking, each.evidence) for each in asked) for k in ks}
    hits = {f"hit@{k}": mean(hit_at(k, each.ranking, each.evidence) for each in asked) for k in ks}
    return {
        **recalls,
        **hits,
        "mrr": mean(reciprocal_rank(each.ranking, each.evidence) for each in asked),
        f"ndcg@{NDCG_DEPTH}": mean(ndcg_at(NDCG_DEPTH, each.ranking, each.evidence) for each in asked),
        "questions": len(asked),
        "seconds_per_question": mean(each.seconds for each in asked),
    }


def summarise_recall_by_group(asked: Sequence[AskedQuestion], ks: Sequence[int]) -> Mapping[str, dict[str, float]]:
    """Return the same for each group, by its name in alphabetical order."""
    names = sorted({each.group for each in asked if each.group is not None})
    return {name: summarise_recall([each for each in asked if each.group == name], ks) for name in names}

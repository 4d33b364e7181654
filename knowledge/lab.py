"""One question taken apart: what each channel ranks where, and how fusion, links, states and novelty move it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import dict_row

from core.pg import Connection
from gems import Moment
from knowledge.fusion import FusionWeights
from knowledge.query import RecallQuery
from knowledge.ranking import Findings, PassageScore, Ranked, rank
from knowledge.recall import Recall
from knowledge.recalled import RecalledPassage, to_passage
from knowledge.search import SQL

SHOWN = 20  # places of each list


@dataclass(frozen=True, slots=True)
class Place:
    """A passage's place in a list, from 1, and what it is ordered by there."""

    passage_id: UUID
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class RankedList:
    """What one channel or step makes of the candidates.

    Attributes:
        name: a key of ORDERS, `stateless` (the final order if states did not count) or `final`.
        size: how many passages it ranks in all.
        places: the first of them, best first.
    """

    name: str
    size: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class LabPassage:
    """A passage that stands among the first of some list, and its rank in each list that has it."""

    passage: RecalledPassage
    ranks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Unfolded:
    """A question taken apart.

    Attributes:
        lists: in the order in which a ranking is made; none if the gems are empty.
        passages: in the final order; those that say the same are not folded.
        candidates: how many the dense and the lexical channel found together.
        linked: how many more were reached by links.
    """

    lists: tuple[RankedList, ...] = ()
    passages: tuple[LabPassage, ...] = ()
    candidates: int = 0
    linked: int = 0


def _relevance(score: PassageScore) -> float:
    return score.late + score.dense + score.lexical + score.speaker + score.title


ORDERS: Mapping[str, Callable[[PassageScore], float | None]] = {
    "late": lambda score: score.max_sim,
    "dense": lambda score: score.cosine,
    "lexical": lambda score: score.bm25 or None,
    "speaker": lambda score: score.speaker or None,
    "title": lambda score: score.title or None,
    "link": lambda score: score.link or None,
    "fused": _relevance,
    "linked": lambda score: _relevance(score) + score.link,
    "modulated": lambda score: score.score - score.novelty,
}
"""What each list before the last two is ordered by; a passage for which it is None is not in it."""


async def unfold(recall: Recall, tenant: UUID, query: RecallQuery, at: Moment, shown: int = SHOWN) -> Unfolded:
    """Return every list of a question with its first places. Nothing is changed.

    Args:
        recall: what finds.
        tenant: who asks.
        query: the question; what cuts and shapes its answer (k, folding, reranking and the like) does not matter.
        at: when.
        shown: how many places of each list are returned.

    Raises:
        GemNotFoundError: a gem is not in the lattice.
        EmbeddingMismatchError: the lattice was written with another model.
        EmbedderUnavailableError, StoreUnavailableError: the same question may succeed later.
    """
    if query.dates:
        query, _ = await recall.dated(tenant, query, at)
    gathered = await recall.gather(tenant, query, at)
    if gathered is None:
        return Unfolded()
    findings = gathered.findings

    async def read(conn: Connection) -> Unfolded:
        states = await _by_passage(conn, "get_states", findings.passage_ids)
        ranked, lists = arrange(findings, states, at, recall.weights)
        cut = tuple(replace(each, places=each.places[:shown]) for each in lists)
        first = {place.passage_id for each in cut for place in each.places}
        texts = await _by_passage(conn, "get_passages", list(first))
        ranks = {each.name: {place.passage_id: place.rank for place in each.places} for each in lists}
        passages = tuple(
            LabPassage(
                to_passage(each, texts[each.passage_id]),
                {name: of[each.passage_id] for name, of in ranks.items() if each.passage_id in of},
            )
            for each in ranked
            if each.passage_id in texts
        )
        return Unfolded(cut, passages, gathered.candidates, len(findings.passage_ids) - gathered.candidates)

    return await recall.database.retrying(tenant, read, read_only=True)


def arrange(
    findings: Findings, states: Mapping[UUID, Mapping[str, Any]], at: Moment, weights: FusionWeights
) -> tuple[list[Ranked], tuple[RankedList, ...]]:
    """Return all that was found in its final order, and each list whole. Pure.

    Args:
        findings: of one question.
        states: rows of energy, phase, coherence, uncertainty and measured_at by passage; what is missing is gone.
        at: the moment to which states are evolved.
        weights: that the findings were fused with.
    """
    everything = len(findings.passage_ids)
    ranked = rank(findings, states, at, weights, k=everything)
    stateless = rank(findings, states, at, replace(weights, kappa=0.0, lambda_=0.0), k=everything)
    lists = [_order(name, ranked, by) for name, by in ORDERS.items()]
    for name, order in (("stateless", stateless), ("final", ranked)):
        lists.append(_list(name, [(each.passage_id, each.score.score) for each in order]))
    return ranked, tuple(lists)


def _order(name: str, ranked: Sequence[Ranked], by: Callable[[PassageScore], float | None]) -> RankedList:
    held = [(each.passage_id, value) for each in ranked if (value := by(each.score)) is not None]
    held.sort(key=lambda pair: (-pair[1], pair[0].int))
    return _list(name, held)


def _list(name: str, ordered: Sequence[tuple[UUID, float]]) -> RankedList:
    places = tuple(Place(passage_id, i, score) for i, (passage_id, score) in enumerate(ordered, 1))
    return RankedList(name, len(places), places)


async def _by_passage(
    conn: Connection, query: LiteralString, passage_ids: Sequence[UUID]
) -> dict[UUID, dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(SQL[query], {"passage_ids": list(passage_ids)})
        return {row["passage_id"]: row for row in await cursor.fetchall()}

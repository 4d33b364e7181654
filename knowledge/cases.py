"""Labelled questions with what the channels say of their candidates, as tuning and calibration need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import dict_row

from core.pg import Connection
from core.sql import load_queries
from gems import Moment
from knowledge.fusion import Channels, FloatArray
from knowledge.hop import SEEDS, Bridge
from knowledge.query import RecallQuery
from knowledge.recall import Recall
from knowledge.search import Gathered

_SQL = load_queries("knowledge.sql", "evaluation.sql")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A labelled question with what the channels say of n passages: the candidates first, then what they link to.

    Attributes:
        channels: of the n passages.
        coverage: the lexical score over the greatest that any passage could have, shape (n,).
        link: what the links add with the weights that it was gathered with, shape (n,).
        candidates: how many of them are candidates; the rest can only be reached by a link.
        threaded: whether each candidate is a turn of a thread.
        bridges: links among the n passages, of every one that might become a seed.
        documents: a number for the document of each passage, shape (n,).
        names: the callers' names of these documents, by number.
        relevant: whether that document answers the question, shape (n,).
        evidence: how many documents answer it, found or not.
    """

    channels: Channels
    coverage: FloatArray
    link: FloatArray
    candidates: int
    threaded: tuple[bool, ...]
    bridges: tuple[Bridge, ...]
    documents: NDArray[np.int64]
    names: tuple[str | None, ...]
    relevant: NDArray[np.bool_]
    evidence: int


async def gather_case(
    recall: Recall, tenant: UUID, query: RecallQuery, at: Moment, evidence: frozenset[str], *, seeds: int = SEEDS
) -> Case | None:
    """Ask the channels a labelled question; None if the gems are empty.

    Args:
        recall: whose weights choose the seeds.
        tenant: who asks.
        query: the question; k does not matter.
        at: when.
        evidence: ids of the documents that answer it.
        seeds: of how many of the best the links are followed; with more, other weights can be tried.
    """
    gathered = await recall.gather(tenant, query, at, seeds)
    if gathered is None:
        return None

    async def list_documents(conn: Connection) -> dict[UUID, str | None]:
        async with conn.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SQL["list_documents"], {"passage_ids": list(gathered.findings.passage_ids)})
            return {row["passage_id"]: row["external_id"] for row in await cursor.fetchall()}

    names = await recall.database.retrying(tenant, list_documents, read_only=True)
    return judge(gathered, [names.get(each) for each in gathered.findings.passage_ids], evidence)


def judge(gathered: Gathered, documents: Sequence[str | None], evidence: frozenset[str]) -> Case:
    """Say of each passage whether its document is evidence; `documents` are the callers' names. Pure."""
    findings = gathered.findings
    numbers = {name: i for i, name in enumerate(dict.fromkeys(documents))}
    greatest = findings.rarity
    return Case(
        channels=findings.channels,
        coverage=findings.channels.bm25 / greatest if greatest > 0 else np.zeros(len(documents)),
        link=findings.link,
        candidates=gathered.candidates,
        threaded=gathered.threaded,
        bridges=gathered.bridges,
        documents=np.array([numbers[name] for name in documents], np.int64),
        names=tuple(numbers),
        relevant=np.array([name in evidence for name in documents], np.bool_),
        evidence=len(evidence),
    )

"""Recall: a question in, ranked passages out, each score taken apart. No LLM."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from core.pg import Database
from core.sql import load_queries
from gems import Gem, Moment, QuantumState, get_gems, list_active
from knowledge.embedding import Embedder
from knowledge.fusion import FusionWeights, split_names
from knowledge.lexical import Lists, Scores, fetch_lists, question_terms, score
from knowledge.query import Filters, RecallQuery
from knowledge.ranking import PassageScore, Ranked, rank
from knowledge.store import Connection, Vectors, check_model

_SQL = load_queries("knowledge.sql", "recall.sql")

CANDIDATES = 100  # of each channel; docs/recall.md, "Candidates"
EXACT_BELOW = 4_000  # passages: comparing them all is then as quick as the index, and misses nothing

Candidate = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class RecalledPassage:
    """A passage that answers, with where it stands in its document and the state it is in."""

    passage_id: UUID
    document_id: UUID
    external_id: str | None
    gem_id: UUID
    text: str
    title: str | None
    heading: str | None
    source: str | None
    thread: str | None
    speaker: str | None
    occurred_at: datetime | None
    metadata: Mapping[str, Any]
    ordinal: int
    start: int
    end: int
    tokens: int
    score: PassageScore
    state: QuantumState[float]


@dataclass(frozen=True, slots=True)
class Recall:
    """Finds the passages that matter to a question."""

    database: Database
    embedder: Embedder
    weights: FusionWeights = field(default_factory=FusionWeights)

    async def recall(self, tenant: UUID, query: RecallQuery, at: Moment) -> list[RecalledPassage]:
        """Return the passages that matter most, best first; fewer than k if the gems hold fewer.

        Raises:
            GemNotFoundError: a gem is not in the lattice.
            EmbeddingMismatchError: the lattice was written with another model.
            EmbedderUnavailableError, StoreUnavailableError: the same question may succeed later.
        """

        async def find_gems(conn: Connection) -> list[Gem]:
            await check_model(conn, self.embedder.model, self.embedder.dimension, record=False)
            gem_ids = query.gem_ids or tuple(await list_active(conn))
            return [gem for gem in await get_gems(conn, gem_ids, at) if gem.slots]

        gems = await self.database.retrying(tenant, find_gems, read_only=True)
        if not gems:
            return []
        nameless, named = split_names(query.question, (name for gem in gems for name in gem.speakers))
        (vector, dense), (scores, lexical) = await asyncio.gather(
            self._dense(tenant, query, gems, nameless), self._lexical(tenant, query, gems)
        )
        candidates = list(dict.fromkeys([*dense, *lexical]))

        async def show_best(conn: Connection) -> list[RecalledPassage]:
            rows = await self._hydrate(conn, candidates, vector)
            return await _complete(conn, rank(rows, scores, named, at, self.weights, k=query.k))

        return _within(await self.database.retrying(tenant, show_best, read_only=True), query.max_tokens)

    async def _dense(
        self, tenant: UUID, query: RecallQuery, gems: Sequence[Gem], question: str
    ) -> tuple[Vectors, list[Candidate]]:
        vector: Vectors = (await self.embedder.embed([question]))[0]
        held = sum(gem.slots for gem in gems)
        values = {"gem_ids": [gem.gem_id for gem in gems], "question": HalfVector(vector), "k": CANDIDATES}
        values |= _filter_values(query.filters)

        async def find_nearest(conn: Connection) -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = []
            if held > EXACT_BELOW:
                await conn.execute(_SQL["prefer_index"])
                rows = await self._rows(conn, "nearest_indexed", values)
            if len(rows) < CANDIDATES:  # few passages, or the index scan gave up before it had found enough
                rows = await self._rows(conn, "nearest_exact", values)
            return rows

        rows = await self.database.retrying(tenant, find_nearest, read_only=True)
        return vector, [(row["gem_id"], row["slot"]) for row in rows]

    async def _lexical(self, tenant: UUID, query: RecallQuery, gems: Sequence[Gem]) -> tuple[Scores, list[Candidate]]:
        gem_ids = [gem.gem_id for gem in gems]

        async def fetch(conn: Connection) -> tuple[Lists, dict[UUID, NDArray[np.integer[Any]]] | None]:
            lists = await fetch_lists(conn, gem_ids, question_terms(query.question))
            if query.filters.is_open:
                return lists, None
            rows = await self._rows(conn, "allowed_slots", {"gem_ids": gem_ids} | _filter_values(query.filters))
            return lists, {row["gem_id"]: np.frombuffer(row["slots"], ">i4") for row in rows}

        lists, allowed = await self.database.retrying(tenant, fetch, read_only=True)
        scores = await asyncio.to_thread(score, lists)
        return scores, scores.best(CANDIDATES, None if allowed is None else scores.mask(allowed))

    async def _hydrate(
        self, conn: Connection, candidates: Sequence[Candidate], vector: Vectors
    ) -> list[dict[str, Any]]:
        values = {"gem_ids": [gem_id for gem_id, _ in candidates], "slots": [slot for _, slot in candidates]}
        return await self._rows(conn, "hydrate_candidates", values | {"question": HalfVector(vector)})

    async def _rows(self, conn: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        statement = sql.SQL(_SQL[query]).format(dimension=sql.Literal(self.embedder.dimension))
        async with conn.cursor(row_factory=dict_row, binary=True) as cursor:
            await cursor.execute(statement, values)
            return await cursor.fetchall()


async def measure_passages(
    conn: Connection, gains: Mapping[UUID, float], at: Moment, *, cause: str, reflection_id: UUID | None = None
) -> None:
    """Evolve passages to now, measure each with its gain, and log why."""
    values = {"passage_ids": list(gains), "gains": list(gains.values()), "now": at.now, "tau_s": at.tau_s}
    await conn.execute(_SQL["measure_passages"], values | {"cause": cause, "reflection_id": reflection_id})


async def _complete(conn: Connection, ranked: Sequence[Ranked]) -> list[RecalledPassage]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["get_passages"], {"passage_ids": [each.row["passage_id"] for each in ranked]})
        texts = {row["passage_id"]: row for row in await cursor.fetchall()}
    found = [(each, texts.get(each.row["passage_id"])) for each in ranked]
    return [_to_passage(each, text) for each, text in found if text is not None]


def _to_passage(ranked: Ranked, text: Mapping[str, Any]) -> RecalledPassage:
    return RecalledPassage(
        passage_id=ranked.row["passage_id"],
        document_id=ranked.row["document_id"],
        external_id=text["external_id"],
        gem_id=ranked.row["gem_id"],
        text=text["body"],
        title=text["title"],
        heading=text["heading"],
        source=text["source"],
        thread=text["thread"],
        speaker=ranked.row["speaker"],
        occurred_at=text["occurred_at"],
        metadata=text["meta"],
        ordinal=text["ordinal"],
        start=text["start_char"],
        end=text["end_char"],
        tokens=text["tokens"],
        score=ranked.score,
        state=ranked.state,
    )


def _within(passages: Sequence[RecalledPassage], max_tokens: int | None) -> list[RecalledPassage]:
    if max_tokens is None:
        return list(passages)
    kept, spent = [], 0
    for passage in passages:
        spent += passage.tokens
        if spent > max_tokens:
            break
        kept.append(passage)
    return kept


def _filter_values(filters: Filters) -> dict[str, Any]:
    return {
        "filtered": not filters.is_open,
        "sources": None if filters.sources is None else list(filters.sources),
        "since": filters.since,
        "until": filters.until,
        "metadata": None if filters.metadata is None else Jsonb(dict(filters.metadata)),
    }

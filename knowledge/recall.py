"""Recall: a question in, ranked passages out, each score taken apart. No LLM."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from core.errors import InvalidInputError
from core.pg import Database
from core.sql import load_queries
from gems import Gem, Moment, QuantumState, evolve, get_gems, list_active
from knowledge.embedding import Embedder
from knowledge.fusion import Fused, FusionWeights, fuse, split_names
from knowledge.lexical import Scores, fetch_lists, question_terms, score
from knowledge.store import Connection, Vectors, check_model

_SQL = load_queries("knowledge.sql", "recall.sql")

CANDIDATES = 100  # of each channel; docs/recall.md, "Candidates"
EXACT_BELOW = 4_000  # passages: comparing them all is then as quick as the index, and misses nothing
LONGEST_QUESTION = 10_000
MOST_RESULTS = 200

Candidate = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents may be recalled; None lets all pass.

    Attributes:
        sources: documents from one of these.
        since: that occurred then or later.
        until: that occurred before.
        metadata: whose metadata contains all of this.
    """

    sources: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    metadata: Mapping[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return self == Filters()


@dataclass(frozen=True, slots=True)
class RecallQuery:
    """A question and how to answer it.

    Attributes:
        gem_ids: where to look; empty means every gem that is not archived.
        k: how many passages at the most.
        max_tokens: how many tokens their texts may have together.
    """

    question: str
    gem_ids: tuple[UUID, ...] = ()
    k: int = 10
    filters: Filters = field(default_factory=Filters)
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise InvalidInputError("question", "must not be empty")
        if len(self.question) > LONGEST_QUESTION:
            raise InvalidInputError("question", f"may have at most {LONGEST_QUESTION:,} characters")
        if not 1 <= self.k <= MOST_RESULTS:
            raise InvalidInputError("k", f"must be from 1 to {MOST_RESULTS}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InvalidInputError("max_tokens", "must be at least 1")


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
        async with self.database.transaction(tenant, read_only=True) as conn:
            await check_model(conn, self.embedder.model, self.embedder.dimension, record=False)
            gem_ids = query.gem_ids or tuple(await list_active(conn))
            gems = [gem for gem in await get_gems(conn, gem_ids, at) if gem.slots]
        if not gems:
            return []
        nameless, named = split_names(query.question, (name for gem in gems for name in gem.speakers))
        (vector, dense), (scores, lexical) = await asyncio.gather(
            self._dense(tenant, query, gems, nameless), self._lexical(tenant, query, gems)
        )
        candidates = list(dict.fromkeys([*dense, *lexical]))
        async with self.database.transaction(tenant, read_only=True) as conn:
            rows = await self._hydrate(conn, candidates, vector)
            return await _rank(conn, rows, scores, named, query, at, self.weights)

    async def _dense(
        self, tenant: UUID, query: RecallQuery, gems: Sequence[Gem], question: str
    ) -> tuple[Vectors, list[Candidate]]:
        vector: Vectors = (await self.embedder.embed([question]))[0]
        held = sum(gem.slots for gem in gems)
        values = {"gem_ids": [gem.gem_id for gem in gems], "question": HalfVector(vector), "k": CANDIDATES}
        values |= _filter_values(query.filters)
        async with self.database.transaction(tenant, read_only=True) as conn:
            exact = held <= EXACT_BELOW
            rows = await self._rows(conn, "nearest_exact" if exact else "nearest_indexed", values)
            if not exact and len(rows) < CANDIDATES:  # the index scan gave up before it had found enough
                rows = await self._rows(conn, "nearest_exact", values)
        return vector, [(row["gem_id"], row["slot"]) for row in rows]

    async def _lexical(self, tenant: UUID, query: RecallQuery, gems: Sequence[Gem]) -> tuple[Scores, list[Candidate]]:
        gem_ids = [gem.gem_id for gem in gems]
        async with self.database.transaction(tenant, read_only=True) as conn:
            lists = await fetch_lists(conn, gem_ids, question_terms(query.question))
            allowed = None
            if not query.filters.is_open:
                values = {"gem_ids": gem_ids} | _filter_values(query.filters)
                allowed = {row["gem_id"]: row["slots"] for row in await self._rows(conn, "allowed_slots", values)}
        scores = await asyncio.to_thread(score, lists)
        return scores, scores.best(CANDIDATES, None if allowed is None else _mask(scores, allowed))

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


async def _rank(
    conn: Connection,
    rows: Sequence[Mapping[str, Any]],
    scores: Scores,
    named: frozenset[str],
    query: RecallQuery,
    at: Moment,
    weights: FusionWeights,
) -> list[RecalledPassage]:
    if not rows:
        return []
    state = _states(rows, at)
    bm25 = np.array([scores.at(row["gem_id"], row["slot"]) for row in rows], np.float64)
    cosine = np.array([row["cosine"] for row in rows], np.float64)
    speaks = np.array([row["speaker"] in named for row in rows], np.float64)
    fused = fuse(cosine, bm25, speaks, state, weights)
    best = sorted(range(len(rows)), key=lambda i: (-fused.score[i], str(rows[i]["passage_id"])))[: query.k]
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["get_passages"], {"passage_ids": [rows[i]["passage_id"] for i in best]})
        texts = {row["passage_id"]: row for row in await cursor.fetchall()}
    found = [
        _to_passage(rows[i], texts[rows[i]["passage_id"]], _score(fused, i, cosine, bm25), _at(state, i)) for i in best
    ]
    return _within(found, query.max_tokens)


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


def _to_passage(
    row: Mapping[str, Any], text: Mapping[str, Any], score: PassageScore, state: QuantumState[float]
) -> RecalledPassage:
    return RecalledPassage(
        passage_id=row["passage_id"],
        document_id=row["document_id"],
        external_id=text["external_id"],
        gem_id=row["gem_id"],
        text=text["body"],
        title=text["title"],
        heading=text["heading"],
        source=text["source"],
        thread=text["thread"],
        speaker=row["speaker"],
        occurred_at=text["occurred_at"],
        metadata=text["meta"],
        ordinal=text["ordinal"],
        start=text["start_char"],
        end=text["end_char"],
        tokens=text["tokens"],
        score=score,
        state=state,
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


def _mask(scores: Scores, allowed: Mapping[UUID, bytes]) -> NDArray[np.bool_]:
    mask = np.zeros(len(scores.values), np.bool_)
    for gem_id, slots in allowed.items():
        if gem_id in scores.offsets:
            mask[scores.offsets[gem_id] + np.frombuffer(slots, ">i4")] = True
    return mask

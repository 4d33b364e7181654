"""Asking the channels: each in one round trip, side by side; then the second hop. What is found is timeless.

dense   ─┐
         ├─ candidates ─ late, speaker, title ─ fused ─ links ─ fused ─ knowledge.recall: states, novelty, texts
lexical ─┘
"""

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

from core.pg import Connection, Database
from core.sql import load_queries
from gems import Gem
from knowledge.embedding import Embedder, FloatArray, QuestionReading, TokenEmbedder
from knowledge.fusion import Channels, FusionWeights, fuse, says_title, split_names
from knowledge.graph.links import fetch_links
from knowledge.hop import SEEDS, Bridge, choose_seeds, follow
from knowledge.late import NEIGHBOURS, lend, max_similarities, weigh_tokens
from knowledge.lexical import Lists, Scores, fetch_lists, question_terms, score
from knowledge.query import Filters
from knowledge.ranking import Findings

SQL = load_queries("knowledge.sql", "recall.sql")

CANDIDATES = 100  # of each channel, if no more passages are asked for; docs/recall.md, "Candidates"
EXACT_BELOW = 4_000  # passages: comparing them all is then as quick as the index, and misses nothing
LINKS = 200  # that are followed at the most

Candidate = tuple[UUID, int]
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a question is asked.

    Attributes:
        gems: that hold anything, as they are now.
        filters: which documents may be found.
        as_of: what the lattice held then; None means now.
        column: of the current embeddings.
        candidates: of each channel, among the gems that are asked and again among those that are only reached.
        worth: of the passages of each gem that is only reached, in (0, 1].
        strengths: of the entanglements by which gems are reached.
    """

    gems: tuple[Gem, ...]
    filters: Filters
    as_of: datetime | None
    column: str
    candidates: int
    worth: Mapping[UUID, float] = field(default_factory=dict)
    strengths: Mapping[UUID, float] = field(default_factory=dict)

    @property
    def tiers(self) -> list[tuple[Gem, ...]]:
        """The gems that are asked, and those that are only reached: neither takes the other's places."""
        asked = tuple(gem for gem in self.gems if gem.gem_id not in self.worth)
        reached = tuple(gem for gem in self.gems if gem.gem_id in self.worth)
        return [tier for tier in (asked, reached) if tier]

    @property
    def gem_ids(self) -> list[UUID]:
        """The gems' ids."""
        return [gem.gem_id for gem in self.gems]

    @property
    def values(self) -> dict[str, Any]:
        """What the queries are told of it."""
        filters = self.filters
        return {
            "gem_ids": self.gem_ids,
            "as_of": self.as_of or "infinity",
            "filtered": not filters.is_open,
            "sources": None if filters.sources is None else list(filters.sources),
            "since": filters.since,
            "until": filters.until,
            "metadata": None if filters.metadata is None else Jsonb(dict(filters.metadata)),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Findings with what they were made from, so that other weights can be tried on them.

    Attributes:
        candidates: how many of the passages are candidates; the others were reached by links.
        threaded: whether each candidate is a turn of a thread.
        bridges: the links that were followed.
    """

    findings: Findings
    candidates: int
    threaded: tuple[bool, ...]
    bridges: tuple[Bridge, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A question as each channel needs it."""

    question: str
    named: frozenset[str]
    vector: FloatArray
    reading: QuestionReading | None
    scores: Scores

    @property
    def rarity(self) -> FloatArray:
        if self.reading is None:
            return np.empty(0, np.float32)
        return weigh_tokens(self.question, self.reading.offsets, self.scores.rarity)


@dataclass(frozen=True, slots=True)
class Search:
    """Finds what may answer a question, and what each channel says of it."""

    database: Database
    embedder: Embedder

    async def find(self, tenant: UUID, question: str, scope: Scope, weights: FusionWeights) -> Findings:
        """Return the candidates of all channels and what they link to, with their shares by channel."""
        return (await self.gather(tenant, question, scope, weights)).findings

    async def gather(
        self, tenant: UUID, question: str, scope: Scope, weights: FusionWeights, seeds: int = SEEDS
    ) -> Gathered:
        """Return the same with the links of so many of the best."""
        nameless, named = split_names(question, (name for gem in scope.gems for name in gem.speakers))
        (vector, reading, dense), (scores, lexical) = await asyncio.gather(
            self._dense(tenant, question, nameless, scope), self._lexical(tenant, question, scope)
        )
        asked, watch = _Asked(question, named, vector, reading, scores), self.database.observer.watch

        async def weigh(conn: Connection) -> Gathered:
            with watch("recall.late"):
                rows = await self._hydrate(conn, list(dict.fromkeys([*dense, *lexical])), asked, scope)
                held = [row for row in rows if row["passage_id"] is not None]
                channels = await asyncio.to_thread(_weigh, held, rows, asked)
            parts = fuse(channels, weights)
            threaded = tuple(row["threaded"] for row in held)
            bridges: list[Bridge] = []
            linked: Rows = []
            if weights.link or weights.gain:
                counts = np.array([scope.worth.get(row["gem_id"], 1.0) for row in held])
                best = choose_seeds(counts * parts.relevance, threaded, seeds)
                with watch("recall.links"):
                    linked, bridges = await self._follow(conn, held, best, asked, scope)
            if linked:
                channels = channels.joined(await asyncio.to_thread(_weigh, linked, linked, asked))
                parts = fuse(channels, weights, len(held))
            link = follow(parts.relevance, channels, bridges, weights)
            ids = tuple(row["passage_id"] for row in (*held, *linked))
            findings = Findings(ids, channels, parts, link, sum(map(scores.rarity, question_terms(question))))
            return Gathered(findings, len(held), threaded, tuple(bridges))

        return await self.database.retrying(tenant, weigh, read_only=True)

    async def _dense(
        self, tenant: UUID, question: str, nameless: str, scope: Scope
    ) -> tuple[FloatArray, QuestionReading | None, list[Candidate]]:
        watch = self.database.observer.watch
        with watch("recall.embed"):
            reading = await self.embedder.read_question(question) if isinstance(self.embedder, TokenEmbedder) else None
            if reading is not None and nameless == question:
                vector = reading.vector
            else:
                vector = (await self.embedder.embed([nameless]))[0]
        values = scope.values | {"question": HalfVector(vector), "k": scope.candidates}

        async def find_nearest(conn: Connection) -> Rows:
            found: Rows = []
            for tier in scope.tiers:
                values["gem_ids"] = [gem.gem_id for gem in tier]
                rows: Rows = []
                if sum(gem.slots for gem in tier) > EXACT_BELOW:
                    await conn.execute(SQL["prefer_index"])
                    rows = await self._rows(conn, "nearest_indexed", scope, values)
                if len(rows) < scope.candidates:  # few passages, or the index scan gave up before it had found enough
                    rows = await self._rows(conn, "nearest_exact", scope, values)
                found += rows
            return found

        with watch("recall.dense"):
            rows = await self.database.retrying(tenant, find_nearest, read_only=True)
        return vector, reading, [(row["gem_id"], row["slot"]) for row in rows]

    async def _lexical(self, tenant: UUID, question: str, scope: Scope) -> tuple[Scores, list[Candidate]]:
        narrowed = not scope.filters.is_open or scope.as_of is not None

        async def fetch(conn: Connection) -> tuple[Lists, dict[UUID, NDArray[np.integer[Any]]]]:
            lists = await fetch_lists(conn, scope.gem_ids, question_terms(question))
            rows = await self._rows(conn, "allowed_slots" if narrowed else "closed_slots", scope, scope.values)
            return lists, {row["gem_id"]: np.frombuffer(row["slots"], ">i4") for row in rows}

        with self.database.observer.watch("recall.lexical"):
            lists, slots = await self.database.retrying(tenant, fetch, read_only=True)
            scores = await asyncio.to_thread(score, lists)
        marked = scores.mask(slots) if slots or narrowed else None
        allowed = marked if narrowed or marked is None else ~marked
        if not scope.worth:
            return scores, scores.best(scope.candidates, allowed)
        tiers = [scores.within(gem.gem_id for gem in tier) for tier in scope.tiers]
        masks = tiers if allowed is None else [tier & allowed for tier in tiers]
        return scores, [place for mask in masks for place in scores.best(scope.candidates, mask)]

    async def _hydrate(self, conn: Connection, candidates: Sequence[Candidate], asked: _Asked, scope: Scope) -> Rows:
        places = {"gem_ids": [gem_id for gem_id, _ in candidates], "slots": [slot for _, slot in candidates]}
        values = places | {"question": HalfVector(asked.vector), "tokens": asked.reading is not None}
        return await self._rows(conn, "hydrate_candidates", scope, scope.values | values)

    async def _follow(
        self, conn: Connection, held: Rows, seeds: Sequence[int], asked: _Asked, scope: Scope
    ) -> tuple[Rows, list[Bridge]]:
        """Fetch what the seeds link to and is not held yet; return these rows, and the links by place."""
        if not seeds:
            return [], []
        places = {_place(row): i for i, row in enumerate(held)}
        holding = {gem.gem_id: gem.slots for gem in scope.gems}
        most = LINKS * max(1, len(seeds) // SEEDS)
        links = await fetch_links(conn, [_place(held[i]) for i in seeds], holding, most, as_of=scope.as_of)
        missing = list(dict.fromkeys(link.target for link in links if link.target not in places))
        rows = await self._hydrate(conn, missing, asked, scope) if missing else []
        linked = [row for row in rows if row["passage_id"] is not None]
        places |= {_place(row): i for i, row in enumerate(linked, start=len(held))}
        bridges = [
            Bridge(places[link.source], places[link.target], link.weight) for link in links if link.target in places
        ]
        return linked, bridges

    async def _rows(self, conn: Connection, query: str, scope: Scope, values: Mapping[str, Any]) -> Rows:
        statement = sql.SQL(SQL[query]).format(
            dimension=sql.Literal(self.embedder.dimension), embedding=sql.Identifier(scope.column)
        )
        async with conn.cursor(row_factory=dict_row, binary=True) as cursor:
            await cursor.execute(statement, values)
            return await cursor.fetchall()


def _weigh(held: Rows, rows: Rows, asked: _Asked) -> Channels:
    """Return what each channel says of the passages held; `rows` has their neighbours too."""
    told = np.array([row["states"] is not None for row in held], np.bool_)
    return Channels(
        # a vector of zeros has no direction, so Postgres gives NaN: it is like nothing
        cosine=np.nan_to_num(np.array([row["cosine"] for row in held], np.float64), nan=0.0),
        bm25=np.array([asked.scores.at(row["gem_id"], row["slot"]) for row in held], np.float64),
        speaks=np.array([row["speaker"] in asked.named for row in held], np.float64),
        titled=says_title(asked.question, [row["title"] for row in held]),
        found=_compare(held, rows, asked.reading),
        told=told,
        rarity=asked.rarity,
    )


def _compare(held: Rows, rows: Rows, reading: QuestionReading | None) -> FloatArray:
    if reading is None:
        return np.zeros((len(held), 0), np.float32)
    ordered = [*held, *(row for row in rows if row["passage_id"] is None)]
    places = {_place(row): i for i, row in enumerate(ordered)}
    around = np.full((len(held), NEIGHBOURS), -1, np.int64)
    answers = np.zeros(len(held), np.bool_)
    for i, row in enumerate(held):
        beside = [places.get((row["gem_id"], slot), -1) for slot in row["around"]]
        around[i, : len(beside)] = beside
        answers[i] = bool(beside) and beside[0] >= 0 and bool(ordered[beside[0]]["asks"])
    return lend(max_similarities(reading.states, [row["states"] or b"" for row in ordered]), around, answers)


def _place(row: Mapping[str, Any]) -> Candidate:
    return row["gem_id"], row["slot"]

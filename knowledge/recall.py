"""Recall: a question in, ranked passages out, each score taken apart. No LLM."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import dict_row

from core.errors import InvalidInputError
from core.pg import Connection, Database
from gems import Moment, get_gems, list_active
from knowledge.embedding import Embedder
from knowledge.fusion import FusionWeights
from knowledge.hop import SEEDS
from knowledge.measuring import use_recalled
from knowledge.query import MOST_RESULTS, RecallQuery
from knowledge.ranking import Findings, rank
from knowledge.reach import find_partners, list_reached, weigh_reached
from knowledge.recalled import RecalledPassage, fold, to_passage, vary, with_surroundings
from knowledge.resonance import ResonanceCache
from knowledge.search import CANDIDATES, SQL, Gathered, Scope, Search
from knowledge.shaping.budget import fit
from knowledge.shaping.dates import TimePhrase, find_time, resolve
from knowledge.shaping.expansion import expand
from knowledge.shaping.rerank import CANDIDATES_MOST, Reranker, rerank
from knowledge.store import check_model

SPARE = 20  # passages beyond k that are looked at when some may fall out
EVENT_DEPTH = 3  # passages among which the date of an event is looked for
EXPANDED_TOKENS = 4_000  # that surroundings may add when the question sets no limit


@dataclass(frozen=True, slots=True)
class Recall:
    """Finds the passages that matter to a question.

    Attributes:
        reranker: a cross-encoder for questions that ask for one.
    """

    database: Database
    embedder: Embedder
    weights: FusionWeights = field(default_factory=FusionWeights)
    reranker: Reranker | None = None
    cache: ResonanceCache = field(default_factory=ResonanceCache)

    async def recall(self, tenant: UUID, query: RecallQuery, at: Moment) -> list[RecalledPassage]:
        """Return the passages that matter most, best first; fewer than k if the gems hold fewer.

        Raises:
            GemNotFoundError: a gem is not in the lattice.
            InvalidInputError: a reranking is asked for and no cross-encoder is configured.
            EmbeddingMismatchError: the lattice was written with another model.
            EmbedderUnavailableError, StoreUnavailableError: the same question may succeed later.
        """
        with self.database.observer.watch("recall"):
            return await self._recall(tenant, query, at)

    async def _recall(self, tenant: UUID, query: RecallQuery, at: Moment) -> list[RecalledPassage]:
        watch = self.database.observer.watch
        if query.rerank and self.reranker is None:
            raise InvalidInputError("rerank", "needs a cross-encoder: set LATTICE_RECALL__RERANKER to a model's name")
        if query.dates:
            query, _ = await self.dated(tenant, query, at)
        with watch("recall.open"):
            scope = await self._open(tenant, query, at)
        if not scope.gems:
            return []
        findings = await self._find(tenant, query, scope)

        async def show_best(conn: Connection) -> list[RecalledPassage]:
            found = await self._choose(conn, findings, query, scope, at)
            return await self._vary(conn, found, query, scope) if query.diversity else found

        with watch("recall.choose"):
            passages = await self.database.retrying(tenant, show_best, read_only=True)
        if query.rerank and self.reranker is not None:
            with watch("recall.rerank"):
                shown = await rerank(self.reranker, query.question, [each.text for each in passages])
            passages = [passages[i] for i in shown.order]
        return await self._cut(tenant, passages[: query.k], query)

    async def use(self, tenant: UUID, passages: Sequence[RecalledPassage], at: Moment) -> None:
        """Measure what a recall returned, and the gems that hold it, for somebody who will use it."""
        if passages:
            await self.database.retrying(tenant, lambda conn: use_recalled(conn, passages, at))

    async def gather(self, tenant: UUID, query: RecallQuery, at: Moment, seeds: int = SEEDS) -> Gathered | None:
        """Return what each channel says of the candidates, for measuring and tuning; None if the gems are empty.

        Args:
            tenant: who asks.
            query: the question; k does not matter.
            at: when.
            seeds: of how many of the best the links are followed.
        """
        scope = await self._open(tenant, query, at)
        if not scope.gems:
            return None
        search = Search(self.database, self.embedder)
        return await search.gather(tenant, query.question, scope, self.weights, seeds)

    async def dated(self, tenant: UUID, query: RecallQuery, at: Moment) -> tuple[RecallQuery, TimePhrase | None]:
        """Return a question narrowed to the time that it names, and what was understood of it.

        A time that counts from an event ("two weeks before the trip") counts from the first passage that the event's
        words recall and that has a date. Without a time, or such a passage, the question stays as it is; a filter on
        time that the caller set always holds.
        """
        query = replace(query, dates=False)
        phrase = await asyncio.to_thread(find_time, query.question, at.now)  # the first one loads a library
        if phrase is None or query.filters.since is not None or query.filters.until is not None:
            return query, None
        window = phrase.window
        if phrase.event is not None:
            event = RecallQuery(
                phrase.event, query.gem_ids, EVENT_DEPTH, query.filters, as_of=query.as_of, reach=query.reach
            )
            dates = [each.occurred_at for each in await self.recall(tenant, event, at) if each.occurred_at]
            window = resolve(phrase, dates[0]) if dates else None
        if window is None:
            return query, None
        narrowed = replace(query.filters, since=window.since, until=window.until)
        return replace(query, filters=narrowed), replace(phrase, window=window)

    async def _open(self, tenant: UUID, query: RecallQuery, at: Moment) -> Scope:
        candidates = CANDIDATES if _depth(query) <= CANDIDATES else MOST_RESULTS + SPARE

        async def find_gems(conn: Connection) -> Scope:
            column = await check_model(conn, self.embedder.model, self.embedder.dimension, record=False)
            gem_ids = query.gem_ids or tuple(await list_active(conn))
            reach = query.reach if query.gem_ids else "own"
            strengths = {} if reach == "own" else await find_partners(conn, gem_ids)
            reached = await list_reached(conn, gem_ids, reach, strengths, at)
            gems = tuple(gem for gem in (*await get_gems(conn, gem_ids, at), *reached) if gem.slots)
            worth = weigh_reached((gem.gem_id for gem in reached), reach, strengths)
            return Scope(gems, query.filters, query.as_of, column, candidates, worth, strengths)

        # a snapshot: no gem may go between the list of all and the look at each
        return await self.database.retrying(tenant, find_gems, read_only=True, snapshot=True)

    async def _find(self, tenant: UUID, query: RecallQuery, scope: Scope) -> Findings:
        search = Search(self.database, self.embedder)
        return await self.cache.once(
            tenant,
            query.question,
            scope,
            self.weights,
            lambda: search.find(tenant, query.question, scope, self.weights),
        )

    async def _choose(
        self, conn: Connection, findings: Findings, query: RecallQuery, scope: Scope, at: Moment
    ) -> list[RecalledPassage]:
        """Return at least k of the best; all that was found is looked at if too many of them say the same."""
        states = await _by_passage(conn, SQL["get_states"], findings.passage_ids)
        found: list[RecalledPassage] = []
        for depth in (_depth(query), len(findings.passage_ids)):
            ranked = rank(findings, states, at, self.weights, k=depth, least=query.min_score or 0.0, worth=scope.worth)
            texts = await _by_passage(conn, SQL["get_passages"], [each.passage_id for each in ranked])
            found = [
                to_passage(each, texts[each.passage_id], scope.strengths) for each in ranked if each.passage_id in texts
            ]
            found = fold(found) if query.fold else found
            if len(found) >= query.k or len(ranked) < depth:
                break
        return found

    async def _vary(
        self, conn: Connection, passages: Sequence[RecalledPassage], query: RecallQuery, scope: Scope
    ) -> list[RecalledPassage]:
        statement = sql.SQL(SQL["get_vectors"]).format(embedding=sql.Identifier(scope.column))
        rows = await _by_passage(conn, statement, [each.passage_id for each in passages])
        vectors = {passage_id: row["vector"] for passage_id, row in rows.items() if row["vector"] is not None}
        return vary(passages, vectors, max(query.k, CANDIDATES_MOST) if query.rerank else query.k, query.diversity)

    async def _cut(self, tenant: UUID, passages: list[RecalledPassage], query: RecallQuery) -> list[RecalledPassage]:
        unit, sizes = query.expand, [each.tokens for each in passages]
        if unit is None:
            return [passages[i] for i in fit(sizes, query.max_tokens)]
        most = query.max_tokens or sum(sizes) + EXPANDED_TOKENS
        left = most - sum(sizes)

        async def widen(conn: Connection) -> list[RecalledPassage]:
            ids, reach = [each.passage_id for each in passages], left if left >= 0 else None
            found = await expand(conn, ids, unit, most, as_of=query.as_of, reach=reach)
            return with_surroundings(passages, found)

        with self.database.observer.watch("recall.expand"):
            return await self.database.retrying(tenant, widen, read_only=True)


def _depth(query: RecallQuery) -> int:
    """Return how many passages are looked at, so that k are left after some fell out."""
    spare = SPARE if query.fold or query.diversity else 0
    return max(query.k + spare, CANDIDATES_MOST if query.rerank else 0)


async def _by_passage(
    conn: Connection,
    query: str | sql.Composed,
    passage_ids: Sequence[UUID],
) -> dict[UUID, dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(query, {"passage_ids": list(passage_ids)})
        return {row["passage_id"]: row for row in await cursor.fetchall()}

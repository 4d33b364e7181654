"""Taking documents in: cut, compare with what is stored, embed, write. Each batch is one transaction.

While one batch is embedded the one before it is written, and the one after it is read, cut and looked up, so that the
embedder is never idle. A batch is planned without a lock, once what came before it is stored; see docs/decisions/002.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from core.overlap import Overlap, leave
from core.pg import Database
from gems import Moment, get_gems, lock_gem
from knowledge import store
from knowledge.batch import BatchPlan, CutDocument
from knowledge.chunking import Chunker
from knowledge.context import Context
from knowledge.cutting import Batch, cut_batches
from knowledge.documents import SourceDocument
from knowledge.embedding import Embedder, TokenEmbedder
from knowledge.happenings import DocumentsStored
from knowledge.passages import Embedded, find_readings
from knowledge.readings import Readings, embed_missing
from knowledge.sealing import seal_rest, seal_within
from knowledge.store import Connection, DocumentSummary
from knowledge.writing import WriteAim, foresee, plan_cuts, plan_removal, write_plan

TRIES = 4  # to write what was planned without the lock, before what is missing is embedded under it

Plan: TypeAlias = Callable[[Connection], Awaitable[BatchPlan]]


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingestion did so far, or in all.

    Attributes:
        documents: stored, new and replaced.
        replaced: of those, the ones that took the place of an older text of the same id.
        skipped: documents that were stored already as they are.
        passages: that came with the documents.
        reused: of those, the ones whose embedding was at hand from an equal text.
        embedding_s: time spent waiting for the embedder.
    """

    documents: int = 0
    replaced: int = 0
    skipped: int = 0
    passages: int = 0
    reused: int = 0
    seconds: float = 0.0
    embedding_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """A batch with the contexts that it will need, and what is known of them."""

    batch: Batch
    contexts: Sequence[Context]
    readings: Readings


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A plan, the gem's version that it is for, and whether it was written."""

    plan: BatchPlan
    version: int
    written: bool


@dataclass(slots=True)
class _Run:
    """The state of one ingestion."""

    tenant: UUID
    gem_id: UUID
    at: Moment
    progress: Callable[[IngestReport], None]
    report: IngestReport = field(default_factory=IngestReport)
    started: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True, slots=True)
class Ingestion:
    """Takes documents into gems, and out again."""

    database: Database
    embedder: Embedder
    chunker: Chunker

    async def ingest(
        self,
        tenant: UUID,
        gem_id: UUID,
        documents: Iterable[SourceDocument],
        at: Moment,
        progress: Callable[[IngestReport], None] = lambda report: None,
        *,
        said: Counter[bytes] | None = None,
    ) -> IngestReport:
        """Store documents with their passages; what is stored already is skipped, what changed is replaced.

        Cancelled or failed, it leaves whole batches, in the order of the documents: as many as the last report counts.

        Args:
            tenant: whose lattice.
            gem_id: where they go; a document's own `gem` is not looked at.
            documents: read as needed, in a worker thread, a little ahead and never all at once.
            at: the moment that the passages are formed.
            progress: called after each batch with the sums so far.
            said: turns without an id, counted; hand the same one to each part of an ingestion that comes in parts.

        Raises:
            GemNotFoundError, GemArchivedError: nothing is stored.
            EmbeddingMismatchError: the lattice was written with another model; nothing is stored.
            InvalidInputError: an embedding that comes with a document does not fit, as `check_given` says.
        """
        run = _Run(tenant, gem_id, at, progress)
        await self._check(run)
        batches = cut_batches(documents, self.chunker, self.embedder, Counter() if said is None else said)
        looking = asyncio.create_task(self._look_ahead(run, batches, ()))
        before = Batch()
        recent = Readings()
        async with Overlap() as writing:
            try:
                while (ahead := await looking) is not None:
                    pending = (*before.cuts, *ahead.batch.cuts)
                    looking = asyncio.create_task(self._look_ahead(run, batches, pending))
                    await self._read_ahead(run, ahead, recent)
                    await writing.start(self._write_batch(run, ahead))
                    before, recent = ahead.batch, ahead.readings
            finally:
                await leave(looking)
        return run.report

    async def delete(self, tenant: UUID, gem_id: UUID, document_ids: Sequence[UUID], at: Moment) -> None:
        """Delete documents; passages around them in their threads are indexed anew, what they superseded holds again.

        Raises:
            GemNotFoundError, GemArchivedError, DocumentNotFoundError: nothing is deleted.
        """
        run = _Run(tenant, gem_id, at, lambda report: None)
        await self._write(run, lambda conn: plan_removal(conn, gem_id, document_ids), Readings())

    async def list_page(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[DocumentSummary]:
        """Return a page of a gem's documents, newest first.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            await get_gems(conn, [gem_id], at)
            return await store.list_documents(conn, gem_id, before=before, limit=limit)

    async def _check(self, run: _Run) -> None:
        async with self.database.transaction(run.tenant) as conn:
            await lock_gem(conn, run.gem_id, run.at)
            await store.check_model(conn, self.embedder.model, self.embedder.dimension, record=True)
        await seal_rest(self.database, run.tenant, run.gem_id)

    async def _look_ahead(
        self, run: _Run, batches: Iterator[Batch], pending: Sequence[CutDocument]
    ) -> _Foreseen | None:
        """Read and cut the next batch, and find out what must be embedded; None if there is no more."""
        batch = await asyncio.to_thread(next, batches, None)
        if batch is None:
            return None

        async def look(conn: Connection) -> _Foreseen:
            contexts = await foresee(conn, run.gem_id, pending, batch.cuts)
            return _Foreseen(batch, contexts, Readings(await self._find(conn, contexts)))

        return await self.database.retrying(run.tenant, look, read_only=True)

    async def _read_ahead(self, run: _Run, ahead: _Foreseen, recent: Readings) -> None:
        """Embed what a batch will need; what the batch before it needed may not be stored yet, but is at hand."""
        keys = {context.key for context in ahead.contexts}
        ahead.readings.found |= {key: recent.found[key] for key in keys & recent.found.keys()}
        started = time.perf_counter()
        await embed_missing(self.embedder, ahead.contexts, ahead.readings)
        spent = run.report.embedding_s + time.perf_counter() - started
        run.report = replace(run.report, embedding_s=spent)

    async def _write_batch(self, run: _Run, ahead: _Foreseen) -> None:
        plan = await self._write(run, lambda conn: plan_cuts(conn, run.gem_id, ahead.batch.cuts), ahead.readings)
        report, replaced = run.report, sum(document.replaces is not None for document in plan.documents)
        skipped = plan.skipped + ahead.batch.repeated
        self.database.observer.see(DocumentsStored(len(plan.documents), replaced, skipped, len(plan.fresh)))
        run.report = replace(
            report,
            documents=report.documents + len(plan.documents),
            replaced=report.replaced + replaced,
            skipped=report.skipped + skipped,
            passages=report.passages + len(plan.fresh),
            reused=report.reused + _count_reused(plan, ahead.readings.asked),
            seconds=time.perf_counter() - run.started,
        )
        run.progress(run.report)

    async def _write(self, run: _Run, plan_it: Plan, readings: Readings) -> BatchPlan:
        """Plan without a lock, embed what is missing, then write under the lock.

        If somebody else wrote in between, it is planned again under the lock, and written if all that it needs is at
        hand. No lock waits for the embedder, save for the last try, when others were faster again and again.
        """

        async def plan(conn: Connection) -> _Attempt:
            version = (await get_gems(conn, [run.gem_id], run.at))[0].version
            return _Attempt(await plan_it(conn), version, written=False)

        async def write(conn: Connection) -> _Attempt:
            version = (await lock_gem(conn, run.gem_id, run.at)).version
            await seal_within(conn, run.gem_id)
            found = planned.plan if version == planned.version else await plan_it(conn)
            model, dimension = self.embedder.model, self.embedder.dimension
            column = await store.check_model(conn, model, dimension, hold=True)
            if last:
                await embed_missing(self.embedder, found.contexts, readings)
            elif readings.missing(found.contexts):
                return _Attempt(found, version, written=False)
            if not found.is_empty:
                await write_plan(conn, WriteAim(run.gem_id, column, run.at), found, readings.found)
            return _Attempt(found, version, written=True)

        planned = await self.database.retrying(run.tenant, plan, read_only=True)
        tries = 0
        while not planned.written and not planned.plan.is_empty:
            await embed_missing(self.embedder, planned.plan.contexts, readings)
            tries += 1
            last = tries == TRIES
            planned = await self.database.retrying(run.tenant, write)
        return planned.plan

    async def _find(self, conn: Connection, contexts: Sequence[Context]) -> dict[bytes, Embedded]:
        if not contexts:
            return {}
        column = await store.check_model(conn, self.embedder.model, self.embedder.dimension)
        keys = sorted({context.key for context in contexts})
        return await find_readings(conn, keys, column, with_states=isinstance(self.embedder, TokenEmbedder))


def _count_reused(plan: BatchPlan, asked: Set[bytes]) -> int:
    keys = [indexed.context.key for indexed in plan.fresh.values() if indexed.context is not None]
    return len(keys) - len(asked & set(keys))

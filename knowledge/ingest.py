"""Taking documents in: cut, compare with what is stored, embed, write. Each batch is one transaction.

While one batch is written the next is cut and embedded, so that the embedder is never idle. A batch is planned without
a lock; if somebody else wrote into the gem meanwhile, it is planned again under the gem's lock, its vectors at hand.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from core.pg import Database
from gems import Moment, advance_gem, get_gems, lock_gem
from knowledge import store
from knowledge.batch import BatchPlan, CutDocument, find_anchors, plan_batch, plan_documents
from knowledge.chunking import Chunker
from knowledge.documents import SourceDocument, content_hash
from knowledge.embedding import Embedder
from knowledge.lexical import Segment, count_segments, seal
from knowledge.store import Connection, DocumentSummary, Vectors

BATCH_PASSAGES = 128
BATCH_DOCUMENTS = 256


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingestion did so far, or in all.

    Attributes:
        documents: stored, new and replaced.
        replaced: of those, the ones that took the place of an older text of the same id.
        skipped: documents that were stored already as they are.
        embedding_s: time spent waiting for the embedder.
    """

    documents: int = 0
    replaced: int = 0
    skipped: int = 0
    passages: int = 0
    seconds: float = 0.0
    embedding_s: float = 0.0


@dataclass(slots=True)
class _Run:
    """The state of one ingestion: what it did, and what its last write did to the gem."""

    tenant: UUID
    gem_id: UUID
    at: Moment
    progress: Callable[[IngestReport], None]
    report: IngestReport = field(default_factory=IngestReport)
    started: float = field(default_factory=time.perf_counter)
    last_step: tuple[int, int] | None = None  # the gem's version before and after the last write
    last_threads: frozenset[str] = frozenset()  # that it changed


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A planned batch with the vectors of its texts, and the gem's version it was planned against."""

    cuts: tuple[CutDocument, ...]
    plan: BatchPlan
    version: int
    vectors: Mapping[str, Vectors]


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

        Args:
            tenant: whose lattice.
            gem_id: where they go; a document's own `gem` is not looked at.
            documents: read as needed, in a worker thread, never all at once.
            at: the moment that the passages are formed.
            progress: called after each batch with the sums so far.
            said: turns without an id, counted; hand the same one to each part of an ingestion that comes in parts.

        Raises:
            GemNotFoundError, GemArchivedError: nothing is stored.
            EmbeddingMismatchError: the lattice was written with another model; nothing is stored.
        """
        run = _Run(tenant, gem_id, at, progress)
        await self._check(run)
        batches = self._batches(iter(documents), Counter() if said is None else said)
        writing: asyncio.Task[None] | None = None
        being_written: tuple[CutDocument, ...] = ()
        try:
            while cuts := await asyncio.to_thread(next, batches, None):
                if writing is not None and _depends(cuts, being_written):
                    await writing
                prepared = await self._prepare(run, cuts)
                if writing is not None:
                    await writing
                writing, being_written = asyncio.create_task(self._write(run, prepared)), cuts
        finally:
            if writing is not None:
                await writing
        return run.report

    async def delete(self, tenant: UUID, gem_id: UUID, document_ids: Sequence[UUID], at: Moment) -> None:
        """Delete documents; passages around them in their threads are indexed anew.

        Raises:
            GemNotFoundError, GemArchivedError, DocumentNotFoundError: nothing is deleted.
        """

        async def carry_out(conn: Connection) -> None:
            await lock_gem(conn, gem_id, at)
            removed = await store.get_known(conn, gem_id, document_ids)
            loose = [gone.document_id for gone in removed if gone.thread is None]
            stored = await store.read_stored(conn, gem_id, find_anchors([], removed), loose)
            plan = plan_batch([], removed, stored)
            vectors = await self._embed(plan, {})
            await _carry_out(conn, gem_id, plan, vectors, at)

        await self.database.retrying(tenant, carry_out)

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

    def _batches(self, documents: Iterator[SourceDocument], said: Counter[bytes]) -> Iterator[tuple[CutDocument, ...]]:
        batch: dict[str | bytes, CutDocument] = {}
        passages = 0
        for document in documents:
            cut = self._cut(document, _hash(document, said))
            full = passages + len(cut.chunks) > BATCH_PASSAGES or len(batch) >= BATCH_DOCUMENTS
            if batch and (full or cut.identity in batch):
                yield tuple(batch.values())
                batch, passages = {}, 0
            batch[cut.identity] = cut
            passages += len(cut.chunks)
        if batch:
            yield tuple(batch.values())

    def _cut(self, document: SourceDocument, digest: bytes) -> CutDocument:
        chunks = tuple(self.chunker.split(document.text))
        tokens = tuple(self.chunker.count(chunk.text) for chunk in chunks)
        return CutDocument(document, digest, chunks, tokens)

    async def _prepare(self, run: _Run, cuts: tuple[CutDocument, ...]) -> _Prepared:
        async with self.database.transaction(run.tenant, read_only=True) as conn:
            version = (await get_gems(conn, [run.gem_id], run.at))[0].version
            plan = await _plan(conn, run.gem_id, cuts)
        started = time.perf_counter()
        vectors = await self._embed(plan, {})
        spent = run.report.embedding_s + time.perf_counter() - started
        run.report = replace(run.report, embedding_s=spent)
        return _Prepared(cuts, plan, version, vectors)

    async def _write(self, run: _Run, prepared: _Prepared) -> None:
        plan = prepared.plan

        async def carry_out(conn: Connection) -> tuple[BatchPlan, tuple[int, int]]:
            found = (await lock_gem(conn, run.gem_id, run.at)).version
            plan, vectors = prepared.plan, prepared.vectors
            if not _is_current(prepared, found, run):
                plan = await _plan(conn, run.gem_id, prepared.cuts)
                vectors = await self._embed(plan, vectors)
            if plan.is_empty:
                return plan, (found, found)
            return plan, (found, await _carry_out(conn, run.gem_id, plan, vectors, run.at))

        if not plan.is_empty:
            plan, run.last_step = await self.database.retrying(run.tenant, carry_out)
            run.last_threads = plan.threads
        run.report = replace(
            run.report,
            documents=run.report.documents + len(plan.documents),
            replaced=run.report.replaced + sum(document.replaces is not None for document in plan.documents),
            skipped=run.report.skipped + plan.skipped,
            passages=run.report.passages + len(plan.fresh),
            seconds=time.perf_counter() - run.started,
        )
        run.progress(run.report)

    async def _embed(self, plan: BatchPlan, known: Mapping[str, Vectors]) -> dict[str, Vectors]:
        texts = {indexed.context for indexed in plan.fresh.values()} | set(plan.reembedded.values())
        missing = sorted(texts - known.keys())
        vectors = await self.embedder.embed(missing)
        return {**known, **dict(zip(missing, vectors, strict=True))}


def _hash(document: SourceDocument, said: Counter[bytes]) -> bytes:
    """Return what tells a document from others; a turn without an id also by how often it was `said` before."""
    digest = content_hash(document)
    if document.thread is None or document.external_id is not None:
        return digest
    said[digest] += 1
    return content_hash(document, said[digest] - 1)


def _depends(cuts: Sequence[CutDocument], earlier: Sequence[CutDocument]) -> bool:
    """Say whether a batch can only be planned when an earlier one is stored."""
    threads = {cut.document.thread for cut in earlier} - {None}
    identities = {cut.identity for cut in earlier}
    return any(cut.identity in identities or cut.document.thread in threads for cut in cuts)


def _is_current(prepared: _Prepared, found: int, run: _Run) -> bool:
    """Say whether a plan still holds: nobody wrote since, or only this run, what the plan does not depend on."""
    if found == prepared.version:
        return True
    return (prepared.version, found) == run.last_step and not prepared.plan.threads & run.last_threads


async def _plan(conn: Connection, gem_id: UUID, cuts: Sequence[CutDocument]) -> BatchPlan:
    known, ends = await store.find_known(conn, gem_id, cuts)
    documents, skipped = plan_documents(cuts, known, ends)
    loose = [d.document_id for d in documents if d.replaces is not None and d.replaces.thread is None]
    stored = await store.read_stored(conn, gem_id, find_anchors(documents, []), loose)
    return await asyncio.to_thread(plan_batch, documents, [], stored, skipped)


async def _carry_out(
    conn: Connection, gem_id: UUID, plan: BatchPlan, vectors: Mapping[str, Vectors], at: Moment
) -> int:
    """Write a planned batch; return the gem's new version."""
    speakers = sorted({d.cut.document.speaker for d in plan.documents if d.cut.document.speaker})
    versions = count_segments(len(plan.fresh), len(plan.reindexed))
    version, first = await advance_gem(
        conn, gem_id, versions=versions, slots=len(plan.fresh), speakers=speakers, now=at.now
    )
    order = [passage.passage_id for document in plan.documents for passage in document.passages]
    slots = {passage_id: first + i for i, passage_id in enumerate(order)}
    entries = [replace(plan.fresh[passage_id].entry, slot=slot) for passage_id, slot in slots.items()]
    if plan.removed:
        await store.delete_documents(conn, plan.removed)
    if plan.documents:
        await store.put_documents(conn, gem_id, plan.documents, at.now)
        fresh = {passage_id: vectors[plan.fresh[passage_id].context] for passage_id in order}
        await store.insert_passages(conn, gem_id, plan.documents, slots=slots, vectors=fresh, now=at.now)
    if plan.reembedded:
        await store.update_embeddings(conn, {i: vectors[text] for i, text in plan.reembedded.items()})
    write = Segment(gem_id, version, first, 0, 0, plan.tokens, tombstones=plan.tombstones)
    await seal(conn, write, entries, plan.reindexed)
    return version

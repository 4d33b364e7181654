"""Loading rows that bring their embeddings: parsed in worker processes, written by COPY, their words and index later.

One transaction a block of lines. A load that breaks off is run again: what is stored is skipped, what is not sealed is
sealed. docs/scale.md tells what each phase costs.
"""

import asyncio
import multiprocessing
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol
from uuid import UUID

from core.errors import ConfigurationError, DatabaseUnfitError, LatticeError
from gems import Moment, lock_gem
from knowledge import store
from knowledge.bulk.preparing import Part, Preparation, PreparedBlock, prepare_block
from knowledge.bulk.report import PROBLEMS_KEPT, BulkReport
from knowledge.bulk.rows import Block, cut_blocks
from knowledge.bulk.writing import PartAim, WrittenPart, write_part
from knowledge.happenings import DocumentsStored
from knowledge.ingest import Ingestion, IngestReport
from knowledge.sealing import seal_rest

ALONE_BYTES = 16_000_000  # files smaller than this are not worth starting processes for
INDEX_LEAST = 20_000  # rows: fewer go into the live index in half a minute


class EmbeddingIndexes(Protocol):
    """The indexes over embeddings, one for each column and dimension; they belong to the owner of the schema."""

    async def count(self, column: str, dimension: int) -> int:
        """Return about how many embeddings one holds; 0 if it is not there."""
        ...

    async def drop(self, column: str, dimension: int) -> None:
        """Drop it; nearest passages are found by comparing all until it is back."""
        ...

    async def ensure(self, column: str, dimension: int) -> None:
        """Make it unless it is there."""
        ...


Progress = Callable[[BulkReport], None]
GemNamed = Callable[[str], Awaitable[UUID]]
MakeIndex = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class BulkLoader:
    """Takes rows with embeddings into gems.

    Attributes:
        ingestion: takes the rows that need the ordinary way: of threads, with relations, without embeddings, changed.
        indexes: that of the lattice is dropped before a load larger than what it holds, and made again after it; None
            leaves it live.
        workers: processes that parse; by default one a core.
    """

    ingestion: Ingestion
    indexes: EmbeddingIndexes | None = None
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)

    async def load(
        self,
        tenant: UUID,
        gem_id: UUID,
        paths: Sequence[Path],
        at: Moment,
        progress: Progress = lambda report: None,
        *,
        gem_named: GemNamed | None = None,
    ) -> BulkReport:
        """Store the rows of JSONL files with their embeddings; seal them; make the index again if it was dropped.

        Args:
            tenant: whose lattice.
            gem_id: where rows go that name no gem.
            paths: of files as `is_precomputed` finds them.
            at: the moment that the passages are formed.
            progress: called after each block and step with the sums so far.
            gem_named: finds or makes the gem that a row's `gem` names; without it, all rows go to `gem_id`.

        Raises:
            GemNotFoundError, GemArchivedError, EmbeddingMismatchError: nothing is stored.
            ConfigurationError: a worker process ended.
            LatticeError: what was stored before stays; the same load again goes on from there.
        """
        column = await self._check(tenant, gem_id, at)
        run = _Run(self, tenant, gem_id, at, progress, gem_named)
        size = sum(path.stat().st_size for path in paths)
        with _open_executor(self.workers if size >= ALONE_BYTES else 0) as executor:
            dropped = await self._drop_index(column, paths, size)
            try:
                await run.load(paths, size, executor)
                await run.seal(executor)
            except Exception:
                with suppress(LatticeError):  # the first error is the one to tell; the next start makes the index
                    if dropped is not None:
                        await dropped()
                raise
            if dropped is not None:
                await run.make_index(dropped)
        return run.report

    async def _check(self, tenant: UUID, gem_id: UUID, at: Moment) -> str:
        embedder = self.ingestion.embedder
        async with self.ingestion.database.transaction(tenant) as conn:
            await lock_gem(conn, gem_id, at)
            return await store.check_model(conn, embedder.model, embedder.dimension, record=True)

    async def _drop_index(self, column: str, paths: Sequence[Path], size: int) -> MakeIndex | None:
        """Drop the index if the load is larger than what it holds; return how it is made again."""
        if self.indexes is None:
            return None
        dimension = self.ingestion.embedder.dimension
        coming = await asyncio.to_thread(_estimate_rows, paths, size)
        if coming < max(INDEX_LEAST, await self.indexes.count(column, dimension)):
            return None
        try:
            await self.indexes.drop(column, dimension)
        except DatabaseUnfitError:  # the index is not ours to drop: it is filled as it stands, which takes longer
            return None
        return partial(self.indexes.ensure, column, dimension)


@dataclass(slots=True)
class _Run:
    """The state of one load."""

    loader: BulkLoader
    tenant: UUID
    gem_id: UUID
    at: Moment
    progress: Progress
    gem_named: GemNamed | None
    report: BulkReport = field(default_factory=BulkReport)

    async def load(self, paths: Sequence[Path], size: int, executor: Executor) -> None:
        """Write block after block, in their order, while the next ones are parsed."""
        started, read = time.perf_counter(), 0
        first_lines: dict[Path, int] = {}
        preparation = self._preparation()
        async for block, prepared in _prepare_ahead(paths, preparation, executor, self.loader.workers):
            first = first_lines.get(block.path, 0)
            first_lines[block.path] = first + prepared.lines
            for part in prepared.parts:
                await self._take_in(part)
            read += block.size
            problems = [replace(p, line=None if p.line is None else p.line + first) for p in prepared.problems]
            self._tell(
                read=read / size,
                problems=(*self.report.problems, *problems)[:PROBLEMS_KEPT],
                failed=self.report.failed + len(problems),
                load_s=time.perf_counter() - started,
            )

    async def seal(self, executor: Executor) -> None:
        """Give the passages of all gems that were loaded their words."""
        started, before = time.perf_counter(), 0

        def advance(sealed: int) -> None:
            self._tell(sealed=before + sealed, seal_s=time.perf_counter() - started)

        self._tell(phase="seal")
        for gem_id in self.report.gems or (self.gem_id,):
            before += await seal_rest(
                self.loader.ingestion.database, self.tenant, gem_id, executor=executor, progress=advance
            )

    async def make_index(self, make: MakeIndex) -> None:
        """Make the index again."""
        started = time.perf_counter()
        self._tell(phase="index")
        await make()
        self._tell(index_s=time.perf_counter() - started)

    async def _take_in(self, part: Part) -> None:
        gem_id = self.gem_id
        if part.gem is not None and self.gem_named is not None:
            gem_id = await self.gem_named(part.gem)
        ingestion = self.loader.ingestion
        written = WrittenPart(0, 0, ())
        if part.rows:
            aim = PartAim(self.tenant, gem_id, self.at, ingestion.embedder)
            written = await write_part(ingestion.database, aim, part)
        skipped = written.skipped + part.skipped
        ingestion.database.observer.see(DocumentsStored(written.stored, 0, skipped, written.stored))
        added = IngestReport(documents=written.stored, skipped=skipped, passages=written.stored)
        for documents in (written.changed, part.aside):
            if documents:
                added = _add(added, await ingestion.ingest(self.tenant, gem_id, documents, self.at))
        known = self.report.gems.get(gem_id, IngestReport())
        self.report = replace(self.report, gems={**self.report.gems, gem_id: _add(known, added)})

    def _preparation(self) -> Preparation:
        ingestion = self.loader.ingestion
        embedder = ingestion.embedder
        return Preparation(ingestion.chunker.tokenizer.to_str(), embedder.model, embedder.dimension)

    def _tell(self, **changes: object) -> None:
        self.report = replace(self.report, **changes)  # type: ignore[arg-type]  # fields of the report
        self.progress(self.report)


async def _prepare_ahead(
    paths: Sequence[Path], preparation: Preparation, executor: Executor, workers: int
) -> AsyncIterator[tuple[Block, PreparedBlock]]:
    """Yield blocks made ready, in their order; a few are under way at a time, so that memory stays bounded."""
    loop = asyncio.get_running_loop()
    blocks = (block for path in paths for block in cut_blocks(path, path.name))
    waiting: deque[tuple[Block, asyncio.Future[PreparedBlock]]] = deque()

    async def fill() -> None:
        for block in await asyncio.to_thread(list, islice(blocks, max(1, workers) + 1 - len(waiting))):
            waiting.append((block, loop.run_in_executor(executor, prepare_block, block, preparation)))

    await fill()
    while waiting:
        block, prepared = waiting.popleft()
        found = await prepared
        await fill()
        yield block, found


@contextmanager
def _open_executor(workers: int) -> Iterator[Executor]:
    """Open worker processes, or a thread where they would not pay."""
    if workers < 1:
        with ThreadPoolExecutor(1) as threads:
            yield threads
        return
    # spawned, not forked: this process has threads, which a fork would leave half alive
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context)
    try:
        yield pool
    except BrokenExecutor as error:
        raise ConfigurationError(
            "a worker process ended: there may be too little memory for it, or a script that starts a load lacks "
            '`if __name__ == "__main__":`, without which it is run again by each worker'
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _estimate_rows(paths: Sequence[Path], size: int) -> int:
    """Guess how many rows files of `size` bytes in all hold, from the first block of each."""
    lines = sampled = 0
    for path in paths:
        block = next(cut_blocks(path, path.name, 1_000_000), None)
        if block is not None:
            with path.open("rb") as stream:
                lines += stream.read(block.size).count(b"\n") + 1
            sampled += block.size
    return round(lines * size / sampled) if sampled else 0


def _add(one: IngestReport, other: IngestReport) -> IngestReport:
    names = ("documents", "replaced", "skipped", "passages")
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})

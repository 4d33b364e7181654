"""Carrying out an ingestion: its input read, its rows stored, how far it has come reported, whatever happens.

Another run after a crash reads the rows from the start again, but compares only those beyond the last report with what
is stored; of these, what had been stored is skipped as it would be in any ingestion.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import structlog

from core.errors import ForbiddenError, GemNotFoundError, LatticeError, UnavailableError
from core.pg import Connection, Database
from gems import Gem, Gems, Moment
from knowledge.documents import SourceDocument
from knowledge.ingest import Ingestion
from knowledge.jobs import store
from knowledge.jobs.feeding import ChooseGem, Feeding
from knowledge.jobs.queue import defer
from knowledge.jobs.rows import Numbered, OpenSource, Survey, estimate, number_rows, read_all, survey
from knowledge.jobs.run import InterruptedRunError, Run, StopError, Watch
from knowledge.jobs.store import IngestionRecord
from knowledge.jobs.tally import Counts, Tally
from knowledge.lexical import merge_due

MERGE = "merge"
INTERRUPTED = "interrupted"
REPORT_S = 1.0
LIMIT_S = 24 * 3600.0
MOST_ATTEMPTS = 50  # while something we need does not answer, without any progress: about 45 minutes
MOST_CRASHES = 10  # of a run whose process ends without a word, without any progress

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IngestionWork:
    """Carries ingestions out, one run at a time.

    Attributes:
        root: the folder that must hold whatever files others name by a path; None if they may name none.
    """

    database: Database
    ingestion: Ingestion
    gems: Gems
    at: Callable[[], Moment]
    root: Path | None = None

    async def carry_out(
        self, tenant: UUID, ingestion_id: UUID, watch: Watch = lambda run: None
    ) -> IngestionRecord | None:
        """Carry out an ingestion that is queued, or that an earlier run left in its middle.

        Args:
            tenant: whose.
            ingestion_id: which.
            watch: called whenever something was stored.

        Returns:
            how it ended; None if there is nothing to do, or another run has taken its place.

        Raises:
            LatticeError: why it failed, where `host` says that somebody watches it; else UnavailableError alone, and
                it is queued again.
        """
        record = await self._claim(tenant, ingestion_id)
        if record is None:
            return None
        run = Run(tenant, record, Tally(record.counts, int.from_bytes(record.fingerprint)))
        try:
            async with asyncio.timeout(LIMIT_S), self._reporting(run):
                await self._work(run, watch)
        except StopError as e:
            return None if e.is_taken_over else await self._end(run, "cancelled")
        except asyncio.CancelledError:
            with suppress(LatticeError):
                await self._end(run, "queued" if record.host is None else "cancelled")
            raise
        except Exception as e:  # noqa: BLE001 - told in the record: nobody else is there to hear it
            return await self._fail(run, e)
        finally:
            run.stop = run.stop or StopError()  # a thread that still reads ends too
        return await self._end(run, "done")

    async def _claim(self, tenant: UUID, ingestion_id: UUID) -> IngestionRecord | None:
        values = {"ingestion_id": ingestion_id, "run_id": uuid4()}

        async def claim(conn: Connection) -> IngestionRecord | None:
            return await store.change(conn, "claim", values)

        return await self.database.retrying(tenant, claim)

    async def _work(self, run: Run, watch: Watch) -> None:
        if run.record.cancelling:
            raise StopError
        if run.record.attempts > _most_attempts(run.record):
            raise InterruptedRunError(f"it was begun {run.record.attempts - 1} times and came no further")
        gem = await self.gems.get(run.tenant, run.record.gem_id, self.at())
        async with self._open_sources(run) as sources:
            run.total = await asyncio.to_thread(estimate, sources)
            choose = _choice(run.record, gem)
            rows, seen = await self._find_rows(run, sources, choose)
            progress = _reporter(run, watch)
            feeding = Feeding(
                run.tenant, self.ingestion, self.gems, self.at, run.tally, progress, seen.said, run.touched
            )
            if choose is None:
                await feeding.feed_one(gem, rows)
            else:
                await feeding.feed_chosen(choose, rows)
        run.check()
        run.total = run.tally.counts.read

    async def _find_rows(
        self, run: Run, sources: list[OpenSource], choose: ChooseGem | None
    ) -> tuple[Iterator[Numbered], Survey]:
        """Return the rows that are still to be stored, and what is known of the others."""
        record, read = run.record, run.record.counts.read
        failed = await self._list_failed(run) if read else frozenset[int]()

        within = None if record.host is not None else self.root

        def open_rows() -> Iterator[Numbered]:
            return number_rows(read_all(sources, within), run.check)

        def look() -> tuple[Iterator[Numbered], Survey]:
            rows = open_rows()
            return rows, survey(rows, read, failed, choose or (lambda _: ""))

        rows, seen = await asyncio.to_thread(look)
        is_whole = not record.retrying or len(failed) == record.counts.failed
        if seen.fingerprint != run.tally.fingerprint or seen.read < read or not is_whole:
            await self._start_over(run)
            return open_rows(), survey(iter(()), 0, failed, choose or (lambda _: ""))
        if not record.retrying:
            return rows, seen
        run.tally = Tally(record.counts, run.tally.fingerprint, failed)
        return (each for each in open_rows() if each[0] >= read or each[0] in failed), seen

    async def _list_failed(self, run: Run) -> frozenset[int]:
        key = {"ingestion_id": run.record.ingestion_id}
        async with self.database.transaction(run.tenant, read_only=True) as conn:
            numbers = {row["number"] for row in await store.fetch_all(conn, "list_failed", key)}
        return frozenset(each for each in numbers if each < run.record.counts.read)

    async def _start_over(self, run: Run) -> None:
        _log.info("ingestion_started_over", ingestion=str(run.record.ingestion_id))
        key = {"ingestion_id": run.record.ingestion_id, "run_id": run.record.run_id}
        run.tally = Tally(Counts())
        async with self.database.transaction(run.tenant) as conn:
            await store.fetch_all(conn, "start_over", key)

    @asynccontextmanager
    async def _open_sources(self, run: Run) -> AsyncIterator[list[OpenSource]]:
        """Yield what is to be read, bodies as files that are removed at the end."""
        async with self.database.transaction(run.tenant, read_only=True) as conn:
            stored = await store.list_sources(conn, run.record.ingestion_id)
        with TemporaryDirectory(prefix="lattice-") as folder:
            opened = []
            for source in stored:
                if source.path is not None and run.record.host is None and self.root is None:
                    raise ForbiddenError("LATTICE_INGEST_ROOT is not set: files are not read by their path")
                path = (
                    Path(os.fsdecode(source.path)) if source.path else Path(folder, f"{source.source}{source.format}")
                )
                if source.path is None:
                    await self._write_body(run, source.source, path)
                opened.append(OpenSource(source.name, None if source.path else source.format, path))
            yield opened

    async def _write_body(self, run: Run, source: int, path: Path) -> None:
        key = {"ingestion_id": run.record.ingestion_id, "source": source}
        with path.open("wb") as file:
            for chunk in range(2**31):
                run.check()
                async with self.database.transaction(run.tenant, read_only=True) as conn:
                    found = await store.fetch_all(conn, "get_chunk", {**key, "chunk": chunk})
                if not found:
                    return
                await asyncio.to_thread(file.write, found[0]["data"])

    @asynccontextmanager
    async def _reporting(self, run: Run) -> AsyncIterator[None]:
        """Report each second, also when nothing moves: it is the sign of life."""

        async def report_forever() -> None:
            while run.stop is None:
                await asyncio.sleep(REPORT_S)
                try:
                    run.stop = await self._report(run)
                except LatticeError as e:  # the store itself will say so to whoever writes
                    _log.info("ingestion_not_reported", code=e.code, reason=e.message)

        reporting = asyncio.create_task(report_forever())
        try:
            yield
        finally:
            reporting.cancel()
            await asyncio.wait([reporting])

    async def _report(self, run: Run) -> StopError | None:
        tally, stop = run.tally, None
        problems, mended = len(tally.problems), len(tally.mended)

        async def carry_out(conn: Connection) -> bool | None:
            return await store.report(conn, run.record, tally, seconds=run.seconds, total=run.total)

        is_cancelled = await self.database.retrying(run.tenant, carry_out)
        if is_cancelled is None:
            stop = StopError(is_taken_over=True)
        elif is_cancelled:
            stop = StopError()
        del tally.problems[:problems], tally.mended[:mended]
        return stop

    async def _fail(self, run: Run, error: Exception) -> IngestionRecord | None:
        is_watched = run.record.host is not None
        if isinstance(error, UnavailableError) and run.record.attempts < MOST_ATTEMPTS and not is_watched:
            with suppress(LatticeError):
                await self._end(run, "queued", error.code, error.message)
            raise error
        if isinstance(error, GemNotFoundError):  # and the ingestion went with it
            return None
        code, message = _explain(error)
        ended = await self._end(run, "failed", code, message)
        if is_watched:
            raise error
        return ended

    async def _end(
        self, run: Run, state: str, code: str | None = None, message: str | None = None
    ) -> IngestionRecord | None:
        """Store how a run ended, and have merged what it wrote."""
        record, tally = run.record, run.tally
        key = {"ingestion_id": record.ingestion_id}
        values = {**key, "run_id": record.run_id, "state": state, "error_code": code, "error": message}

        async def carry_out(conn: Connection) -> IngestionRecord | None:
            if await store.report(conn, record, tally, seconds=run.seconds, total=run.total) is None:
                return None
            ended = await store.change(conn, "end_run", values)
            if state == "done" and not tally.counts.failed:
                await store.fetch_all(conn, "drop_chunks", key)
            for gem_id in sorted(run.touched) if record.host is None else ():
                await defer(conn, run.tenant, MERGE, {"gem": str(gem_id)}, lock=f"merge {gem_id}")
            return ended

        ended = await self.database.retrying(run.tenant, carry_out)
        tally.problems, tally.mended = [], []
        if state == "done" and record.host is not None:  # there may be no worker to do it
            for gem_id in sorted(run.touched):
                await merge_due(self.database, run.tenant, gem_id)
        return ended


def _most_attempts(record: IngestionRecord) -> int:
    return MOST_CRASHES if record.error_code is None else MOST_ATTEMPTS


def _choice(record: IngestionRecord, gem: Gem) -> ChooseGem | None:
    if not record.by_row:
        return None

    def choose(document: SourceDocument) -> str:
        return document.gem or gem.name

    return choose


def _reporter(run: Run, watch: Watch) -> Callable[[], None]:
    def advanced() -> None:
        watch(run)
        run.check()

    return advanced


def _explain(error: Exception) -> tuple[str, str]:
    if isinstance(error, LatticeError):
        return error.code, error.message
    if isinstance(error, TimeoutError):
        return INTERRUPTED, f"it took longer than {LIMIT_S / 3600:.0f} hours; resume it"
    if isinstance(error, InterruptedRunError):
        return INTERRUPTED, str(error)
    _log.exception("ingestion_failed", exc_info=error)
    return "internal_error", f"{type(error).__name__}: {error}"

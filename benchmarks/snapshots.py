"""Snapshots: seconds and bytes to keep a gem, to keep it again, to compare, verify and restore it.

Its passages are embedded by the local model, with their token states, which are the bulk of what is kept.
"""

import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from benchmarks.corpus import Writer
from benchmarks.figures import Figure, fresh_database, this_moment
from core.pg import DEFAULT_TENANT
from gems import Gems
from knowledge import Chunker, Ingestion, load_local
from knowledge.keeping import RestoreWish, Snapshots
from reflection import REFLECTION_TABLES

DOCUMENTS, SENTENCES = 4_000, 5
USED = 100  # passages whose states change between two snapshots

T = TypeVar("T")


async def measure() -> AsyncIterator[Figure]:
    """Keep a gem of some thousand passages twice, compare it, and bring it back whole and in part."""
    embedder = load_local()
    try:
        async with fresh_database() as (database, _):
            gems, at = Gems(database), this_moment()
            gem = await gems.ensure(DEFAULT_TENANT, "bench", at)
            ingestion = Ingestion(database, embedder, Chunker(embedder.tokenizer))
            report = await ingestion.ingest(
                DEFAULT_TENANT, gem.gem_id, list(Writer(1).documents(DOCUMENTS, SENTENCES)), at
            )
            yield Figure("passages", report.passages, "")
            snapshots, peak = Snapshots(database, embedder, REFLECTION_TABLES), _peak_mb()
            first, seconds = await _timed(snapshots.create(DEFAULT_TENANT, gem.gem_id, at))
            yield Figure("take, first", seconds, "s")
            yield Figure("contents", first.size_bytes / 1e6, "MB")
            yield Figure("contents as stored", first.added_bytes / 1e6, "MB")
            async with database.transaction(DEFAULT_TENANT) as conn:
                await conn.execute("UPDATE passage SET energy = 2 WHERE slot < %s", (USED,))
            again, seconds = await _timed(snapshots.create(DEFAULT_TENANT, gem.gem_id, at))
            yield Figure(f"take again, {USED} states changed", seconds, "s")
            yield Figure("added by that", again.added_bytes / 1e3, "kB")
            _, seconds = await _timed(snapshots.compare(DEFAULT_TENANT, first.snapshot_id))
            yield Figure("compare with the present", seconds, "s")
            _, seconds = await _timed(snapshots.verify(DEFAULT_TENANT, first.snapshot_id))
            yield Figure("verify", seconds, "s")
            _, seconds = await _timed(snapshots.restore(DEFAULT_TENANT, first.snapshot_id, RestoreWish(), at))
            yield Figure(f"restore, {USED} states changed", seconds, "s")
            await gems.delete(DEFAULT_TENANT, gem.gem_id)
            _, seconds = await _timed(snapshots.restore(DEFAULT_TENANT, first.snapshot_id, RestoreWish(), at))
            yield Figure("restore, the gem deleted", seconds, "s")
            yield Figure("memory that all this took", _peak_mb() - peak, "MB")
    finally:
        await embedder.aclose()


async def _timed(work: Awaitable[T]) -> tuple[T, float]:
    started = time.perf_counter()
    return await work, time.perf_counter() - started


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes here
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

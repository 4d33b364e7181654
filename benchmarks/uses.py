"""What measuring adds to a reflection: passages, their gem and its partners, each evolved, strengthened and logged.

In the reflection's own transaction, under row-level security, over a connection that is warm.
"""

import random
import time
from collections.abc import AsyncIterator
from uuid import UUID

import numpy as np

from benchmarks.blocks import spread
from benchmarks.figures import Figure, fresh_database, refresh_statistics, this_moment, time_each
from core.pg import DEFAULT_TENANT, Database
from gems import ALPHA_DEFAULT, Gems, set_entanglement
from knowledge import Chunker, Ingestion, SourceDocument, load_local, use_passages

GEMS = 200
PASSAGES = 3_000
CASES = ((1, 0), (3, 0), (3, 3), (3, 10))  # passages that are cited, partners of their gem
PARTNERS = sorted({partners for _, partners in CASES})
BLOCKS, CALLS = 9, 60


async def measure() -> AsyncIterator[Figure]:
    """Measure uses of passages, of gems that are entangled with more and more others."""
    async with fresh_database() as (database, url):
        used, passages = await _fill(database)
        await refresh_statistics(url)
        spent: dict[tuple[int, int], list[float]] = {case: [] for case in CASES}
        bare: list[float] = []
        for block in range(-1, BLOCKS):
            for cited, partners in CASES:
                gem_id = used[partners]
                median = await _time(database, gem_id, passages[gem_id], cited, seed=block)
                if block >= 0:  # the one before warms up
                    spent[cited, partners].append(median)
            bare.append(await _time_bare(database))
    for cited, partners in CASES:
        name = f"a use: passages {cited}, their gem, partners {partners}"
        yield spread(name, spent[cited, partners], "ms", "≤ 1" if partners <= cited else "")
    yield spread("SELECT 1, beside them", bare[1:], "ms")


async def _fill(database: Database) -> tuple[dict[int, UUID], dict[UUID, list[UUID]]]:
    """Return the gem to be used by how many partners it has, and the passages of each."""
    at, gems, embedder = this_moment(), Gems(database), load_local()
    every = [(await gems.ensure(DEFAULT_TENANT, f"gem {i}", at)).gem_id for i in range(GEMS)]
    used = dict(zip(PARTNERS, every, strict=False))
    ingestion = Ingestion(database, embedder, Chunker(embedder.tokenizer))
    for gem_id in used.values():
        rows = [SourceDocument(f"Crane {i} stands at pier {i % 40}.", external_id=str(i)) for i in range(PASSAGES)]
        await ingestion.ingest(DEFAULT_TENANT, gem_id, rows, at)
    await embedder.aclose()
    async with database.transaction(DEFAULT_TENANT) as conn:
        for partners, gem_id in used.items():
            for other in every[len(used) : len(used) + partners]:
                await set_entanglement(conn, gem_id, other, 0.5, at.now)
        rows_of = await conn.execute("SELECT gem_id, array_agg(passage_id) FROM passage GROUP BY gem_id")
        return used, dict(await rows_of.fetchall())


async def _time(database: Database, gem_id: UUID, passages: list[UUID], cited: int, seed: int) -> float:
    """Return the median of what a use took, in milliseconds."""
    picks, spent = random.Random(seed), []
    for _ in range(CALLS):
        gains = dict.fromkeys(picks.sample(passages, cited), ALPHA_DEFAULT)
        async with database.transaction(DEFAULT_TENANT) as conn:
            await conn.execute("SELECT 1")  # a reflection has used its connection before it measures
            started = time.perf_counter()
            await use_passages(conn, gains, this_moment(), cause="reflection", gems={gem_id: ALPHA_DEFAULT})
            spent.append((time.perf_counter() - started) * 1e3)
    return float(np.median(spent))


async def _time_bare(database: Database) -> float:
    """Return the median of the least that a query may take, in milliseconds."""
    async with database.transaction(DEFAULT_TENANT) as conn:
        return float(np.median(await time_each(CALLS, lambda _: conn.execute("SELECT 1"))))

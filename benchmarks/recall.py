"""Recall at 10,000 passages, beside the bare pgvector query in one run."""

from collections.abc import AsyncIterator

import numpy as np
from pgvector import HalfVector

from benchmarks.corpus import Writer
from benchmarks.figures import Figure, fresh_database, refresh_statistics, this_moment, time_in_turn
from core.pg import DEFAULT_TENANT
from gems import Gems
from knowledge import Chunker, Ingestion, Recall, RecallQuery, ResonanceCache, load_local

PASSAGES = 10_000
QUESTIONS = 300
NEAREST = (
    "SELECT passage_id, body, embedding::halfvec(384) <=> %s::halfvec(384) AS distance FROM passage "
    "WHERE gem_id = %s AND vector_dims(embedding) = 384 ORDER BY embedding::halfvec(384) <=> %s::halfvec(384) LIMIT 10"
)


async def measure() -> AsyncIterator[Figure]:
    """Ask the same questions of recall, and of pgvector alone (embed, nearest ten with their text)."""
    embedder = load_local()
    try:
        async with fresh_database() as (database, url):
            gem = await Gems(database).ensure(DEFAULT_TENANT, "bench", this_moment())
            ingestion = Ingestion(database, embedder, Chunker(embedder.tokenizer))
            await ingestion.ingest(DEFAULT_TENANT, gem.gem_id, Writer(1).documents(PASSAGES, 1), this_moment())
            await refresh_statistics(url)
            recall, writer = Recall(database, embedder, cache=ResonanceCache(0)), Writer(2)
            keeping = Recall(database, embedder)
            questions = [writer.sentence(7).replace(".", "?") for _ in range(QUESTIONS)]

            async def ask(i: int) -> object:
                return await recall.recall(DEFAULT_TENANT, RecallQuery(questions[i], (gem.gem_id,)), this_moment())

            async def ask_again(i: int) -> object:
                return await keeping.recall(DEFAULT_TENANT, RecallQuery(questions[i], (gem.gem_id,)), this_moment())

            async def nearest(i: int) -> object:
                vector = HalfVector((await embedder.embed([questions[i]]))[0])
                async with database.transaction(DEFAULT_TENANT, read_only=True) as conn:
                    cursor = await conn.execute(NEAREST, (vector, gem.gem_id, vector), binary=True)
                    return await cursor.fetchall()

            whole, bare = await time_in_turn(QUESTIONS, ask, nearest)
            yield Figure("recall p50 at 10,000", float(np.percentile(whole, 50)), "ms")
            yield Figure("recall p95 at 10,000", float(np.percentile(whole, 95)), "ms")
            yield Figure("bare pgvector p50", float(np.percentile(bare, 50)), "ms")
            yield Figure("recall to bare pgvector, p50", float(np.median(whole / bare)), "ratio")
            for i in range(QUESTIONS):
                await ask_again(i)
            kept, anew = await time_in_turn(QUESTIONS, ask_again, ask)
            yield Figure("a question asked again to one asked anew, p50", float(np.median(kept / anew)), "ratio", "< 1")
    finally:
        await embedder.aclose()

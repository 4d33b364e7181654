"""Recall at 10,000 passages, beside the bare pgvector query in one run."""

from collections.abc import AsyncIterator

import numpy as np
from pgvector import HalfVector

from benchmarks.corpus import Writer
from benchmarks.figures import Figure, fresh_database, this_moment, time_each
from core.pg import DEFAULT_TENANT
from gems import Gems
from knowledge import Chunker, Ingestion, Recall, RecallQuery, load_local

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
        async with fresh_database() as (database, _):
            gem = await Gems(database).ensure(DEFAULT_TENANT, "bench", this_moment())
            ingestion = Ingestion(database, embedder, Chunker(embedder.tokenizer))
            await ingestion.ingest(DEFAULT_TENANT, gem.gem_id, Writer(1).documents(PASSAGES, 1), this_moment())
            recall, writer = Recall(database, embedder), Writer(2)
            questions = [writer.sentence(7).replace(".", "?") for _ in range(QUESTIONS)]

            async def ask(i: int) -> object:
                return await recall.recall(DEFAULT_TENANT, RecallQuery(questions[i], (gem.gem_id,)), this_moment())

            async def nearest(i: int) -> object:
                vector = HalfVector((await embedder.embed([questions[i]]))[0])
                async with database.transaction(DEFAULT_TENANT, read_only=True) as conn:
                    cursor = await conn.execute(NEAREST, (vector, gem.gem_id, vector), binary=True)
                    return await cursor.fetchall()

            async def both(i: int) -> None:
                whole.append((await time_each(1, lambda _: ask(i), warmup=0))[0])
                bare.append((await time_each(1, lambda _: nearest(i), warmup=0))[0])

            whole: list[float] = []
            bare: list[float] = []
            for i in range(QUESTIONS):
                await both(i)
            slow, quick = np.array(whole[20:]), np.array(bare[20:])
            yield Figure("recall p50 at 10,000", float(np.percentile(slow, 50)), "ms")
            yield Figure("recall p95 at 10,000", float(np.percentile(slow, 95)), "ms")
            yield Figure("bare pgvector p50", float(np.percentile(quick, 50)), "ms")
            yield Figure("recall to bare pgvector, p50", float(np.median(slow / quick)), "ratio", "<= 3")
    finally:
        await embedder.aclose()

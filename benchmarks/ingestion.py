"""Embedding and ingestion: texts a second, and how much of the time the embedder is busy."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from statistics import median

from benchmarks.corpus import Writer
from benchmarks.figures import Figure, fresh_database, this_moment
from core.pg import DEFAULT_TENANT
from gems import Gems
from knowledge import Chunker, Ingestion, load_local
from knowledge.context import own_text

TURNS = 600
DOCUMENTS, SENTENCES = 400, 5
ROUNDS = 3


async def measure() -> AsyncIterator[Figure]:
    """Embed texts alone, then ingest documents of the same kind, in turn."""
    embedder = load_local()
    try:
        turns = [Writer(1).sentence(9) for _ in range(TURNS)]
        await embedder.embed(turns[:50])
        started = time.perf_counter()
        await embedder.embed(turns)
        yield Figure("embedding, turns", TURNS / (time.perf_counter() - started), "texts/s")
        async with fresh_database() as (database, _):
            gem = await Gems(database).ensure(DEFAULT_TENANT, "bench", this_moment())
            chunker = Chunker(embedder.tokenizer)
            ingestion = Ingestion(database, embedder, chunker)
            bare, whole = [], []
            for seed in range(ROUNDS):
                writer = Writer(seed)
                documents = [replace(each, external_id=None) for each in writer.documents(DOCUMENTS, SENTENCES)]
                texts = [
                    own_text(chunk.text, document.title, chunk.heading, None)
                    for document in documents
                    for chunk in chunker.split(document.text)
                ]
                started = time.perf_counter()
                await embedder.embed(texts)
                bare.append(len(texts) / (time.perf_counter() - started))
                report = await ingestion.ingest(DEFAULT_TENANT, gem.gem_id, documents, this_moment())
                whole.append(report.passages / report.seconds)
            yield Figure("embedding, passages", median(bare), "texts/s")
            yield Figure("ingestion", median(whole), "passages/s")
            ratios = [all_in / alone for all_in, alone in zip(whole, bare, strict=True)]
            yield Figure("ingestion to bare embedding", median(ratios), "ratio", ">= 0.85")
    finally:
        await embedder.aclose()

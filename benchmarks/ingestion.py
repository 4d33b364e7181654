"""Embedding and ingestion: passages a second, and how much of the time the embedder is busy.

Bare is the same work for the embedder alone: one pass over the same contexts, with their token states.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median

from benchmarks.corpus import Writer
from benchmarks.figures import Figure, fresh_database, this_moment
from core.pg import DEFAULT_TENANT
from gems import Gems
from knowledge import Chunker, Ingestion, SourceDocument, load_local
from knowledge.context import Context, context_text, own_text
from knowledge.embedding import TokenEmbedder

TURNS = 600
DOCUMENTS, SENTENCES = 100, 40
TALKS = 1_200
ROUNDS = 3


async def measure() -> AsyncIterator[Figure]:
    """Embed contexts alone, then ingest the documents that they are of, in turn; documents, then turns of a thread."""
    embedder = load_local()
    try:
        turns = [Writer(1).sentence(9) for _ in range(TURNS)]
        await embedder.embed(turns[:50])
        started = time.perf_counter()
        await embedder.embed(turns)
        yield Figure("embedding, turns", TURNS / (time.perf_counter() - started), "texts/s")
        async with fresh_database() as (database, _):
            ingestion = Ingestion(database, embedder, Chunker(embedder.tokenizer))
            async for figure in _compare(ingestion, embedder, "passages", write_documents):
                yield figure
            async for figure in _compare(ingestion, embedder, "turns of a thread", write_talk):
                yield figure
    finally:
        await embedder.aclose()


def write_documents(seed: int) -> list[SourceDocument]:
    """Return documents of several passages each."""
    return [replace(each, external_id=None) for each in Writer(seed).documents(DOCUMENTS, SENTENCES)]


def write_talk(seed: int) -> list[SourceDocument]:
    """Return the turns of one conversation."""
    writer, day = Writer(seed), datetime(2026, 3, 1, tzinfo=UTC)
    return [
        SourceDocument(writer.sentence(12), thread=f"talk {seed}", speaker=("Ann", "Ben")[i % 2], occurred_at=day)
        for i in range(TALKS)
    ]


async def _compare(
    ingestion: Ingestion, embedder: TokenEmbedder, kind: str, write: Callable[[int], list[SourceDocument]]
) -> AsyncIterator[Figure]:
    gem = await Gems(ingestion.database).ensure(DEFAULT_TENANT, f"bench {kind}", this_moment())
    bare, whole = [], []
    for seed in range(ROUNDS):
        documents = write(seed)
        contexts = _contexts(ingestion.chunker, documents)
        started = time.perf_counter()
        await embedder.read([each.text for each in contexts], [each.own for each in contexts])
        bare.append(len(contexts) / (time.perf_counter() - started))
        report = await ingestion.ingest(DEFAULT_TENANT, gem.gem_id, documents, this_moment())
        whole.append(report.passages / report.seconds)
    yield Figure(f"embedding, {kind}", median(bare), "texts/s")
    yield Figure(f"ingestion, {kind}", median(whole), "passages/s")
    ratios = [all_in / alone for all_in, alone in zip(whole, bare, strict=True)]
    yield Figure(f"ingestion to bare embedding, {kind}", median(ratios), "ratio", ">= 0.9")


def _contexts(chunker: Chunker, documents: Sequence[SourceDocument]) -> list[Context]:
    """Return what is embedded of documents; those of a thread follow each other in it."""
    owns: list[str] = []
    contexts = []
    for document in documents:
        for chunk in chunker.split(document.text):
            own = own_text(chunk.text, document.title, chunk.heading, document.speaker)
            previous = owns if document.thread else []
            contexts.append(Context(context_text(own, previous, document.occurred_at), len(own)))
            owns.append(own)
    return contexts

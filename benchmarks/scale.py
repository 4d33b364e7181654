"""One gem of 10,000 passages, of 100,000, with --million of 1,000,000: how large, how long to build, how quick to ask.

Text, vectors and token states are synthetic (benchmarks/mixture.py). docs/scale.md fits its model to these figures.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import numpy as np
import psutil
import psycopg
from pgvector import HalfVector

import migrations
from benchmarks.corpus import Writer
from benchmarks.figures import Figure, fresh_database, refresh_statistics, this_moment, time_in_turn
from benchmarks.mixture import MixtureEmbedder, write_rows
from core.pg import DEFAULT_TENANT, Database
from gems import Gems
from knowledge import Chunker, Ingestion, Recall, RecallQuery, load_local
from knowledge.bulk.loading import BulkLoader
from knowledge.bulk.report import BulkReport

SIZES = (10_000, 100_000)
MILLION = 1_000_000
FILE_ROWS = 50_000
STATE_BYTES = 40 * 128  # of a passage of 40 tokens
STATES_BATCH = 5_000
QUESTIONS = 200
CALLERS = (1, 8, 32)
ASKED = 320  # by all callers together
NEAREST = (
    "SELECT passage_id, body, embedding::halfvec(384) <=> %s::halfvec(384) AS distance FROM passage "
    "WHERE gem_id = %s AND vector_dims(embedding) = 384 ORDER BY embedding::halfvec(384) <=> %s::halfvec(384) LIMIT 10"
)
PARTS = {
    "documents": "SELECT pg_total_relation_size('document')",
    "passages and their vectors": "SELECT pg_table_size('passage')",
    "keys of passages": (
        "SELECT pg_indexes_size('passage') - coalesce(pg_relation_size(to_regclass('passage_embedding_384_idx')), 0)"
    ),
    "vector index": "SELECT pg_relation_size('passage_embedding_384_idx')",
    "token states": "SELECT pg_total_relation_size('passage_tokens')",
    "words": "SELECT pg_total_relation_size('lexical_posting') + pg_total_relation_size('lexical_segment')",
    "entities and mentions": (
        "SELECT pg_total_relation_size('entity') + pg_total_relation_size('entity_name') + "
        "pg_total_relation_size('mention')"
    ),
}


@dataclass(frozen=True, slots=True)
class BuiltGem:
    """A gem to be asked."""

    passages: int
    gem_id: UUID
    recall: Recall
    database: Database
    url: str


async def measure(*, million: bool = False) -> AsyncIterator[Figure]:
    """Build each gem in a database of its own, weigh it, ask it."""
    local = load_local()
    try:
        for passages in (*SIZES, *((MILLION,) if million else ())):
            async with fresh_database() as (database, url):
                gem = await Gems(database).ensure(DEFAULT_TENANT, "bench", this_moment())
                ingestion = Ingestion(database, MixtureEmbedder(local), Chunker(local.tokenizer))
                loader = BulkLoader(ingestion, migrations.EmbeddingIndexes(url))
                report = await _load(loader, gem.gem_id, passages)
                started = time.perf_counter()
                await _write_states(database, gem.gem_id, passages)
                states_s = time.perf_counter() - started
                await refresh_statistics(url)
                built = BuiltGem(passages, gem.gem_id, Recall(database, ingestion.embedder), database, url)
                for part in (_tell_build(report, passages, states_s), _weigh(built), _ask(built), _crowd(built)):
                    async for figure in part:
                        yield figure
    finally:
        await local.aclose()


async def _load(loader: BulkLoader, gem_id: UUID, passages: int) -> BulkReport:
    with TemporaryDirectory(prefix="lattice-") as folder:
        paths = []
        for first in range(0, passages, FILE_ROWS):
            paths.append(Path(folder, f"{first}.jsonl"))
            await asyncio.to_thread(write_rows, paths[-1], first, min(FILE_ROWS, passages - first))
        return await loader.load(DEFAULT_TENANT, gem_id, paths, this_moment())


async def _write_states(database: Database, gem_id: UUID, passages: int) -> None:
    """Give each passage the states of 40 tokens, as a model that reads texts would have."""
    rng = np.random.default_rng(5)
    for first in range(0, passages, STATES_BATCH):
        count = min(STATES_BATCH, passages - first)
        states = rng.integers(-127, 128, (count, STATE_BYTES), np.int8)
        async with database.transaction(DEFAULT_TENANT) as conn:
            await conn.execute("CREATE TEMP TABLE IF NOT EXISTS told (slot int, states bytea) ON COMMIT DELETE ROWS")
            async with conn.cursor() as cursor, cursor.copy("COPY told FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(["int4", "bytea"])
                for slot, each in enumerate(states, start=first):
                    await copy.write_row((slot, each.tobytes()))
            insert = "INSERT INTO passage_tokens (gem_id, slot, states) SELECT %s, slot, states FROM told"
            await conn.execute(insert, (gem_id,))


async def _tell_build(report: BulkReport, passages: int, states_s: float) -> AsyncIterator[Figure]:
    spent = {
        "rows loaded": report.load_s,
        "words and mentions written": report.seal_s,
        "vector index built": report.index_s,
        "token states written": states_s,
    }
    for name, seconds in spent.items():
        yield Figure(f"{name}, {passages:,}", seconds, "s")


async def _weigh(built: BuiltGem) -> AsyncIterator[Figure]:
    async with await psycopg.AsyncConnection.connect(built.url) as conn:
        for name, query in PARTS.items():
            (size,) = await (await conn.execute(query.encode())).fetchone() or (0,)
            yield Figure(f"{name}, {built.passages:,}", size / built.passages, "bytes/passage")


async def _ask(built: BuiltGem) -> AsyncIterator[Figure]:
    """Ask the same questions of recall, and of pgvector alone (embed, nearest ten with their text), in turn."""
    questions = _write_questions(7, QUESTIONS + 10)

    async def ask(i: int) -> object:
        return await _recall(built, questions[i])

    async def nearest(i: int) -> object:
        vector = HalfVector((await built.recall.embedder.embed([questions[i]]))[0])
        async with built.database.transaction(DEFAULT_TENANT, read_only=True) as conn:
            cursor = await conn.execute(NEAREST, (vector, built.gem_id, vector), binary=True)
            return await cursor.fetchall()

    whole, bare = await time_in_turn(QUESTIONS, ask, nearest)
    for name, spent in (("recall", whole), ("bare pgvector", bare)):
        yield Figure(f"{name} p50 at {built.passages:,}", float(np.percentile(spent, 50)), "ms")
        yield Figure(f"{name} p95 at {built.passages:,}", float(np.percentile(spent, 95)), "ms")


async def _crowd(built: BuiltGem) -> AsyncIterator[Figure]:
    """Ask from one and from many at once, and see what the process holds before and after."""
    for callers in CALLERS:
        questions = _write_questions(100 + callers, ASKED)
        before = _resident_mb()
        spent: list[float] = []
        started = time.perf_counter()
        await asyncio.gather(*(_ask_all(built, questions[i::callers], spent) for i in range(callers)))
        seconds = time.perf_counter() - started
        yield Figure(f"recall at {built.passages:,}, {callers} at once", ASKED / seconds, "questions/s")
        yield Figure(f"its p95, {callers} at once", float(np.percentile(spent, 95)), "ms")
        yield Figure(f"resident memory gained, {callers} at once", _resident_mb() - before, "MB", "about 0")


async def _ask_all(built: BuiltGem, questions: list[str], spent: list[float]) -> None:
    for question in questions:
        started = time.perf_counter()
        await _recall(built, question)
        spent.append((time.perf_counter() - started) * 1e3)


async def _recall(built: BuiltGem, question: str) -> object:
    return await built.recall.recall(DEFAULT_TENANT, RecallQuery(question, (built.gem_id,)), this_moment())


def _write_questions(seed: int, count: int) -> list[str]:
    """Return distinct questions, so that none is answered from memory."""
    writer = Writer(seed)
    return [writer.sentence(7).replace(".", "?") for _ in range(count)]


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6

"""Rows that bring their embeddings: rows a second to load, to seal, and into the vector index, each told apart."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import migrations
from benchmarks.figures import Figure, fresh_database, this_moment
from benchmarks.mixture import write_rows
from core.pg import DEFAULT_TENANT
from gems import Gems
from knowledge import Chunker, Ingestion, load_local
from knowledge.bulk.loading import BulkLoader

ROWS = 100_000


async def measure() -> AsyncIterator[Figure]:
    """Load the same rows from both forms, each into a database of its own, the vector index dropped meanwhile."""
    embedder = load_local()
    chunker = Chunker(embedder.tokenizer)
    try:
        for name, packed in (("digits", False), ("base64", True)):
            with TemporaryDirectory(prefix="lattice-") as folder:
                path = Path(folder) / "rows.jsonl"
                write_rows(path, 0, ROWS, packed=packed)
                async with fresh_database() as (database, url):
                    gem = await Gems(database).ensure(DEFAULT_TENANT, "bench", this_moment())
                    loader = BulkLoader(Ingestion(database, embedder, chunker), migrations.EmbeddingIndexes(url))
                    report = await loader.load(DEFAULT_TENANT, gem.gem_id, [path], this_moment())
            yield Figure(f"load, vectors as {name}", ROWS / report.load_s, "rows/s", ">= 20,000")
            yield Figure(f"seal, vectors as {name}", ROWS / report.seal_s, "rows/s")
            yield Figure(f"vector index, vectors as {name}", ROWS / report.index_s, "rows/s")
    finally:
        await embedder.aclose()

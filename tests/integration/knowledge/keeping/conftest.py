"""A lattice with all kinds of documents, a second model, and what a lattice holds of both."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pg import Database
from gems import Gem, GemChange, Gems, Moment, set_entanglement
from knowledge import Chunker, Ingestion, parse_document
from knowledge.keeping import Snapshots
from knowledge.keeping.export import Exports
from knowledge.keeping.reembed import Reembedding
from knowledge.keeping.restore import Imports
from migrations import EmbeddingIndexes
from reflection import ReflectionRequest, Reflections
from reflection.travelling import REFLECTION_TABLES

TALK = [
    ("Ann", "I adopted a greyhound called Biscuit last week."),
    ("Ben", "Lovely! Does she like the beach?"),
    ("Ann", "She runs along the water every morning."),
    ("Ben", "My sister Clara paints lighthouses on the coast."),
    ("Ann", "Is she exhibiting them?"),
    ("Ben", "In the harbour gallery, until June."),
]
NOTES = {
    "crane": "The gantry crane at pier nine lifts forty tonnes. It was built in 1962.",
    "ferry": "The island ferry leaves at seven and at noon. Tickets are sold on board.",
}


class OtherModel:
    """An embedder that needs no model: a vector is drawn by the hash of its text."""

    def __init__(self, model: str = "other-model", dimension: int = 24) -> None:
        self.model, self.dimension = model, dimension
        self.asked: list[str] = []
        self.fails_after: int | None = None

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.fails_after is not None and len(self.asked) >= self.fails_after:
            raise asyncio.CancelledError
        self.asked += texts
        return np.stack([self.vector_of(text) for text in texts])

    def vector_of(self, text: str) -> NDArray[np.float32]:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
        vector = np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


@pytest.fixture
def other() -> OtherModel:
    return OtherModel()


@pytest.fixture
def stranger() -> UUID:
    """Another tenant of the same database."""
    return uuid4()


def documents(dimension: int) -> list[Any]:
    """Turns of a thread, notes with titles, relations and a supersession, and one that brings its own vector."""
    rows: list[dict[str, Any]] = [
        {"id": f"t{i}", "text": text, "thread": "talk", "speaker": speaker, "occurred_at": "2023-05-08"}
        for i, (speaker, text) in enumerate(TALK)
    ]
    rows += [{"id": name, "text": text, "title": name, "metadata": {"n": 1.5}} for name, text in NOTES.items()]
    rows.append(
        {
            "id": "fares",
            "text": "The ferry costs nine crowns. Clara owns it.",
            "relations": [["Clara", "owns", "ferry"]],
            "supersedes": ["ferry"],
        }
    )
    given = np.eye(1, dimension, 3, dtype="<f4")[0]
    rows.append({"id": "given", "text": "A buoy bell rings at low tide.", "embedding": given.tolist()})
    return [parse_document(row) for row in rows]


@pytest.fixture
async def gem(gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> Gem:
    """A gem that holds all of them, by the local model."""
    return await fill(gems, ingestion, tenant, at, "friends")


async def fill(gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment, name: str) -> Gem:
    gem = await gems.create(tenant, GemChange(name=name), at)
    await ingestion.ingest(tenant, gem.gem_id, documents(ingestion.embedder.dimension), at)
    return gem


def use(database: Database, embedder: Any, local: Any) -> Ingestion:
    return Ingestion(database, embedder, Chunker(local.tokenizer))


async def reembedding(database: Database, embedder: Any) -> Reembedding:
    return Reembedding(database, embedder, EmbeddingIndexes(await database.address()))


async def read_vectors(database: Database, tenant: UUID) -> dict[str, tuple[Any, bytes | None, list[int]]]:
    """What is stored of each passage, by its text: its current vector, token states, the slots around it."""
    async with database.transaction(tenant, read_only=True) as conn:
        cursor = await conn.execute(
            "SELECT p.body, CASE l.embedding_column WHEN 'embedding' THEN p.embedding ELSE p.embedding_b END, t.states,"
            " p.around FROM passage p JOIN lattice l USING (tenant_id)"
            " LEFT JOIN passage_tokens t USING (tenant_id, gem_id, slot)"
        )
        return {
            body: (None if vector is None else vector.to_list(), states, around)
            for body, vector, states, around in await cursor.fetchall()
        }


async def fetch_one(database: Database, tenant: UUID, query: str) -> Any:
    async with database.transaction(tenant, read_only=True) as conn:
        row = await (await conn.execute(query.encode())).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


async def export(database: Database, tenant: UUID, at: Moment, gems: list[UUID] | None = None) -> bytes:
    exports = Exports(database, REFLECTION_TABLES)
    return b"".join([piece async for piece in exports.stream(tenant, gems, at)])


def importing(database: Database, embedder: Any) -> Imports:
    return Imports(database, embedder, REFLECTION_TABLES)


@pytest.fixture
def snapshots(database: Database, local: Any) -> Snapshots:
    return Snapshots(database, local, REFLECTION_TABLES)


@pytest.fixture
async def used(
    database: Database, gem: Gem, gems: Gems, ingestion: Ingestion, reflections: Reflections, tenant: UUID, at: Moment
) -> Gem:
    """The gem after a reflection and its rating, entangled with a second one that holds a note."""
    other = await gems.create(tenant, GemChange(name="harbour"), at)
    await ingestion.ingest(tenant, other.gem_id, [parse_document({"id": "tide", "text": "The tide turns at six."})], at)
    async with database.transaction(tenant) as conn:
        await set_entanglement(conn, gem.gem_id, other.gem_id, 0.5, at.now)
    found = await reflections.reflect(tenant, ReflectionRequest(gem.gem_id, "Who runs along the water?"), at)
    await reflections.rate(tenant, found.reflection_id, 1.0, at)
    return gem

"""A lattice with all kinds of documents, a second model, and what a lattice holds of both."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from psycopg.conninfo import conninfo_to_dict

from core.embedded import EmbeddedServer
from core.pg import DEFAULT_TENANT, Database, PoolConfig
from gems import Gem, GemChange, Gems, Moment, set_entanglement
from knowledge import Chunker, Ingestion, Recall, parse_document
from knowledge.keeping import Snapshots
from knowledge.keeping.export import Exports
from knowledge.keeping.reembed import Reembedding
from knowledge.keeping.restore import Imports
from llm_router import RouterConfig, build_router
from migrations import EmbeddingIndexes
from reflection import ReflectionRequest, Reflections
from reflection.travelling import REFLECTION_TABLES
from tests.conftest import make_database, run_apart
from tests.integration.conftest import MONTH, NOON

TODAY = Moment(NOON, MONTH)
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


@pytest.fixture(scope="session")
def friends(server: EmbeddedServer, template: str, local: Any) -> Iterator[str]:
    """The name of a database with the lattice of `gem`, to be cloned."""

    async def write(url: str) -> None:
        async with Database(PoolConfig(url)) as database:
            await fill(Gems(database), use(database, local, local), DEFAULT_TENANT, TODAY, "friends")

    for url in make_database(server, template):
        run_apart(write(url))
        yield name_database(url)


@pytest.fixture(scope="session")
def friends_in_use(server: EmbeddedServer, friends: str, local: Any) -> Iterator[str]:
    """The name of a database with the lattice of `used`, to be cloned."""

    async def write(url: str) -> None:
        async with Database(PoolConfig(url)) as database:
            gems = Gems(database)
            gem, other = [await gems.ensure(DEFAULT_TENANT, name, TODAY) for name in ("friends", "harbour")]
            note = parse_document({"id": "tide", "text": "The tide turns at six."})
            await use(database, local, local).ingest(DEFAULT_TENANT, other.gem_id, [note], TODAY)
            async with database.transaction(DEFAULT_TENANT) as conn:
                await set_entanglement(conn, gem.gem_id, other.gem_id, 0.5, TODAY.now)
            router = build_router(RouterConfig(), local.embed)
            reflections = Reflections(database, gems, Recall(database, local), router)
            request = ReflectionRequest(gem.gem_id, "Who runs along the water?")
            found = await reflections.reflect(DEFAULT_TENANT, request, TODAY)
            await reflections.rate(DEFAULT_TENANT, found.reflection_id, 1.0, TODAY)

    for url in make_database(server, friends):
        run_apart(write(url))
        yield name_database(url)


def name_database(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def database_url(server: EmbeddedServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of this test alone, which holds already what the test begins with."""
    begun = {"used": "friends_in_use", "gem": "friends"}
    base = next((made for name, made in begun.items() if name in request.fixturenames), "template")
    yield from make_database(server, request.getfixturevalue(base))


@pytest.fixture
async def gem(gems: Gems, tenant: UUID, at: Moment) -> Gem:
    """A gem that holds all of them, by the local model."""
    return await gems.ensure(tenant, "friends", at)


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
def used(gem: Gem) -> Gem:
    """The gem after a reflection and its rating, entangled with a second one, "harbour", that holds a note."""
    return gem

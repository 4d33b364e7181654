"""Which entities may be one: names that are close in meaning. They are only suggested; merging is for people."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from pgvector import HalfVector

from core.errors import InvalidInputError
from core.pg import Database
from gems import Moment, lock_gem
from knowledge.embedding import Embedder, FloatArray
from knowledge.graph.rows import Connection, fetch, load
from knowledge.store import check_model

# of 6,000 names of MuSiQue and 2Wiki, most of the 155 pairs above it mean one thing, and less than half of those below
THRESHOLD_DEFAULT = 0.9
MOST_EMBEDDED = 2_000  # names in one call
MOST_COMPARED = 10_000  # entities, the newest
_BLOCK = 512  # rows compared at a time
_NUMBER = re.compile(r"\d+|\b[IVXLC]+\b")  # Arabic or Roman

_SQL = load("resolution.sql")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two entities that may be one, and the cosine of their names."""

    first_id: UUID
    first: str
    second_id: UUID
    second: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What was found.

    Attributes:
        items: most alike first.
        compared: how many entities were compared.
        waiting: how many have a name that is not embedded yet; calling again goes on with them.
    """

    items: tuple[Suggestion, ...]
    compared: int
    waiting: int


@dataclass(frozen=True, slots=True)
class NamedEntity:
    """An entity by its name."""

    entity_id: UUID
    name: str


async def suggest_merges(
    database: Database, embedder: Embedder, tenant: UUID, gem_id: UUID, at: Moment, *, threshold: float, limit: int
) -> Suggestions:
    """Find entities whose names are alike; names that are not embedded yet are first, up to MOST_EMBEDDED of them.

    Raises:
        GemNotFoundError, GemArchivedError: as the gem is.
        EmbeddingMismatchError: the lattice was written with another model.
        InvalidInputError: the threshold is not in (0, 1].
    """
    if not 0 < threshold <= 1:
        raise InvalidInputError("threshold", f"must be above 0 and at most 1, not {threshold}")
    values = {"gem_id": gem_id, "dimension": embedder.dimension}
    async with database.transaction(tenant) as conn:
        await lock_gem(conn, gem_id, at)
        await check_model(conn, embedder.model, embedder.dimension, record=False)
        rows = await fetch(conn, _SQL["list_unembedded"], {**values, "limit": MOST_EMBEDDED})
    vectors = await embedder.embed([row["name"] for row in rows])
    async with database.transaction(tenant) as conn:
        if rows:
            await lock_gem(conn, gem_id, at)
            new = [NamedEntity(row["entity_id"], row["name"]) for row in rows]
            await _store(conn, gem_id, new, vectors)
        found = await fetch(conn, _SQL["list_embedded"], {**values, "limit": MOST_COMPARED})
    entities = [NamedEntity(row["entity_id"], row["name"]) for row in found]
    matrix = np.array([row["embedding"].to_numpy() for row in found], np.float32).reshape(-1, embedder.dimension)
    items = await asyncio.to_thread(find_alike, entities, matrix, threshold, limit)
    return Suggestions(tuple(items), len(entities), max(0, rows[0]["waiting"] - len(rows)) if rows else 0)


def find_alike(entities: Sequence[NamedEntity], vectors: FloatArray, threshold: float, limit: int) -> list[Suggestion]:
    """Return the pairs of entities whose names are alike, most alike first.

    Names that differ in a number ("Pier 1", "Pier 2"; "Louis XVI", "Louis XVIII") never are, whatever their vectors.

    Args:
        entities: n of them.
        vectors: of their names, shape (n, d).
        threshold: the least cosine.
        limit: how many pairs at the most.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    numbers = [tuple(_NUMBER.findall(each.name)) for each in entities]
    pairs: list[Suggestion] = []
    for start in range(0, len(entities), _BLOCK):
        cosines = units[start : start + _BLOCK] @ units[start:].T
        for i, j in np.argwhere(np.triu(cosines >= threshold, 1)).tolist():
            a, b = entities[start + i], entities[start + j]
            if numbers[start + i] == numbers[start + j]:
                similarity = min(1.0, float(cosines[i, j]))
                pairs.append(Suggestion(a.entity_id, a.name, b.entity_id, b.name, similarity))
    pairs.sort(key=lambda pair: (-pair.similarity, pair.first, pair.second))
    return pairs[:limit]


async def _store(conn: Connection, gem_id: UUID, entities: Sequence[NamedEntity], vectors: FloatArray) -> None:
    rows = [
        {"gem_id": gem_id, "entity_id": each.entity_id, "name": each.name, "embedding": HalfVector(vector)}
        for each, vector in zip(entities, vectors, strict=True)
    ]
    async with conn.cursor() as cursor:
        await cursor.executemany(_SQL["store_embeddings"], rows)

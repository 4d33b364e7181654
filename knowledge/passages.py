"""Passages in Postgres, with their vectors and token states. The caller owns the transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from pgvector import HalfVector
from psycopg import sql
from psycopg.rows import dict_row

from core.sql import load_queries
from knowledge.store import Connection, Vectors

COLUMNS = ("embedding", "embedding_b")  # of vectors; the lattice says which is current

_SQL = load_queries("knowledge.sql", "passages.sql")


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """What is stored of what the model made of a context.

    Attributes:
        vector: shape (d,), of length 1.
        states: of its own tokens, packed as `Reading` says; None if the model tells none.
    """

    vector: Vectors
    states: bytes | None


@dataclass(frozen=True, slots=True)
class PassageRecord:
    """A passage as it is stored in its gem.

    Attributes:
        around: slots of its neighbours in its thread, as `slots_of` gives them.
        key: of the context that it was embedded with; None if its vector was given.
    """

    passage_id: UUID
    document_id: UUID
    ordinal: int
    slot: int
    heading: str | None
    body: str
    start_char: int
    end_char: int
    tokens: int
    around: Sequence[int]
    key: bytes | None
    embedded: Embedded


async def find_readings(
    conn: Connection, keys: Sequence[bytes], column: str, *, with_states: bool
) -> dict[bytes, Embedded]:
    """Return what is stored already of contexts, by key; only those with token states, if they are asked for."""
    query = _format("find_readings", column)
    async with conn.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(query, {"keys": list(keys)})
        rows = await cursor.fetchall()
    return {
        row["context_hash"]: Embedded(row["embedding"].to_numpy().astype(np.float32), row["states"])
        for row in rows
        if not with_states or row["states"] is not None
    }


async def insert_passages(
    conn: Connection, gem_id: UUID, passages: Sequence[PassageRecord], column: str, now: datetime
) -> None:
    """Store passages with their vectors, in the lattice's current column, and token states."""
    rows = [
        {
            "passage_id": passage.passage_id,
            "gem_id": gem_id,
            "document_id": passage.document_id,
            "ordinal": passage.ordinal,
            "slot": passage.slot,
            "heading": passage.heading,
            "body": passage.body,
            "start_char": passage.start_char,
            "end_char": passage.end_char,
            "tokens": passage.tokens,
            "around": list(passage.around),
            "context_hash": passage.key,
            "embedding": HalfVector(passage.embedded.vector),
            "now": now,
        }
        for passage in passages
    ]
    told = ((passage.slot, passage.embedded.states) for passage in passages)
    states = [{"gem_id": gem_id, "slot": slot, "states": each} for slot, each in told if each is not None]
    async with conn.cursor() as cursor:
        await cursor.executemany(_format("insert_passage", column), rows)
        await cursor.executemany(_SQL["insert_tokens"], states)


async def update_readings(conn: Connection, readings: Mapping[UUID, tuple[bytes, Embedded]], column: str) -> None:
    """Give stored passages the vectors and token states of other contexts, each with its context's key."""
    rows = [
        {
            "passage_id": i,
            "context_hash": key,
            "embedding": HalfVector(embedded.vector),
            "states": embedded.states,
        }
        for i, (key, embedded) in readings.items()
    ]
    async with conn.cursor() as cursor:
        await cursor.executemany(_format("update_embedding", column), rows)
        await cursor.executemany(_SQL["update_tokens"], [row for row in rows if row["states"] is not None])


async def update_around(conn: Connection, around: Mapping[UUID, Sequence[int]]) -> None:
    """Tell stored passages where their neighbours are now."""
    rows = [{"passage_id": i, "around": list(slots)} for i, slots in around.items()]
    async with conn.cursor() as cursor:
        await cursor.executemany(_SQL["update_around"], rows)


def _format(query: str, column: str) -> sql.Composed:
    (other,) = set(COLUMNS) - {column}
    return sql.SQL(_SQL[query]).format(embedding=sql.Identifier(column), other=sql.Identifier(other))

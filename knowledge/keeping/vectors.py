"""Vectors and token states of stored passages: made anew, written, taken away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from pgvector import HalfVector
from psycopg import sql
from psycopg.rows import dict_row

from core.pg import Connection
from core.sql import load_queries
from knowledge.context import Context
from knowledge.embedding import Embedder
from knowledge.keeping.passages import PlacedPassage
from knowledge.passages import Embedded
from knowledge.readings import Readings, embed_missing

_SQL = load_queries("knowledge.sql", "reembed.sql")


@dataclass(frozen=True, slots=True)
class PassageKey:
    """Where a passage stands in the order of gems and slots."""

    gem_id: UUID
    slot: int


FIRST = PassageKey(UUID(int=0), -1)  # before all passages


async def read_contexts(embedder: Embedder, contexts: Sequence[Context]) -> list[Embedded]:
    """Embed contexts; equal ones once."""
    readings = Readings()
    await embed_missing(embedder, contexts, readings)
    return [readings.found[context.key] for context in contexts]


async def write_readings(
    conn: Connection, placed: Sequence[PlacedPassage], readings: Sequence[Embedded], column: str
) -> None:
    """Write the vectors of passages into a column, and their token states; what changed meanwhile is left alone."""
    rows = [
        _guard(each) | {"key": each.context.key, "vector": HalfVector(reading.vector)}
        for each, reading in zip(placed, readings, strict=True)
    ]
    await write_states(conn, placed, readings)  # first: writing a vector records the context that guards both
    async with conn.cursor() as cursor:
        await cursor.executemany(fit("put_vector", target=column), _in_one_order(rows))


async def write_states(conn: Connection, placed: Sequence[PlacedPassage], readings: Sequence[Embedded]) -> None:
    """Write the token states of passages, where the model told them."""
    told = [
        _guard(each) | {"states": reading.states}
        for each, reading in zip(placed, readings, strict=True)
        if reading.states is not None
    ]
    async with conn.cursor() as cursor:
        await cursor.executemany(_SQL["put_states"], _in_one_order(told))


async def write_around(conn: Connection, placed: Sequence[PlacedPassage]) -> None:
    """Write the slots around passages that are in a thread."""
    rows = [{"passage_id": each.passage.passage_id, "around": each.around} for each in placed if each.around]
    async with conn.cursor() as cursor:
        await cursor.executemany(fit("put_around"), _in_one_order(rows))


def fit(query: str, **columns: str) -> sql.Composed:
    """Return a query of this package about these columns."""
    return sql.SQL(_SQL[query]).format(**{name: sql.Identifier(column) for name, column in columns.items()})


async def fetch(
    conn: Connection, query: sql.Composed | LiteralString, values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the rows of a query."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


def last_key(rows: Sequence[Mapping[str, Any]]) -> PassageKey | None:
    """Return where the last of some rows stands; None if there are none."""
    return PassageKey(rows[-1]["gem_id"], rows[-1]["slot"]) if rows else None


def _guard(each: PlacedPassage) -> dict[str, Any]:
    return {"passage_id": each.passage.passage_id, "context_hash": each.context_hash}


def _in_one_order(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort rows as everybody locks passages, so that two writers wait for each other in one direction only."""
    return sorted(rows, key=lambda row: row["passage_id"])

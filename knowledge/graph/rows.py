"""How the graph's modules ask Postgres: named queries, rows as dictionaries."""

from collections.abc import Mapping
from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from core.sql import load_queries

Connection = AsyncConnection[Any]


def load(file: str) -> Mapping[str, LiteralString]:
    """Return the queries of a file of this package; meant to be called at import."""
    return load_queries("knowledge.sql", file)


async def fetch(conn: Connection, query: LiteralString, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all rows of a query."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()

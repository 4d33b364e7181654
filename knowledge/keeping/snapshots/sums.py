"""The sums of gems' embeddings, which triggers keep: whether they are what the passages give, and made so."""

from collections.abc import Sequence
from uuid import UUID

from psycopg import sql

from core.pg import Connection
from core.sql import load_queries
from knowledge.keeping.vectors import fetch

_SQL = load_queries("knowledge.sql", "snapshot_sums.sql")


async def find_wrong_sums(conn: Connection, gem_ids: Sequence[UUID]) -> list[UUID]:
    """Return which of some gems have sums that their open passages do not give.

    Args:
        conn: in a transaction that sees one moment.
        gem_ids: of gems, there or not.
    """
    return [row["gem_id"] for row in await fetch(conn, _fit("find_wrong_sums"), {"gem_ids": list(gem_ids)})]


async def mend_sums(conn: Connection, gem_ids: Sequence[UUID]) -> None:
    """Make the sums of gems what their open passages give; those that are right already are not written.

    Args:
        conn: in a transaction that holds the gems and all their passages.
        gem_ids: of gems, there or not.
    """
    await conn.execute(_fit("mend_sums"), {"gem_ids": list(gem_ids)})


def _fit(query: str) -> sql.Composed:
    return sql.SQL(_SQL[query]).format(made=sql.SQL(_SQL["make_sums"]))

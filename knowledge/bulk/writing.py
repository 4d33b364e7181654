"""A prepared part of a block into its gem, in one transaction: what is new is stored, what is there is left."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import sql
from psycopg.rows import dict_row

from core.pg import Connection, Database
from core.sql import load_queries
from gems import Moment, advance_gem, lock_gem
from knowledge.bulk.preparing import Part
from knowledge.documents import SourceDocument
from knowledge.embedding import Embedder
from knowledge.graph.mentions import index_order
from knowledge.store import check_model

_SQL = load_queries("knowledge.sql", "bulk.sql")


@dataclass(frozen=True, slots=True)
class PartAim:
    """Where a part goes.

    Attributes:
        at: the moment that the passages are formed.
        embedder: the model that the embeddings are of.
    """

    tenant: UUID
    gem_id: UUID
    at: Moment
    embedder: Embedder


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """What became of the rows of a part.

    Attributes:
        stored: documents, each one passage.
        skipped: that were stored already as they are.
        changed: that were stored otherwise, closed, or are superseded; they are not touched here, since what depends on
            the old text must go with it.
    """

    stored: int
    skipped: int
    changed: tuple[SourceDocument, ...]


async def write_part(database: Database, aim: PartAim, part: Part) -> WrittenPart:
    """Store the rows of a part that are new.

    Raises:
        GemNotFoundError, GemArchivedError, EmbeddingMismatchError: nothing is stored.
        LatticeError: as `Database.retrying`.
    """

    async def carry_out(conn: Connection) -> WrittenPart:
        await conn.execute(_SQL["make_staging"])
        await conn.execute(_SQL["hasten_commit"])
        async with conn.cursor() as cursor, cursor.copy(_SQL["copy_rows"]) as copy:
            await copy.write(part.copy)
        await lock_gem(conn, aim.gem_id, aim.at)  # not before: others wait for it
        column = await check_model(conn, aim.embedder.model, aim.embedder.dimension, hold=True)
        async with index_order(conn):
            found = await _all(conn, "find_stored", {"gem_id": aim.gem_id})
        other = {row["n"] for row in found if not row["same"]}
        same = {row["n"] for row in found} - other
        changed = await _take_out(conn, same | other, same)
        stored = part.rows - len(same | other)
        if stored:
            _, first = await advance_gem(
                conn, aim.gem_id, versions=1, slots=stored, speakers=part.speakers, now=aim.at.now
            )
            values = {"gem_id": aim.gem_id, "first": first, "now": aim.at.now}
            await conn.execute(_SQL["leave_unsealed"], values)
            await conn.execute(_SQL["insert_documents"], values)
            insert = sql.SQL(_SQL["insert_passages"]).format(embedding=sql.Identifier(column))
            await conn.execute(insert, values)
        return WrittenPart(stored, len(same), changed)

    return await database.retrying(aim.tenant, carry_out)


async def _take_out(conn: Connection, numbers: set[int], same: set[int]) -> tuple[SourceDocument, ...]:
    """Take rows whose documents are stored out of the staging table; return those that are stored otherwise."""
    if not numbers:
        return ()
    rows = await _all(conn, "take_rows", {"numbers": sorted(numbers)})
    return tuple(_to_document(row) for row in rows if row["n"] not in same)


def _to_document(row: dict[str, Any]) -> SourceDocument:
    return SourceDocument(
        text=row["body"],
        external_id=row["external_id"],
        title=row["title"],
        source=row["source"],
        occurred_at=row["occurred_at"],
        metadata=row["meta"],
        speaker=row["speaker"],
        entities=tuple(row["entities"]),
        embedding=np.array(row["embedding"], "<f4").tobytes(),
    )


async def _all(conn: Connection, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()

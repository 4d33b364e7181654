"""A stretch of a document as it was ingested, with the passages in it: what a citation is checked against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import dict_row

from core.errors import DocumentNotFoundError, PassageNotFoundError
from core.pg import Connection, Database
from core.sql import load_queries
from gems import Moment, get_gems
from knowledge.store import DocumentSummary

_SQL = load_queries("knowledge.sql", "excerpts.sql")


@dataclass(frozen=True, slots=True)
class PassagePlace:
    """Where a passage stands in its document's text, in characters."""

    passage_id: UUID
    ordinal: int
    heading: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of a document's text.

    Attributes:
        start: where it begins in the text, in characters.
        end: where it ends.
        passages: those of which a part stands in it, in order.
    """

    document: DocumentSummary
    start: int
    end: int
    text: str
    passages: tuple[PassagePlace, ...]


async def read_excerpt(
    database: Database,
    tenant: UUID,
    gem_id: UUID,
    document_id: UUID,
    at: Moment,
    *,
    passage_id: UUID | None = None,
    start: int = 0,
    characters: int = 10_000,
) -> Excerpt:
    """Return a stretch of a document.

    Args:
        database: where it is.
        tenant: whose lattice.
        gem_id: of the document.
        document_id: which one.
        at: when.
        passage_id: a passage that shall stand in the middle of the stretch, and whole in it.
        start: where the stretch begins if no passage is named.
        characters: how long it is; shorter where the document ends, longer where the passage is.

    Raises:
        GemNotFoundError, DocumentNotFoundError: there is none in the lattice or the gem.
        PassageNotFoundError: the document has no such passage, perhaps because it was replaced.
    """

    async def read(conn: Connection) -> Excerpt:
        await get_gems(conn, [gem_id], at)
        document = await _get_document(conn, gem_id, document_id)
        first, last = start, min(start + characters, document.characters)
        if passage_id is not None:
            first, last = await _around(conn, document, passage_id, characters)
        values = {"document_id": document_id, "start": first, "end": max(first, last)}
        cut, within = await _all(conn, "cut_document", values), await _all(conn, "list_within", values)
        places = tuple(PassagePlace(**row) for row in within)
        return Excerpt(document, first, max(first, last), cut[0]["text"], places)

    return await database.retrying(tenant, read, read_only=True, snapshot=True)


async def _get_document(conn: Connection, gem_id: UUID, document_id: UUID) -> DocumentSummary:
    rows = await _all(conn, "get_document", {"gem_id": gem_id, "document_id": document_id})
    if not rows:
        raise DocumentNotFoundError(f"no document with id {document_id} in this gem", document_ids=[str(document_id)])
    return DocumentSummary(metadata=rows[0].pop("meta"), **rows[0])


async def _around(conn: Connection, document: DocumentSummary, passage_id: UUID, characters: int) -> tuple[int, int]:
    rows = await _all(conn, "get_place", {"document_id": document.document_id, "passage_id": passage_id})
    if not rows:
        raise PassageNotFoundError(
            f"no passage with id {passage_id} in this document: it may have been replaced", passage_id=str(passage_id)
        )
    start, end = rows[0]["start_char"], rows[0]["end_char"]
    spare = max(0, characters - (end - start)) // 2
    return max(0, start - spare), min(end + spare, document.characters)


async def _all(conn: Connection, query: LiteralString, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()

"""Documents and passages in Postgres. Every function takes a connection in a transaction that the caller owns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from core.errors import DocumentNotFoundError, EmbeddingMismatchError
from core.sql import load_queries
from gems import Moment
from knowledge.batch import Anchor, CutDocument, KnownDocument, PlannedDocument
from knowledge.threads import WINDOW, ThreadPassage

_SQL = load_queries("knowledge.sql", "documents.sql")

Connection = AsyncConnection[Any]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A stored document without its text."""

    document_id: UUID
    gem_id: UUID
    external_id: str | None
    title: str | None
    source: str | None
    thread: str | None
    speaker: str | None
    occurred_at: datetime | None
    metadata: Mapping[str, Any]
    passages: int
    characters: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    closed_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """How much a gem holds."""

    documents: int
    passages: int


async def check_model(conn: Connection, model: str, dimension: int, *, record: bool = False, hold: bool = False) -> str:
    """Check that the lattice was written with this embedding model.

    Args:
        conn: as everywhere.
        model: its name.
        dimension: of its vectors.
        record: whether to record it if nothing was written yet.
        hold: whether to keep the lattice from moving to another model until the transaction ends.

    Returns:
        The column that holds its embeddings.

    Raises:
        EmbeddingMismatchError: it was written with another one.
    """
    rows = await _all(conn, "hold_model" if hold else "get_model", {})
    if record and not (rows and rows[0]["embedding_model"]):
        rows = await _all(conn, "record_model", {"model": model, "dimension": dimension})
    if rows and rows[0]["embedding_model"] is not None:
        found = (rows[0]["embedding_model"], rows[0]["embedding_dimension"])
        if found != (model, dimension):
            raise EmbeddingMismatchError(
                f"this lattice was written with the embedding model {found[0]} ({found[1]} dimensions), but the "
                f"service runs with {model} ({dimension}): vectors of two models cannot be compared. Set "
                f"LATTICE_EMBEDDING__MODEL={found[0]}, or move the lattice to {model} with `lattice reembed`",
                stored=found[0],
                configured=model,
            )
    return str(rows[0]["embedding_column"]) if rows else "embedding"


async def find_known(
    conn: Connection, gem_id: UUID, cuts: Sequence[CutDocument]
) -> tuple[dict[str | bytes, KnownDocument], dict[str, int]]:
    """Return what is stored of a batch's documents by identity, and where its threads end."""
    external = [cut.document.external_id for cut in cuts if cut.document.external_id is not None]
    hashes = [cut.content_hash for cut in cuts if cut.document.external_id is None]
    rows = await _all(conn, "find_known", {"gem_id": gem_id, "external_ids": external, "hashes": hashes})
    known = {row["external_id"] or bytes(row["content_hash"]): _to_known(row) for row in rows}
    threads = sorted({cut.document.thread for cut in cuts if cut.document.thread is not None})
    ends = await _all(conn, "last_positions", {"gem_id": gem_id, "threads": threads}) if threads else []
    return known, {row["thread"]: row["position"] for row in ends if row["position"] is not None}


async def get_known(conn: Connection, gem_id: UUID, document_ids: Sequence[UUID]) -> list[KnownDocument]:
    """Return stored documents by id.

    Raises:
        DocumentNotFoundError: one of them is not in the gem.
    """
    rows = await _all(conn, "get_documents", {"gem_id": gem_id, "document_ids": list(document_ids)})
    if missing := [str(i) for i in document_ids if i not in {row["document_id"] for row in rows}]:
        raise DocumentNotFoundError(f"no document with id {', '.join(missing)} in this gem", document_ids=missing)
    return [KnownDocument(row["document_id"], b"", row["thread"], row["position"]) for row in rows]


async def read_stored(
    conn: Connection, gem_id: UUID, anchors: Sequence[Anchor], loose: Iterable[UUID]
) -> list[ThreadPassage]:
    """Return the passages around anchors in threads, and those of documents without a thread."""
    rows = []
    if anchors:
        threads, positions = zip(*anchors, strict=True)
        values = {"gem_id": gem_id, "threads": list(threads), "positions": list(positions), "window": WINDOW}
        rows += await _all(conn, "thread_windows", values)
    if ids := list(loose):
        rows += await _all(conn, "loose_passages", {"document_ids": ids})
    return [ThreadPassage(**row) for row in rows]


async def put_documents(conn: Connection, gem_id: UUID, documents: Sequence[PlannedDocument], now: datetime) -> None:
    """Store documents, without their passages."""
    async with conn.cursor() as cursor:
        replaced = [document.document_id for document in documents if document.replaces]
        if replaced:
            await cursor.execute(_SQL["delete_passages"], {"document_ids": replaced})
        await cursor.executemany(_SQL["put_document"], [_document_values(gem_id, d, now) for d in documents])


async def close_documents(
    conn: Connection, gem_id: UUID, document_ids: Sequence[UUID], at: Moment, *, by: UUID | None, reason: str
) -> None:
    """Close documents with their passages; what is closed already stays as it is.

    What they claim of entities stands until `close_unsupported` is called for them.
    """
    values = {"gem_id": gem_id, "document_ids": list(document_ids), "now": at.now, "by": by, "reason": reason}
    closed = [row["document_id"] for row in await _all(conn, "close_documents", values)]
    await follow_documents(conn, closed)


async def follow_documents(conn: Connection, document_ids: Sequence[UUID]) -> None:
    """Close and open passages as their documents are."""
    await conn.execute(_SQL["follow_documents"], {"document_ids": list(document_ids)})


async def delete_documents(conn: Connection, document_ids: Sequence[UUID]) -> None:
    """Delete documents with their passages."""
    await conn.execute(_SQL["delete_documents"], {"document_ids": list(document_ids)})


async def list_documents(
    conn: Connection, gem_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[DocumentSummary]:
    """Return a page of a gem's documents, newest first."""
    before_at, before_id = before or (None, None)
    values = {"gem_id": gem_id, "before_at": before_at, "before_id": before_id, "limit": limit}
    return [DocumentSummary(metadata=row.pop("meta"), **row) for row in await _all(conn, "list_documents", values)]


async def count_contents(conn: Connection, gem_id: UUID) -> Contents:
    """Return how much a gem holds."""
    (row,) = await _all(conn, "count_contents", {"gem_id": gem_id})
    return Contents(row["documents"], int(row["passages"]))


def _document_values(gem_id: UUID, document: PlannedDocument, now: datetime) -> dict[str, Any]:
    source = document.cut.document
    return {
        "document_id": document.document_id,
        "gem_id": gem_id,
        "external_id": source.external_id,
        "title": source.title,
        "source": source.source,
        "thread": source.thread,
        "speaker": source.speaker,
        "position": document.position,
        "occurred_at": source.occurred_at,
        "meta": Jsonb(dict(source.metadata)),
        "entities": Jsonb(list(source.entities)),
        "relations": Jsonb([relation.as_row() for relation in source.relations]),
        "supersedes": Jsonb(list(source.supersedes)),
        "body": source.text,
        "content_hash": document.cut.content_hash,
        "passages": len(document.passages),
        "now": now,
    }


def _to_known(row: Mapping[str, Any]) -> KnownDocument:
    return KnownDocument(row["document_id"], bytes(row["content_hash"]), row["thread"], row["position"])


async def _all(conn: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()

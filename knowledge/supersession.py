"""Documents that take the place of others: these are closed with their passages, and open again if none does any more.

Who supersedes whom is kept by id, so that it does not matter which of the two comes first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from core.sql import load_queries
from gems import Moment
from knowledge.batch import PlannedDocument
from knowledge.documents import GivenRelation
from knowledge.store import Connection, follow_documents

_SQL = load_queries("knowledge.sql", "supersession.sql")


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """A document that was closed and holds again, with what it claims."""

    document_id: UUID
    slot: int | None
    relations: tuple[GivenRelation, ...]
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a write means for who supersedes whom.

    Attributes:
        superseded: documents that this write closed, whether they came with it or were there.
        opened: documents that hold again.
        closed: of those that the write stores, the ones that are closed now.
    """

    superseded: tuple[UUID, ...]
    opened: tuple[OpenedDocument, ...]
    closed: frozenset[UUID]


async def forget_supersessions(conn: Connection, document_ids: Sequence[UUID]) -> list[str]:
    """Forget what documents supersede, before they are replaced or deleted; return the ids, for `settle_documents`."""
    if not document_ids:
        return []
    rows = await _all(conn, "forget_supersessions", {"document_ids": list(document_ids)})
    return [row["external_id"] for row in rows]


async def settle_documents(
    conn: Connection, gem_id: UUID, documents: Sequence[PlannedDocument], forgotten: Iterable[str], at: Moment
) -> Settled:
    """Close what documents supersede, close them if they are superseded, and open what was only so until now.

    Args:
        conn: with the gem locked.
        gem_id: the gem.
        documents: just stored, with their passages.
        forgotten: from `forget_supersessions`.
        at: the moment at which documents are closed.
    """
    told = [(external_id, d.document_id) for d in documents for external_id in d.cut.document.supersedes]
    if told:
        external_ids, document_ids = (list(column) for column in zip(*told, strict=True))
        values = {"gem_id": gem_id, "external_ids": external_ids, "document_ids": document_ids}
        await conn.execute(_SQL["put_supersessions"], values)
    arrived = [d.cut.document.external_id for d in documents if d.cut.document.external_id is not None]
    found = await _all(conn, "find_superseded", {"gem_id": gem_id, "external_ids": arrived}) if arrived else []
    touched = {external_id for external_id, _ in told} | {row["external_id"] for row in found} | set(forgotten)
    rows: list[dict[str, Any]] = []
    if touched:
        rows = await _all(conn, "settle_documents", {"gem_id": gem_id, "external_ids": sorted(touched), "now": at.now})
    changed = {row["document_id"] for row in rows} | {d.document_id for d in documents if d.replaces is not None}
    return Settled(
        superseded=tuple(row["document_id"] for row in rows if row["closes"]),
        opened=tuple(_to_opened(row) for row in rows if row["opens"]),
        closed=await _follow(conn, changed),
    )


async def _follow(conn: Connection, document_ids: Collection[UUID]) -> frozenset[UUID]:
    if not document_ids:
        return frozenset()
    await follow_documents(conn, list(document_ids))
    rows = await _all(conn, "list_closed", {"document_ids": list(document_ids)})
    return frozenset(row["document_id"] for row in rows)


def _to_opened(row: Mapping[str, Any]) -> OpenedDocument:
    relations = tuple(_to_relation(*values) for values in row["relations"])
    return OpenedDocument(row["document_id"], row["slot"], relations, row["occurred_at"])


def _to_relation(
    subject: str, predicate: str, object_: str, begins: str | None = None, ends: str | None = None
) -> GivenRelation:
    moments = (None if each is None else datetime.fromisoformat(each) for each in (begins, ends))
    return GivenRelation(subject, predicate, object_, *moments)


async def _all(conn: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()

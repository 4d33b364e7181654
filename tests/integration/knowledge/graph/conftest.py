"""A gem with documents as ingestion leaves them, each of one passage, and the graph's use cases on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from pgvector import HalfVector
from psycopg.rows import dict_row

from core.pg import Database
from gems import Gem, GemChange, Gems, Moment, lock_gem
from knowledge import Ingestion
from knowledge.documents import GivenRelation
from knowledge.graph.catalogue import Graph
from knowledge.graph.mentions import WrittenPassage, find_entities, write_mentions
from knowledge.graph.names import normalise
from knowledge.graph.relations import Relation, RelationQuery, close_unsupported, write_relations
from tests.integration.knowledge.graph.library import Library

TABLES = ("entity", "entity_name", "mention", "relation")
DOCUMENT = """
    INSERT INTO document (document_id, gem_id, title, body, content_hash, passages, occurred_at, created_at, updated_at)
    VALUES (%(document_id)s, %(gem_id)s, %(title)s, %(body)s, '', 1, %(occurred_at)s, %(now)s, %(now)s)"""
PASSAGE = """
    INSERT INTO passage (passage_id, gem_id, document_id, ordinal, slot, body, start_char, end_char, tokens,
                         embedding, created_at)
    VALUES (%(passage_id)s, %(gem_id)s, %(document_id)s, 0, %(slot)s, %(body)s, 0, 1, 1, %(vector)s, %(now)s)"""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


def relate(
    subject: str, predicate: str, object_: str, valid_from: str | None = None, valid_to: str | None = None
) -> GivenRelation:
    return GivenRelation(subject, predicate, object_, moment_or_none(valid_from), moment_or_none(valid_to))


@dataclass
class Notes:
    """Writes what the tests read."""

    database: Database
    tenant: UUID
    gem: Gem
    graph: Graph
    at: Moment
    slots: int = 0
    passages: dict[UUID, UUID] = field(default_factory=dict)

    @property
    def gem_id(self) -> UUID:
        return self.gem.gem_id

    def on(self, day: str) -> Moment:
        return replace(self.at, now=moment(day))

    async def write(
        self,
        text: str,
        *relations: GivenRelation,
        on: str = "2026-01-01",
        occurred_at: str | None = None,
        title: str | None = None,
        entities: Sequence[str] = (),
    ) -> UUID:
        """Store a document with what it names and claims; return its id."""
        at, document_id, passage_id, slot = self.on(on), uuid4(), uuid4(), self.slots
        self.slots += 1
        values = {
            "gem_id": self.gem_id,
            "document_id": document_id,
            "passage_id": passage_id,
            "slot": slot,
            "title": title,
            "body": text,
            "occurred_at": moment_or_none(occurred_at),
            "vector": HalfVector(np.ones(384, np.float32)),
            "now": at.now,
        }
        passage = WrittenPassage(slot, text, title, None, None, None, tuple(entities))
        async with self.database.transaction(self.tenant) as conn:
            await lock_gem(conn, self.gem_id, at)
            await conn.execute(DOCUMENT, values)
            await conn.execute(PASSAGE.encode(), values)
            await write_mentions(conn, self.gem_id, [passage])
            told = (document_id, slot, relations, moment_or_none(occurred_at))
            await write_relations(conn, self.gem_id, [told], at, "given")
        self.passages[document_id] = passage_id
        return document_id

    async def forget(self, document_id: UUID, on: str) -> None:
        """Delete a document as ingestion does."""
        async with self.database.transaction(self.tenant) as conn:
            await lock_gem(conn, self.gem_id, self.on(on))
            await close_unsupported(conn, self.gem_id, [document_id], self.on(on), "deleted")
            await conn.execute("DELETE FROM document WHERE document_id = %s", (document_id,))

    async def entity(self, name: str) -> UUID:
        async with self.database.transaction(self.tenant) as conn:
            return (await find_entities(conn, self.gem_id, [name], create=False))[normalise(name)]

    async def relations(self, as_of: str | None = None, valid_at: str | None = None, **rest: Any) -> list[Relation]:
        query = RelationQuery(moment_or_none(as_of), moment_or_none(valid_at), **rest)
        return await self.graph.list_relations(
            self.tenant, self.gem_id, query, self.on("2026-12-31"), before=None, limit=100
        )

    async def held(self, as_of: str | None = None, valid_at: str | None = None) -> set[tuple[str, str, str, str]]:
        """What was known and held: subject, object, and the days from and to, "-" for unknown."""
        return {
            (each.subject, each.object, _day(each.valid_from), _day(each.valid_to))
            for each in await self.relations(as_of, valid_at)
        }

    async def dump(self) -> dict[str, list[Any]]:
        """All rows of the graph's tables, exactly."""
        async with (
            self.database.transaction(self.tenant) as conn,
            conn.cursor(row_factory=dict_row) as cursor,
        ):
            rows = {}
            for table in TABLES:
                await cursor.execute(f"SELECT t::text AS row FROM {table} t ORDER BY 1".encode())
                rows[table] = [row["row"] for row in await cursor.fetchall()]
            return rows


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else "-"


@pytest.fixture
async def notes(database: Database, gems: Gems, tenant: UUID, at: Moment, local: Any) -> Notes:
    gem = await gems.create(tenant, GemChange("people"), at)
    return Notes(database, tenant, gem, Graph(database, local), at)


@pytest.fixture
async def library(database: Database, gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> Library:
    gem = await gems.create(tenant, GemChange("people"), at)
    return Library(database, gems, ingestion, tenant, at, gem.gem_id)


@pytest.fixture
def one_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call shows one passage."""
    monkeypatch.setattr("knowledge.graph.extraction.BATCH_PASSAGES", 1)

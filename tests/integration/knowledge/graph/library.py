"""A gem with documents, for tests of what is extracted from them."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from core.pg import Database
from gems import Gems, Moment
from knowledge import Ingestion, parse_document
from knowledge.graph.catalogue import Graph
from knowledge.graph.extracting import Ended, Extracting
from knowledge.graph.extraction import Extractor
from knowledge.graph.extraction_progress import ExtractionWish
from knowledge.graph.relations import Relation, RelationQuery

ALL = ExtractionWish()


@dataclass
class Library:
    """A gem with documents, and what is extracted from them."""

    database: Database
    gems: Gems
    ingestion: Ingestion
    tenant: UUID
    at: Moment
    gem_id: UUID

    @property
    def extracting(self) -> Extracting:
        return Extracting(self.database, lambda: self.at)

    def another(self, gem_id: UUID) -> "Library":
        return replace(self, gem_id=gem_id)

    async def write(self, *texts: str, **rest: Any) -> None:
        documents = [parse_document({"text": text, **rest}) for text in texts]
        await self.ingestion.ingest(self.tenant, self.gem_id, documents, self.at)

    async def extract(self, scribe: Extractor, wish: ExtractionWish = ALL, **rest: Any) -> Ended:
        return await self.extracting.carry_out(self.tenant, self.gem_id, scribe, wish, **rest)

    async def relations(self) -> list[Relation]:
        graph = Graph(self.database, self.ingestion.embedder)
        return await graph.list_relations(self.tenant, self.gem_id, RelationQuery(), self.at, before=None, limit=100)

    async def held(self) -> set[tuple[str, str, str]]:
        return {(each.subject, each.object, each.origin) for each in await self.relations()}

    async def count(self, table: str) -> int:
        async with self.database.transaction(self.tenant) as conn:
            row = await (await conn.execute(f"SELECT count(*) FROM {table}".encode())).fetchone()
        assert row is not None
        return int(row[0])

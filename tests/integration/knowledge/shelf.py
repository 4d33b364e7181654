"""A gem of a few notes, by what is put into it and asked of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from gems import Gem, Moment
from knowledge import Ingestion, Recall, RecalledPassage, RecallQuery, parse_document

FLEET: list[dict[str, Any]] = [
    {"id": "tug", "text": "The tug Marta pulls barges up the river."},
    {"id": "buoy", "text": "Buoy twelve was painted green in spring."},
    {"id": "dock", "text": "The dry dock is booked until the end of autumn."},
    {"id": "pilot", "text": "Pilots board large tankers off the lighthouse."},
]


def later(at: Moment, days: float) -> Moment:
    return replace(at, now=at.now + timedelta(days=days))


class Shelf:
    """A gem, by what is put into it and asked of it."""

    def __init__(self, ingestion: Ingestion, recall: Recall, tenant: UUID, gem: Gem, at: Moment) -> None:
        self.ingestion, self.recall, self.tenant, self.gem, self.at = ingestion, recall, tenant, gem, at

    async def put(self, *rows: dict[str, Any], at: Moment | None = None) -> None:
        await self.ingestion.ingest(self.tenant, self.gem.gem_id, map(parse_document, rows), at or self.at)

    async def find(self, question: str, at: Moment | None = None, **query: Any) -> list[RecalledPassage]:
        return await self.recall.recall(self.tenant, RecallQuery(question, (self.gem.gem_id,), **query), at or self.at)

    async def ids(self, question: str, at: Moment | None = None, **query: Any) -> list[str | None]:
        return [each.external_id for each in await self.find(question, at, **query)]

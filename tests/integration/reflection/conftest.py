from uuid import UUID

import pytest

from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion, parse_document

NOTES = {
    "crane": "The gantry crane at pier nine lifts forty tonnes. It was built in 1962.",
    "ferry": "The island ferry leaves at seven and at noon. Tickets are sold on board.",
    "gulls": "Herring gulls nest on the warehouse roof in May.",
}


@pytest.fixture
async def port(gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> Gem:
    gem = await gems.create(tenant, GemChange("port"), at)
    notes = [parse_document({"id": name, "text": text, "title": name}) for name, text in NOTES.items()]
    await ingestion.ingest(tenant, gem.gem_id, notes, at)
    return await gems.get(tenant, gem.gem_id, at)

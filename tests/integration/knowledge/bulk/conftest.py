"""A gem, and a loader for it."""

from uuid import UUID

import pytest

from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion
from knowledge.bulk.loading import BulkLoader


@pytest.fixture
async def gem(gems: Gems, tenant: UUID, at: Moment) -> Gem:
    return await gems.create(tenant, GemChange(name="bulk"), at)


@pytest.fixture
def loader(ingestion: Ingestion) -> BulkLoader:
    return BulkLoader(ingestion, workers=1)

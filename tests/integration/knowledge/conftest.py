from uuid import UUID

import pytest

from gems import GemChange, Gems, Moment
from knowledge import Ingestion, Recall
from tests.integration.knowledge.shelf import Shelf


@pytest.fixture
async def shelf(gems: Gems, ingestion: Ingestion, recall: Recall, tenant: UUID, at: Moment) -> Shelf:
    gem = await gems.create(tenant, GemChange("fleet"), at)
    return Shelf(ingestion, recall, tenant, gem, at)

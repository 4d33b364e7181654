"""Use cases on this test's database, with the real local embedder."""

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.pg import Database
from gems import Gem, Gems, Moment
from knowledge import Chunker, Embedder, Filters, Ingestion, Recall, RecalledPassage, RecallQuery, load_local
from knowledge import parse_document

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MONTH = timedelta(days=30)


@pytest.fixture(scope="session")
def local() -> Any:
    """The model that comes with the project; its threads end with the process."""
    return load_local()


@pytest.fixture
def at() -> Moment:
    return Moment(NOON, MONTH)


@pytest.fixture
def gems(database: Database) -> Gems:
    return Gems(database)


@pytest.fixture
def ingestion(database: Database, local: Any) -> Ingestion:
    return Ingestion(database, local, Chunker(local.tokenizer))


@pytest.fixture
def recall(database: Database, local: Embedder) -> Recall:
    return Recall(database, local)

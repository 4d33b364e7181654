"""Use cases on this test's database, with the real local embedder."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.pg import Database
from gems import Gems, Moment
from knowledge import Chunker, Embedder, Ingestion, Recall, load_local
from llm_router import RouterConfig, build_router
from reflection import Reflections

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MONTH = timedelta(days=30)


@pytest.fixture(scope="session")
def local() -> Any:
    """The model that comes with the project; its threads end with the process."""
    return load_local()


@pytest.fixture(scope="session")
def chunker(local: Any) -> Chunker:
    return Chunker(local.tokenizer)


@pytest.fixture
def at() -> Moment:
    return Moment(NOON, MONTH)


@pytest.fixture
def gems(database: Database) -> Gems:
    return Gems(database)


@pytest.fixture
def ingestion(database: Database, local: Embedder, chunker: Chunker) -> Ingestion:
    return Ingestion(database, local, chunker)


@pytest.fixture
def recall(database: Database, local: Embedder) -> Recall:
    return Recall(database, local)


@pytest.fixture
def reflections(database: Database, gems: Gems, recall: Recall, local: Embedder) -> Reflections:
    """Reflections that need no network: the extractive answer."""
    return Reflections(database, gems, recall, build_router(RouterConfig(), local.embed))

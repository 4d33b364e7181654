"""Gems full of random documents, and what merges and splits them."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Embedder, Ingestion, SourceDocument, parse_document
from knowledge.moving import Moves
from reflection.travelling import FOLLOWING_TABLES, REFLECTION_TABLES

PEOPLE = ["Clara Voss", "Ben Okafor", "Mara Lindqvist", "Tom Reyes", "Ida Brandt"]
TOWNS = ["Lisbon", "Bergen", "Kyoto", "Tartu"]
TITLES = ["Harbour crane", "Island ferry", "Old lighthouse", "Tide tables", "Net repair"]
WORDS = ["gantry", "pier", "rope", "winter", "boat", "bell", "market", "window", "garden", "letter", "engine", "storm"]


@pytest.fixture
def moves(database: Database, local: Embedder) -> Moves:
    return Moves(database, local, FOLLOWING_TABLES, REFLECTION_TABLES)


@pytest.fixture
def stranger() -> UUID:
    """Another tenant of the same database."""
    return uuid4()


class Writer:
    """Writes random documents of every kind; equal seeds write the same."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def write(self, prefix: str, count: int) -> list[SourceDocument]:
        return [parse_document(self._row(prefix, number, count)) for number in range(count)]

    def sentence(self) -> str:
        pick = self.random.choice
        words = " ".join(self.random.sample(WORDS, 5))
        return pick(
            [
                f"{pick(PEOPLE)} saw the {words} in {pick(TOWNS)}.",
                f"About the {pick(TITLES).lower()}: {words}.",
                f"The {words} was left near {pick(TITLES)}.",
            ]
        )

    def _row(self, prefix: str, number: int, count: int) -> dict[str, Any]:
        moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=self.random.randrange(1000), seconds=number)
        row: dict[str, Any] = {
            "text": " ".join(self.sentence() for _ in range(self.random.randint(1, 3))),
            "occurred_at": moment.isoformat(),
            "metadata": {"part": self.random.choice([0, 0, 1])},
        }
        kind = self.random.random()
        if self.random.random() < 0.8:
            row["id"] = f"{prefix}{number}"
        if kind < 0.45:
            row |= {"thread": self.random.choice(["talk", "log"]), "speaker": self.random.choice(PEOPLE[:2])}
        elif kind < 0.75:
            row |= {"title": self.random.choice(TITLES), "source": self.random.choice(["north", "south"])}
        if self.random.random() < 0.3:
            row["relations"] = [[self.random.choice(PEOPLE), "lives in", self.random.choice(TOWNS)]]
        if self.random.random() < 0.2:
            row["entities"] = self.random.sample(PEOPLE, 2)
        if self.random.random() < 0.15:
            row["supersedes"] = [f"{prefix}{self.random.randrange(count)}"]
            row.setdefault("id", f"{prefix}{number}")
            if row["supersedes"] == [row["id"]]:
                del row["supersedes"]
        return row


@pytest.fixture
def make_gem(gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> Any:
    """Return what makes a gem of a name and documents."""

    async def make(name: str, documents: Sequence[SourceDocument] = (), *more: Sequence[SourceDocument]) -> Gem:
        gem = await gems.create(tenant, GemChange(name=name), at)
        for batch in (documents, *more):
            await ingestion.ingest(tenant, gem.gem_id, batch, at)
        return gem

    return make


def texts(*rows: str, prefix: str, **fields: Any) -> list[SourceDocument]:
    """Return documents of these texts, with ids."""
    return [parse_document({"id": f"{prefix}{i}", "text": text, **fields}) for i, text in enumerate(rows)]

"""Passages that are alike are linked, those that come later too, and neighbours can be asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from core.errors import GemArchivedError, InvalidInputError, PassageNotFoundError
from core.pg import Database
from gems import GemChange, Gems, Moment
from knowledge import Ingestion, parse_document
from knowledge.graph import resonance
from knowledge.graph.likeness import find_nearest
from knowledge.graph.links import fetch_links, fetch_resonance
from knowledge.graph.neighbours import PassageNeighbour, list_passage_neighbours
from knowledge.graph.resonance import LinkingWish, Resonances
from tests.conftest import run_apart

LOOSE = LinkingWish(threshold=0.3, most=3)
Edges = set[tuple[int, int]]


@dataclass
class Shelf:
    """A gem with passages whose embeddings are given."""

    database: Database
    gems: Gems
    ingestion: Ingestion
    tenant: UUID
    at: Moment
    gem_id: UUID

    @property
    def resonances(self) -> Resonances:
        return Resonances(self.database, lambda: self.at)

    async def write(self, vectors: np.ndarray, first: int = 0, **rest: Any) -> None:
        documents = [
            parse_document(
                {"id": f"d{first + i}", "text": f"Note {first + i}.", "embedding": list(map(float, each)), **rest}
            )
            for i, each in enumerate(vectors)
        ]
        await self.ingestion.ingest(self.tenant, self.gem_id, documents, self.at)

    async def link(self, wish: LinkingWish = LOOSE, **rest: Any) -> Any:
        return await self.resonances.carry_out(self.tenant, self.gem_id, wish, **rest)

    async def edges(self) -> Edges:
        """Links by the numbers in the passages' texts: slots may be numbered otherwise."""
        query = b"""
            SELECT substring(a.body FROM '\\d+')::int, substring(b.body FROM '\\d+')::int
            FROM passage_link l JOIN passage a ON a.gem_id = l.gem_id AND a.slot = l.slot
            JOIN passage b ON b.gem_id = l.gem_id AND b.slot = l.target WHERE l.gem_id = %s"""
        async with self.database.transaction(self.tenant) as conn:
            return {(a, b) for a, b in await (await conn.execute(query, (self.gem_id,))).fetchall()}

    async def passage(self, text: str) -> UUID:
        async with self.database.transaction(self.tenant) as conn:
            row = await (await conn.execute("SELECT passage_id FROM passage WHERE body = %s", (text,))).fetchone()
        assert row is not None
        return UUID(str(row[0]))

    async def neighbours(self, text: str, **rest: Any) -> list[PassageNeighbour]:
        passage_id = await self.passage(text)
        return await list_passage_neighbours(
            self.database, self.tenant, self.gem_id, passage_id, self.at, **{"limit": 10, **rest}
        )


@pytest.fixture
async def shelf(database: Database, gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> Shelf:
    gem = await gems.create(tenant, GemChange("notes"), at)
    return Shelf(database, gems, ingestion, tenant, at, gem.gem_id)


@pytest.fixture
def vectors() -> np.ndarray:
    """Sixty in five bunches, as an embedder and halves of a float would have them."""
    random = np.random.default_rng(7)
    bunches = random.normal(size=(5, 384))
    return bunches[random.integers(0, 5, 60)] + 0.8 * random.normal(size=(60, 384))


def expect(vectors: np.ndarray, wish: LinkingWish) -> Edges:
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -1)
    best = np.argsort(-cosines, axis=1)[:, : wish.most]
    return {(i, int(j)) for i, row in enumerate(best) for j in row if cosines[i, j] >= wish.threshold}


@pytest.mark.parametrize("sizes", [(60,), (20, 20, 20), (59, 1), (1, 59)], ids=str)
async def test_links_are_the_same_however_passages_came(
    shelf: Shelf, vectors: np.ndarray, sizes: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resonance, "NEW", 16)
    monkeypatch.setattr(resonance, "PAGE", 7)
    done = 0
    for size in sizes:
        await shelf.write(vectors[done : done + size], done)
        done += size
        linking = await shelf.link()
        assert linking.pending == 0
    assert await shelf.edges() == expect(vectors, LOOSE)
    assert linking.links == len(await shelf.edges())


async def test_what_is_linked_is_not_compared_again(shelf: Shelf, vectors: np.ndarray) -> None:
    told: list[int] = []
    await shelf.write(vectors[:50])
    assert (await shelf.resonances.get(shelf.tenant, shelf.gem_id)).wish is None
    await shelf.link(watch=told.append)
    await shelf.link(watch=told.append)
    await shelf.write(vectors[50:], 50)
    assert (await shelf.resonances.get(shelf.tenant, shelf.gem_id)).pending == 10
    await shelf.link(watch=told.append)
    assert told == [50, 10]
    await shelf.link(anew=True, watch=told.append)
    assert told[2:] == [60]


async def test_linked_otherwise_all_is_linked_anew(shelf: Shelf, vectors: np.ndarray) -> None:
    await shelf.write(vectors)
    await shelf.link()
    strict = LinkingWish(0.5, 1)
    assert (await shelf.link(strict)).wish == strict
    assert await shelf.edges() == expect(vectors, strict)


async def test_a_run_that_another_one_overtook_leaves_its_work(
    shelf: Shelf, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resonance, "NEW", 25)
    await shelf.write(vectors)
    overtaken: list[bool] = []

    def find_late(*arguments: Any) -> Any:
        if not overtaken:
            overtaken.append(True)

            async def overtake() -> None:
                async with Database(shelf.database._config) as database:
                    await Resonances(database, lambda: shelf.at).carry_out(shelf.tenant, shelf.gem_id, LOOSE)

            run_apart(overtake())
        return find_nearest(*arguments)

    monkeypatch.setattr(resonance, "find_nearest", find_late)
    await shelf.link()
    assert await shelf.edges() == expect(vectors, LOOSE)


async def test_links_go_with_their_passages(shelf: Shelf, vectors: np.ndarray) -> None:
    await shelf.write(vectors)
    await shelf.link()
    gone = {a for a, _ in await shelf.edges()} - {0}
    async with shelf.database.transaction(shelf.tenant) as conn:
        await conn.execute("DELETE FROM document WHERE external_id <> 'd0'")
    assert gone
    assert await shelf.edges() == set()
    await shelf.gems.delete(shelf.tenant, shelf.gem_id)


async def test_neighbours_are_alike_or_name_the_same(shelf: Shelf) -> None:
    base = np.zeros((3, 384))
    base[0, 0] = base[1, 0] = 1
    base[1, 1] = 0.5
    base[2, 2] = 1
    texts = [
        ("Mill Lane is shut.", ["Mill Lane"]),
        ("The road is closed.", []),
        ("Repairs on Mill Lane.", ["Mill Lane"]),
    ]
    fill: list[tuple[str, list[str]]] = [(f"Filler {i}.", []) for i in range(12)]
    random = np.random.default_rng(1)
    vectors = [*base, *(np.r_[np.zeros(3), random.normal(size=381)] for _ in fill)]
    documents = [
        parse_document({"id": str(i), "text": text, "entities": names, "embedding": list(map(float, vector))})
        for i, ((text, names), vector) in enumerate(zip([*texts, *fill], vectors, strict=True))
    ]
    await shelf.ingestion.ingest(shelf.tenant, shelf.gem_id, documents, shelf.at)
    await shelf.link(LinkingWish())
    alike, named = await shelf.neighbours("Mill Lane is shut.")
    assert (alike.text, alike.link) == ("The road is closed.", 0)
    assert alike.cosine == pytest.approx(0.894, abs=0.01)
    assert (named.text, named.cosine) == ("Repairs on Mill Lane.", None)
    assert named.link > 0
    assert [each.text for each in await shelf.neighbours("The road is closed.")] == ["Mill Lane is shut."]
    assert len(await shelf.neighbours("Mill Lane is shut.", limit=1)) == 1
    assert await shelf.neighbours("Mill Lane is shut.", as_of=shelf.at.now - timedelta(days=1)) == []
    async with shelf.database.transaction(shelf.tenant) as conn:
        seeds, sizes = [(shelf.gem_id, 0)], {shelf.gem_id: len(documents)}
        without = await fetch_links(conn, seeds, sizes)
        added = await fetch_links(conn, seeds, sizes, resonance=0.3)
        (link,) = await fetch_resonance(conn, seeds)
    assert {each.target for each in added} - {each.target for each in without} == {link.target}
    assert next(each.weight for each in added if each.target == link.target) == pytest.approx(0.3 * link.weight)


async def test_closed_passages_are_nobodys_neighbours(shelf: Shelf) -> None:
    await shelf.write(np.ones((2, 384)))
    await shelf.link(LinkingWish())
    assert len(await shelf.neighbours("Note 0.")) == 1
    await shelf.ingestion.ingest(
        shelf.tenant, shelf.gem_id, [parse_document({"id": "new", "text": "Anew.", "supersedes": ["d1"]})], shelf.at
    )
    assert await shelf.neighbours("Note 0.") == []


async def test_what_cannot_be_is_said(shelf: Shelf) -> None:
    for wrong in ({"threshold": 0.0}, {"threshold": 1.1}, {"most": 0}, {"most": 51}):
        with pytest.raises(InvalidInputError):
            LinkingWish(**wrong)
    assert (await shelf.link()).links == 0  # of an empty gem
    with pytest.raises(PassageNotFoundError):
        await list_passage_neighbours(shelf.database, shelf.tenant, shelf.gem_id, uuid4(), shelf.at, limit=1)
    await shelf.gems.archive(shelf.tenant, shelf.gem_id, shelf.at)
    with pytest.raises(GemArchivedError):
        await shelf.link()

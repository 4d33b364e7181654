"""Stored links against a recomputation from the texts that are there."""

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations
from math import log
from typing import Any
from uuid import UUID

import pytest
from psycopg.rows import dict_row

from core.pg import Database
from core.sql import load_queries
from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion, parse_document
from knowledge.graph.links import fetch_links
from knowledge.graph.mentions import WrittenPassage, find_entities, index_order, write_mentions
from knowledge.graph.names import find_names, name_title, normalise

Weights = dict[tuple[str, str], float]

TITLES = ["Harbour Gallery", "Lighthouse (film)", "Lighthouse (painting)", "Ann Lee", "Gone with the Wind", "Beacon"]
WORDS = ["Harbour Gallery", "harbour gallery", "lighthouse", "Lighthouse", "Ann Lee", "Ben", "Vienna", "beacon"]
WORDS += ["Gone with the Wind", "Harbour", "she went to", "and met", "then near", "a gallery by"]


@dataclass(frozen=True)
class Stored:
    """A passage as the recomputation reads it; every document here has one."""

    slot: int
    external_id: str
    title: str | None
    text: str
    entities: tuple[str, ...]


@dataclass
class Library:
    """Documents put into one gem, and the links between them by external id."""

    database: Database
    ingestion: Ingestion
    tenant: UUID
    gem: Gem
    at: Moment

    async def put(self, *rows: Mapping[str, Any]) -> None:
        await self.ingestion.ingest(self.tenant, self.gem.gem_id, map(parse_document, rows), self.at)

    async def remove(self, external_id: str) -> None:
        async with self.database.transaction(self.tenant, read_only=True) as conn:
            query = "SELECT document_id FROM document WHERE gem_id = %s AND external_id = %s"
            row = await (await conn.execute(query, (self.gem.gem_id, external_id))).fetchone()
        assert row is not None
        await self.ingestion.delete(self.tenant, self.gem.gem_id, [row[0]], self.at)

    async def stored(self) -> list[Stored]:
        query = """SELECT p.slot, d.external_id, d.title, p.body AS text, d.entities
                   FROM passage p JOIN document d USING (document_id) WHERE d.gem_id = %s ORDER BY slot"""
        async with (
            self.database.transaction(self.tenant, read_only=True) as conn,
            conn.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(query, (self.gem.gem_id,))
            return [Stored(entities=tuple(row.pop("entities")), **row) for row in await cursor.fetchall()]

    async def links(self, *sources: str) -> Weights:
        """Links by external ids, from these documents or from all."""
        passages = await self.stored()
        names = {passage.slot: passage.external_id for passage in passages}
        seeds = [(self.gem.gem_id, slot) for slot, name in names.items() if not sources or name in sources]
        async with self.database.transaction(self.tenant, read_only=True) as conn:
            links = await fetch_links(conn, seeds, {self.gem.gem_id: len(passages)}, 10_000)
        assert len({(link.source, link.target) for link in links}) == len(links)
        return {(names[link.source[1]], names[link.target[1]]): link.weight for link in links}


@pytest.fixture
async def library(database: Database, ingestion: Ingestion, gems: Gems, tenant: UUID, at: Moment) -> Library:
    return Library(database, ingestion, tenant, await gems.create(tenant, GemChange("library"), at), at)


def recompute(passages: list[Stored]) -> Weights:
    """The definition, from scratch."""
    n = len(passages)
    bound = max(10, n // 50)
    titles = {p.slot: {normalise(name) for name in name_title(p.title)} if p.title else set() for p in passages}
    names = {p.slot: set(map(normalise, p.entities or find_names(p.text))) for p in passages}
    says = {p.slot: {key for keys in titles.values() for key in keys if _says(p.text, key)} for p in passages}
    found: Weights = {}
    for a, b in permutations(passages, 2):
        titled = [
            weight
            for text, document, weight in ((a.slot, b.slot, 0.7), (b.slot, a.slot, 0.35))
            for key in titles[document] & (says[text] | names[text]) - titles[text]
            if sum(key in (says[s] | names[s]) - titles[s] for s in says) <= bound
        ]
        shared = (titles[a.slot] | names[a.slot]) & (titles[b.slot] | names[b.slot])
        df = {key: sum(key in titles[s] | names[s] for s in says) for key in shared}
        alike = sum(log(n / count) / log(n) for count in df.values() if count <= bound)
        weight = max(titled, default=0.0) + 0.5 * min(1.0, alike)
        if weight > 0:
            found[a.external_id, b.external_id] = weight
    return found


def _says(text: str, key: str) -> bool:
    return re.search(rf"\b{re.escape(key)}\b", text, re.IGNORECASE) is not None


def row(external_id: str, text: str, title: str | None = None, entities: Iterable[str] = ()) -> dict[str, Any]:
    return {"id": external_id, "text": text, "title": title, "entities": list(entities)}


BEACON = row("beacon", "It was painted in oil.", "The Beacon")
VISIT = row("visit", "We saw the Beacon in Vienna.")
TRIP = row("trip", "A week in Vienna.")
FILL = [row(f"fill{i}", f"Nothing of note happened on day number {i}.") for i in range(6)]


@pytest.mark.parametrize("order", list(permutations([BEACON, VISIT, TRIP])))
async def test_links_do_not_depend_on_the_order_of_writing(library: Library, order: tuple[dict[str, Any], ...]) -> None:
    await library.put(*FILL)
    for each in order:
        await library.put(each)
    vienna = 0.5 * log(9 / 2) / log(9)
    assert await library.links() == pytest.approx(
        {
            ("visit", "beacon"): 0.7,
            ("beacon", "visit"): 0.35,
            ("visit", "trip"): vienna,
            ("trip", "visit"): vienna,
        }
    )


async def test_a_new_title_is_found_in_lower_case_in_an_older_text(library: Library) -> None:
    await library.put(*FILL, row("note", "we met at the harbour galleries and left"))
    await library.put(row("place", "It is open on Sundays.", "Harbour Gallery"))
    assert await library.links("note") == {("note", "place"): 0.7}


@pytest.mark.parametrize("title", ["Harbour News", "Old Heroes", "The Wolves", "Ann's Boxes", "Élan Vital", "Straße"])
async def test_a_title_is_found_whichever_comes_first(library: Library, title: str) -> None:
    place, note = row("place", "It is open on Sundays.", title), row("note", f"we read of {title.upper()} here")
    await library.put(*FILL, note)
    await library.put(place)
    assert ("note", "place") in await library.links()
    await library.put(row("note", "we saw nothing"))
    await library.put(note)
    assert ("note", "place") in await library.links()


async def test_links_go_with_the_title_with_the_document_and_with_the_text(library: Library) -> None:
    await library.put(*FILL, BEACON, row("note", "we saw the Beacon"), row("other", "near the Beacon"))
    assert ("note", "beacon") in await library.links()
    await library.put(BEACON | {"title": "A Lamp"})
    assert set(await library.links()) == set(recompute(await library.stored()))
    assert ("note", "beacon") not in await library.links()
    await library.put(BEACON, row("note", "we saw nothing"))
    assert set(await library.links("beacon")) == {("beacon", "other")}
    await library.remove("beacon")
    assert await library.links("note") == {}


@pytest.mark.parametrize("seed", range(6))
async def test_stored_links_equal_a_recomputation_after_any_changes(library: Library, seed: int) -> None:
    rng = random.Random(seed)

    def write(external_id: str) -> dict[str, Any]:
        text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(2, 6)))
        entities = rng.sample(["Ben", "Vienna", "old lamp", "Ann Lee"], 2) if rng.random() < 0.2 else ()
        return row(external_id, f"we {text} so.", rng.choice(TITLES) if rng.random() < 0.5 else None, entities)

    alive: set[str] = set()
    for _ in range(7):
        batch = {f"d{rng.randrange(16)}" for _ in range(rng.randint(1, 6))}
        await library.put(*map(write, sorted(batch)))
        alive |= batch
        if rng.random() < 0.5:
            gone = rng.choice(sorted(alive))
            await library.remove(gone)
            alive.remove(gone)
    expected = recompute(await library.stored())
    assert len(expected) > 5
    assert await library.links() == pytest.approx(expected)


async def test_gems_and_tenants_are_apart(library: Library, gems: Gems, at: Moment) -> None:
    await library.put(*FILL, VISIT, TRIP)
    here = await library.links()
    twin = await gems.create(library.tenant, GemChange("twin"), at)
    stranger = UUID(int=77)
    foreign = await gems.create(stranger, GemChange("library"), at)
    rows = [parse_document(each) for each in (BEACON, VISIT, TRIP)]
    await library.ingestion.ingest(library.tenant, twin.gem_id, rows, at)
    await library.ingestion.ingest(stranger, foreign.gem_id, rows, at)
    assert await library.links() == here
    async with library.database.transaction(stranger) as conn:
        assert await fetch_links(conn, [(library.gem.gem_id, 6)], {library.gem.gem_id: 8}) == []
        assert await find_entities(conn, library.gem.gem_id, ["Vienna"], create=False) == {}


async def test_seeds_of_several_gems_are_followed_by_one_query(library: Library, gems: Gems, at: Moment) -> None:
    twin = await gems.create(library.tenant, GemChange("twin"), at)
    await library.put(VISIT, BEACON, *FILL)
    await library.ingestion.ingest(library.tenant, twin.gem_id, map(parse_document, (BEACON, VISIT, *FILL)), at)
    places = [(library.gem.gem_id, 0), (twin.gem_id, 1)]
    async with library.database.transaction(library.tenant) as conn:
        links = await fetch_links(conn, places, {gem_id: 8 for gem_id, _ in places})
    assert {(link.source, link.target) for link in links} == {
        ((library.gem.gem_id, 0), (library.gem.gem_id, 1)),
        ((twin.gem_id, 1), (twin.gem_id, 0)),
    }


async def test_closed_passages_are_linked_to_only_as_of_a_time_when_they_stood(library: Library) -> None:
    await library.put(VISIT, BEACON, *FILL)
    gem_id, before = library.gem.gem_id, library.at.now - timedelta(days=1)
    async with library.database.transaction(library.tenant) as conn:
        await conn.execute(
            "UPDATE passage SET created_at = %s, closed_at = %s WHERE gem_id = %s AND slot = 1",
            (before, library.at.now, gem_id),
        )
        seeds, sizes = [(gem_id, 0)], {gem_id: 8}
        assert await fetch_links(conn, seeds, sizes) == []
        assert [link.target[1] for link in await fetch_links(conn, seeds, sizes, as_of=before)] == [1]
        assert await fetch_links(conn, seeds, sizes, as_of=before - timedelta(days=1)) == []
        assert await fetch_links(conn, seeds, sizes, as_of=library.at.now) == []


async def test_given_names_go_to_the_passages_that_say_them_or_else_to_the_first(library: Library) -> None:
    text = (
        "# One\n\nThe old lamp stood there.\n\n# Two\n\n" + "It shone over the bay. " * 60 + "\n\n# Three\n\nAnn came."
    )
    await library.put(row("long", text, entities=["Old Lamp", "Ann", "Vienna"]))
    async with library.database.transaction(library.tenant) as conn:
        rows = await (
            await conn.execute(
                "SELECT e.name, array_agg(m.slot ORDER BY m.slot) FROM mention m JOIN entity e USING (entity_id)"
                " GROUP BY e.name"
            )
        ).fetchall()
        last = await (await conn.execute("SELECT max(slot) FROM passage")).fetchone()
    assert last is not None
    assert last[0] > 0
    assert dict(rows) == {"Old Lamp": [0], "Ann": [last[0]], "Vienna": [0]}


async def test_who_speaks_of_herself_is_mentioned_and_so_is_the_other_of_two(library: Library) -> None:
    turns = [("Ann", "I have a dog."), ("Ben", "Does it bark at you?"), ("Ann", "It rains.")]
    await library.put(*({"id": str(i), "text": t, "speaker": s, "thread": "talk"} for i, (s, t) in enumerate(turns)))
    async with library.database.transaction(library.tenant) as conn:
        query = "SELECT m.slot, e.name FROM mention m JOIN entity e USING (entity_id) ORDER BY 1, 2"
        assert await (await conn.execute(query)).fetchall() == [(0, "Ann"), (1, "Ann")]


async def test_entities_are_found_by_any_way_to_write_them_and_made_once(library: Library) -> None:
    gem_id = library.gem.gem_id
    async with library.database.transaction(library.tenant) as conn:
        assert await find_entities(conn, gem_id, ["Ann Lee", " "], create=False) == {}
        made = await find_entities(conn, gem_id, ["Ann Lee", "ann  LEE's", "Old Lamps"], create=True)
        assert await find_entities(conn, gem_id, ["ANN LEE", "old lamp"], create=True) == made
    assert set(made) == {"ann lee", "old lamp"}


async def test_looking_up_and_following_read_no_more_than_that_while_statistics_are_young(library: Library) -> None:
    gem_id, queries = library.gem.gem_id, load_queries("knowledge.sql", "mentions.sql")
    await library.put(*FILL, VISIT)
    async with library.database.transaction(library.tenant) as conn:
        names = [f"Name Number{i}" for i in range(5_000)]
        made = await find_entities(conn, gem_id, names, create=True)
        await conn.execute(
            "INSERT INTO mention (gem_id, slot, entity_id, role) SELECT %s, i %% 7, e, 1 FROM unnest(%s::uuid[])"
            " WITH ORDINALITY AS e (e, i) ON CONFLICT DO NOTHING",
            (gem_id, list(made.values())),
        )
    keys = {"gem_id": gem_id, "keys": "\n".join(f"name number{i}" for i in range(10))}
    seeds = {"gem_ids": [gem_id], "slots": [6], "mosts": [10], "as_of": None}
    mentioned = {"gem_id": gem_id, "slots": [6], "entity_ids": list(made.values())[:1], "roles": [2]}
    asked = {"find_keys": (keys, 10), "search_keys": (keys, 10), "add_wordings": (mentioned, 1)}
    async with library.database.transaction(library.tenant) as conn, index_order(conn):
        for query, (values, lookups) in (asked | {"fetch_links": (seeds, 3 * len(made) // 7)}).items():
            cursor = await conn.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {queries[query]}".encode(), values)
            (explained,) = await cursor.fetchone() or ([],)
            read = sum(explained[0]["Plan"][f"Shared {kind} Blocks"] for kind in ("Hit", "Read"))
            assert read < 20 + 8 * lookups, query


async def test_a_write_of_no_passages_does_nothing(library: Library) -> None:
    async with library.database.transaction(library.tenant) as conn:
        await write_mentions(conn, library.gem.gem_id, [])
        passage = WrittenPassage(0, "", None, None, None, None, ())
        await write_mentions(conn, library.gem.gem_id, [passage])
        assert await (await conn.execute("SELECT count(*) FROM mention")).fetchone() == (0,)

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion, parse_document
from knowledge.shaping.expansion import TURNS, Surroundings, expand

PARAGRAPH = (
    "The {0} keeper wrote down the height of the water, the strength of the wind and the names of all ships. " * 6
)
BOOK = "\n\n".join(
    f"## {heading}\n\n" + "\n\n".join(PARAGRAPH.format(f"{heading.lower()} {n}").strip() for n in range(4))
    for heading in ("Harbour", "Lighthouse", "Ferry")
)
TALK = [
    {"id": f"t{i}", "text": f"This is turn number {i}.", "speaker": "Ann" if i % 2 else "Ben", "thread": "1"}
    for i in range(12)
]

Expand = Callable[..., Awaitable[list[Surroundings]]]


@pytest.fixture
async def gem(gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment) -> Gem:
    gem = await gems.create(tenant, GemChange("coast"), at)
    rows: list[dict[str, Any]] = [{"id": "book", "text": BOOK}, {"id": "note", "text": "A lone note."}, *TALK]
    await ingestion.ingest(tenant, gem.gem_id, map(parse_document, rows), at)
    return gem


@pytest.fixture
async def passages(database: Database, tenant: UUID, gem: Gem) -> dict[str, list[UUID]]:
    """The ids of each document's passages, in order."""
    async with database.transaction(tenant) as conn:
        rows = await conn.execute(
            "SELECT d.external_id, array_agg(p.passage_id ORDER BY p.ordinal) FROM document d"
            " JOIN passage p ON p.document_id = d.document_id WHERE d.gem_id = %s GROUP BY 1",
            (gem.gem_id,),
        )
        return dict(await rows.fetchall())


@pytest.fixture
def around(database: Database, tenant: UUID) -> Expand:
    async def run(found: list[UUID], unit: Any, max_tokens: int = 100_000, **options: Any) -> list[Surroundings]:
        async def read(conn: AsyncConnection[Any]) -> list[Surroundings]:
            return await expand(conn, found, unit, max_tokens, **options)

        return await database.retrying(tenant, read, read_only=True)

    return run


async def test_a_section_is_the_text_under_one_heading(around: Expand, passages: dict[str, list[UUID]]) -> None:
    book = passages["book"]
    (section,) = await around([book[len(book) // 2]], "section")
    (part,) = section.parts
    assert part.text == section.text == BOOK[part.start : part.end]
    assert part.text.startswith("## Lighthouse")
    assert part.text.endswith("all ships.")
    assert all(f"lighthouse {n} keeper" in part.text for n in range(4))
    assert "arbour" not in part.text
    assert "erry" not in part.text
    assert section.found == (book[len(book) // 2],)
    assert list(part.passage_ids) == [each for each in book if each in part.passage_ids]


async def test_a_document_is_all_of_its_text(around: Expand, passages: dict[str, list[UUID]]) -> None:
    book = passages["book"]
    whole, note = await around([book[3], passages["note"][0], book[0]], "document")
    assert whole.text == BOOK.strip()
    assert whole.found == (book[3], book[0])
    assert whole.parts[0].passage_ids == tuple(book)
    assert note.text == "A lone note."


async def test_the_budget_keeps_the_found_passage_whole_and_takes_the_nearest(
    around: Expand, passages: dict[str, list[UUID]]
) -> None:
    book = passages["book"]
    (alone,) = await around([book[4]], "document", 250)
    assert alone.parts[0].passage_ids == (book[4],)
    (some,) = await around([book[4]], "document", alone.tokens * 3 + 30)
    assert set(book[3:6]) <= {*some.parts[0].passage_ids} < {*book}
    assert alone.text in some.text
    assert some.tokens <= alone.tokens * 3 + 30
    assert await around([book[4]], "document", alone.tokens - 1) == []


async def test_in_a_thread_the_turns_around_are_the_section(around: Expand, passages: dict[str, list[UUID]]) -> None:
    (talk,) = await around(passages["t6"], "section")
    assert talk.text.splitlines() == [
        f"{'Ann' if i % 2 else 'Ben'}: This is turn number {i}." for i in range(6 - TURNS, 7 + TURNS)
    ]
    assert talk.found == tuple(passages["t6"])
    assert [part.text for part in (await around(passages["t6"], "document"))[0].parts] == ["This is turn number 6."]


async def test_turns_that_overlap_become_one_and_distant_ones_stay_apart(
    around: Expand, passages: dict[str, list[UUID]]
) -> None:
    (talk,) = await around([*passages["t8"], *passages["t2"]], "section")
    assert len(talk.parts) == len(TALK)
    assert talk.found == (*passages["t8"], *passages["t2"])
    assert len(await around([*passages["t11"], *passages["t0"]], "section", 40)) == 2


async def test_turns_are_those_that_the_lattice_held(
    around: Expand, passages: dict[str, list[UUID]], database: Database, tenant: UUID, at: Moment
) -> None:
    later = replace(at, now=at.now + timedelta(days=9))
    async with database.transaction(tenant) as conn:
        for table in ("document", "passage"):
            await conn.execute(
                f"UPDATE {table} SET closed_at = %s WHERE document_id IN"
                " (SELECT document_id FROM document WHERE external_id = 't5')",
                (later.now,),
            )
    (now,) = await around(passages["t6"], "section")
    assert [part.text[-2] for part in now.parts][:4] == ["1", "2", "3", "4"]
    (then,) = await around(passages["t6"], "section", as_of=later.now - timedelta(days=1))
    assert [part.text[-2] for part in then.parts][:4] == ["2", "3", "4", "5"]
    assert [len(each.parts) for each in await around(passages["t6"], "section", as_of=at.now - timedelta(days=1))] == [
        1
    ]


async def test_what_is_gone_or_of_another_tenant_is_left_out(
    around: Expand, passages: dict[str, list[UUID]], database: Database
) -> None:
    assert await around([], "section") == []
    assert await around([uuid4()], "document") == []
    (note,) = await around([uuid4(), *passages["note"], *passages["note"]], "section")
    assert note.found == tuple(passages["note"])

    async def read(conn: AsyncConnection[Any]) -> list[Surroundings]:
        return await expand(conn, passages["note"], "document", 1_000)

    assert await database.retrying(uuid4(), read, read_only=True) == []

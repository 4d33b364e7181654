"""The passages of a gem, page by page in the order in which they were stored."""

from uuid import UUID

from core.pg import Database
from core.sql import load_queries
from knowledge import PassagePlace, PassageStates
from tests.integration.knowledge.shelf import FLEET, Shelf

SQL = load_queries("knowledge.sql", "passage_states.sql")


async def test_a_page_begins_where_the_one_before_ended_whatever_number_a_cursor_names(
    database: Database, shelf: Shelf
) -> None:
    await shelf.put(*FLEET)
    states, seen = PassageStates(database), list[str]()
    after: PassagePlace | None = None
    for _ in range(2):
        page = await states.list_page(shelf.tenant, shelf.gem.gem_id, shelf.at, order="position", after=after, limit=2)
        seen += [each.text for each in page]
        after = page[-1].place
    assert seen == [row["text"] for row in FLEET]
    for key, count in ((-1e300, 4), (1.5, 2), (2.0**31, 0), (1e300, 0)):
        after = PassagePlace(key, UUID(int=0))
        page = await states.list_page(shelf.tenant, shelf.gem.gem_id, shelf.at, order="position", after=after)
        assert len(page) == count


async def test_a_page_by_position_is_read_from_where_it_begins(database: Database, shelf: Shelf) -> None:
    await shelf.put(*FLEET)
    values = {"gem_id": shelf.gem.gem_id, "after_slot": 2, "limit": 2}
    async with database.transaction(shelf.tenant, read_only=True) as conn:
        # of a few rows all may as well be read and sorted
        await conn.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor = await conn.execute(f"EXPLAIN {SQL['list_by_position']}".encode(), values)
        plan = [str(row[0]).strip() for row in await cursor.fetchall()]
    assert [line for line in plan if line.startswith("Sort")] == []
    (condition,) = [line for line in plan if line.startswith("Index Cond:")]
    assert "(slot > 2)" in condition

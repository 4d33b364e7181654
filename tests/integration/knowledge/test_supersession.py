"""Documents that take the place of others, in whatever order they come and go."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion, SourceDocument, parse_document
from knowledge.store import close_documents

CLOSED = "SELECT external_id FROM document WHERE closed_at IS NOT NULL ORDER BY external_id"


@pytest.fixture
async def gem(gems: Gems, tenant: UUID, at: Moment) -> Gem:
    return await gems.create(tenant, GemChange(name="rules"), at)


def rule(name: str, *supersedes: str, text: str | None = None, claims: Sequence[Sequence[str]] = ()) -> SourceDocument:
    row = {"id": name, "text": text or f"Rule {name} of the harbour.", "supersedes": supersedes, "relations": claims}
    return parse_document(row)


class Book:
    """The rules of one gem: put, withdraw, and see which are closed."""

    def __init__(self, ingestion: Ingestion, tenant: UUID, gem: Gem, at: Moment) -> None:
        self._ingestion = ingestion
        self._tenant = tenant
        self._gem = gem
        self.at = at

    async def put(self, *documents: SourceDocument) -> None:
        self.at = Moment(self.at.now + timedelta(hours=1), self.at.time_unit)
        await self._ingestion.ingest(self._tenant, self._gem.gem_id, documents, self.at)

    async def withdraw(self, *names: str) -> None:
        self.at = Moment(self.at.now + timedelta(hours=1), self.at.time_unit)
        query = "SELECT document_id FROM document WHERE external_id = ANY(%s)"
        found = [document_id for (document_id,) in await self.rows(query, list(names))]
        await self._ingestion.delete(self._tenant, self._gem.gem_id, found, self.at)

    async def closed(self) -> list[str]:
        differing = await self.rows(
            "SELECT p.passage_id FROM passage p JOIN document d USING (tenant_id, document_id) "
            "WHERE p.closed_at IS DISTINCT FROM d.closed_at"
        )
        assert differing == []
        return [name for (name,) in await self.rows(CLOSED)]

    async def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        async with self._ingestion.database.transaction(self._tenant, read_only=True) as conn:
            return await (await conn.execute(query.encode(), values)).fetchall()


@pytest.fixture
def book(ingestion: Ingestion, tenant: UUID, gem: Gem, at: Moment) -> Book:
    return Book(ingestion, tenant, gem, at)


async def test_a_document_closes_what_it_supersedes_and_says_so(book: Book) -> None:
    await book.put(rule("a"), rule("b"), rule("c"))
    await book.put(rule("new", "a", "b", "not there"))
    assert await book.closed() == ["a", "b"]
    query = (
        "SELECT d.closed_at, d.closed_reason, by.external_id FROM document d "
        "JOIN document by ON by.document_id = d.closed_by WHERE d.external_id = 'a'"
    )
    assert await book.rows(query) == [(book.at.now, "superseded", "new")]


async def test_a_document_that_comes_after_the_one_that_supersedes_it_is_closed_from_the_start(book: Book) -> None:
    await book.put(rule("new", "old"))
    assert await book.closed() == []
    await book.put(rule("old"))
    assert await book.closed() == ["old"]


async def test_both_may_come_in_one_batch(book: Book) -> None:
    await book.put(rule("new", "old"), rule("old"), rule("older"), rule("newer", "older"))
    assert await book.closed() == ["old", "older"]


async def test_an_edit_of_a_superseded_document_does_not_open_it(book: Book) -> None:
    await book.put(rule("old"), rule("new", "old"))
    await book.put(rule("old", text="The same rule in other words."))
    assert await book.closed() == ["old"]


async def test_a_document_that_supersedes_no_longer_opens_what_it_closed(book: Book) -> None:
    await book.put(rule("a"), rule("b"), rule("new", "a"))
    await book.put(rule("new", "b", text="It was the other one."))
    assert await book.closed() == ["b"]


async def test_deleting_a_document_opens_what_it_closed_unless_another_one_supersedes_it_too(book: Book) -> None:
    await book.put(rule("a"), rule("b"))
    await book.put(rule("x", "a", "b"))
    first = await book.rows("SELECT closed_at FROM document WHERE external_id = 'b'")
    await book.put(rule("y", "b"))
    await book.withdraw("x")
    assert await book.closed() == ["b"]
    query = (
        "SELECT d.closed_at FROM document d JOIN document by ON by.document_id = d.closed_by WHERE by.external_id = 'y'"
    )
    assert await book.rows(query) == first
    await book.withdraw("y")
    assert await book.closed() == []


async def test_a_chain_stays_closed_but_for_its_last(book: Book) -> None:
    await book.put(rule("1"), rule("2", "1"), rule("3", "2"))
    assert await book.closed() == ["1", "2"]
    await book.withdraw("3")
    assert await book.closed() == ["1"]


async def test_of_two_that_supersede_each_other_the_one_told_last_holds(book: Book) -> None:
    await book.put(rule("a", "b"))
    await book.put(rule("b", "a"))
    assert await book.closed() == ["a"]
    await book.put(rule("a", "b", text="Rule a, told again."))
    assert await book.closed() == ["b"]


async def test_a_document_does_not_supersede_itself_nor_one_of_another_gem(
    book: Book, gems: Gems, ingestion: Ingestion, tenant: UUID, at: Moment
) -> None:
    other = await gems.create(tenant, GemChange(name="other"), at)
    await ingestion.ingest(tenant, other.gem_id, [rule("old")], at)
    await book.put(rule("new", "new", "old"))
    assert await book.closed() == []


async def test_what_a_superseded_document_claims_is_closed_and_holds_again_when_it_is_opened(book: Book) -> None:
    claims = [("Ann", "lives in", "Porto")]
    holding = "SELECT document_id FROM relation WHERE known_to IS NULL"
    await book.put(rule("old", claims=claims))
    assert len(await book.rows(holding)) == 1
    await book.put(rule("new", "old"))
    assert await book.rows(holding) == []
    await book.put(rule("old", text="Told in other words.", claims=claims))
    assert await book.rows(holding) == []
    await book.withdraw("new")
    assert len(await book.rows(holding)) == 1
    await book.withdraw("old")
    assert await book.rows(holding) == []
    assert len(await book.rows("SELECT relation_id FROM relation")) >= 2


async def test_a_document_closed_for_another_reason_holds_again_when_it_is_told_anew(
    book: Book, database: Database, tenant: UUID, gem: Gem
) -> None:
    await book.put(rule("a"), rule("b"))
    ((document_id,),) = await book.rows("SELECT document_id FROM document WHERE external_id = 'a'")
    async with database.transaction(tenant) as conn:
        await close_documents(conn, gem.gem_id, [document_id], book.at, by=None, reason="forgotten")
    assert await book.closed() == ["a"]
    await book.put(rule("a"))
    assert await book.closed() == ["a"]
    await book.put(rule("a", text="Rule a in other words."))
    assert await book.closed() == []


async def test_closing_again_keeps_the_first_moment(book: Book, database: Database, tenant: UUID, gem: Gem) -> None:
    await book.put(rule("a"))
    ((document_id,),) = await book.rows("SELECT document_id FROM document")
    moments: list[datetime] = []
    for _ in range(2):
        book.at = Moment(book.at.now + timedelta(days=1), book.at.time_unit)
        async with database.transaction(tenant) as conn:
            await close_documents(conn, gem.gem_id, [document_id], book.at, by=None, reason="forgotten")
        ((closed_at,),) = await book.rows("SELECT closed_at FROM passage")
        moments.append(closed_at)
    assert moments[0] == moments[1]

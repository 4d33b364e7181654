"""What ingestion leaves behind when something goes wrong, and what it reads while the database is young."""

import asyncio
import gc
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from core.errors import GemArchivedError
from core.pg import Database, PoolConfig
from core.sql import load_queries
from gems import Gem, GemChange, Gems, Moment
from knowledge import Chunker, Ingestion, IngestReport, SourceDocument, parse_document

BATCH_PASSAGES = 80  # fewer than usual: what is proved is what becomes of several
LINES = 2 * BATCH_PASSAGES + 44
NOTES = 5 * BATCH_PASSAGES + 60


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.cutting.BATCH_PASSAGES", BATCH_PASSAGES)


@pytest.fixture
async def gem(gems: Gems, tenant: UUID, at: Moment) -> Gem:
    return await gems.create(tenant, GemChange(name="log"), at)


async def test_a_failure_in_the_middle_keeps_whole_batches_and_no_more(
    ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    def broken() -> Iterable[SourceDocument]:
        for i in range(LINES):
            yield SourceDocument(f"Line {i}.", external_id=str(i))
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="disk"):
        await ingestion.ingest(tenant, gem.gem_id, broken(), at)
    async with database.transaction(tenant, read_only=True) as conn:
        cursor = await conn.execute(
            "SELECT count(*), sum(passages), (SELECT count(*) FROM passage) FROM document WHERE gem_id = %s",
            (gem.gem_id,),
        )
        documents, passages, stored = await cursor.fetchone() or (0, 0, 0)
    assert documents in {BATCH_PASSAGES, 2 * BATCH_PASSAGES}
    assert passages == stored == documents
    report = await ingestion.ingest(
        tenant, gem.gem_id, (SourceDocument(f"Line {i}.", external_id=str(i)) for i in range(LINES)), at
    )
    assert (report.skipped, report.documents) == (documents, LINES - documents)


async def test_looking_up_what_is_known_reads_no_more_than_that_while_statistics_are_young(
    database: Database, gem: Gem, tenant: UUID
) -> None:
    query = load_queries("knowledge.sql", "documents.sql")["find_known"]
    async with database.transaction(tenant) as conn:
        await conn.execute(
            "INSERT INTO document (document_id, gem_id, external_id, body, content_hash, passages) SELECT "
            "gen_random_uuid(), %s, CASE WHEN i %% 2 = 0 THEN i::text END, 'x', i::text::bytea, 0 "
            "FROM generate_series(1, 2000) AS i",
            (gem.gem_id,),
        )
        values = {"gem_id": gem.gem_id, "external_ids": ["2", "1998", "no"], "hashes": [b"1", b"1999", b"2"]}
        cursor = await conn.execute(query, values)
        assert len(await cursor.fetchall()) == 4
        cursor = await conn.execute(b"EXPLAIN (ANALYZE) " + query.encode(), values)
        assert "Removed by Filter" not in str(await cursor.fetchall())


async def test_a_cancelled_ingestion_leaves_whole_batches_and_no_task_behind(
    ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    notes = [
        SourceDocument(f"Entry {i} of the log.", thread="log" if i % 2 else None) for i in range(4 * BATCH_PASSAGES)
    ]
    before = asyncio.all_tasks()

    def cancel(report: IngestReport) -> None:
        asyncio.get_running_loop().call_later(0.05, running.cancel)

    running = asyncio.create_task(ingestion.ingest(tenant, gem.gem_id, notes, at, cancel))
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not [task for task in asyncio.all_tasks() - before if "crystal-lattice" not in task.get_name()]
    async with database.transaction(tenant, read_only=True) as conn:
        cursor = await conn.execute(
            "SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM passage), "
            "(SELECT sum(size) FROM lexical_segment)"
        )
        documents, passages, indexed = await cursor.fetchone() or (0, 0, 0)
    assert documents == passages == indexed
    assert documents in {BATCH_PASSAGES, 2 * BATCH_PASSAGES, 3 * BATCH_PASSAGES}


async def test_a_gem_archived_in_the_middle_refuses_the_rest_and_says_so_once(
    gems: Gems, ingestion: Ingestion, gem: Gem, tenant: UUID, at: Moment, caplog: Any
) -> None:
    pending: list[asyncio.Task[Gem]] = []

    def archive(report: IngestReport) -> None:
        pending.append(asyncio.create_task(gems.archive(tenant, gem.gem_id, at)))

    notes = [SourceDocument(f"Entry {i} of the log.") for i in range(NOTES)]
    with pytest.raises(GemArchivedError):
        await ingestion.ingest(tenant, gem.gem_id, notes, at, archive)
    await asyncio.gather(*pending)
    gc.collect()
    assert "never retrieved" not in caplog.text
    await gems.restore(tenant, gem.gem_id, at)
    rest = await ingestion.ingest(tenant, gem.gem_id, notes, at)
    assert rest.documents + rest.skipped == NOTES
    assert rest.skipped % BATCH_PASSAGES == 0
    assert rest.skipped > 0


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
async def test_dates_at_the_ends_of_the_calendar_are_kept_whatever_zone_the_server_is_in(
    database_url: str, local: Any, tenant: UUID, at: Moment, zone: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        statement = sql.SQL("ALTER DATABASE {} SET timezone = {}")
        conn.execute(statement.format(sql.Identifier(conn.info.dbname), sql.Literal(zone)))
    async with Database(PoolConfig(database_url)) as database:
        gem = await Gems(database).create(tenant, GemChange("ages"), at)
        ingestion = Ingestion(database, local, Chunker(local.tokenizer))
        for year in ("0001-01-01", "9999-12-31"):
            row = {"text": f"Said on {year}.", "thread": "ages", "occurred_at": year}
            await ingestion.ingest(tenant, gem.gem_id, [parse_document(row)], at)
        found = await ingestion.list_page(tenant, gem.gem_id, at, before=None, limit=5)
    assert {each.occurred_at and each.occurred_at.year for each in found} == {1, 9999}

"""Rows with embeddings, loaded in bulk: what the ordinary way would have stored, once, and resumable."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.errors import GemArchivedError, GemNotFoundError
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion, parse_document
from knowledge.bulk import loading
from knowledge.bulk.loading import BulkLoader
from tests.integration.knowledge.bulk.rows import (
    DOCUMENTS,
    GEM,
    make_rows,
    read,
    score_words,
    stored,
    vector,
    write_rows,
)


async def test_a_bulk_load_stores_what_the_ordinary_way_stores(
    loader: BulkLoader, ingestion: Ingestion, gems: Gems, database: Database, tenant: UUID, at: Moment, tmp_path: Path,
    gem: Gem,
) -> None:  # fmt: skip
    rows = make_rows(60)
    other = await gems.create(tenant, GemChange(name="ordinary"), at)
    report = await loader.load(tenant, gem.gem_id, [write_rows(tmp_path / "rows.jsonl", rows)], at)
    documents = [parse_document(row | {"source": "rows.jsonl"}) for row in rows]
    expected = await ingestion.ingest(tenant, other.gem_id, documents, at)
    assert (report.total.documents, report.total.passages) == (expected.documents, expected.passages) == (60, 60)
    assert await stored(database, tenant, gem) == await stored(database, tenant, other)
    assert await score_words(database, tenant, gem, 60) == await score_words(database, tenant, other, 60)
    assert report.sealed == 60


async def test_what_is_stored_is_skipped_the_second_time(
    loader: BulkLoader, database: Database, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem
) -> None:
    rows = make_rows(20)
    path = write_rows(tmp_path / "rows.jsonl", [*rows, rows[0], rows[1]])
    first = await loader.load(tenant, gem.gem_id, [path], at)
    before = await stored(database, tenant, gem)
    second = await loader.load(tenant, gem.gem_id, [path], at)
    assert (first.total.documents, first.total.skipped) == (20, 2)
    assert (second.total.documents, second.total.skipped) == (0, 22)
    assert await stored(database, tenant, gem) == before


async def test_rows_that_need_the_ordinary_way_take_it_in_their_order(
    loader: BulkLoader, database: Database, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem
) -> None:
    rows = make_rows(8)
    changed = rows[1] | {"text": "Walk 1 was rewritten."}
    aside: list[dict[str, Any]] = [
        {"text": "Shall we walk?", "thread": "t", "speaker": "Ann", "id": "t1"},
        {"text": "To the pier.", "thread": "t", "speaker": "Ben", "id": "t2"},
        {"text": "No vector here.", "id": "plain"},
        {"text": "Ann knows Ben.", "id": "rel", "relations": [["Ann", "knows", "Ben"]], "embedding": vector(77)},
        {"text": "Twice said.", "id": "twice", "embedding": vector(78)},
        {"text": "Twice said, last.", "id": "twice", "embedding": vector(79)},
    ]
    await loader.load(tenant, gem.gem_id, [write_rows(tmp_path / "a.jsonl", rows)], at)
    report = await loader.load(tenant, gem.gem_id, [write_rows(tmp_path / "b.jsonl", [changed, *aside])], at)
    assert (report.total.documents, report.total.replaced) == (7, 2)
    found = await read(database, tenant, "SELECT external_id, body FROM document WHERE gem_id = %s", gem)
    texts = dict(row for row in found if row[0] is not None)
    assert texts["r1"] == "Walk 1 was rewritten."
    assert texts["twice"] == "Twice said, last."
    assert {"t1", "t2", "plain", "rel"} <= texts.keys()
    assert (await read(database, tenant, GEM, gem))[0][1] is None


async def test_a_row_that_another_supersedes_is_closed_when_it_comes(
    loader: BulkLoader, ingestion: Ingestion, database: Database, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem
) -> None:
    newer = parse_document({"text": "The harbour is open.", "id": "new", "supersedes": ["r1"]})
    await ingestion.ingest(tenant, gem.gem_id, [newer], at)
    await loader.load(tenant, gem.gem_id, [write_rows(tmp_path / "a.jsonl", make_rows(3))], at)
    closed = "SELECT external_id FROM document WHERE gem_id = %s AND closed_at IS NOT NULL"
    assert await read(database, tenant, closed, gem) == [("r1",)]


async def test_wrong_rows_are_told_by_line_and_the_rest_is_stored(
    loader: BulkLoader, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.bulk.rows.BLOCK_BYTES", 20_000)
    rows = [json.dumps(row) for row in make_rows(20)]
    rows[7] = "nonsense"
    rows[15] = json.dumps({"text": "short", "id": "s", "embedding": [1.0, 2.0]})
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    report = await loader.load(tenant, gem.gem_id, [path], at)
    assert (report.total.documents, report.failed) == (18, 2)
    assert {problem.line for problem in report.problems} == {8, 16}
    assert any("dimensions" in problem.problem for problem in report.problems)
    assert all(problem.name == "rows.jsonl" for problem in report.problems)


async def test_rows_go_to_the_gem_that_they_name(
    loader: BulkLoader, gems: Gems, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem
) -> None:
    rows = [row | {"gem": "other"} if i % 2 else row for i, row in enumerate(make_rows(10))]

    async def ensure(name: str) -> UUID:
        return (await gems.ensure(tenant, name, at)).gem_id

    path = write_rows(tmp_path / "rows.jsonl", rows)
    report = await loader.load(tenant, gem.gem_id, [path], at, gem_named=ensure)
    other = await gems.ensure(tenant, "other", at)
    assert {i: part.documents for i, part in report.gems.items()} == {gem.gem_id: 5, other.gem_id: 5}


async def test_a_load_that_broke_off_is_finished_by_the_same_load(
    loader: BulkLoader, database: Database, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = write_rows(tmp_path / "rows.jsonl", make_rows(40))

    class PlugPulledError(Exception):
        pass

    async def fail(*_: object, **__: object) -> int:
        raise PlugPulledError

    with monkeypatch.context() as patch:
        patch.setattr(loading, "seal_rest", fail)
        with pytest.raises(PlugPulledError):
            await loader.load(tenant, gem.gem_id, [path], at)
    assert (await read(database, tenant, GEM, gem))[0][:2] == (40, 0)
    report = await loader.load(tenant, gem.gem_id, [path], at)
    assert (report.total.skipped, report.sealed) == (40, 40)
    assert (await read(database, tenant, GEM, gem))[0][:2] == (40, None)


async def test_worker_processes_give_what_a_thread_gives(
    ingestion: Ingestion, gems: Gems, database: Database, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    other = await gems.create(tenant, GemChange(name="processes"), at)
    path = write_rows(tmp_path / "rows.jsonl", make_rows(30))
    await BulkLoader(ingestion).load(tenant, gem.gem_id, [path], at)
    monkeypatch.setattr(loading, "ALONE_BYTES", 1)
    await BulkLoader(ingestion, workers=2).load(tenant, other.gem_id, [path], at)
    assert await stored(database, tenant, gem) == await stored(database, tenant, other)


async def test_nothing_is_loaded_into_an_archived_gem_or_one_that_is_not_there(
    loader: BulkLoader, gems: Gems, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem
) -> None:
    path = write_rows(tmp_path / "rows.jsonl", make_rows(3))
    with pytest.raises(GemNotFoundError):
        await loader.load(tenant, UUID(int=5), [path], at)
    await gems.archive(tenant, gem.gem_id, at)
    with pytest.raises(GemArchivedError):
        await loader.load(tenant, gem.gem_id, [path], at)


async def test_rows_of_one_tenant_are_not_seen_by_another(
    loader: BulkLoader, database: Database, database_url: str, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem
) -> None:
    await loader.load(tenant, gem.gem_id, [write_rows(tmp_path / "rows.jsonl", make_rows(3))], at)
    assert await read(database, UUID(int=9), DOCUMENTS, gem) == []
    async with await psycopg.AsyncConnection.connect(database_url) as admin:
        cursor = await admin.execute("SELECT DISTINCT tenant_id FROM passage")
        assert await cursor.fetchall() == [(tenant,)]

"""After the rows: words in steps, whoever makes them, and the index over vectors."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from core.errors import GemNotFoundError
from core.pg import Database
from gems import Gem, Moment
from knowledge import Ingestion, parse_document
from knowledge.bulk import loading
from knowledge.bulk.loading import BulkLoader
from knowledge.bulk.report import BulkReport
from knowledge.sealing import seal_rest
from tests.integration.knowledge.bulk.rows import (
    DIMENSION,
    GEM,
    make_rows,
    read,
    score_words,
    write_rows,
)


@dataclass
class FakeIndexes:
    """Stands for the indexes: the test sees when it is dropped and made."""

    held: int = 0
    calls: list[str] = field(default_factory=list)

    async def count(self, column: str, dimension: int) -> int:
        assert (column, dimension) == ("embedding", DIMENSION)
        return self.held

    async def drop(self, column: str, dimension: int) -> None:
        self.calls.append("drop")

    async def ensure(self, column: str, dimension: int) -> None:
        self.calls.append("ensure")


async def test_sealing_goes_on_in_steps_and_ends_where_others_did_the_rest(
    loader: BulkLoader, database: Database, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    async def leave(*_: object, **__: object) -> int:
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(loading, "seal_rest", leave)
        await loader.load(tenant, gem.gem_id, [write_rows(tmp_path / "rows.jsonl", make_rows(40))], at)
    monkeypatch.setattr("knowledge.sealing.LARGEST_SEGMENT", 16)
    steps: list[int] = []
    assert await seal_rest(database, tenant, gem.gem_id, progress=steps.append) == 40
    assert steps == [16, 32, 40]
    assert await seal_rest(database, tenant, gem.gem_id) == 0
    spans = "SELECT base, span, size FROM lexical_segment WHERE gem_id = %s ORDER BY segment_id"
    assert await read(database, tenant, spans, gem) == [(0, 16, 16), (16, 16, 16), (32, 8, 8)]


async def test_two_who_seal_at_once_seal_each_passage_once(
    loader: BulkLoader, database: Database, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    async def leave(*_: object, **__: object) -> int:
        return 0

    monkeypatch.setattr(loading, "seal_rest", leave)
    await loader.load(tenant, gem.gem_id, [write_rows(tmp_path / "rows.jsonl", make_rows(40))], at)
    monkeypatch.setattr("knowledge.sealing.LARGEST_SEGMENT", 10)
    done = await asyncio.gather(*(seal_rest(database, tenant, gem.gem_id) for _ in range(2)))
    assert sum(done) == 40
    spans = "SELECT sum(size), max(base + span) FROM lexical_segment WHERE gem_id = %s"
    assert await read(database, tenant, spans, gem) == [(40, 40)]


async def test_an_ordinary_write_seals_what_a_load_left(
    loader: BulkLoader, ingestion: Ingestion, database: Database, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    async def leave(*_: object, **__: object) -> int:
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(loading, "seal_rest", leave)
        await loader.load(tenant, gem.gem_id, [write_rows(tmp_path / "rows.jsonl", make_rows(20))], at)
    await ingestion.ingest(tenant, gem.gem_id, [parse_document({"text": "A walk by the harbour."})], at)
    assert (await read(database, tenant, GEM, gem))[0][:2] == (21, None)
    assert all((await score_words(database, tenant, gem, 21))["walk"])


@pytest.mark.parametrize(("held", "calls"), [(0, ["drop", "ensure"]), (30, ["drop", "ensure"]), (31, [])])
async def test_the_index_is_made_anew_if_the_load_is_larger_than_it(
    ingestion: Ingestion, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem, monkeypatch: pytest.MonkeyPatch,
    held: int, calls: list[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(loading, "INDEX_LEAST", 10)
    index = FakeIndexes(held)
    rows = make_rows(30)
    phases: list[str] = []

    def note(report: BulkReport) -> None:
        if report.phase not in phases:
            phases.append(report.phase)

    loader = BulkLoader(ingestion, index, workers=1)
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    await loader.load(tenant, gem.gem_id, [path], at, note)
    assert index.calls == calls
    assert phases == ["load", "seal", *(["index"] if calls else [])]


async def test_a_small_load_leaves_the_index_alone(
    ingestion: Ingestion, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem
) -> None:
    index = FakeIndexes()
    await BulkLoader(ingestion, index).load(tenant, gem.gem_id, [write_rows(tmp_path / "r.jsonl", make_rows(3))], at)
    assert index.calls == []


async def test_the_index_is_made_again_when_the_load_fails(
    ingestion: Ingestion, tenant: UUID, at: Moment, tmp_path: Path, gem: Gem, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise GemNotFoundError("gone")

    monkeypatch.setattr(loading, "INDEX_LEAST", 1)
    monkeypatch.setattr(loading, "write_part", fail)
    index = FakeIndexes()
    with pytest.raises(GemNotFoundError):
        await BulkLoader(ingestion, index).load(
            tenant, gem.gem_id, [write_rows(tmp_path / "r.jsonl", make_rows(3))], at
        )
    assert index.calls == ["drop", "ensure"]

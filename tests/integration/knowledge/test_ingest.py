# size: one snapshot of everything that is stored serves every case
import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import DocumentNotFoundError, EmbeddingMismatchError, GemArchivedError, GemNotFoundError
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Chunker, Ingestion, IngestReport, SourceDocument, parse_document
from knowledge.cutting import BATCH_PASSAGES
from knowledge.lexical import fetch_lists, merge_due, score
from knowledge.lexical.index import MOST_WAITING

TALK = [
    ("Ann", "I adopted a greyhound called Biscuit last week."),
    ("Ben", "Lovely! Does she like the beach?"),
    ("Ann", "She runs along the water every morning."),
    ("Ben", "My sister paints lighthouses on the coast."),
    ("Ann", "Is she exhibiting them?"),
    ("Ben", "In the harbour gallery, until June."),
    ("Ann", "Then let us go on Saturday."),
    ("Ben", "Bring the greyhound."),
    ("Ann", "Only if it does not rain."),
]


def turns(start: int = 0, end: int = len(TALK), **changed: str) -> Iterator[SourceDocument]:
    for i in range(start, end):
        speaker, text = TALK[i]
        row = {"id": f"t{i}", "text": changed.get(f"t{i}", text), "thread": "talk", "speaker": speaker}
        yield parse_document(row | {"occurred_at": "2023-05-08"})


@pytest.fixture
async def gem(gems: Gems, tenant: UUID, at: Moment) -> Gem:
    return await gems.create(tenant, GemChange(name="friends"), at)


class Snapshot:
    """What the indexes of a gem hold, by text: vectors, and BM25 scores of some words."""

    def __init__(self, vectors: dict[str, NDArray[np.float32]], scores: dict[str, dict[str, float]]) -> None:
        self.vectors = vectors
        self.scores = scores

    def matches(self, other: "Snapshot") -> bool:
        vectors = self.vectors.keys() == other.vectors.keys() and all(
            np.allclose(vector, other.vectors[text], atol=2e-3) for text, vector in self.vectors.items()
        )
        return vectors and all(
            found == pytest.approx(other.scores[word], rel=1e-5) for word, found in self.scores.items()
        )


async def snapshot(database: Database, tenant: UUID, gem: Gem) -> Snapshot:
    words = ["greyhound", "beach", "paint", "galleri", "rain", "saturday", "run", "ann", "kayak"]
    async with database.transaction(tenant, read_only=True) as conn:
        cursor = await conn.execute(
            "SELECT body, slot, embedding FROM passage WHERE gem_id = %s ORDER BY slot", (gem.gem_id,)
        )
        rows = await cursor.fetchall()
        found = {}
        for word in words:
            scores = score(await fetch_lists(conn, [gem.gem_id], [word]))
            found[word] = {body: scores.at(gem.gem_id, slot) for body, slot, _ in rows}
    return Snapshot({body: embedding.to_numpy().astype(np.float32) for body, _, embedding in rows}, found)


async def count_segments(database: Database, tenant: UUID, gem: Gem) -> int:
    async with database.transaction(tenant, read_only=True) as conn:
        return len((await fetch_lists(conn, [gem.gem_id], [])).segments)


async def test_documents_are_stored_once_and_changed_ones_replaced(
    ingestion: Ingestion, gem: Gem, tenant: UUID, at: Moment
) -> None:
    first = await ingestion.ingest(tenant, gem.gem_id, turns(), at)
    assert (first.documents, first.passages, first.skipped, first.replaced) == (9, 9, 0, 0)
    again = await ingestion.ingest(tenant, gem.gem_id, turns(), at)
    assert (again.documents, again.skipped) == (0, 9)
    changed = await ingestion.ingest(tenant, gem.gem_id, turns(t4="Does she sell them?"), at)
    assert (changed.documents, changed.replaced, changed.skipped) == (1, 1, 8)


async def test_documents_without_an_id_are_known_by_their_content(
    ingestion: Ingestion, gem: Gem, tenant: UUID, at: Moment
) -> None:
    note = SourceDocument("The ferry leaves at seven.")
    assert (await ingestion.ingest(tenant, gem.gem_id, [note, note], at)).skipped == 1
    assert (await ingestion.ingest(tenant, gem.gem_id, [note], at)).skipped == 1


async def test_a_turn_that_is_said_again_is_a_turn_of_its_own(
    ingestion: Ingestion, gem: Gem, tenant: UUID, at: Moment
) -> None:
    talk = [parse_document({"text": text, "thread": "talk"}) for text in ("Coffee?", "Yes.", "Milk?", "Yes.", "Yes.")]
    assert (await ingestion.ingest(tenant, gem.gem_id, talk, at)).documents == 5
    assert (await ingestion.ingest(tenant, gem.gem_id, talk, at)).skipped == 5
    longer = [*talk, parse_document({"text": "Yes.", "thread": "talk"})]
    assert (await ingestion.ingest(tenant, gem.gem_id, longer, at)).documents == 1
    said = Counter[bytes]()
    parts = [await ingestion.ingest(tenant, gem.gem_id, part, at, said=said) for part in (longer[:3], longer[3:])]
    assert [part.skipped for part in parts] == [3, 3]


@pytest.mark.parametrize("sizes", [[9], [1] * 9, [4, 5], [2, 3, 4]])
async def test_an_index_does_not_depend_on_how_a_thread_was_cut_into_batches(
    gems: Gems, ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment, sizes: list[int]
) -> None:
    start = 0
    for size in sizes:
        await ingestion.ingest(tenant, gem.gem_id, turns(start, start + size), at)
        start += size
    whole = await gems.create(tenant, GemChange(name="whole"), at)
    await ingestion.ingest(tenant, whole.gem_id, turns(), at)
    assert (await snapshot(database, tenant, gem)).matches(await snapshot(database, tenant, whole))


async def test_a_replaced_and_a_deleted_turn_leave_the_index_as_if_they_had_never_been(
    gems: Gems, ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    await ingestion.ingest(tenant, gem.gem_id, turns(t3="We rented a kayak in the rain."), at)
    before = await snapshot(database, tenant, gem)
    await ingestion.ingest(tenant, gem.gem_id, turns(), at)
    extra_turn = parse_document({"id": "extra", "text": "Kayak!", "thread": "talk"})
    await ingestion.ingest(tenant, gem.gem_id, [extra_turn], at)
    async with database.transaction(tenant) as conn:
        cursor = await conn.execute("SELECT document_id FROM document WHERE external_id = 'extra'")
        (extra,) = await cursor.fetchone() or (UUID(int=0),)
    await ingestion.delete(tenant, gem.gem_id, [extra], at)
    whole = await gems.create(tenant, GemChange(name="whole"), at)
    await ingestion.ingest(tenant, whole.gem_id, turns(), at)
    after, expected = await snapshot(database, tenant, gem), await snapshot(database, tenant, whole)
    assert after.matches(expected)
    assert not before.matches(expected)


async def test_a_document_may_move_to_another_thread(
    gems: Gems, ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    moved = parse_document({"id": "t3", "text": TALK[3][1], "thread": "other", "speaker": "Ben"})
    await ingestion.ingest(tenant, gem.gem_id, turns(), at)
    await ingestion.ingest(tenant, gem.gem_id, [moved], at)
    whole = await gems.create(tenant, GemChange(name="whole"), at)
    await ingestion.ingest(tenant, whole.gem_id, [*turns(0, 3), *turns(4), moved], at)
    assert (await snapshot(database, tenant, gem)).matches(await snapshot(database, tenant, whole))


@pytest.mark.parametrize("leaves_first", [True, False])
async def test_a_batch_that_moves_a_turn_and_one_that_adds_to_its_old_thread_may_follow_each_other(
    gems: Gems, ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment, leaves_first: bool
) -> None:
    moved = parse_document({"id": "t3", "text": TALK[3][1], "speaker": "Ben"})
    await ingestion.ingest(tenant, gem.gem_id, turns(0, 4), at)
    first, second = ([moved], list(turns(4, 6))) if leaves_first else (list(turns(4, 6)), [moved])
    full = BATCH_PASSAGES - len(first)
    filler = [parse_document({"id": f"f{i}", "text": f"Entry {i}."}) for i in range(full)]
    await ingestion.ingest(tenant, gem.gem_id, [*first, *filler, *second], at)
    whole = await gems.create(tenant, GemChange(name="whole"), at)
    await ingestion.ingest(tenant, whole.gem_id, [*turns(0, 3), *turns(4, 6), moved, *filler], at)
    assert (await snapshot(database, tenant, gem)).matches(await snapshot(database, tenant, whole))


async def test_writers_of_one_gem_do_not_lose_or_double_anything(
    ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    def notes(writer: int) -> list[SourceDocument]:
        return [
            parse_document({"id": f"{writer}-{i}", "text": f"Writer {writer} says {i}.", "thread": "log"})
            for i in range(12)
        ]

    reports = await asyncio.gather(*(ingestion.ingest(tenant, gem.gem_id, notes(w), at) for w in range(4)))
    assert sum(report.documents for report in reports) == 48
    async with database.transaction(tenant, read_only=True) as conn:
        cursor = await conn.execute(
            "SELECT count(*), count(DISTINCT slot), count(DISTINCT d.position) FROM passage p "
            "JOIN document d USING (tenant_id, document_id) WHERE p.gem_id = %s",
            (gem.gem_id,),
        )
        assert await cursor.fetchone() == (48, 48, 48)
        lists = await fetch_lists(conn, [gem.gem_id], ["writer"])
    assert sum(segment.size for segment in lists.segments) == 48
    assert np.count_nonzero(score(lists).values) == 48


async def test_many_small_writes_are_merged_and_score_as_one_would(
    gems: Gems, ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    notes = [SourceDocument(f"Note {i}: the {'greyhound' if i % 3 else 'beach'} again.") for i in range(40)]
    for note in notes:
        await ingestion.ingest(tenant, gem.gem_id, [note], at)
    whole = await gems.create(tenant, GemChange(name="whole"), at)
    await ingestion.ingest(tenant, whole.gem_id, notes, at)
    assert await count_segments(database, tenant, gem) == 40
    apart = await snapshot(database, tenant, gem)
    assert await merge_due(database, tenant, gem.gem_id) == 1
    assert await merge_due(database, tenant, gem.gem_id) == 0
    assert await count_segments(database, tenant, gem) == 1
    merged, expected = await snapshot(database, tenant, gem), await snapshot(database, tenant, whole)
    assert apart.matches(expected)
    assert merged.matches(expected)


async def test_segments_are_merged_by_the_writer_where_nobody_else_does(
    ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    for i in range(MOST_WAITING + 1):
        await ingestion.ingest(tenant, gem.gem_id, [SourceDocument(f"Note {i}.")], at)
    assert await count_segments(database, tenant, gem) < 20


async def test_merging_and_writing_at_once_lose_nothing(
    ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    async def write(writer: int) -> None:
        for i in range(20):
            await ingestion.ingest(tenant, gem.gem_id, [SourceDocument(f"Writer {writer} says {i}.")], at)

    async def merge() -> None:
        for _ in range(8):
            await merge_due(database, tenant, gem.gem_id)
            await asyncio.sleep(0.02)

    await asyncio.gather(write(1), write(2), merge(), merge())
    await merge_due(database, tenant, gem.gem_id)
    async with database.transaction(tenant, read_only=True) as conn:
        lists = await fetch_lists(conn, [gem.gem_id], ["writer"])
    assert sum(segment.size for segment in lists.segments) == 40
    assert np.count_nonzero(score(lists).values) == 40


async def test_a_long_document_is_cut_into_passages_that_are_parts_of_it(
    ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    text = "# Ports\n\n" + "\n\n".join(f"## Port {i}\n\n" + f"Port {i} has {i} cranes. " * 40 for i in range(20))
    report = await ingestion.ingest(tenant, gem.gem_id, [SourceDocument(text, external_id="ports", title="Ports")], at)
    assert report.passages > 20
    async with database.transaction(tenant, read_only=True) as conn:
        cursor = await conn.execute(
            "SELECT p.body, substr(d.body, p.start_char + 1, p.end_char - p.start_char), p.heading FROM passage p "
            "JOIN document d USING (tenant_id, document_id)"
        )
        rows = await cursor.fetchall()
    assert all(body == part for body, part, _ in rows)
    assert any(heading and "Port 7" in heading for _, _, heading in rows)


async def test_progress_is_told_after_each_batch(ingestion: Ingestion, gem: Gem, tenant: UUID, at: Moment) -> None:
    told: list[IngestReport] = []
    notes = [SourceDocument(f"Entry {i} of the log.") for i in range(2 * BATCH_PASSAGES + 1)]
    report = await ingestion.ingest(tenant, gem.gem_id, notes, at, told.append)
    assert [each.documents for each in told] == [BATCH_PASSAGES, 2 * BATCH_PASSAGES, 2 * BATCH_PASSAGES + 1]
    assert told[-1] == report


async def test_nothing_is_stored_in_a_gem_that_is_archived_or_not_there(
    gems: Gems, ingestion: Ingestion, gem: Gem, tenant: UUID, at: Moment
) -> None:
    await gems.archive(tenant, gem.gem_id, at)
    with pytest.raises(GemArchivedError, match="friends"):
        await ingestion.ingest(tenant, gem.gem_id, turns(), at)
    with pytest.raises(GemNotFoundError):
        await ingestion.ingest(tenant, UUID(int=7), turns(), at)
    await gems.restore(tenant, gem.gem_id, at)
    with pytest.raises(DocumentNotFoundError):
        await ingestion.delete(tenant, gem.gem_id, [UUID(int=9)], at)


class OtherModel:
    """An embedder of another name and dimension."""

    model = "other"
    dimension = 3

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.tile(np.array([1, 0, 0], np.float32), (len(texts), 1))


async def test_a_lattice_keeps_to_the_model_it_was_written_with(
    database: Database, local: Any, ingestion: Ingestion, gem: Gem, tenant: UUID, at: Moment
) -> None:
    await ingestion.ingest(tenant, gem.gem_id, turns(0, 1), at)
    other = Ingestion(database, OtherModel(), Chunker(local.tokenizer))
    with pytest.raises(EmbeddingMismatchError, match=r"all-MiniLM-L6-v2 \(384 dimensions\).*other"):
        await other.ingest(tenant, gem.gem_id, turns(1, 2), at)


async def test_deleting_a_gem_leaves_nothing_under_it(
    gems: Gems, ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    await ingestion.ingest(tenant, gem.gem_id, turns(), at)
    await gems.delete(tenant, gem.gem_id)
    async with database.transaction(tenant, read_only=True) as conn:
        for table in ("document", "passage", "lexical_segment", "lexical_posting", "measurement"):
            cursor = await conn.execute(f"SELECT count(*) FROM {table}".encode())
            assert await cursor.fetchone() == (0,), table


async def test_a_write_of_more_passages_than_a_segment_holds_scores_as_one_would(
    gems: Gems, ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment, monkeypatch: Any
) -> None:
    notes = [SourceDocument(f"Note {i}: the {'greyhound' if i % 3 else 'beach'} again.") for i in range(100)]
    whole = await gems.create(tenant, GemChange(name="whole"), at)
    await ingestion.ingest(tenant, whole.gem_id, notes, at)
    monkeypatch.setattr("knowledge.lexical.postings.LARGEST_SEGMENT", 30)
    await ingestion.ingest(tenant, gem.gem_id, [*notes[:99], *turns()], at)
    await ingestion.ingest(tenant, gem.gem_id, notes[99:], at)
    async with database.transaction(tenant) as conn:
        cursor = await conn.execute(
            "SELECT document_id FROM document WHERE gem_id = %s AND thread = 'talk'", (gem.gem_id,)
        )
        talk = [document_id for (document_id,) in await cursor.fetchall()]
    await ingestion.delete(tenant, gem.gem_id, talk, at)
    assert (await snapshot(database, tenant, gem)).matches(await snapshot(database, tenant, whole))
    async with database.transaction(tenant, read_only=True) as conn:
        segments = (await fetch_lists(conn, [gem.gem_id], [])).segments
    assert sorted(segment.span for segment in segments) == [0, 1, 18, 30, 30, 30]

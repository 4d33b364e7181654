# size: one embedder that counts and one check of all that is stored serve every case
"""What ingestion asks of the embedder, what it keeps of the answer, and that no lock waits for it."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from core.errors import EmbeddingMismatchError, InvalidInputError
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Chunker, Ingestion, IngestReport, SourceDocument, parse_document
from knowledge.context import context_text, own_text
from knowledge.cutting import BATCH_PASSAGES
from knowledge.embedding import STATE_SIZE, QuestionReading, Reading
from knowledge.ingest import TRIES
from knowledge.minilm import Encoding, MiniLM

WIDTH = 384


class CountingEmbedder:
    """A `TokenEmbedder` that makes vectors of hashes, one state a word, and remembers what it was asked."""

    model = "counting"
    dimension = WIDTH

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.before: Callable[[], Awaitable[object]] | None = None  # what else happens while it works

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([vector_of(text) for text in texts])

    async def read(self, texts: Sequence[str], own: Sequence[int]) -> list[Reading]:
        if self.before is not None:
            happen, self.before = self.before, None
            await happen()
        self.asked += texts
        return [Reading(vector_of(text), states_of(text[:end])) for text, end in zip(texts, own, strict=True)]

    async def read_question(self, question: str) -> QuestionReading:
        raise NotImplementedError


class PlainEmbedder:
    """An embedder that tells no tokens."""

    model = "plain"
    dimension = WIDTH

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([vector_of(text) for text in texts])


def vector_of(text: str) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    vector = np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def states_of(own: str) -> NDArray[np.int8]:
    return np.array([[len(word) % 100] * STATE_SIZE for word in own.split()], np.int8).reshape(-1, STATE_SIZE)


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def ingestion(database: Database, chunker: Chunker, embedder: CountingEmbedder) -> Ingestion:
    return Ingestion(database, embedder, chunker)


@pytest.fixture
async def gem(gems: Gems, tenant: UUID, at: Moment) -> Gem:
    return await gems.create(tenant, GemChange(name="friends"), at)


def turns(numbers: Iterable[int], thread: str = "talk", **said: str) -> list[SourceDocument]:
    return [
        parse_document({"id": f"t{i}", "text": said.get(f"t{i}", f"Turn {i}."), "thread": thread, "speaker": "Ann"})
        for i in numbers
    ]


async def rows(database: Database, tenant: UUID, query: str, *values: object) -> list[tuple[Any, ...]]:
    async with database.transaction(tenant, read_only=True) as conn:
        return await (await conn.execute(query.encode(), values)).fetchall()


async def document_id(database: Database, tenant: UUID, external_id: str) -> UUID:
    ((found,),) = await rows(database, tenant, "SELECT document_id FROM document WHERE external_id = %s", external_id)
    assert isinstance(found, UUID)
    return found


async def check_stored(database: Database, tenant: UUID, gem: Gem) -> None:
    """Assert that every passage of a gem has what a fresh computation over its threads gives."""
    found = await rows(
        database,
        tenant,
        "SELECT d.thread, p.slot, p.body, d.speaker, p.around, p.embedding, t.states FROM passage p "
        "JOIN document d USING (tenant_id, document_id) LEFT JOIN passage_tokens t ON t.gem_id = p.gem_id "
        "AND t.slot = p.slot WHERE p.gem_id = %s ORDER BY d.thread, d.position, p.ordinal",
        gem.gem_id,
    )
    for thread in {row[0] for row in found}:
        sequence = [row for row in found if row[0] == thread]
        owns = [own_text(row[2], None, None, row[3]) for row in sequence]
        slots = [row[1] for row in sequence]
        for i, (_, _, _, _, around, embedding, states) in enumerate(sequence):
            before = [*reversed(slots[max(0, i - 3) : i]), -1, -1, -1][:3]
            assert around == [*before, slots[i + 1] if i + 1 < len(slots) else -1]
            text = context_text(owns[i], owns[max(0, i - 2) : i], None)
            assert np.allclose(embedding.to_numpy(), vector_of(text), atol=1e-3)
            assert states == states_of(owns[i]).tobytes()


async def test_a_thread_has_its_neighbours_vectors_and_states_right_after_every_change(
    ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    await ingestion.ingest(tenant, gem.gem_id, turns(range(9)), at)
    await check_stored(database, tenant, gem)
    await ingestion.ingest(tenant, gem.gem_id, turns(range(9, 11)), at)
    await check_stored(database, tenant, gem)
    await ingestion.ingest(tenant, gem.gem_id, turns([4], t4="Something else altogether."), at)
    await check_stored(database, tenant, gem)
    gone = [await document_id(database, tenant, name) for name in ("t0", "t6", "t10")]
    await ingestion.delete(tenant, gem.gem_id, gone, at)
    await check_stored(database, tenant, gem)
    await ingestion.ingest(tenant, gem.gem_id, turns([2], "other"), at)
    await check_stored(database, tenant, gem)
    assert len(await rows(database, tenant, "SELECT slot FROM passage_tokens")) == 8


async def test_each_turn_of_a_long_thread_is_embedded_once_although_its_batches_overlap(
    ingestion: Ingestion, database: Database, embedder: CountingEmbedder, gem: Gem, tenant: UUID, at: Moment
) -> None:
    count = 3 * BATCH_PASSAGES + 17
    report = await ingestion.ingest(tenant, gem.gem_id, turns(range(count)), at)
    assert (report.passages, report.reused, len(embedder.asked)) == (count, 0, count)
    await check_stored(database, tenant, gem)
    again = await ingestion.ingest(tenant, gem.gem_id, turns(range(count)), at)
    assert (again.skipped, len(embedder.asked)) == (count, count)


async def test_texts_are_embedded_the_longest_first(
    ingestion: Ingestion, embedder: CountingEmbedder, gem: Gem, tenant: UUID, at: Moment
) -> None:
    await ingestion.ingest(tenant, gem.gem_id, [SourceDocument("word " * n) for n in (3, 90, 1, 40)], at)
    lengths = [len(text) for text in embedder.asked]
    assert lengths == sorted(lengths, reverse=True)


async def test_a_replaced_document_embeds_only_the_passages_that_changed(
    ingestion: Ingestion, embedder: CountingEmbedder, gem: Gem, tenant: UUID, at: Moment
) -> None:
    def ports(seventh: str) -> SourceDocument:
        parts = [f"## Port {i}\n\n" + f"Port {i} has {i} cranes. " * 30 for i in range(12)]
        parts[7] = f"## Port 7\n\n{seventh * 30}"
        return SourceDocument("\n\n".join(parts), external_id="ports", title="Ports")

    first = await ingestion.ingest(tenant, gem.gem_id, [ports("Port 7 is closed. ")], at)
    assert first.passages == len(embedder.asked) >= 12
    asked = len(embedder.asked)
    second = await ingestion.ingest(tenant, gem.gem_id, [ports("Port 7 is open! ")], at)
    changed = len(embedder.asked) - asked
    assert 1 <= changed <= 2
    assert (second.replaced, second.reused) == (1, second.passages - changed)


async def test_what_another_gem_holds_already_is_not_embedded_again(
    gems: Gems, ingestion: Ingestion, database: Database, embedder: CountingEmbedder, gem: Gem, tenant: UUID, at: Moment
) -> None:
    await ingestion.ingest(tenant, gem.gem_id, turns(range(9)), at)
    other = await gems.create(tenant, GemChange(name="other"), at)
    embedder.asked.clear()
    report = await ingestion.ingest(tenant, other.gem_id, turns(range(9)), at)
    assert (report.passages, report.reused, embedder.asked) == (9, 9, [])
    await check_stored(database, tenant, other)


async def test_another_tenant_has_nothing_from_this_one(
    gems: Gems, ingestion: Ingestion, embedder: CountingEmbedder, gem: Gem, tenant: UUID, at: Moment
) -> None:
    stranger = UUID(int=99)
    await ingestion.ingest(tenant, gem.gem_id, turns(range(3)), at)
    other = await gems.create(stranger, GemChange(name="friends"), at)
    embedder.asked.clear()
    report = await ingestion.ingest(stranger, other.gem_id, turns(range(3)), at)
    assert (report.reused, len(embedder.asked)) == (0, 3)


async def test_equal_texts_are_embedded_once_whatever_their_ids(
    ingestion: Ingestion, embedder: CountingEmbedder, gem: Gem, tenant: UUID, at: Moment
) -> None:
    count = 2 * BATCH_PASSAGES + 5
    same = [SourceDocument("The ferry leaves at seven.", external_id=str(i)) for i in range(count)]
    report = await ingestion.ingest(tenant, gem.gem_id, same, at)
    assert (report.documents, report.reused, len(embedder.asked)) == (count, count - 1, 1)


async def test_identical_rows_are_one_document_and_one_batch(
    ingestion: Ingestion, gem: Gem, tenant: UUID, at: Moment
) -> None:
    told: list[IngestReport] = []
    same = [SourceDocument("The ferry leaves at seven.") for _ in range(10_000)]
    report = await ingestion.ingest(tenant, gem.gem_id, same, at, told.append)
    assert (report.documents, report.skipped, len(told)) == (1, 9_999, 1)


async def test_an_embedder_without_tokens_stores_vectors_alone(
    database: Database, local: Any, gem: Gem, tenant: UUID, at: Moment
) -> None:
    plain = Ingestion(database, PlainEmbedder(), Chunker(local.tokenizer))
    await plain.ingest(tenant, gem.gem_id, turns(range(4)), at)
    report = await plain.ingest(tenant, gem.gem_id, turns([1], t1="Other."), at)
    assert report.replaced == 1
    assert await rows(database, tenant, "SELECT count(*) FROM passage_tokens") == [(0,)]
    assert await rows(database, tenant, "SELECT count(*) FROM passage WHERE embedding IS NULL") == [(0,)]


async def test_a_vector_goes_into_the_column_that_the_lattice_says_and_makes_the_other_one_stale(
    ingestion: Ingestion, database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    await ingestion.ingest(tenant, gem.gem_id, turns(range(3)), at)
    async with database.transaction(tenant) as conn:
        await conn.execute("UPDATE lattice SET embedding_column = 'embedding_b'")
        await conn.execute("UPDATE passage SET embedding_b = embedding")
    await ingestion.ingest(tenant, gem.gem_id, turns([0], t0="Other."), at)
    query = "SELECT body, embedding IS NULL, embedding_b IS NULL FROM passage ORDER BY body"
    changed = [("Other.", True, False), ("Turn 1.", True, False), ("Turn 2.", True, False)]
    assert await rows(database, tenant, query) == changed


def given(text: str, vector: NDArray[np.float32], **fields: object) -> SourceDocument:
    return parse_document({"text": text, "embedding": vector.tolist(), **fields})


async def test_a_document_with_its_embedding_is_one_passage_and_nothing_is_embedded(
    ingestion: Ingestion, database: Database, embedder: CountingEmbedder, gem: Gem, tenant: UUID, at: Moment
) -> None:
    text = "  " + "A long note about ferries. " * 200
    report = await ingestion.ingest(tenant, gem.gem_id, [given(text, vector_of("ferries"), id="f")], at)
    assert (report.passages, report.reused, embedder.asked) == (1, 0, [])
    query = "SELECT p.body, substr(d.body, p.start_char + 1, p.end_char - p.start_char), p.embedding, p.context_hash "
    ((body, part, embedding, key),) = await rows(
        database, tenant, query + "FROM passage p JOIN document d USING (tenant_id, document_id)"
    )
    assert (body, part, key) == (text.strip(), text.strip(), None)
    assert np.allclose(embedding.to_numpy(), vector_of("ferries"), atol=1e-3)
    assert await rows(database, tenant, "SELECT count(*) FROM passage_tokens") == [(0,)]
    same = await ingestion.ingest(tenant, gem.gem_id, [given(text, vector_of("ferries"), id="f")], at)
    other = await ingestion.ingest(tenant, gem.gem_id, [given(text, vector_of("boats"), id="f")], at)
    assert (same.skipped, other.replaced) == (1, 1)


async def test_a_given_embedding_in_a_thread_stays_as_it_is_when_its_neighbours_change(
    ingestion: Ingestion, database: Database, embedder: CountingEmbedder, gem: Gem, tenant: UUID, at: Moment
) -> None:
    middle = given("In between.", vector_of("x"), id="m", thread="talk", speaker="Ann")
    await ingestion.ingest(tenant, gem.gem_id, [*turns([0, 1]), middle, *turns([2])], at)
    embedder.asked.clear()
    await ingestion.ingest(tenant, gem.gem_id, turns([1], t1="Other."), at)
    assert sorted(embedder.asked) == ["Ann: Other. Ann: Turn 0.", "Ann: Turn 2. Ann: Other. Ann: In between."]
    ((embedding, around),) = await rows(
        database, tenant, "SELECT embedding, around FROM passage WHERE body = 'In between.'"
    )
    assert np.allclose(embedding.to_numpy(), vector_of("x"), atol=1e-3)
    assert around == [4, 0, -1, 3]


async def test_an_embedding_that_does_not_fit_is_refused_by_name(
    ingestion: Ingestion, gem: Gem, tenant: UUID, at: Moment
) -> None:
    short = parse_document({"text": "Three numbers.", "embedding": [1, 2, 3]})
    with pytest.raises(InvalidInputError, match=r"embedding: has 3 dimensions, but .* counting, has 384"):
        await ingestion.ingest(tenant, gem.gem_id, [short], at)
    with pytest.raises(InvalidInputError, match=r"text: must have at most 8,000 characters .* has 9,000"):
        await ingestion.ingest(tenant, gem.gem_id, [given("x" * 9_000, vector_of("x"))], at)


async def test_deleting_does_not_hold_the_gem_while_it_embeds(
    ingestion: Ingestion,
    database: Database,
    database_url: str,
    embedder: CountingEmbedder,
    gem: Gem,
    tenant: UUID,
    at: Moment,
) -> None:
    async def lock() -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as conn:
            await conn.execute("SELECT 1 FROM gem WHERE gem_id = %s FOR UPDATE NOWAIT", (gem.gem_id,))
        locked.append(True)

    locked: list[bool] = []
    await ingestion.ingest(tenant, gem.gem_id, turns(range(5)), at)
    embedder.before = lock
    await ingestion.delete(tenant, gem.gem_id, [await document_id(database, tenant, "t1")], at)
    assert locked
    await check_stored(database, tenant, gem)


@pytest.mark.parametrize("rivals", [1, 3, TRIES + 1])  # with the last, what is missing is embedded under the lock
async def test_what_others_write_while_a_batch_is_embedded_is_taken_into_account(
    ingestion: Ingestion,
    database: Database,
    local: Any,
    embedder: CountingEmbedder,
    gem: Gem,
    tenant: UUID,
    at: Moment,
    rivals: int,
) -> None:
    rival = Ingestion(database, CountingEmbedder(), Chunker(local.tokenizer))
    left = [*range(100, 100 + rivals)]

    async def interfere() -> None:
        await rival.ingest(tenant, gem.gem_id, turns([left.pop()]), at)
        embedder.before = interfere if left else None

    await ingestion.ingest(tenant, gem.gem_id, turns(range(4)), at)
    embedder.before = interfere
    await ingestion.ingest(tenant, gem.gem_id, turns(range(4, 8)), at)
    assert not left
    await check_stored(database, tenant, gem)


async def test_a_lattice_that_moves_to_another_model_meanwhile_gets_no_vector_of_the_old_one(
    ingestion: Ingestion, database: Database, embedder: CountingEmbedder, gem: Gem, tenant: UUID, at: Moment
) -> None:
    async def move() -> None:
        async with database.transaction(tenant) as conn:
            await conn.execute("UPDATE lattice SET embedding_model = 'next'")

    embedder.before = move
    with pytest.raises(EmbeddingMismatchError, match="next"):
        await ingestion.ingest(tenant, gem.gem_id, turns(range(3)), at)
    assert await rows(database, tenant, "SELECT count(*) FROM passage") == [(0,)]


class CountingMiniLM(MiniLM):
    """The local model on one thread; counts the texts that it has begun to read."""

    def __init__(self) -> None:
        super().__init__(threads=1)
        self.begun = 0
        self.is_busy = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def encode(self, text: str) -> Encoding:
        self.begun += 1
        if self.begun == 10:
            self._loop.call_soon_threadsafe(self.is_busy.set)
        return super().encode(text)


async def test_a_question_waits_for_a_text_or_two_of_an_ingestion_and_not_for_a_batch(
    database: Database, gem: Gem, tenant: UUID, at: Moment
) -> None:
    model = CountingMiniLM()
    ingestion = Ingestion(database, model, Chunker(model.tokenizer))
    notes = [SourceDocument(f"Entry {i} of the log.") for i in range(BATCH_PASSAGES)]
    running = asyncio.create_task(ingestion.ingest(tenant, gem.gem_id, notes, at))
    await model.is_busy.wait()
    before = model.begun
    await model.embed(["Where is the log?"])
    assert model.begun - before <= 4
    assert (await running).passages == model.begun - 1
    await model.aclose()

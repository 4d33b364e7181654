import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.errors import ConflictError, EmbeddingMismatchError
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment
from knowledge import Ingestion, Recall, RecallQuery, parse_document
from knowledge.keeping import reembed
from tests.integration.knowledge.keeping.conftest import (
    TALK,
    OtherModel,
    fetch_one,
    fill,
    read_vectors,
    reembedding,
    use,
)

MODELS = "SELECT embedding_model, embedding_dimension, embedding_column, next_model, next_dimension FROM lattice"
UNEVEN = "SELECT count(*) FILTER (WHERE embedding IS NULL), count(*) FILTER (WHERE embedding_b IS NULL) FROM passage"


def indexes(url: str) -> set[str]:
    with psycopg.connect(url) as conn:
        query = "SELECT indexname FROM pg_indexes WHERE indexname ~ '^passage_embedding'"
        return {name for (name,) in conn.execute(query)}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reembed, "BATCH", 3)
    monkeypatch.setattr(reembed, "PAGE", 3)


async def test_a_moved_lattice_is_as_if_it_had_always_had_the_model(
    database: Database, gems: Gems, gem: Gem, local: Any, other: OtherModel, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    await fill(gems, use(database, other, local), stranger, at, "born with it")
    mover = await reembedding(database, other)
    plan = await mover.plan(tenant)
    assert (plan.task, plan.model, plan.texts) == ("move", local.model, len(TALK) + 4)
    assert plan.tokens > 100
    done = await mover.carry_out(tenant)
    assert (done.done, done.emptied) == (len(TALK) + 4, (len(TALK) + 4) + (len(TALK) + 3))  # vectors and token states
    moved, born = await read_vectors(database, tenant), await read_vectors(database, stranger)
    context = "A buoy bell rings at low tide."
    assert moved[context][0] == pytest.approx(other.vector_of(context), abs=1e-3)
    born.pop(context)  # its vector was given there
    moved.pop(context)
    assert moved == born
    assert await fetch_one(database, tenant, MODELS) == (other.model, 24, "embedding_b", None, None)
    assert await fetch_one(database, tenant, UNEVEN) == (len(TALK) + 4, 0)
    assert (await mover.plan(tenant)).texts == 0


async def test_recall_and_ingestion_follow(
    database: Database, gem: Gem, ingestion: Ingestion, local: Any, other: OtherModel, tenant: UUID, at: Moment
) -> None:
    await (await reembedding(database, other)).carry_out(tenant)
    query = RecallQuery(question="Who runs along the water?", gem_ids=(gem.gem_id,))
    found = await Recall(database, other).recall(tenant, query, at)
    assert "She runs along the water every morning." in [passage.text for passage in found]
    with pytest.raises(EmbeddingMismatchError):
        await Recall(database, local).recall(tenant, query, at)
    turn = parse_document({"id": "t6", "text": "Bring her along.", "thread": "talk", "speaker": "Ann"})
    with pytest.raises(EmbeddingMismatchError):
        await ingestion.ingest(tenant, gem.gem_id, [turn], at)
    await use(database, other, local).ingest(tenant, gem.gem_id, [turn], at)
    vectors = await read_vectors(database, tenant)
    assert vectors["Bring her along."][0] is not None


async def test_killed_between_batches_it_goes_on_and_recall_never_stops(
    database: Database,
    gem: Gem,
    recall: Recall,
    other: OtherModel,
    tenant: UUID,
    at: Moment,
    small_batches: None,
) -> None:
    query = RecallQuery(question="Who paints lighthouses?", gem_ids=(gem.gem_id,))
    before = await recall.recall(tenant, query, at)
    other.fails_after = 6
    mover = await reembedding(database, other)
    with pytest.raises(asyncio.CancelledError):
        await mover.carry_out(tenant)
    assert await recall.recall(tenant, query, at) == before
    assert (await fetch_one(database, tenant, MODELS))[3:] == (other.model, 24)
    left = (await mover.plan(tenant)).texts
    kept = len(TALK) + 4 - left
    assert kept in {3, 6}  # the last batch was being written, and is kept or lost as a whole
    other.fails_after = None
    assert (await mover.carry_out(tenant)).done == left
    assert len(set(other.asked)) == len(TALK) + 4
    assert len(other.asked) == len(TALK) + 4 + 6 - kept
    assert await fetch_one(database, tenant, UNEVEN) == (len(TALK) + 4, 0)


async def test_killed_while_it_tidies_up_it_goes_on(
    database: Database, database_url: str, gem: Gem, other: OtherModel, tenant: UUID, small_batches: None
) -> None:
    def stop(progress: Any) -> None:
        if progress.emptied >= 3:
            raise asyncio.CancelledError

    mover = await reembedding(database, other)
    with pytest.raises(asyncio.CancelledError):
        await mover.carry_out(tenant, stop)
    assert (await fetch_one(database, tenant, MODELS))[0] == other.model
    assert (await fetch_one(database, tenant, UNEVEN))[0] == 3
    third = OtherModel("third-model", 12)
    await (await reembedding(database, third)).carry_out(tenant)
    assert await fetch_one(database, tenant, MODELS) == ("third-model", 12, "embedding", None, None)
    assert await fetch_one(database, tenant, UNEVEN) == (0, len(TALK) + 4)
    assert indexes(database_url) == {"passage_embedding_384_idx", "passage_embedding_12_idx"}


async def test_what_is_written_meanwhile_is_embedded_too(
    database: Database,
    gems: Gems,
    gem: Gem,
    ingestion: Ingestion,
    local: Any,
    other: OtherModel,
    tenant: UUID,
    at: Moment,
    small_batches: None,
) -> None:
    earlier = await gems.create(tenant, GemChange(name="earlier"), at)
    turns = [parse_document({"id": f"n{i}", "text": f"Note {i}.", "thread": "n"}) for i in range(5)]
    changed = parse_document({"id": "t1", "text": "Does she swim?", "thread": "talk", "speaker": "Ben"})
    stages = []
    loop = asyncio.get_running_loop()

    def disturb(progress: Any) -> None:
        if progress.stage not in stages:
            stages.append(progress.stage)
            if progress.stage in {"embedding", "switching"}:
                pending.append(loop.create_task(write(progress.stage)))

    async def write(stage: str) -> None:
        if stage == "embedding":
            await ingestion.ingest(tenant, gem.gem_id, [changed], at)
        else:
            await ingestion.ingest(tenant, earlier.gem_id, turns, at)

    class Waiting(OtherModel):
        async def embed(self, texts: Any) -> Any:
            if pending and stages == ["embedding"]:
                await pending[0]
            return await super().embed(texts)

    pending: list[asyncio.Task[None]] = []
    waiting = Waiting()
    await (await reembedding(database, waiting)).carry_out(tenant, disturb)
    assert stages == ["embedding", "indexing", "switching", "emptying"]
    written = await asyncio.gather(*pending, return_exceptions=True)
    assert written[0] is None
    assert written[1] is None or isinstance(written[1], EmbeddingMismatchError)
    vectors = await read_vectors(database, tenant)
    own = "Ann: She runs along the water every morning."
    before = "Ann: I adopted a greyhound called Biscuit last week. Ben: Does she swim?"
    expected = waiting.vector_of(f"{own} {before} [8 May 2023]")
    assert vectors["She runs along the water every morning."][0] == pytest.approx(expected, abs=1e-3)
    assert all(vector is not None for vector, _, _ in vectors.values())


async def test_given_up_it_leaves_no_trace(
    database: Database, gem: Gem, other: OtherModel, tenant: UUID, small_batches: None
) -> None:
    before = await read_vectors(database, tenant)
    other.fails_after = 6
    mover = await reembedding(database, other)
    with pytest.raises(asyncio.CancelledError):
        await mover.carry_out(tenant)
    with pytest.raises(ConflictError, match="--abandon"):
        await (await reembedding(database, OtherModel("third-model"))).plan(tenant)
    assert await mover.abandon(tenant)
    assert not await mover.abandon(tenant)
    assert await read_vectors(database, tenant) == before
    assert await fetch_one(database, tenant, UNEVEN) == (0, len(TALK) + 4)
    assert (await fetch_one(database, tenant, MODELS))[2:] == ("embedding", None, None)


async def test_the_same_model_fills_in_what_an_older_version_left_out(
    database: Database, gem: Gem, local: Any, tenant: UUID
) -> None:
    whole = await read_vectors(database, tenant)
    async with database.transaction(tenant) as conn:
        await conn.execute("DELETE FROM passage_tokens WHERE slot % 2 = 0")
        await conn.execute("UPDATE passage SET around = '{}', context_hash = NULL WHERE slot % 3 = 0")
    mover = await reembedding(database, local)
    plan = await mover.plan(tenant)
    assert (plan.task, plan.texts > 3) == ("complete", True)
    await mover.carry_out(tenant)
    completed = await read_vectors(database, tenant)
    given = "A buoy bell rings at low tide."
    assert completed.pop(given)[1] is not None  # what brought its own vector has token states of its text now
    whole.pop(given)
    assert completed == whole
    assert (await mover.plan(tenant)).texts == 0


async def test_there_and_back_again_restores_every_state_and_vector(
    database: Database, database_url: str, gem: Gem, local: Any, other: OtherModel, tenant: UUID
) -> None:
    whole = await read_vectors(database, tenant)
    await (await reembedding(database, other)).carry_out(tenant)
    assert {states for _, states, _ in (await read_vectors(database, tenant)).values()} == {None}
    assert indexes(database_url) == {"passage_embedding_384_idx", "passage_embedding_b_24_idx"}
    await (await reembedding(database, local)).carry_out(tenant)
    back = await read_vectors(database, tenant)
    given = "A buoy bell rings at low tide."
    assert back.pop(given)[0] != whole.pop(given)[0]
    assert back == whole
    assert indexes(database_url) == {"passage_embedding_384_idx"}


async def test_another_tenant_keeps_its_model_and_its_index(
    database: Database,
    database_url: str,
    gems: Gems,
    gem: Gem,
    ingestion: Ingestion,
    other: OtherModel,
    local: Any,
    tenant: UUID,
    stranger: UUID,
    at: Moment,
) -> None:
    await fill(gems, ingestion, stranger, at, "apart")
    before = await read_vectors(database, stranger)
    await (await reembedding(database, other)).carry_out(tenant)
    assert await read_vectors(database, stranger) == before
    assert (await fetch_one(database, stranger, MODELS))[0] == local.model
    await (await reembedding(database, other)).carry_out(stranger)
    await (await reembedding(database, local)).carry_out(tenant)
    assert "passage_embedding_b_24_idx" in indexes(database_url)  # the stranger still needs it


async def test_an_empty_lattice_has_nothing_to_move(database: Database, other: OtherModel, tenant: UUID) -> None:
    mover = await reembedding(database, other)
    assert (await mover.plan(tenant)).task == "nothing"
    assert (await mover.carry_out(tenant)).done == 0

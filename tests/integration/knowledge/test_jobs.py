"""What keeps ingestions from being stuck, doubled or lost: each guard by itself."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from core.clock import utc_now
from core.errors import ConflictError, EmbedderUnavailableError, GemNotFoundError
from core.pg import DEFAULT_TENANT, Database
from gems import Gems, Moment
from knowledge import Ingestion
from knowledge.jobs import (
    IngestionRecord,
    Ingestions,
    IngestionWork,
    Kind,
    WorkerConfig,
    Workers,
    defer,
    list_kinds,
    store,
)

HASTY = WorkerConfig(poll_s=0.1, heartbeat_s=0.2, stalled_s=30.0, tend_s=0.2)


class FailingEmbedder:
    """Does not answer the first times that it is asked."""

    def __init__(self, inner: Any, failures: int) -> None:
        self._inner, self.failures = inner, failures
        self.model, self.dimension = inner.model, inner.dimension

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        if texts and self.failures:
            self.failures -= 1
            raise EmbedderUnavailableError("the endpoint did not answer")
        found: np.ndarray = await self._inner.embed(texts)
        return found


@pytest.fixture
def work(database: Database, ingestion: Ingestion, gems: Gems, at: Moment) -> IngestionWork:
    return IngestionWork(database, ingestion, gems, lambda: replace(at, now=utc_now()))


@pytest.fixture
def ingestions(database: Database) -> Ingestions:
    return Ingestions(database)


async def send(ingestions: Ingestions, work: IngestionWork, rows: int, host: str | None = None) -> IngestionRecord:
    gem = await work.gems.ensure(DEFAULT_TENANT, "log", work.at())
    async with ingestions.receive(DEFAULT_TENANT, gem.gem_id, work.at(), host=host) as received:
        await received.open_body("request body", ".jsonl")
        for i in range(rows):
            await received.write(json.dumps({"id": f"r{i}", "text": f"Entry {i}."}).encode() + b"\n")
        return await ingestions.enqueue(received)


async def run(database: Database, query: str, *values: object) -> list[Any]:
    async with database.transaction(DEFAULT_TENANT) as conn:
        await conn.execute("SET LOCAL search_path = public, lattice_jobs")
        cursor = await conn.execute(query.encode(), values)
        return await cursor.fetchall() if cursor.description else []


def workers(work: IngestionWork, ingestions: Ingestions, *kinds: Kind) -> Workers:
    return Workers(work.database, [*list_kinds(work), *kinds], ingestions.keep_up, (DEFAULT_TENANT,), HASTY)


async def get(ingestions: Ingestions, record: IngestionRecord) -> IngestionRecord:
    return await ingestions.get(DEFAULT_TENANT, record.ingestion_id)


async def test_input_that_did_not_come_to_an_end_leaves_nothing(
    ingestions: Ingestions, work: IngestionWork, database: Database
) -> None:
    gem = await work.gems.ensure(DEFAULT_TENANT, "log", work.at())

    async def break_off() -> None:
        async with ingestions.receive(DEFAULT_TENANT, gem.gem_id, work.at()) as received:
            await received.open_body("request body", ".jsonl")
            await received.write(b"x" * 2_500_000)
            assert await run(database, "SELECT count(*) FROM ingestion_chunk") == [(2,)]
            assert await ingestions.list_page(DEFAULT_TENANT, state=None, before=None, limit=9) == []
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await break_off()
    assert await run(database, "SELECT count(*) FROM ingestion_chunk") == [(0,)]
    assert await run(database, "SELECT count(*) FROM lattice_jobs.procrastinate_jobs") == [(0,)]


@pytest.mark.parametrize("size", [10, 2_500_000])
async def test_a_gem_that_is_deleted_while_its_input_comes_in_is_not_found(
    ingestions: Ingestions, work: IngestionWork, size: int
) -> None:
    gem = await work.gems.ensure(DEFAULT_TENANT, "log", work.at())

    async def send() -> None:
        async with ingestions.receive(DEFAULT_TENANT, gem.gem_id, work.at()) as received:
            await received.open_body("request body", ".jsonl")
            await work.gems.delete(DEFAULT_TENANT, gem.gem_id)
            await received.write(b"x" * size)  # more than a chunk is stored as it comes
            await ingestions.enqueue(received)

    with pytest.raises(GemNotFoundError):
        await send()


async def test_of_two_runs_of_one_ingestion_the_earlier_stops(
    ingestions: Ingestions, work: IngestionWork, database: Database
) -> None:
    record = await send(ingestions, work, 600)
    second: list[IngestionRecord | None] = []

    class Overtaking:
        """Lets another run take over while the first one embeds."""

        def __init__(self, inner: Any) -> None:
            self._inner, self.model, self.dimension = inner, inner.model, inner.dimension

        async def embed(self, texts: Sequence[str]) -> np.ndarray:
            if texts and not second:
                second.append(None)
                second.append(await work.carry_out(DEFAULT_TENANT, record.ingestion_id))
            found: np.ndarray = await self._inner.embed(texts)
            return found

    slow = replace(work, ingestion=replace(work.ingestion, embedder=Overtaking(work.ingestion.embedder)))
    assert await slow.carry_out(DEFAULT_TENANT, record.ingestion_id) is None
    assert second[1] is not None
    assert (second[1].state, second[1].counts.stored) == ("done", 600)
    assert await get(ingestions, record) == second[1]
    assert await run(database, "SELECT count(*), count(DISTINCT external_id) FROM document") == [(600, 600)]


async def test_an_endpoint_that_does_not_answer_is_asked_again_later(
    ingestions: Ingestions, work: IngestionWork
) -> None:
    record = await send(ingestions, work, 5)
    failing: Any = FailingEmbedder(work.ingestion.embedder, 1)
    failing_work = replace(work, ingestion=replace(work.ingestion, embedder=failing))
    with pytest.raises(EmbedderUnavailableError):
        await failing_work.carry_out(DEFAULT_TENANT, record.ingestion_id)
    waiting = await get(ingestions, record)
    assert (waiting.state, waiting.error_code, waiting.attempts) == ("queued", "embedder_unavailable", 1)
    failing.failures = 1
    await workers(failing_work, ingestions).run(until_idle=True)
    done = await get(ingestions, record)
    assert (done.state, done.counts.stored, done.error_code, failing.failures) == ("done", 5, None, 0)


async def test_one_that_ends_its_worker_each_time_fails_in_the_end(
    ingestions: Ingestions, work: IngestionWork, database: Database
) -> None:
    record = await send(ingestions, work, 5)
    await run(database, "UPDATE ingestion SET attempts = 10, state = 'running'")
    ended = await work.carry_out(DEFAULT_TENANT, record.ingestion_id)
    assert ended is not None
    assert (ended.state, ended.error_code) == ("failed", "interrupted")
    resumed = await ingestions.resume(DEFAULT_TENANT, record.ingestion_id)
    assert (resumed.state, resumed.attempts) == ("queued", 0)


async def test_one_without_a_job_gets_one(ingestions: Ingestions, work: IngestionWork, database: Database) -> None:
    record = await send(ingestions, work, 5)
    await run(database, "DELETE FROM lattice_jobs.procrastinate_jobs")
    await run(database, "UPDATE ingestion SET heartbeat_at = now() - interval '1 minute'")
    await ingestions.keep_up(DEFAULT_TENANT)
    await ingestions.keep_up(DEFAULT_TENANT)
    assert await run(database, "SELECT count(*) FROM lattice_jobs.procrastinate_jobs") == [(1,)]
    await workers(work, ingestions).run(until_idle=True)
    assert (await get(ingestions, record)).state == "done"


async def test_a_job_of_a_worker_that_is_gone_is_taken_back(
    ingestions: Ingestions, work: IngestionWork, database: Database
) -> None:
    record = await send(ingestions, work, 5)
    dead = await run(
        database,
        "INSERT INTO lattice_jobs.procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute') "
        "RETURNING id",
    )
    await run(database, "UPDATE lattice_jobs.procrastinate_jobs SET status = 'doing', worker_id = %s", dead[0][0])
    await work.carry_out(uuid4(), record.ingestion_id)  # another tenant's word counts for nothing
    await workers(work, ingestions).run(until_idle=True)
    assert (await get(ingestions, record)).counts.stored == 5
    assert await run(database, "SELECT count(*) FROM lattice_jobs.procrastinate_workers") == [(0,)]


async def test_one_whose_own_process_is_gone_fails_and_can_be_resumed_there_only(
    ingestions: Ingestions, work: IngestionWork, database: Database
) -> None:
    record = await send(ingestions, work, 5, host="here")
    assert await run(database, "SELECT count(*) FROM lattice_jobs.procrastinate_jobs") == [(0,)]
    await run(database, "UPDATE ingestion SET state = 'running', heartbeat_at = now() - interval '1 minute'")
    await ingestions.keep_up(DEFAULT_TENANT)
    assert (await get(ingestions, record)).state == "failed"
    with pytest.raises(ConflictError, match="run `lattice ingestions resume"):
        await ingestions.resume(DEFAULT_TENANT, record.ingestion_id)
    await ingestions.resume(DEFAULT_TENANT, record.ingestion_id, host="here")
    ended = await work.carry_out(DEFAULT_TENANT, record.ingestion_id)
    assert ended is not None
    assert ended.counts.stored == 5


async def test_input_is_forgotten_when_nobody_resumed_it_for_long(
    ingestions: Ingestions, work: IngestionWork, database: Database
) -> None:
    record = await send(ingestions, work, 5)
    await ingestions.cancel(DEFAULT_TENANT, record.ingestion_id)
    await run(database, "UPDATE ingestion SET finished_at = now() - interval '31 days'")
    await ingestions.keep_up(DEFAULT_TENANT)
    assert await run(database, "SELECT count(*) FROM ingestion_chunk") == [(0,)]
    with pytest.raises(ConflictError, match="no longer kept"):
        await ingestions.resume(DEFAULT_TENANT, record.ingestion_id)


async def test_more_problems_than_are_kept_are_all_counted(
    ingestions: Ingestions, work: IngestionWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PROBLEMS_KEPT", 3)
    gem = await work.gems.ensure(DEFAULT_TENANT, "log", work.at())
    async with ingestions.receive(DEFAULT_TENANT, gem.gem_id, work.at()) as received:
        await received.open_body("request body", ".jsonl")
        await received.write(b"not json\n" * 8 + b'{"text": "one"}\n')
        record = await ingestions.enqueue(received)
    done = await work.carry_out(DEFAULT_TENANT, record.ingestion_id)
    assert done is not None
    assert (done.counts.failed, done.counts.stored) == (8, 1)
    kept = await ingestions.list_problems(DEFAULT_TENANT, record.ingestion_id, limit=100)
    assert [each.line for each in kept] == [1, 2, 3]
    await ingestions.retry(DEFAULT_TENANT, record.ingestion_id)
    again = await work.carry_out(DEFAULT_TENANT, record.ingestion_id)  # all over: nobody knows which failed
    assert again is not None
    assert (again.counts.read, again.counts.failed, again.counts.skipped) == (9, 8, 1)


async def test_a_job_that_takes_too_long_ends(ingestions: Ingestions, work: IngestionWork, database: Database) -> None:
    begun: list[UUID] = []

    async def dawdle(tenant: UUID, _: Any) -> None:
        begun.append(tenant)
        await asyncio.sleep(600)

    async with database.transaction(DEFAULT_TENANT) as conn:
        await defer(conn, DEFAULT_TENANT, "dawdle", {})
    async with asyncio.timeout(60):
        await workers(work, ingestions, Kind("dawdle", dawdle, 0.2)).run(until_idle=True)
    assert begun == [DEFAULT_TENANT]
    assert await run(database, "SELECT status::text FROM lattice_jobs.procrastinate_jobs") == [("failed",)]

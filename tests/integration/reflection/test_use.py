import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from core.pg import Database
from gems import Gem, GemChange, Gems, Moment, falls_at, lock_gem, set_entanglement, use_gems
from knowledge import Recall, RecallQuery, Rehearsals
from reflection import DoneEvent, EvidenceEvent, ReflectionRequest, Reflections


async def test_a_rating_strengthens_the_gem_that_was_asked_though_only_another_was_cited(
    reflections: Reflections, gems: Gems, database: Database, port: Gem, tenant: UUID, at: Moment
) -> None:
    asked = await gems.create(tenant, GemChange("harbour office"), at)
    async with database.transaction(tenant) as conn:
        await set_entanglement(conn, asked.gem_id, port.gem_id, 0.5, at.now)
    request = ReflectionRequest(asked.gem_id, "When does the ferry leave?", reach="entangled")
    found = await reflections.reflect(tenant, request, at)
    assert {each.gem_id for each in found.evidence if each.cited} == {port.gem_id}
    await reflections.rate(tenant, found.reflection_id, 0.5, at)
    for gem in (asked, port):
        log = await gems.list_measurements(tenant, gem.gem_id, at)
        told = [(each.cause, each.gain) for each in log if each.passage_id is None and each.cause != "ingest"]
        assert told == [("feedback", 0.15), ("reflection", 0.3)]


async def test_a_rating_that_goes_down_and_up_again_confirms_once(
    reflections: Reflections, gems: Gems, database: Database, port: Gem, tenant: UUID, at: Moment
) -> None:
    found = await reflections.reflect(tenant, ReflectionRequest(port.gem_id, "When does the ferry leave?"), at)
    for rating in (0.5, 0.2, 0.5, -1.0, 0.8, -0.4, 0.8, 0.0, 1.0):
        await reflections.rate(tenant, found.reflection_id, rating, at)
    log = await gems.list_measurements(tenant, port.gem_id, at, limit=200)
    cited = {each.passage_id for each in found.evidence if each.cited}
    for subject in (None, *cited):
        given = [each.gain for each in log if each.passage_id == subject and each.cause == "feedback"]
        assert given == pytest.approx([0.06, 0.09, 0.15])


async def test_a_rating_locks_as_a_use_does_passages_before_gems(
    reflections: Reflections, database: Database, port: Gem, tenant: UUID, at: Moment
) -> None:
    found = await reflections.reflect(tenant, ReflectionRequest(port.gem_id, "When does the ferry leave?"), at)
    (cited, *_) = [each.passage_id for each in found.evidence if each.cited]
    async with database.transaction(tenant) as conn:
        await conn.execute("SELECT FROM passage WHERE passage_id = %s FOR UPDATE", (cited,))
        rating = asyncio.create_task(reflections.rate(tenant, found.reflection_id, 1.0, at))
        await until_one_waits(database, tenant)
        await conn.execute("SELECT FROM gem WHERE gem_id = %s FOR NO KEY UPDATE NOWAIT", (port.gem_id,))
    assert (await rating).feedback == 1.0


async def test_a_use_waits_for_who_writes_into_a_gem_before_it_takes_a_passage_of_it(
    recall: Recall, database: Database, port: Gem, tenant: UUID, at: Moment
) -> None:
    passages = await recall.recall(tenant, RecallQuery("When does the ferry leave?"), at)
    async with database.transaction(tenant) as conn:
        await lock_gem(conn, port.gem_id, at)
        use = asyncio.create_task(recall.use(tenant, passages, at))
        await until_one_waits(database, tenant)
        await conn.execute("SELECT FROM passage WHERE gem_id = %s FOR UPDATE NOWAIT", (port.gem_id,))
    await use


async def test_a_rehearsal_tells_when_a_gem_would_have_fallen_that_was_used_in_between(
    database: Database, port: Gem, tenant: UUID, at: Moment
) -> None:
    later = replace(at, now=at.now + timedelta(days=30))
    async with database.transaction(tenant) as conn:
        (used,) = await use_gems(conn, {port.gem_id: 0.3}, later, cause="manual")
        work = Rehearsals(database).rehearse(tenant, port.gem_id, later, dry_run=False)
        rehearsing = asyncio.create_task(work)
        await until_one_waits(database, tenant)
    rehearsal = await rehearsing
    assert rehearsal.used.before == used.after.state
    assert rehearsal.falls_at_before == falls_at(used.after.state, later.now, later.time_unit)


async def test_the_change_that_is_told_is_that_of_the_answer_alone(
    reflections: Reflections, database: Database, port: Gem, tenant: UUID, at: Moment
) -> None:
    later, change = replace(at, now=at.now + timedelta(days=30)), None
    async for event in reflections.stream(tenant, ReflectionRequest(port.gem_id, "When does the ferry leave?"), later):
        if isinstance(event, EvidenceEvent):
            async with database.transaction(tenant) as conn:
                (other,) = await use_gems(conn, {port.gem_id: 0.3}, later, cause="manual")
        elif isinstance(event, DoneEvent):
            change = event.reflection.change
    assert change is not None
    assert change.before == other.after.state


async def until_one_waits(database: Database, tenant: UUID) -> None:
    """Return once a transaction waits for a lock."""
    waiting = """SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND datname = current_database()"""
    async with asyncio.timeout(60), database.transaction(tenant) as conn:
        while (await conn.execute(waiting)).rowcount == 0:
            await conn.execute("SELECT pg_stat_clear_snapshot()")
            await asyncio.sleep(0.01)

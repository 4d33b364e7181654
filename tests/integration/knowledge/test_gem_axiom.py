"""The terms of a gem's passages as the database adds them up, against the states evolved in numpy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from core.pg import Database
from gems import GemChange, Gems, Moment, QuantumState, evolve, interference_matrix
from knowledge import PassageGroups, group_passages, sample_passages
from knowledge.gem_axiom import SAMPLE, FloatArray
from tests.integration.knowledge.shelf import FLEET, Shelf, later

DOCUMENT = "INSERT INTO document (document_id, gem_id, body, content_hash, passages) VALUES (%s, %s, 'x', 'x', 1)"
PASSAGE = """
    INSERT INTO passage (passage_id, gem_id, document_id, ordinal, slot, body, start_char, end_char, tokens, embedding,
                         energy, phase, coherence, uncertainty, measured_at, closed_at)
    VALUES (gen_random_uuid(), %s, %s, %s, %s, 'x', 0, 1, 1, '[1]', %s, %s, %s, %s, %s, %s)"""
EDGES = [
    (1.0, 0.0, 1.0, 0.1),
    (1e-9, 1.0, 1.0, 0.0),  # fades at once
    (64.0, 6.28, 1e-60, 1.0),  # has faded
    (5e-324, 0.0, 0.5, 0.5),
    (1.0, 2.0, 0.0, 0.999),
]


def draw_rows(size: int) -> list[tuple[float, float, float, float]]:
    noise = np.random.default_rng(size)
    columns = noise.lognormal(0.0, 0.7, size), noise.uniform(0.0, 6.28, size), noise.random(size), noise.random(size)
    return [*EDGES, *zip(*(column.tolist() for column in columns), strict=True)]


async def fill(
    database: Database, tenant: UUID, gem_id: UUID, rows: list[tuple[Any, ...]], *, closed_at: datetime | None = None
) -> None:
    """Store passages of these states, each with the moment at which it was measured."""
    document = uuid4()
    async with database.transaction(tenant) as conn, conn.cursor() as cursor:
        await cursor.execute(DOCUMENT, (document, gem_id))
        (first,) = await (
            await conn.execute("SELECT coalesce(max(slot), -1) + 1 FROM passage WHERE gem_id = %s", (gem_id,))
        ).fetchone() or (0,)
        placed = [(gem_id, document, at, first + at * 37, *row, closed_at) for at, row in enumerate(rows)]
        await cursor.executemany(PASSAGE, placed)


async def look(database: Database, tenant: UUID, gem_id: UUID, at: Moment) -> PassageGroups:
    async with database.transaction(tenant, read_only=True) as conn:
        return await group_passages(conn, gem_id, at)


def to_state(rows: list[tuple[float, float, float, float]]) -> QuantumState[FloatArray]:
    return QuantumState(*np.array(rows).T)


@pytest.mark.parametrize("days", [0.0, 12.5, 90.0, 3_650.0, 36_500.0])
async def test_sums_of_the_database_are_those_of_the_evolved_states(
    database: Database, gems: Gems, tenant: UUID, at: Moment, days: float
) -> None:
    rows = draw_rows(200)
    measured = [at.now - timedelta(days=3.7 * number % 200) for number in range(len(rows))]
    gem, other = [await gems.create(tenant, GemChange(name), at) for name in ("port", "other")]
    told = [(*row, moment) for row, moment in zip(rows, measured, strict=True)]
    await fill(database, tenant, gem.gem_id, told)
    await fill(database, tenant, gem.gem_id, told[:50], closed_at=at.now)
    await fill(database, tenant, other.gem_id, told[:50])

    when = later(at, days)
    seen = (await look(database, tenant, gem.gem_id, when)).look()
    elapsed = np.array([(when.now - moment) / at.time_unit for moment in measured])
    with np.errstate(over="ignore"):  # the least energy of all fades within no time
        then = evolve(to_state(rows), elapsed)
    pairs = ~np.eye(len(rows), dtype=bool)
    assert pytest.approx(then.coherence.mean(), abs=1e-12) == seen.C
    assert pytest.approx((1.0 + interference_matrix(then)[pairs].mean()) / 2.0, abs=1e-12) == seen.Y
    assert pytest.approx(1.0 - then.uncertainty.mean(), abs=1e-12) == seen.Z


async def test_groups_go_on_as_their_passages_do(database: Database, gems: Gems, tenant: UUID, at: Moment) -> None:
    gem = await gems.create(tenant, GemChange("port"), at)
    rows = [(energy, 0.3, 0.9, 0.1) for energy in (1.0, 1.0, 1.0, 2.5, 2.5)]
    await fill(database, tenant, gem.gem_id, [(*row, at.now) for row in rows])
    foreseen = (await look(database, tenant, gem.gem_id, at)).look(4.0)
    seen = (await look(database, tenant, gem.gem_id, later(at, 120.0))).look()
    assert pytest.approx([seen.C, seen.Y, seen.Z], abs=1e-12) == [foreseen.C, foreseen.Y, foreseen.Z]


async def test_equal_passages_are_one_group_however_many(
    database: Database, gems: Gems, tenant: UUID, at: Moment
) -> None:
    gem = await gems.create(tenant, GemChange("port"), at)
    await fill(database, tenant, gem.gem_id, [(1.0, 0.0, 1.0, 0.1, at.now)] * 60)
    passages = await look(database, tenant, gem.gem_id, later(at, 30.0))
    assert (len(passages.energy), passages.count, passages.fades_alike) == (1, 60, True)
    assert passages.energy[0] == 1.0
    assert pytest.approx(np.exp(-1.0), abs=1e-14) == passages.look().C


async def test_a_passage_measured_after_the_moment_counts_as_it_was_then(
    database: Database, gems: Gems, tenant: UUID, at: Moment
) -> None:
    gem = await gems.create(tenant, GemChange("port"), at)
    await fill(database, tenant, gem.gem_id, [(1.0, 0.0, 0.7, 0.2, at.now + timedelta(days=5))])
    seen = (await look(database, tenant, gem.gem_id, at)).look()
    assert pytest.approx((0.7, 0.8)) == (seen.C, seen.Z)


async def test_other_tenants_passages_are_never_seen(database: Database, gems: Gems, tenant: UUID, at: Moment) -> None:
    gem = await gems.create(tenant, GemChange("port"), at)
    await fill(database, tenant, gem.gem_id, [(1.0, 0.0, 1.0, 0.1, at.now)])
    stranger = uuid4()
    assert (await look(database, stranger, gem.gem_id, at)).count == 0
    async with database.transaction(stranger, read_only=True) as conn:
        assert (await sample_passages(conn, gem.gem_id)).texts == ()


async def test_a_sample_is_of_open_passages_with_their_vectors_and_stays_the_same(
    shelf: Shelf, database: Database
) -> None:
    await shelf.put(*FLEET)
    await shelf.put({"id": "tug", "text": "The tug Marta is out of service."})  # takes the place of the first
    async with database.transaction(shelf.tenant, read_only=True) as conn:
        first, second = [await sample_passages(conn, shelf.gem.gem_id) for _ in range(2)]
    assert sorted(first.texts) == sorted(["The tug Marta is out of service.", *(row["text"] for row in FLEET[1:])])
    assert first.vectors.shape == (4, 384)
    assert np.linalg.norm(first.vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-2)
    assert first.texts == second.texts
    assert np.array_equal(first.vectors, second.vectors)


async def test_a_sample_is_bounded_and_leaves_out_vectors_of_another_model(
    database: Database, shelf: Shelf, at: Moment
) -> None:
    await shelf.put(FLEET[0])
    await fill(database, shelf.tenant, shelf.gem.gem_id, [(1.0, 0.0, 1.0, 0.1, at.now)] * (SAMPLE + 10))
    async with database.transaction(shelf.tenant, read_only=True) as conn:
        sample = await sample_passages(conn, shelf.gem.gem_id)
    assert len(sample.texts) == SAMPLE
    assert len(sample.vectors) <= 1


async def test_the_zone_of_a_moment_does_not_matter(database: Database, gems: Gems, tenant: UUID, at: Moment) -> None:
    gem = await gems.create(tenant, GemChange("port"), at)
    await fill(database, tenant, gem.gem_id, [(1.0, 0.0, 1.0, 0.1, at.now)])
    far = replace(at, now=datetime(9999, 12, 31, tzinfo=UTC))
    assert (await look(database, tenant, gem.gem_id, far)).look().Z == 0.0

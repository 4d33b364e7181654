from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from core.errors import GemArchivedError, GemNameTakenError, GemNotFoundError, InvalidInputError
from core.pg import Database
from gems import Gem, GemChange, Gems, Moment, QuantumState, evolve, lock_gem, measure, rate_gem, use_gems


@pytest.fixture
async def gem(gems: Gems, tenant: UUID, at: Moment) -> Gem:
    return await gems.create(tenant, GemChange("harbour", "What we know of it", {"team": "coast"}), at)


def later(at: Moment, **elapsed: float) -> Moment:
    return replace(at, now=at.now + timedelta(**elapsed))


async def test_a_new_gem_is_in_the_first_state_and_found_by_id_and_name(
    gems: Gems, gem: Gem, tenant: UUID, at: Moment
) -> None:
    assert gem.state == QuantumState.new()
    assert (gem.name, gem.description, gem.metadata) == ("harbour", "What we know of it", {"team": "coast"})
    assert await gems.get(tenant, gem.gem_id, at) == gem
    assert await gems.resolve(tenant, "harbour", at) == gem
    assert await gems.resolve(tenant, str(gem.gem_id), at) == gem
    assert await gems.ensure(tenant, "harbour", at) == gem


async def test_a_state_evolves_when_it_is_read_and_nothing_is_written(
    gems: Gems, gem: Gem, database: Database, tenant: UUID, at: Moment
) -> None:
    found = await gems.get(tenant, gem.gem_id, later(at, days=60))
    assert found.state == evolve(QuantumState.new(), 2.0)
    async with database.transaction(tenant, read_only=True) as conn:
        cursor = await conn.execute("SELECT coherence, measured_at FROM gem")
        assert await cursor.fetchone() == (1.0, at.now)


async def test_names_are_unique_within_a_tenant_only(gems: Gems, gem: Gem, tenant: UUID, at: Moment) -> None:
    with pytest.raises(GemNameTakenError, match="harbour"):
        await gems.create(tenant, GemChange("harbour"), at)
    other = await gems.create(uuid4(), GemChange("harbour"), at)
    assert other.gem_id != gem.gem_id
    second = await gems.create(tenant, GemChange("pier"), at)
    with pytest.raises(GemNameTakenError):
        await gems.update(tenant, second.gem_id, GemChange(name="harbour"), at)


async def test_a_gem_of_another_tenant_is_not_there(gems: Gems, gem: Gem, at: Moment) -> None:
    stranger = uuid4()
    for attempt in (
        gems.get(stranger, gem.gem_id, at),
        gems.update(stranger, gem.gem_id, GemChange(name="mine"), at),
        gems.archive(stranger, gem.gem_id, at),
        gems.delete(stranger, gem.gem_id),
        gems.resolve(stranger, "harbour", at),
    ):
        with pytest.raises(GemNotFoundError):
            await attempt
    assert await gems.list_page(stranger, at) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (GemChange(), "name"),
        (GemChange("  "), "name"),
        (GemChange("\u200b\u202e"), "name"),
        (GemChange("x" * 201), "name"),
        (GemChange("x", "y" * 10_001), "description"),
        (GemChange("x", metadata={"a": float("nan")}), "metadata"),
        (GemChange("x", metadata={"a": "b" * 70_000}), "metadata"),
    ],
)
async def test_what_may_not_be_written_is_named(
    gems: Gems, tenant: UUID, at: Moment, change: GemChange, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await gems.create(tenant, change, at)
    assert caught.value.field == field


async def test_a_gem_is_updated_where_something_is_given(gems: Gems, gem: Gem, tenant: UUID, at: Moment) -> None:
    moved = await gems.update(tenant, gem.gem_id, GemChange(description="New 🦀"), later(at, hours=1))
    assert (moved.name, moved.description, moved.metadata) == ("harbour", "New 🦀", {"team": "coast"})
    assert moved.updated_at > gem.updated_at


async def test_an_archived_gem_is_read_only_until_restored(
    gems: Gems, gem: Gem, database: Database, tenant: UUID, at: Moment
) -> None:
    archived = await gems.archive(tenant, gem.gem_id, at)
    assert archived.archived_at == at.now
    assert (await gems.archive(tenant, gem.gem_id, later(at, days=1))).archived_at == at.now
    assert await gems.list_page(tenant, at) == []
    assert [each.gem_id for each in await gems.list_page(tenant, at, archived=True)] == [gem.gem_id]
    with pytest.raises(GemArchivedError):
        await gems.update(tenant, gem.gem_id, GemChange(name="pier"), at)
    with pytest.raises(GemArchivedError):
        async with database.transaction(tenant) as conn:
            await lock_gem(conn, gem.gem_id, at)
    assert (await gems.restore(tenant, gem.gem_id, at)).archived_at is None


async def test_pages_of_gems_come_newest_first_and_miss_none(gems: Gems, tenant: UUID, at: Moment) -> None:
    made = [await gems.create(tenant, GemChange(f"gem {i}"), later(at, minutes=i // 3)) for i in range(10)]
    found: list[Gem] = []
    while page := await gems.list_page(
        tenant, at, limit=3, before=(found[-1].created_at, found[-1].gem_id) if found else None
    ):
        found += page
    assert {each.gem_id for each in found} == {each.gem_id for each in made}
    assert len(found) == 10
    assert [each.created_at for each in found] == sorted((each.created_at for each in made), reverse=True)


async def test_a_measurement_is_what_numpy_says_and_is_logged(
    gems: Gems, gem: Gem, database: Database, tenant: UUID, at: Moment
) -> None:
    when = later(at, days=40)
    async with database.transaction(tenant) as conn:
        (measured,) = [each.after for each in await use_gems(conn, {gem.gem_id: 0.3}, when, cause="manual")]
    expected = measure(evolve(QuantumState.new(), 40 / 30))
    assert np.allclose(
        [getattr(measured.state, name) for name in QuantumState.__dataclass_fields__],
        [getattr(expected, name) for name in QuantumState.__dataclass_fields__],
        atol=1e-9,
    )
    entry, birth = await gems.list_measurements(tenant, gem.gem_id, when)
    assert (birth.cause, birth.gain, birth.measured_at, birth.coherence) == ("ingest", 0.0, at.now, 1.0)
    assert (entry.cause, entry.gain, entry.measured_at) == ("manual", 0.3, when.now)
    assert entry.coherence == measured.state.coherence


async def test_a_measurement_dated_before_the_last_one_does_not_turn_time_back(
    gems: Gems, gem: Gem, database: Database, tenant: UUID, at: Moment
) -> None:
    async with database.transaction(tenant) as conn:
        await use_gems(conn, {gem.gem_id: 0.3}, later(at, days=10), cause="manual")
        (measured,) = [each.after for each in await use_gems(conn, {gem.gem_id: 0.3}, at, cause="manual")]
    assert measured.at == later(at, days=10).now


async def test_evolution_and_measurement_in_sql_equal_numpy(database: Database, tenant: UUID) -> None:
    rng = np.random.default_rng(5)
    n = 4_000
    state = QuantumState(
        rng.uniform(0.05, 64, n), rng.uniform(0, 2 * np.pi, n), rng.uniform(0, 1, n), rng.uniform(0, 1, n)
    )
    dt, gain = rng.exponential(4.0, n) * rng.integers(0, 2, n), rng.uniform(0, 1, n)
    values = [column.tolist() for column in (state.energy, state.phase, state.coherence, state.uncertainty, dt, gain)]
    query = """
        SELECT e.energy, e.phase, e.coherence, e.uncertainty, m.energy, m.phase, m.coherence, m.uncertainty
        FROM unnest(%s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[])
          WITH ORDINALITY AS r (energy, phase, coherence, uncertainty, dt, gain, i)
        CROSS JOIN lattice_evolve(r.energy, r.phase, r.coherence, r.uncertainty, r.dt) AS e
        CROSS JOIN lattice_measure(r.energy, r.phase, r.coherence, r.uncertainty, r.dt, r.gain) AS m
        ORDER BY r.i"""
    async with database.transaction(tenant, read_only=True) as conn:
        found = np.array(await (await conn.execute(query, values)).fetchall())
    evolved = evolve(state, dt)
    measured = measure(evolved, gain)
    expected = np.stack(
        [getattr(each, name) for each in (evolved, measured) for name in QuantumState.__dataclass_fields__], axis=1
    )
    assert np.abs(found - expected).max() < 1e-9


@pytest.mark.parametrize("dt", [1e3, 1e6, 1e9])
async def test_a_memory_untouched_for_ages_is_lost_without_an_error(
    database: Database, tenant: UUID, dt: float
) -> None:
    async with database.transaction(tenant, read_only=True) as conn:
        cursor = await conn.execute("SELECT coherence, uncertainty FROM lattice_evolve(0.5, 1, 0.9, 0.1, %s)", (dt,))
        coherence, uncertainty = await cursor.fetchone() or (1, 0)
    assert coherence < 1e-80
    assert uncertainty == 1.0


async def test_feedback_is_a_weighted_mean_that_starts_with_the_first_rating(
    gems: Gems, gem: Gem, database: Database, tenant: UUID, at: Moment
) -> None:
    async with database.transaction(tenant) as conn:
        first = await rate_gem(conn, gem.gem_id, 1.0, at)
        second = await rate_gem(conn, gem.gem_id, -1.0, at)
    assert (first.feedback, first.ratings) == (1.0, 1)
    assert second.feedback == pytest.approx(1.0 + 0.3 * (-1.0 - 1.0))

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from core.errors import GemNotFoundError, InvalidInputError
from core.pg import Database
from gems import (
    Entanglement,
    Gem,
    GemChange,
    Gems,
    Moment,
    QuantumState,
    UsedGem,
    delete_entanglement,
    evolve,
    list_entanglements,
    measure,
    plan_use,
    set_entanglement,
    use_gems,
)


async def make(gems: Gems, tenant: UUID, at: Moment, *names: str) -> list[Gem]:
    return [await gems.create(tenant, GemChange(name=name), at) for name in names]


async def entangle(database: Database, tenant: UUID, one: Gem, other: Gem, strength: float, at: Moment) -> Entanglement:
    async with database.transaction(tenant) as conn:
        return await set_entanglement(conn, one.gem_id, other.gem_id, strength, at.now)


async def use(database: Database, tenant: UUID, gains: dict[UUID, float], at: Moment) -> dict[UUID, UsedGem]:
    async with database.transaction(tenant) as conn:
        return {each.gem_id: each for each in await use_gems(conn, gains, at, cause="manual")}


def later(at: Moment, days: float) -> Moment:
    return replace(at, now=at.now + timedelta(days=days))


def values(state: QuantumState[float]) -> list[float]:
    return [state.energy, state.phase, state.coherence, state.uncertainty]


async def test_a_use_reaches_partners_one_hop_with_the_gain_times_the_strength(
    gems: Gems, database: Database, tenant: UUID, at: Moment
) -> None:
    a, b, c, d = await make(gems, tenant, at, "a", "b", "c", "d")
    await entangle(database, tenant, a, b, 0.5, at)
    await entangle(database, tenant, b, c, 1.0, at)  # two hops from a
    await entangle(database, tenant, d, a, 0.0, at)
    when = later(at, 40)
    used = await use(database, tenant, {a.gem_id: 0.3}, when)
    assert set(used) == {a.gem_id, b.gem_id}
    old = evolve(QuantumState.new(), 40 / 30)
    assert values(used[a.gem_id].after.state) == pytest.approx(values(measure(old, 0.3)), abs=1e-12)
    assert values(used[b.gem_id].after.state) == pytest.approx(values(measure(old, 0.15)), abs=1e-12)
    assert values(used[b.gem_id].before) == pytest.approx(values(old), abs=1e-12)
    assert (used[a.gem_id].via_gem_id, used[b.gem_id].via_gem_id) == (None, a.gem_id)
    entry, _ = await gems.list_measurements(tenant, b.gem_id, when)
    assert (entry.cause, entry.gain, entry.via_gem_id) == ("entanglement", 0.15, a.gem_id)


async def test_a_partner_of_several_is_reached_through_the_strongest_and_a_used_one_through_none(
    gems: Gems, database: Database, tenant: UUID, at: Moment
) -> None:
    a, b, c = await make(gems, tenant, at, "a", "b", "c")
    for one, other, strength in ((a, c, 0.2), (b, c, 0.9), (a, b, 1.0)):
        await entangle(database, tenant, one, other, strength, at)
    used = await use(database, tenant, {a.gem_id: 0.3, b.gem_id: 0.1}, later(at, 10))
    assert {each.name: (each.gain, each.via_gem_id) for each in used.values()} == {
        "a": (0.3, None),
        "b": (0.1, None),
        "c": (pytest.approx(0.09), b.gem_id),
    }


async def test_an_archived_partner_is_left_alone(gems: Gems, database: Database, tenant: UUID, at: Moment) -> None:
    a, b = await make(gems, tenant, at, "a", "b")
    await entangle(database, tenant, a, b, 1.0, at)
    await gems.archive(tenant, b.gem_id, at)
    assert set(await use(database, tenant, {a.gem_id: 0.3}, later(at, 10))) == {a.gem_id}


async def test_a_plan_tells_what_a_use_does_and_changes_nothing(
    gems: Gems, database: Database, tenant: UUID, at: Moment
) -> None:
    a, b = await make(gems, tenant, at, "a", "b")
    await entangle(database, tenant, a, b, 0.7, at)
    when = later(at, 25)
    async with database.transaction(tenant, read_only=True) as conn:
        planned = await plan_use(conn, {a.gem_id: 0.4}, when)
    assert len(await gems.list_measurements(tenant, a.gem_id, when)) == 1
    done = await use(database, tenant, {a.gem_id: 0.4}, when)
    for each in planned:
        found = done[each.gem_id]
        assert (each.gain, each.via_gem_id, each.after.at) == (found.gain, found.via_gem_id, when.now)
        assert values(each.after.state) == pytest.approx(values(found.after.state), abs=1e-12)
        assert values(each.before) == pytest.approx(values(found.before), abs=1e-12)


@pytest.mark.parametrize("gain", [0.0, -0.1, 1.1, float("nan"), 1e-300])
async def test_a_gain_out_of_bounds_is_refused(
    gems: Gems, database: Database, tenant: UUID, at: Moment, gain: float
) -> None:
    (a,) = await make(gems, tenant, at, "a")
    with pytest.raises(InvalidInputError, match="gain"):
        await use(database, tenant, {a.gem_id: gain}, at)


async def test_an_entanglement_is_symmetric_and_told_again_changes_its_strength(
    gems: Gems, database: Database, tenant: UUID, at: Moment
) -> None:
    a, b = await make(gems, tenant, at, "a", "b")
    await entangle(database, tenant, a, b, 0.2, at)
    await entangle(database, tenant, b, a, 0.9, later(at, 1))
    async with database.transaction(tenant) as conn:
        (pair,) = await list_entanglements(conn, [b.gem_id])
        assert await list_entanglements(conn, [uuid4()]) == []
        assert (pair.strength, pair.created_at, pair.updated_at) == (0.9, at.now, later(at, 1).now)
        assert pair.partner_of(a.gem_id) == b.gem_id
        assert await delete_entanglement(conn, b.gem_id, a.gem_id)
        assert not await delete_entanglement(conn, a.gem_id, b.gem_id)


async def test_what_cannot_be_entangled_is_refused(gems: Gems, database: Database, tenant: UUID, at: Moment) -> None:
    a, b = await make(gems, tenant, at, "a", "b")
    for strength in (-0.1, 1.1, float("nan"), float("inf")):
        with pytest.raises(InvalidInputError, match="strength"):
            await entangle(database, tenant, a, b, strength, at)
    with pytest.raises(InvalidInputError, match="itself"):
        await entangle(database, tenant, a, a, 0.5, at)
    with pytest.raises(GemNotFoundError):
        await entangle(database, tenant, a, replace(b, gem_id=uuid4()), 0.5, at)


async def test_another_tenant_reaches_nothing(gems: Gems, database: Database, tenant: UUID, at: Moment) -> None:
    a, b = await make(gems, tenant, at, "a", "b")
    await entangle(database, tenant, a, b, 1.0, at)
    other = uuid4()
    with pytest.raises(GemNotFoundError):
        await entangle(database, other, a, b, 0.1, at)
    assert await use(database, other, {a.gem_id: 0.3}, later(at, 5)) == {}
    async with database.transaction(other) as conn:
        assert await list_entanglements(conn) == []
        assert not await delete_entanglement(conn, a.gem_id, b.gem_id)
    async with database.transaction(tenant) as conn:
        assert len(await list_entanglements(conn)) == 1


async def test_repeated_use_of_an_entangled_ring_converges(
    gems: Gems, database: Database, tenant: UUID, at: Moment
) -> None:
    ring = await make(gems, tenant, at, *"abcd")
    for one, other in zip(ring, ring[1:] + ring[:1], strict=True):
        await entangle(database, tenant, one, other, 1.0, at)
    last: dict[UUID, UsedGem] = {}
    for step in range(140):
        used = await use(database, tenant, {ring[step % 4].gem_id: 1.0}, later(at, 60 * step))
        for gem_id, each in used.items():
            # a use adds at most β times the time that it was not used
            if gem_id in last:
                gap = (each.after.at - last[gem_id].after.at) / at.time_unit
                assert each.after.state.energy - last[gem_id].after.state.energy <= 0.5 * gap + 1e-9
        last |= used
    assert [each.after.state.energy for each in last.values()] == [64.0] * 4
    assert all(each.after.state.coherence == 1.0 and each.after.state.uncertainty == 0.0 for each in last.values())


async def test_uses_side_by_side_lose_none_and_the_log_tells_them_all(
    gems: Gems, database: Database, tenant: UUID, at: Moment
) -> None:
    one, two, three = await make(gems, tenant, at, "a", "b", "c")
    for left, right in ((one, two), (two, three), (one, three)):
        await entangle(database, tenant, left, right, 0.5, at)

    async def carry_out(i: int) -> None:
        gem = (one, two, three)[i % 3]
        await use(database, tenant, {gem.gem_id: 0.3}, later(at, i * 0.37 % 11))

    await asyncio.gather(*(carry_out(i) for i in range(30)))
    for gem in (one, two, three):
        assert len(await gems.list_measurements(tenant, gem.gem_id, later(at, 20), limit=100)) == 31
    replayed = await gems.replay(tenant, later(at, 20))
    assert (replayed.subjects, replayed.steps, replayed.faults) == (3, 93, 0)


steps = st.lists(
    st.tuples(st.integers(0, 2), st.floats(0.0, 400.0), st.floats(1e-6, 1.0), st.floats(0.0, 1.0), st.booleans()),
    min_size=1,
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=steps)
async def test_a_lattice_replayed_from_its_log_is_the_same_bit_for_bit(
    gems: Gems, database: Database, at: Moment, plan: list[tuple[int, float, float, float, bool]]
) -> None:
    tenant, days = uuid4(), 0.0
    trio = await make(gems, tenant, at, "a", "b", "c")
    told = dict.fromkeys((each.gem_id for each in trio), QuantumState.new())
    seen = dict.fromkeys(told, at.now)
    for which, pause, gain, strength, links in plan:
        days += pause
        when = later(at, days)
        if links:
            await entangle(database, tenant, trio[which], trio[which - 1], strength, when)
        for gem_id, each in (await use(database, tenant, {trio[which].gem_id: gain}, when)).items():
            told[gem_id] = measure(evolve(told[gem_id], (when.now - seen[gem_id]) / at.time_unit), each.gain)
            seen[gem_id] = when.now
            assert values(each.after.state) == pytest.approx(values(told[gem_id]), rel=1e-9, abs=1e-9)
    replayed = await gems.replay(tenant, later(at, days))
    assert replayed.agrees, replayed.shown
    assert replayed.subjects == 3
    longer = replace(later(at, days), time_unit=timedelta(days=1))  # the log knows how long a τ was
    assert (await gems.replay(tenant, longer)).agrees


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        ("UPDATE gem SET coherence = coherence - 1e-15", "state"),
        ("UPDATE gem SET measured_at = measured_at + interval '1 microsecond'", "state"),
        ("UPDATE measurement SET gain = 0.31 WHERE cause = 'manual'", "step"),
        ("DELETE FROM measurement WHERE measurement_id = (SELECT max(measurement_id) FROM measurement)", "state"),
        ("DELETE FROM measurement", "unlogged"),
    ],
)
async def test_a_replay_finds_a_single_bit_that_was_changed(
    gems: Gems, database: Database, tenant: UUID, at: Moment, damage: str, kind: str, database_url: str
) -> None:
    (a,) = await make(gems, tenant, at, "a")
    for days in (3, 9):
        await use(database, tenant, {a.gem_id: 0.3}, later(at, days))
    await as_superuser(database_url, damage)
    replayed = await gems.replay(tenant, later(at, 9), a.gem_id)
    assert not replayed.agrees
    assert {each.kind for each in replayed.shown} == {kind}
    assert {each.gem_id for each in replayed.shown} == {a.gem_id}


async def as_superuser(url: str, statement: str) -> None:
    async with await AsyncConnection.connect(url) as conn:
        await conn.execute(statement.encode())

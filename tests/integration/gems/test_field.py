from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from core.errors import GemNotFoundError, InvalidInputError
from core.pg import DEFAULT_TENANT, Database
from gems import (
    Gem,
    GemChange,
    Gems,
    LatticeField,
    Moment,
    QuantumState,
    evolve,
    falls_at,
    field,
    order_parameter,
    read_field,
    set_entanglement,
    use_gems,
)
from gems.field_summary import FieldSummary, summarise
from gems.modes import find_modes
from gems.state import PHASE_MAX

STATE = ("energy", "phase", "coherence", "uncertainty")
NAMES = ("tides", "cranes", "gulls", "ferries", "ropes")


@pytest.fixture
def questions(database: Database) -> LatticeField:
    return LatticeField(database)


@pytest.fixture
async def made(database: Database, gems: Gems, at: Moment, tenant: UUID) -> list[Gem]:
    """Five gems that were made and used at various times, so that each has a state of its own."""
    found = []
    for i, name in enumerate(NAMES):
        gem = await gems.create(tenant, GemChange(name), later(at, i))
        found.append(gem)
        for day in range(i):
            async with database.transaction(tenant) as conn:
                await use_gems(conn, {gem.gem_id: 0.3}, later(at, 5 + 9 * i * (day + 1)), cause="recall")
    return found


def later(at: Moment, days: float) -> Moment:
    return Moment(at.now + timedelta(days=days), at.time_unit)


async def read_all(gems: Gems, tenant: UUID, at: Moment) -> Any:
    """Return the states of all gems that are not archived, one by one."""
    page = await gems.list_page(tenant, at, archived=False, limit=100)
    return QuantumState(*(np.array([getattr(gem.state, name) for gem in page]) for name in STATE))


def assert_alike(found: FieldSummary, expected: FieldSummary) -> None:
    for name in ("at", "gems", "edges", "coherence_counts", "uncertainty_counts", "below", "threshold"):
        assert getattr(found, name) == getattr(expected, name), name
    for name in ("order_parameter", "phase", "coherence_mean", "uncertainty_mean", "energy_mean"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-9), name


@pytest.mark.parametrize("days", [100.0, 130.0, 100_000.0])
async def test_the_field_in_postgres_is_that_of_the_states(
    database: Database, gems: Gems, made: list[Gem], tenant: UUID, at: Moment, days: float
) -> None:
    await gems.archive(tenant, made[0].gem_id, at)
    moment = later(at, days)
    expected = summarise(await read_all(gems, tenant, moment), moment.now, buckets=7, below=0.4)
    async with database.transaction(tenant, read_only=True) as conn:
        assert_alike(await read_field(conn, moment, buckets=7, below=0.4), expected)


async def test_the_field_is_that_of_one_tenant(
    database: Database, questions: LatticeField, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    assert (await questions.summary(uuid4(), at)).gems == 0
    assert (await questions.summary(tenant, later(at, 100))).gems == len(made)
    assert await questions.risks(uuid4(), later(at, 1000)) == []
    assert await questions.modes(uuid4(), at) == []
    assert [point.gems for point in await questions.lattice_history(uuid4(), at, points=2)] == [0, 0]


async def test_states_of_any_size_are_summarised(
    database: Database, questions: LatticeField, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    extremes = [(1e308, 6.2, 1.0, 1.0), (5e-324, 0.0, 1e-300, 0.0), (1e-200, 1e-320, 1.0, 1e-320)]
    async with database.transaction(tenant) as conn:
        for gem, state in zip(made, extremes, strict=False):
            update = "UPDATE gem SET energy = %s, phase = %s, coherence = %s, uncertainty = %s WHERE gem_id = %s"
            await conn.execute(update, (*state, gem.gem_id))
    assert (await questions.summary(tenant, later(at, 4000))).gems == len(made)
    assert len(await questions.risks(tenant, later(at, 4000))) == len(made) - 1


async def test_what_is_to_come_is_what_the_live_state_says_later(
    questions: LatticeField, gems: Gems, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    now, then = later(at, 200), later(at, 260)
    for gem in made:
        foreseen = await questions.state(tenant, gem.gem_id, now, moment=then.now)
        live = await questions.state(tenant, gem.gem_id, then)
        assert (foreseen.state, foreseen.falls_at) == (live.state, live.falls_at)
        assert foreseen.field == pytest.approx(live.field, abs=1e-12)
        assert live.state == (await gems.get(tenant, gem.gem_id, then)).state


async def test_the_past_is_what_was_live_then(
    database: Database, questions: LatticeField, gems: Gems, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    then = later(at, 200)
    live = [await questions.state(tenant, gem.gem_id, then) for gem in made]
    whole = await questions.summary(tenant, then)
    shares = field(await read_all(gems, tenant, then))
    async with database.transaction(tenant) as conn:
        await use_gems(conn, {gem.gem_id: 0.7 for gem in made}, later(at, 210), cause="recall")
    for gem, before in zip(made, live, strict=True):
        past = await questions.state(tenant, gem.gem_id, later(at, 300), moment=then.now)
        assert past.state == before.state
        assert past.field == pytest.approx(before.field, abs=1e-12)
    assert_alike(await questions.summary(tenant, later(at, 300), moment=then.now), whole)
    assert sorted(each.field for each in live) == pytest.approx(sorted(shares.tolist()), abs=1e-9)


async def test_the_last_point_of_a_curve_is_the_live_state(
    questions: LatticeField, gems: Gems, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    now = later(at, 400)
    for i, gem in enumerate(made):
        found = await questions.history(tenant, gem.gem_id, now, points=20)
        assert found.curve.points[-1].state == found.gem.state == (await gems.get(tenant, gem.gem_id, now)).state
        assert found.curve.points[0].at == gem.created_at
        assert [mark.entry.cause for mark in found.curve.marks] == ["ingest"] + ["recall"] * i
    window = await questions.history(tenant, made[4].gem_id, now, since=later(at, 40).now, until=later(at, 90).now)
    assert [mark.entry.since for mark in window.curve.marks] == [later(at, 41).now, later(at, 77).now]
    assert window.curve.marks[0].before == evolve(QuantumState.new(), 37 / 30)


async def test_a_curve_tells_through_whom_it_was_reached(
    database: Database, questions: LatticeField, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    tides, cranes = made[0].gem_id, made[1].gem_id
    async with database.transaction(tenant) as conn:
        await set_entanglement(conn, tides, cranes, 0.5, at.now)
        await use_gems(conn, {tides: 0.4}, later(at, 100), cause="recall")
    (*_, mark) = (await questions.history(tenant, cranes, later(at, 101))).curve.marks
    assert (mark.entry.cause, mark.entry.via_gem_id, mark.entry.gain) == ("entanglement", tides, 0.2)


async def test_a_gem_that_had_fallen_tells_of_the_past_when_it_did(
    database: Database, questions: LatticeField, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    then, gem_id = later(at, 200), made[2].gem_id
    live = await questions.state(tenant, gem_id, then, below=0.9)
    async with database.transaction(tenant) as conn:
        await use_gems(conn, {gem_id: 0.7}, later(at, 250), cause="recall")
    for unit in (at.time_unit, at.time_unit / 3):
        past = await questions.state(tenant, gem_id, Moment(later(at, 300).now, unit), moment=then.now, below=0.9)
        assert (past.state, past.falls_at) == (live.state, live.falls_at)


async def test_a_forecast_is_the_future_and_tells_when_the_gem_falls(
    questions: LatticeField, gems: Gems, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    now = later(at, 200)
    found = await questions.forecast(tenant, made[4].gem_id, now, until=later(at, 500).now, below=0.3, points=4)
    assert [point.at for point in found.points] == [later(at, days).now for days in (200, 300, 400, 500)]
    for point in found.points:
        assert point.state == (await gems.get(tenant, made[4].gem_id, Moment(point.at, at.time_unit))).state
    assert found.falls_at is not None
    gem = await gems.get(tenant, made[4].gem_id, Moment(found.falls_at, at.time_unit))
    assert gem.state.coherence == pytest.approx(0.3, abs=1e-9)


async def test_gems_at_risk_come_soonest_first_with_those_that_have_fallen(
    questions: LatticeField, gems: Gems, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    now = later(at, 200)
    found = await questions.risks(tenant, now, below=0.2, within_days=100)
    expected = {gem.gem_id: (await questions.state(tenant, gem.gem_id, now, below=0.2)).falls_at for gem in made}
    soon = {gem_id: falls for gem_id, falls in expected.items() if falls and falls <= later(now, 100).now}
    assert {each.gem_id: each.falls_at for each in found} == soon
    moments = [each.falls_at for each in found if each.falls_at]
    assert moments == sorted(moments)
    assert moments[0] < now.now < moments[-1]
    assert [each.state.coherence < 0.2 for each in found] == [falls < now.now for falls in moments]
    assert [each.gem_id for each in await questions.risks(tenant, now, below=0.2, limit=1)] == [found[0].gem_id]
    await gems.archive(tenant, found[0].gem_id, now)
    assert found[0].gem_id not in {each.gem_id for each in await questions.risks(tenant, now, below=0.2)}


async def test_the_past_of_the_lattice_is_what_its_field_was(
    questions: LatticeField, gems: Gems, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    await gems.archive(tenant, made[2].gem_id, later(at, 390))
    now = later(at, 400)
    points = await questions.lattice_history(tenant, now, since=later(at, -10).now, until=later(now, 10).now, points=43)
    assert points[0].gems == 0
    assert points[1].gems == 1
    for point in points[1:]:
        whole = await questions.summary(tenant, now, moment=point.at)
        assert point.gems == whole.gems
        assert point.coherence == pytest.approx(whole.coherence_mean, abs=1e-12)
        assert point.uncertainty == pytest.approx(whole.uncertainty_mean, abs=1e-12)
        assert point.order_parameter == pytest.approx(whole.order_parameter, abs=1e-12)


async def test_a_past_at_the_edge_of_the_calendar_is_empty(
    questions: LatticeField, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    edge = datetime.min.replace(tzinfo=at.now.tzinfo)
    points = await questions.lattice_history(tenant, at, until=edge)
    assert [(point.at, point.gems) for point in points] == [(edge, 0)]


async def test_the_past_does_not_depend_on_the_unit_of_time_of_today(
    database: Database, questions: LatticeField, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    then, gem_id = later(at, 200), made[4].gem_id
    live = await questions.state(tenant, gem_id, then)
    whole = await questions.summary(tenant, then)
    async with database.transaction(tenant) as conn:
        await use_gems(conn, {gem.gem_id: 0.3 for gem in made}, later(at, 250), cause="recall")
    today = Moment(later(at, 300).now, at.time_unit / 3)
    assert (await questions.state(tenant, gem_id, today, moment=then.now)).state == live.state
    curve = (await questions.history(tenant, gem_id, today, until=then.now)).curve
    assert curve.points[-1].state == live.state
    assert_alike(await questions.summary(tenant, today, moment=then.now), whole)


def test_the_phase_of_a_wave_stays_below_a_whole_turn() -> None:
    ones = np.ones(3)
    states = QuantumState(
        ones, np.array([0.0, 0.0, PHASE_MAX]), ones, ones
    )  # their mean is closer to 2π than any float
    summary = summarise(states, datetime.fromisoformat("2026-03-01T12:00:00Z"))
    (mode,) = find_modes(states)
    assert (summary.phase, mode.phase) == (PHASE_MAX, PHASE_MAX)


async def test_modes_name_each_gem_once(questions: LatticeField, made: list[Gem], at: Moment, tenant: UUID) -> None:
    found = await questions.modes(tenant, later(at, 150))
    named = [name for each in found for _, name in each.names]
    assert sorted(named) == sorted(NAMES)
    assert {gem_id for each in found for gem_id, _ in each.names} == {gem.gem_id for gem in made}
    assert all(len(each.names) <= 1 for each in await questions.modes(tenant, later(at, 150), limit=1))


async def test_gems_are_compared_in_the_order_asked_for(
    questions: LatticeField, gems: Gems, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    now = later(at, 150)
    asked = [made[3].gem_id, made[0].gem_id]
    found = await questions.interference(tenant, asked, now)
    first, second = [(await gems.get(tenant, gem_id, now)).state for gem_id in asked]
    overlap = np.cos(first.phase - second.phase) * first.coherence * second.coherence
    assert found.matrix[0][1] == found.matrix[1][0] == pytest.approx(overlap)
    assert found.matrix[0][0] == pytest.approx(first.coherence**2)
    states = QuantumState(*(np.array([getattr(first, name), getattr(second, name)]) for name in STATE))
    assert found.order_parameter == pytest.approx(order_parameter(states))


async def test_what_cannot_be_answered_is_refused(
    questions: LatticeField, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    gem_id = made[0].gem_id
    with pytest.raises(InvalidInputError, match="at: must not be before the gem was made"):
        await questions.state(tenant, gem_id, at, moment=later(at, -1).now)
    with pytest.raises(InvalidInputError, match="below"):
        await questions.forecast(tenant, gem_id, at, below=0.0)
    with pytest.raises(InvalidInputError, match="until"):
        await questions.forecast(tenant, gem_id, at, until=later(at, -1).now)
    with pytest.raises(InvalidInputError, match="within_days"):
        await questions.risks(tenant, at, within_days=-1)
    for gem_ids in ([], [gem_id] * 201):
        with pytest.raises(InvalidInputError, match="gem_ids"):
            await questions.interference(tenant, gem_ids, at)
    with pytest.raises(GemNotFoundError):
        await questions.state(DEFAULT_TENANT, uuid4(), at)


async def test_a_fall_beyond_the_calendar_is_none(
    database: Database, questions: LatticeField, made: list[Gem], at: Moment, tenant: UUID
) -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute("UPDATE gem SET energy = 1e12 WHERE gem_id = %s", (made[0].gem_id,))
    assert (await questions.state(tenant, made[0].gem_id, at)).falls_at is None
    assert made[0].gem_id not in {each.gem_id for each in await questions.risks(tenant, at, within_days=36_500)}


def test_the_fall_of_a_new_gem_is_written_down() -> None:
    made_at = datetime.fromisoformat("2026-03-01T12:00:00Z")
    told = falls_at(QuantumState.new(), made_at, timedelta(days=30))
    assert told is not None
    assert told.isoformat() == "2026-05-09T13:51:40.561041+00:00"

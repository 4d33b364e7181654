"""A simulation is run once, kept, and found again by the same request."""

import struct
from uuid import UUID, uuid4

import numpy as np
import pytest

from axiom.simulation import (
    Scenario,
    SimulationResult,
)
from core.errors import SimulationNotFoundError
from core.pg import Connection, Database
from reflection.simulations import (
    SimulationCache,
    Simulations,
    read_scenario,
)
from reflection.simulations.simulation import Simulation, address, nearest_to_median, pack
from reflection.simulations.store import find_simulation

GROWTH = {"inputs": {"A": 0.5}, "rules": {"A": {"rule": "linear", "slope": 0.001}}, "steps": 250}
BANDS = {
    **GROWTH,
    "ensemble": {"size": 40, "uncertainty": {"C": {"kind": "uniform", "width": 0.1}}, "quantiles": [0.9, 0.1, 0.4]},
}


@pytest.fixture
def simulations(database: Database) -> Simulations:
    return Simulations(database)


def check_same(one: Simulation, other: Simulation) -> None:
    assert one.head == other.head
    assert one.events == other.events
    assert one.rows.tobytes() == other.rows.tobytes()


@pytest.mark.parametrize("told", [GROWTH, BANDS], ids=["single", "ensemble"])
async def test_what_is_read_is_what_was_run(simulations: Simulations, tenant: UUID, told: dict[str, object]) -> None:
    scenario = read_scenario(told)
    answered = await simulations.run(tenant, scenario)
    assert answered.origin == "miss"
    check_same(await simulations.get(tenant, address(scenario)), answered.simulation)
    result = scenario.run()
    outcome = answered.simulation.head.outcome
    for name in ("A", "score"):
        expected = result.series[name] if isinstance(result, SimulationResult) else result.bands[name]
        assert np.array_equal(answered.simulation.series(name), expected)
    assert Scenario.from_dict(answered.simulation.head.scenario).fingerprint() == scenario.fingerprint()
    assert outcome.summaries["A"]["final"] == pytest.approx(0.75)


async def test_a_variable_without_a_rule_stays_where_it_began(simulations: Simulations, tenant: UUID) -> None:
    single = (await simulations.run(tenant, read_scenario({**GROWTH, "inputs": {"B": 0.25}}))).simulation
    assert single.series("B").tolist() == [0.25] * 251
    bands = (await simulations.run(tenant, read_scenario(BANDS))).simulation
    assert bands.series("X").tolist() == [[1.0] * 251] * 3
    assert bands.head.outcome.names == ("A", "C", "score")
    high, low, middle = bands.series("C")  # uncertain, so drawn around 1 and bounded there
    assert low[0] < middle[0] < high[0] <= 1.0
    assert len({*low}) == 1


async def test_the_middle_band_is_the_one_nearest_to_the_median(simulations: Simulations, tenant: UUID) -> None:
    assert nearest_to_median([0.9, 0.1, 0.4]) == 2
    assert nearest_to_median([]) == 0
    simulation = (await simulations.run(tenant, read_scenario(BANDS))).simulation
    assert simulation.head.outcome.quantiles == (0.9, 0.1, 0.4)
    assert np.array_equal(simulation.middle("score"), simulation.series("score")[2])
    assert simulation.head.outcome.summaries["score"]["final"] == simulation.middle("score")[-1]


async def test_the_same_request_is_found_in_the_cache_and_then_in_the_database(
    simulations: Simulations, database: Database, tenant: UUID
) -> None:
    for told in (GROWTH, {**GROWTH, "steps": 5_000}):  # the second one is looked for before it is run
        scenario = read_scenario(told)
        first = await simulations.run(tenant, scenario)
        again = await simulations.run(tenant, scenario)
        stored = await Simulations(database).run(tenant, scenario)
        assert [each.origin for each in (first, again, stored)] == ["miss", "hit", "stored"]
        check_same(again.simulation, first.simulation)
        check_same(stored.simulation, first.simulation)
    assert (simulations.cache.hits, simulations.cache.misses) == (2, 2)


async def test_another_name_is_another_simulation(simulations: Simulations, tenant: UUID) -> None:
    plain, named = read_scenario(GROWTH), read_scenario({**GROWTH, "name": "growth"})
    assert address(plain) != address(named)
    assert (await simulations.run(tenant, plain)).origin == "miss"
    assert (await simulations.run(tenant, named)).simulation.head.scenario["name"] == "growth"


def test_an_id_is_that_of_the_content() -> None:
    ids = {address(read_scenario({**GROWTH, "seed": seed})) for seed in range(50)}
    assert len(ids) == 50
    assert {(each.version, each.variant) for each in ids} == {(8, "specified in RFC 4122")}
    assert address(read_scenario(GROWTH)) in ids


async def test_tenants_never_see_each_others_simulations(simulations: Simulations, tenant: UUID) -> None:
    scenario, other = read_scenario(GROWTH), uuid4()
    first = await simulations.run(tenant, scenario)
    assert (await simulations.run(other, scenario)).origin == "miss"
    await simulations.delete(other, address(scenario))
    with pytest.raises(SimulationNotFoundError):
        await simulations.get(other, address(scenario))
    with pytest.raises(SimulationNotFoundError):
        await simulations.delete(other, address(scenario))
    assert await simulations.list_page(other, before=None, limit=5) == []
    check_same(await simulations.get(tenant, address(scenario)), first.simulation)


async def test_what_was_deleted_is_run_anew(simulations: Simulations, tenant: UUID) -> None:
    scenario = read_scenario(GROWTH)
    await simulations.run(tenant, scenario)
    await simulations.delete(tenant, address(scenario))
    assert (await simulations.run(tenant, scenario)).origin == "miss"


async def test_pages_go_from_the_newest_to_the_oldest(simulations: Simulations, tenant: UUID) -> None:
    ids = [
        (await simulations.run(tenant, read_scenario({**GROWTH, "seed": seed}))).simulation.head.simulation_id
        for seed in range(3)
    ]
    first = await simulations.list_page(tenant, before=None, limit=2)
    last = first[-1]
    rest = await simulations.list_page(tenant, before=(last.created_at, last.simulation_id), limit=2)
    assert [each.simulation_id for each in (*first, *rest)] == ids[::-1]


async def test_a_run_that_grows_beyond_a_float_keeps_the_steps_before(simulations: Simulations, tenant: UUID) -> None:
    scenario = read_scenario({"rules": {"E_n": {"rule": "e_sequence"}}, "steps": 2_000})
    await simulations.run(tenant, scenario)
    simulation = await simulations.get(tenant, address(scenario))
    stopped = simulation.head.outcome.stopped
    assert stopped is not None
    assert (stopped.variable, stopped.step) == ("E_n", simulation.head.outcome.last_step + 1)
    assert 600 < simulation.head.outcome.last_step < 700  # 2·3ⁿ reaches 10³⁰⁸ there
    assert np.isfinite(simulation.rows).all()


async def test_what_is_deleted_while_it_is_looked_for_is_not_kept(
    simulations: Simulations, database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = read_scenario({**GROWTH, "steps": 5_000})
    await Simulations(database).run(tenant, scenario)

    async def find_late(conn: Connection, simulation_id: UUID) -> Simulation | None:
        found = await find_simulation(conn, simulation_id)
        if found is not None:
            await simulations.delete(tenant, simulation_id)
        return found

    monkeypatch.setattr("reflection.simulations.simulations.find_simulation", find_late)
    assert (await simulations.run(tenant, scenario)).origin == "stored"
    assert (await simulations.run(tenant, scenario)).origin == "miss"


async def test_the_cache_forgets_with_time_and_by_size(simulations: Simulations, tenant: UUID) -> None:
    now = 0.0
    made = [(await simulations.run(tenant, read_scenario({**GROWTH, "seed": seed}))).simulation for seed in range(4)]
    cache = SimulationCache(entries=2, ttl_s=60.0, clock=lambda: now)
    for each in made:
        cache.keep(tenant, each)
    assert [cache.find(tenant, each.head.simulation_id) is not None for each in made] == [False, False, True, True]
    assert cache.find(uuid4(), made[3].head.simulation_id) is None
    now = 60.0
    assert [cache.find(tenant, each.head.simulation_id) for each in made] == [None] * 4
    assert (len(cache), cache.bytes_held) == (0, 0)
    small = SimulationCache(most_bytes=made[0].size + 1)
    for each in made[:2]:
        small.keep(tenant, each)
    assert len(small) == 1
    tiny = SimulationCache(most_bytes=made[0].size - 1)
    tiny.keep(tenant, made[0])
    assert len(tiny) == 0


def test_numbers_are_stored_in_the_same_order_on_any_machine() -> None:
    rows = np.array([[[0.1, 5e-324]]])
    expected = struct.pack("<2d", 0.1, 5e-324)
    assert pack(rows) == expected
    assert pack(rows.astype(">f8")) == expected

"""A simulation is run once, kept, and found again by the same request."""

import asyncio
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid4

import numpy as np
import pytest

from axiom.simulation import Ensemble, Rule, Scenario, SimulationResult, SystemState
from core.errors import InvalidInputError, SimulationNotFoundError
from core.pg import Database
from reflection.simulations import Answered, Progress, SimulationCache, Simulations, read_scenario
from reflection.simulations.simulation import Simulation, address, nearest_to_median, pack
from reflection.simulations.simulations import LONG_AT_ONCE, SHORT

GROWTH = {"inputs": {"A": 0.5}, "rules": {"A": {"rule": "linear", "slope": 0.001}}, "steps": 250}
BANDS = {
    **GROWTH,
    "ensemble": {"size": 40, "uncertainty": {"C": {"kind": "uniform", "width": 0.1}}, "quantiles": [0.9, 0.1, 0.4]},
}


@dataclass(frozen=True, slots=True)
class Gate(Rule):
    """A rule that stands still until its gate is opened, and counts how often it was begun."""

    kind: ClassVar[str] = "gate"
    opened: ClassVar[threading.Event] = threading.Event()
    begun: ClassVar[list[int]] = []

    def __call__(self, state: SystemState, step: int, /) -> float:
        if step == 1:
            self.begun.append(step)
            self.opened.wait(10)
        return 0.5


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    Gate.opened.clear()
    Gate.begun.clear()
    yield Gate.opened
    Gate.opened.set()


@pytest.fixture
def simulations(database: Database) -> Simulations:
    return Simulations(database)


def gated(steps: int = 100, seed: int = 0) -> Scenario:
    return Scenario(rules={"A": Gate()}, steps=steps, seed=seed)


async def begin(runs: int = 1) -> None:
    """Wait until so many runs stand before the gate."""
    async with asyncio.timeout(5):
        while len(Gate.begun) < runs:  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.005)


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


async def test_two_same_requests_at_once_are_run_once(
    simulations: Simulations, tenant: UUID, gate: threading.Event
) -> None:
    asked = [asyncio.create_task(simulations.run(tenant, gated())) for _ in range(3)]
    await begin()
    gate.set()
    answered = await asyncio.gather(*asked)
    assert sorted(each.origin for each in answered) == ["hit", "hit", "miss"]
    assert Gate.begun == [1]


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


async def test_a_run_is_watched(simulations: Simulations, tenant: UUID, gate: threading.Event) -> None:
    told = []
    async for each in simulations.watch(tenant, gated()):
        told.append(each)
        gate.set()
    assert told[0] == Progress(0, 100)
    assert isinstance(told[-1], Answered)
    assert told[-1].origin == "miss"


async def test_a_run_that_nobody_waits_for_ends(simulations: Simulations, tenant: UUID, gate: threading.Event) -> None:
    asked = asyncio.create_task(simulations.run(tenant, gated(SHORT + 1)))
    await begin()
    asked.cancel()
    asyncio.get_running_loop().call_later(0.05, gate.set)  # the thread notices at the end of its block
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await simulations.list_page(tenant, before=None, limit=5) == []
    assert (await simulations.run(tenant, gated(SHORT + 1))).origin == "miss"


async def test_a_run_goes_on_while_somebody_waits_for_it(
    simulations: Simulations, tenant: UUID, gate: threading.Event
) -> None:
    first, second = (asyncio.create_task(simulations.run(tenant, gated())) for _ in range(2))
    await begin()
    first.cancel()
    await asyncio.wait([first])
    gate.set()
    assert (await second).simulation.head.outcome.last_step == 100
    assert Gate.begun == [1]


async def test_long_runs_do_not_hold_up_short_ones(
    simulations: Simulations, tenant: UUID, gate: threading.Event
) -> None:
    long = [asyncio.create_task(simulations.run(tenant, gated(SHORT + 1, seed))) for seed in range(LONG_AT_ONCE + 1)]
    await begin(LONG_AT_ONCE)
    assert (await simulations.run(tenant, read_scenario(GROWTH))).origin == "miss"
    assert len(Gate.begun) == LONG_AT_ONCE
    gate.set()
    assert {each.origin for each in await asyncio.gather(*long)} == {"miss"}


@pytest.mark.parametrize(
    ("scenario", "field"),
    [
        (Scenario(steps=100_000, ensemble=Ensemble(201, quantiles=(0.5,))), "ensemble.size"),
        (Scenario(steps=100_000, ensemble=Ensemble(2, quantiles=(0.1, 0.2, 0.3, 0.4))), "ensemble.quantiles"),
        (
            read_scenario(
                {"steps": 100_000, "events": [{"event": "threshold", "level": 0.5}] * 3, "ensemble": {"size": 67}}
            ),
            "events",
        ),
        (
            read_scenario(
                {
                    "steps": 1,
                    "events": [{"event": "milestones", "levels": [0.1, 0.2]}] * 7,
                    "ensemble": {"size": 1_000_000},
                }
            ),
            "events",
        ),
        (read_scenario({"rules": {"A": {"rule": "sum", "rules": [{"rule": "constant"}] * 100}}}), "rules"),
    ],
    ids=["size", "quantiles", "events", "levels", "rules"],
)
async def test_too_much_is_refused_by_name(
    simulations: Simulations, tenant: UUID, scenario: Scenario, field: str
) -> None:
    with pytest.raises(InvalidInputError, match="may be at most") as caught:
        await simulations.run(tenant, scenario)
    assert caught.value.field == field


def test_rules_nested_too_deeply_are_refused() -> None:
    rule: dict[str, object] = {"rule": "constant"}
    for _ in range(900):
        rule = {"rule": "chain", "rules": [rule]}
    with pytest.raises(InvalidInputError, match="nested too deeply"):
        read_scenario({"rules": {"A": rule}})


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

"""Runs of simulations: shared, watched, left, queued, and what extensions can do to them."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from axiom.simulation import (
    Event,
    Parameters,
    Rule,
    Scenario,
    SystemState,
)
from core.errors import SimulationsBusyError
from core.pg import Database
from reflection.simulations import (
    Answered,
    Progress,
    Simulations,
    read_scenario,
)
from reflection.simulations.limits import SHORT
from reflection.simulations.simulation import LONGEST_TEXT, address
from reflection.simulations.simulations import AT_ONCE

GROWTH = {"inputs": {"A": 0.5}, "rules": {"A": {"rule": "linear", "slope": 0.001}}, "steps": 250}


@dataclass(frozen=True, slots=True)
class Gate(Rule):
    """A rule that stands still until its gate is opened, and counts how often it was begun."""

    kind: ClassVar[str] = "gate"
    opened: ClassVar[threading.Event] = threading.Event()
    begun: ClassVar[list[int]] = []

    def __call__(self, state: SystemState, step: int, /) -> float:
        if step == 1:
            self.begun.append(step)
            self.opened.wait(120)
        return 0.5


@dataclass(frozen=True, slots=True)
class Quitter(Rule):
    """A rule that asks the process to end."""

    kind: ClassVar[str] = "quitter"

    def __call__(self, state: SystemState, step: int, /) -> float:
        raise SystemExit(3)


@dataclass(frozen=True, slots=True)
class Oddity(Parameters):
    """A detector whose events are not what they should be."""

    kind: ClassVar[str] = "oddity"
    tag: ClassVar[str] = "event"
    variables: ClassVar[frozenset[str]] = frozenset({"score"})
    told: ClassVar[list[Any]] = [
        Event("far", "weather", 1.0, 1.0),  # type: ignore[arg-type]
        Event("soon", "score", 2.0, None),  # type: ignore[arg-type]
        Event("nan", "score", 3.0, float("nan")),
        Event(7, "score", np.float64(4.0), np.int64(1), np.int32(0), np.str_("odd \udcff")),  # type: ignore[arg-type]
        Event("long", "score", 5.0, 1.0, 0, "x" * 1_000_000),
    ]

    def detect(self, series: Mapping[str, NDArray[np.float64]], /) -> list[Any]:
        return self.told


@pytest.fixture
def simulations(database: Database) -> Simulations:
    return Simulations(database)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    Gate.opened.clear()
    Gate.begun.clear()
    yield Gate.opened
    Gate.opened.set()


def gated(steps: int = 100, seed: int = 0) -> Scenario:
    return Scenario(rules={"A": Gate()}, steps=steps, seed=seed)


async def begin(runs: int = 1) -> None:
    """Wait until so many runs stand before the gate."""
    async with asyncio.timeout(60):
        while len(Gate.begun) < runs:  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.005)


async def test_two_same_requests_at_once_are_run_once(
    simulations: Simulations, tenant: UUID, gate: threading.Event
) -> None:
    asked = [asyncio.create_task(simulations.run(tenant, gated())) for _ in range(3)]
    await begin()
    gate.set()
    answered = await asyncio.gather(*asked)
    assert sorted(each.origin for each in answered) == ["hit", "hit", "miss"]
    assert Gate.begun == [1]


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
    long = [asyncio.create_task(simulations.run(tenant, gated(SHORT + 1, seed))) for seed in range(AT_ONCE + 1)]
    await begin(AT_ONCE)
    assert (await simulations.run(tenant, read_scenario(GROWTH))).origin == "miss"
    assert len(Gate.begun) == AT_ONCE
    gate.set()
    assert {each.origin for each in await asyncio.gather(*long)} == {"miss"}


async def test_runs_that_hang_take_no_threads_from_others(
    simulations: Simulations, tenant: UUID, gate: threading.Event
) -> None:
    hanging = [asyncio.create_task(simulations.run(tenant, gated(seed=seed))) for seed in range(40)]
    await begin(AT_ONCE)
    async with asyncio.timeout(60):
        assert await asyncio.to_thread(lambda: "free") == "free"
        assert (await simulations.run(tenant, read_scenario({**GROWTH, "steps": 50_000}))).origin == "miss"
    assert len(Gate.begun) == AT_ONCE
    gate.set()
    assert {each.origin for each in await asyncio.gather(*hanging)} == {"miss"}


async def test_too_many_that_wait_are_refused(
    simulations: Simulations, tenant: UUID, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reflection.simulations.simulations.MOST_WAITING", 1)
    first = asyncio.create_task(simulations.run(tenant, gated()))
    await begin()
    with pytest.raises(SimulationsBusyError):
        await simulations.run(tenant, gated(seed=1))
    same = asyncio.create_task(simulations.run(tenant, gated()))  # waits for no run of its own
    gate.set()
    assert {(await first).origin, (await same).origin} == {"miss", "hit"}
    assert simulations.under_way == 0


async def test_a_rule_that_asks_the_process_to_end_stops_its_run_alone(simulations: Simulations, tenant: UUID) -> None:
    answered = await simulations.run(tenant, Scenario(rules={"A": Quitter()}))
    stopped = answered.simulation.head.outcome.stopped
    assert stopped is not None
    assert stopped.problem.startswith("its rule failed: SystemExit")
    assert (await simulations.run(tenant, read_scenario(GROWTH))).origin == "miss"


async def test_what_a_detector_says_can_be_read_again(simulations: Simulations, tenant: UUID) -> None:
    scenario = Scenario(steps=5, events=(Oddity(),))  # type: ignore[arg-type]
    answered = await simulations.run(tenant, scenario)
    odd, long = answered.simulation.events
    assert odd == Event("7", "score", 4.0, 1.0, 0, "odd \N{REPLACEMENT CHARACTER}")
    assert long.detail == "x" * LONGEST_TEXT
    assert answered.simulation.head.outcome.events_total == 5
    assert (await simulations.get(tenant, address(scenario))).events == (odd, long)

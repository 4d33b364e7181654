"""Simulations: run once, kept, and found again by the same request."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from axiom.simulation import Scenario
from core.clock import utc_now
from core.errors import SimulationsBusyError
from core.flights import Flights
from core.pg import Connection, Database
from core.threads import run_aside
from reflection.simulations.cache import SimulationCache
from reflection.simulations.limits import Pace, judge_pace
from reflection.simulations.simulation import Simulation, SimulationHead, address, take_down
from reflection.simulations.store import (
    delete_simulation,
    find_simulation,
    insert_simulation,
    list_simulations,
    not_found,
)

AT_ONCE = 2  # runs of each pace
MOST_WAITING = 1_000  # for one of these
LOOK_S = 0.25  # between two looks at a run that is watched

Origin = Literal["hit", "stored", "miss"]


@dataclass(frozen=True, slots=True)
class Answered:
    """A simulation, and where it came from.

    Attributes:
        origin: `hit` from the process's cache or by another request's run, `stored` from the database, `miss` if this
            request ran it.
    """

    simulation: Simulation
    origin: Origin


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    step: int
    steps: int


class _GivenUpError(Exception):
    """Ends a run that nobody waits for any more."""


@dataclass(slots=True)
class _Run:
    """A run under way, told of and ended across threads."""

    done: int = 0
    given_up: bool = False

    def tell(self, done: int, _: int) -> None:
        """Note how far it is."""
        if self.given_up:
            raise _GivenUpError
        self.done = done


@dataclass(frozen=True, slots=True)
class Simulations:
    """The simulations of the lattice.

    Args:
        database: where they are stored.
        cache: those that were asked for lately.
    """

    database: Database
    cache: SimulationCache = field(default_factory=SimulationCache)
    _flights: Flights = field(default_factory=Flights)
    _runs: dict[tuple[UUID, UUID], _Run] = field(default_factory=dict)
    _short: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _long: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    @property
    def under_way(self) -> int:
        """How many are being run, or wait for it."""
        return len(self._runs)

    async def run(self, tenant: UUID, scenario: Scenario) -> Answered:
        """Run a scenario and store it, unless it was run before; two same ones at once are run once.

        If the caller is cancelled and nobody else waits for it, the run ends.

        Raises:
            InvalidInputError: it asks for more than one request may.
            SimulationsBusyError: too many wait for their run already.
        """
        pace = judge_pace(scenario)
        key = (tenant, address(scenario))
        kept = self.cache.find(*key)
        if kept is not None:
            self.cache.hits += 1
            return Answered(kept, "hit")
        answered, led = await self._flights.once(key, lambda: self._find_or_make(key, scenario, pace))
        if not led:
            self.cache.hits += 1
            return Answered(answered.simulation, "hit")
        self.cache.misses += 1
        return answered

    async def watch(self, tenant: UUID, scenario: Scenario) -> AsyncGenerator[Progress | Answered]:
        """Do the same and tell of it meanwhile: some `Progress`, then what was answered.

        Raises:
            LatticeError: as `run`.
        """
        key = (tenant, address(scenario))
        answering = asyncio.create_task(self.run(tenant, scenario))
        done = 0
        try:
            while not (await asyncio.wait([answering], timeout=LOOK_S))[0]:
                run = self._runs.get(key)  # not there before it begins, and while it is stored
                done = done if run is None else run.done
                yield Progress(done, scenario.steps)
            yield answering.result()
        finally:
            answering.cancel()
            await asyncio.wait([answering])

    async def get(self, tenant: UUID, simulation_id: UUID) -> Simulation:
        """Return a simulation.

        Raises:
            SimulationNotFoundError: it is not in the lattice.
        """
        found = await self._find(tenant, simulation_id)
        if found is None:
            raise not_found(simulation_id)
        return found

    async def list_page(
        self, tenant: UUID, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[SimulationHead]:
        """Return a page of simulations, newest first."""

        async def look(conn: Connection) -> list[SimulationHead]:
            return await list_simulations(conn, before=before, limit=limit)

        return await self.database.retrying(tenant, look, read_only=True)

    async def delete(self, tenant: UUID, simulation_id: UUID) -> None:
        """Delete a simulation.

        Raises:
            SimulationNotFoundError: it is not in the lattice.
        """
        self.cache.forget(tenant, simulation_id)
        await self.database.retrying(tenant, lambda conn: delete_simulation(conn, simulation_id))
        self.cache.forget(tenant, simulation_id)  # whoever asked for it meanwhile may have brought it back

    async def _find_or_make(self, key: tuple[UUID, UUID], scenario: Scenario, pace: Pace) -> Answered:
        mark = self.cache.mark()
        answered = await self._look_or_make(key, scenario, pace)
        if self.cache.mark() == mark:  # else it may be this one that was deleted meanwhile
            self.cache.keep(key[0], answered.simulation)
        return answered

    async def _look_or_make(self, key: tuple[UUID, UUID], scenario: Scenario, pace: Pace) -> Answered:
        if pace == "brief":  # to make it takes no longer than to look whether it is there
            made = take_down(key[1], scenario, scenario.run(), utc_now())
        else:
            found = await self._find(*key)
            if found is not None:
                return Answered(found, "stored")
            made = await self._make(key, scenario, self._short if pace == "short" else self._long)

        async def store(conn: Connection) -> Answered:
            stored = await insert_simulation(conn, made)
            if stored is not None:
                return Answered(stored, "miss")
            other = await find_simulation(conn, key[1])
            return Answered(other or made, "stored")

        return await self.database.retrying(key[0], store)

    async def _find(self, tenant: UUID, simulation_id: UUID) -> Simulation | None:
        async def look(conn: Connection) -> Simulation | None:
            return await find_simulation(conn, simulation_id)

        return await self.database.retrying(tenant, look, read_only=True)

    async def _make(self, key: tuple[UUID, UUID], scenario: Scenario, slots: asyncio.Semaphore) -> Simulation:
        if len(self._runs) >= MOST_WAITING:
            raise SimulationsBusyError(f"{MOST_WAITING:,} simulations wait for their run already; ask again later")
        run = self._runs[key] = _Run()

        def make() -> Simulation:
            return take_down(key[1], scenario, scenario.run(run.tell), utc_now())

        try:
            async with slots:
                return await _in_thread(make, run)
        finally:
            del self._runs[key]


async def _in_thread(make: Callable[[], Simulation], run: _Run) -> Simulation:
    """Make it in a thread of its own; if the caller is cancelled, wait until the thread has noticed."""
    making = asyncio.create_task(run_aside(make))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        run.given_up = True
        await asyncio.wait([making])
        if not making.cancelled():
            making.exception()  # seen, so that asyncio does not report it
        raise

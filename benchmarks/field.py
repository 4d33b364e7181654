"""The questions of the field: states evolved by numpy, lattices of 100,000 and of 1,000,000 gems asked in Postgres.

Row-level security is on, as it always is. Gems are synthetic: as if they had been used at random in three months.
"""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks.blocks import spread
from benchmarks.figures import Figure, fresh_database, this_moment, time_each
from core.pg import DEFAULT_TENANT, Database
from gems import LatticeField, QuantumState, evolve

STATES = 4_000_000
ROUNDS = 15
SIZES = {100_000: "≤ 100", 1_000_000: "≤ 1,000"}
LOGGED = 100_000  # gems of the lattice whose past is drawn
ASKED = 15

GEMS = """
INSERT INTO gem (tenant_id, gem_id, name, description, energy, phase, coherence, uncertainty, measured_at, created_at)
SELECT %(tenant)s, gen_random_uuid(), 'gem ' || i, 'what is remembered of the topic of number ' || i,
  exp(3 * random()), 2 * pi() * random(), random(), 0.5 * random(), now() - random() * interval '90 days',
  now() - interval '91 days'
FROM generate_series(1, %(gems)s) AS i
"""
LOG = """
INSERT INTO measurement (tenant_id, gem_id, cause, gain, energy, phase, coherence, uncertainty, measured_at)
SELECT tenant_id, gem_id, 'recall', 0.3, energy, phase, coherence, uncertainty, greatest(created_at, measured_at - part)
FROM gem, unnest(ARRAY['20 days', '0 days']::interval[]) AS part
"""


async def measure() -> AsyncIterator[Figure]:
    """Measure numpy, then each lattice in a database of its own."""
    for figure in _evolve():
        yield figure
    for gems, aim in SIZES.items():
        async with fresh_database() as (database, url):
            await _fill(url, gems)
            async for figure in _ask(database, gems, aim):
                yield figure


def _evolve() -> list[Figure]:
    """Evolve as many states as fit no cache, each by a time of its own, in one thread and in one for each core."""
    rng = np.random.default_rng(1)
    state = QuantumState(
        np.exp(3 * rng.random(STATES)), 6.28 * rng.random(STATES), rng.random(STATES), 0.5 * rng.random(STATES)
    )
    dt = 3 * rng.random(STATES)
    cores = os.cpu_count() or 1
    parts = [(_part(state, part), dt[part]) for part in np.array_split(np.arange(STATES), cores)]
    with ThreadPoolExecutor(cores) as pool:
        alone = _rate(lambda: evolve(state, dt))
        together = _rate(lambda: list(pool.map(lambda each: evolve(*each), parts)))
    return [
        spread("states evolved by numpy, one thread", alone, "million/s", "≥ 50"),
        spread(f"states evolved by numpy, {cores} threads", together, "million/s", "≥ 50"),
    ]


def _part(state: QuantumState[NDArray[np.float64]], rows: NDArray[np.int64]) -> QuantumState[NDArray[np.float64]]:
    return QuantumState(state.energy[rows], state.phase[rows], state.coherence[rows], state.uncertainty[rows])


def _rate(work: Callable[[], object]) -> list[float]:
    rates = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        rates.append(STATES / (time.perf_counter() - started) / 1e6)
    return rates[2:]  # the first two warm up


async def _fill(url: str, gems: int) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute("SELECT setseed(0.5)")
        await conn.execute(GEMS, {"tenant": DEFAULT_TENANT, "gems": gems})
        if gems <= LOGGED:
            await conn.execute(LOG)
        await conn.execute("VACUUM ANALYZE gem, measurement")


async def _ask(database: Database, gems: int, aim: str) -> AsyncIterator[Figure]:
    field, at = LatticeField(database), this_moment()
    asked: dict[str, Callable[[int], Awaitable[object]]] = {
        "order parameter and histograms": lambda _: field.summary(DEFAULT_TENANT, at),
        "gems at risk": lambda _: field.risks(DEFAULT_TENANT, at),
    }
    for name, ask in asked.items():
        yield spread(f"{name} of {gems:,} gems", (await time_each(ASKED, ask, warmup=2)).tolist(), "ms", aim)
    if gems <= LOGGED:
        started = time.perf_counter()
        await field.lattice_history(DEFAULT_TENANT, at)
        yield Figure(f"90 days of {gems:,} gems in 200 points", time.perf_counter() - started, "s")
    started = time.perf_counter()
    await field.modes(DEFAULT_TENANT, at)
    yield Figure(f"modes of {gems:,} gems", time.perf_counter() - started, "s")

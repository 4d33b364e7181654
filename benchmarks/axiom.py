"""The simulation beside a plain loop of frozen objects that does the same, and one over REST beside an empty route."""

import itertools
import math
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import numpy as np

from axiom.simulation import AxiomInputs, Decay, Exponential, Linear, Logistic, Oscillation, TimeSphere, UpdateRule
from axiom.simulation.inputs import VariableName
from benchmarks.blocks import divide, spread
from benchmarks.figures import Figure, time_in_turn
from benchmarks.rest import serving

SCENARIOS = 10_000
STEPS = 1_000
PLAIN_SCENARIOS = 20  # the plain loop's speed does not depend on how many there are
ROUNDS = 9
REST_STEPS = 250
REST_CALLS = 300

RULES: dict[VariableName, UpdateRule] = {
    "A": Linear(1e-4),
    "B": Logistic(0.02, 0.9),
    "C": Decay(0.002, 0.2),
    "X": Oscillation(0.1, 50.0),
    "E_n": Exponential(0.001),
}


@dataclass(frozen=True)
class PlainState:
    """The eight variables of one scenario at one step."""

    A: float
    B: float
    C: float
    X: float
    Y: float
    Z: float
    E_n: float
    F_n: float


@dataclass(frozen=True)
class PlainStep:
    """One step of the plain loop."""

    step: int
    state: PlainState
    score: float


PlainRule = Callable[[PlainState, int], float]

PLAIN_RULES: dict[str, PlainRule] = {
    "A": lambda state, _: state.A + 1e-4,
    "B": lambda state, _: 0.9 * state.B / (state.B + (0.9 - state.B) * math.exp(-0.02)),
    "C": lambda state, _: 0.2 + (state.C - 0.2) * math.exp(-0.002),
    "X": lambda state, step: (
        state.X + 0.1 * (math.sin(2 * math.pi * step / 50.0) - math.sin(2 * math.pi * (step - 1) / 50.0))
    ),
    "E_n": lambda state, _: state.E_n * 1.001,
}


def run_plainly(start: PlainState, rules: Mapping[str, PlainRule], steps: int) -> list[PlainStep]:
    """Return a run: rules read the state before, all at once, then the score of the clamped terms."""
    state, made = start, []
    for step in range(1, steps + 1):
        values = dict(vars(state))
        for name, rule in rules.items():
            values[name] = rule(state, step)
        state = PlainState(**values)
        made.append(PlainStep(step, state, score_plainly(state)))
    return made


def score_plainly(s: PlainState) -> float:
    """Return the score of one state."""
    a, b, c, x, y = (min(max(value, 0.0), 1.0) for value in (s.A, s.B, s.C, s.X, s.Y))
    return max(s.E_n, 0.0) * (1.0 + max(s.F_n, -1.0)) * x * y * max(s.Z, 0.0) * (a * b * c)


async def measure() -> AsyncIterator[Figure]:
    """Compare the simulation with the loop, A B A B …, then its service with an empty route."""
    inputs = _draw()
    sphere = TimeSphere(AxiomInputs(), RULES)
    plain, ours = np.empty(ROUNDS), np.empty(ROUNDS)
    result = sphere.simulate_ensemble(inputs, STEPS)  # the first run waits for the kernel to find pages for its result
    for i in range(ROUNDS):
        started = time.perf_counter()
        walked = [run_plainly(_row(inputs, scenario), PLAIN_RULES, STEPS) for scenario in range(PLAIN_SCENARIOS)]
        plain[i] = PLAIN_SCENARIOS * STEPS / (time.perf_counter() - started)
        del result
        started = time.perf_counter()
        result = sphere.simulate_ensemble(inputs, STEPS)
        ours[i] = SCENARIOS * STEPS / (time.perf_counter() - started)
    scores = np.array([[each.score for each in steps] for steps in walked]).T
    np.testing.assert_allclose(result.series["score"][1:, :PLAIN_SCENARIOS], scores, rtol=1e-10)  # the same semantics
    yield Figure(f"plain loop, {PLAIN_SCENARIOS} × {STEPS:,} steps", float(np.median(plain)), "steps/s")
    yield Figure(f"ensemble, {SCENARIOS:,} × {STEPS:,} steps", float(np.median(ours)), "steps/s")
    yield spread("ensemble / plain loop", divide(list(ours), list(plain)), "", "≥ 300, hoped 1,000")
    del result
    tracemalloc.start()
    kept = sphere.simulate_ensemble(inputs, STEPS).series["score"].nbytes
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    yield Figure("ensemble: most memory / result", peak / kept, "", "≤ 1.5")
    spent = np.empty(200)
    single = TimeSphere(_inputs(0), RULES)
    for i in range(spent.size):
        started = time.perf_counter()
        single.simulate(REST_STEPS)
        spent[i] = (time.perf_counter() - started) * 1e3
    yield Figure(f"one run of {REST_STEPS} steps, in process", float(np.median(spent)), "ms")
    async with serving() as client:
        async for figure in _measure_rest(client):
            yield figure


async def _measure_rest(client: httpx2.AsyncClient) -> AsyncIterator[Figure]:
    number = itertools.count()
    rules: dict[str, Any] = {name: rule.to_dict() for name, rule in RULES.items()}  # type: ignore[attr-defined]

    async def ask_nothing(_: int) -> None:
        (await client.get("/health")).raise_for_status()

    async def simulate(seed: int) -> None:
        body = {"inputs": {"A": 0.5, "B": 0.3}, "rules": rules, "steps": REST_STEPS, "seed": seed}
        (await client.post("/simulations", json=body)).raise_for_status()

    for name, call in (
        ("new, stored", lambda _: simulate(next(number))),
        ("again, from the cache", lambda _: simulate(0)),
    ):
        empty, full = await time_in_turn(REST_CALLS, ask_nothing, call)
        yield Figure(f"empty route over REST (beside: {name})", float(np.median(empty)), "ms")
        added = f"{REST_STEPS} steps over REST, {name}: more than that"
        yield Figure(added, float(np.median(full) - np.median(empty)), "ms", "≤ 2")


def _draw() -> AxiomInputs:
    rng = np.random.default_rng(1)
    return AxiomInputs(
        A=rng.uniform(0.2, 0.9, SCENARIOS),
        B=rng.uniform(0.1, 0.8, SCENARIOS),
        C=rng.uniform(0.3, 1.0, SCENARIOS),
        X=0.7,
    )


def _inputs(scenario: int) -> AxiomInputs:
    row = _row(_draw(), scenario)
    return AxiomInputs(**vars(row))


def _row(inputs: AxiomInputs, scenario: int) -> PlainState:
    columns = {name: np.broadcast_to(getattr(inputs, name), (SCENARIOS,)) for name in vars(PlainState(*[0.0] * 8))}
    return PlainState(**{name: float(column[scenario]) for name, column in columns.items()})

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axiom import compute_intelligence
from axiom.simulation import (
    SERIES,
    VARIABLES,
    AxiomInputs,
    Bounded,
    Coupled,
    Decay,
    Event,
    Exponential,
    Fibonacci,
    Linear,
    Logistic,
    MeanReversion,
    Oscillation,
    Peaks,
    Piecewise,
    RandomWalk,
    SimulationResult,
    Sum,
    SystemState,
    TimeSphere,
    TimeStep,
    UpdateRule,
    VariableName,
)
from core.errors import InvalidInputError, InvalidParameterError

quick = settings(deadline=None, max_examples=40)
START = AxiomInputs(0.5, 0.6, 0.9, 0.7, 0.8, 1.1, 1.0, 0.1)

rules = st.sampled_from(
    [
        Linear(0.003),
        Linear(-0.02),
        Exponential(0.01),
        Decay(0.05, 0.2),
        Logistic(0.1),
        Oscillation(0.3, 11.0),
        Fibonacci(1e-3),
        RandomWalk(0.05),
        MeanReversion(0.2, 0.5, 0.02),
        Coupled("score", 0.3, 0.5),
        Coupled("C", 0.1),
        Piecewise([(9, Linear(0.01)), (5, RandomWalk(0.1))], repeat=True),
        Bounded(Sum([RandomWalk(0.1), Coupled("A", 0.2), Logistic(0.3)])),
        lambda state, step: state.before(3)["B"] * 0.5 + 0.01 * step,
    ]
)
rule_sets = st.dictionaries(st.sampled_from(VARIABLES), rules, max_size=8)


@quick
@given(rule_sets, st.integers(0, 2**32), st.integers(1, 300))
def test_an_ensemble_of_one_is_the_single_run_bit_for_bit(
    update: dict[VariableName, UpdateRule], seed: int, steps: int
) -> None:
    sphere = TimeSphere(START, update, seed=seed)
    single = sphere.simulate(steps)
    one = AxiomInputs(*(np.array([getattr(START, name)]) for name in VARIABLES))
    ensemble = sphere.simulate_ensemble(one, steps, keep=SERIES)
    for name in SERIES:
        assert np.array_equal(single.series[name], ensemble.series[name][:, 0])


@quick
@given(rule_sets, st.integers(1, 60))
def test_the_score_of_every_step_is_that_of_the_equation(update: dict[VariableName, UpdateRule], steps: int) -> None:
    for clamps in (True, False):
        result = TimeSphere(START, update, clamp_to_unit=clamps).simulate(steps)
        scores = compute_intelligence(*(result.series[name] for name in VARIABLES), clamp_to_unit=clamps)
        assert np.array_equal(result.series["score"], scores)


@quick
@given(st.integers(1, 200), st.integers(1, 200))
def test_more_steps_change_none_of_those_before(some: int, more: int) -> None:
    sphere = TimeSphere(START, {"A": RandomWalk(0.1), "B": Logistic(0.1), "C": Coupled("A", 0.2)}, seed=3)
    short, long = sphere.simulate(some), sphere.simulate(some + more)
    for name in SERIES:
        assert np.array_equal(short.series[name], long.series[name][: some + 1])


def test_the_seed_decides_and_each_variable_has_its_own_numbers() -> None:
    def run(seed: int, **update: UpdateRule) -> SimulationResult:
        return TimeSphere(START, update, seed=seed).simulate(30)  # type: ignore[arg-type]

    alone = run(1, A=RandomWalk(0.1))
    beside = run(1, A=RandomWalk(0.1), B=RandomWalk(0.1))
    assert np.array_equal(alone.series["A"], beside.series["A"])
    assert not np.array_equal(beside.series["A"] - START.A, beside.series["B"] - START.B)
    assert not np.array_equal(alone.series["A"], run(2, A=RandomWalk(0.1)).series["A"])


def test_growth_beyond_floats_stops_and_keeps_what_was_made() -> None:
    # 10^n: the last float is about 1.8·10^308, so step 309 cannot be made
    result = TimeSphere(AxiomInputs(), {"E_n": Exponential(9.0), "A": Linear(-0.001)}).simulate(1_000)
    assert result.stopped is not None
    assert result.stopped.to_dict() == {
        "step": 309,
        "variable": "E_n",
        "scenario": 0,
        "problem": "grew beyond what a float can hold",
    }
    assert result.last_step == 308
    assert all(np.isfinite(result.series[name]).all() and result.series[name].shape == (309,) for name in SERIES)
    assert result.steps == 1_000


def test_a_score_too_large_stops_too() -> None:
    # E_n·(1 + F_n) = 10^200·(1 + 10^n): beyond floats from 10^109 on
    result = TimeSphere(AxiomInputs(E_n=1e200, F_n=1.0), {"F_n": Exponential(9.0)}).simulate(200)
    assert result.stopped is not None
    assert (result.stopped.step, result.stopped.variable) == (109, "score")


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (lambda state, step: 1.0 / (3 - step), "its rule failed: ZeroDivisionError"),
        (lambda state, step: 0.5 if step < 3 else "0.5", "its rule returned the text '0.5', which is no number"),
        (lambda state, step: 0.5 if step < 3 else None, "its rule returned null, which is no number"),
        (lambda state, step: 0.5 if step < 3 else math.nan, "is not a number"),
        (lambda state, step: 0.5 if step < 3 else np.ones(2), "its rule failed: ValueError"),
        (lambda state, step: 0.5 if step < 3 else np.ones(1, complex), "returned an array of complex128, which is no"),
        (lambda state, step: 0.5 if step < 3 else 10**400, "its rule failed: OverflowError"),
    ],
)
def test_a_rule_that_fails_stops_the_run_before_its_step(rule: Any, problem: str) -> None:
    result = TimeSphere(START, {"A": Linear(0.1), "B": rule}).simulate(10)
    assert result.stopped is not None
    assert (result.stopped.step, result.stopped.variable) == (3, "B")
    assert problem in result.stopped.problem
    assert result.last_step == 2
    assert len(result.series["A"]) == 3


def test_steps_one_by_one_are_those_of_the_run() -> None:
    sphere = TimeSphere(START, {"A": RandomWalk(0.1), "C": Decay(0.1)}, seed=9)
    whole = sphere.simulate(40)
    for n in (3, 0, 40, 17):
        step = sphere.step(n)
        assert step.step == n
        assert step.snapshot == whole.snapshot(n)
        assert step.snapshot.score == whole.series["score"][n]
    with pytest.raises(InvalidParameterError, match="n: must be from 0 to 100,000, not -1"):
        sphere.step(-1)


def test_a_step_beyond_the_end_says_why_there_is_none() -> None:
    sphere = TimeSphere(AxiomInputs(), {"E_n": Exponential(9.0)})
    with pytest.raises(InvalidParameterError, match=r"must be from 0 to 308, not 400; the simulation stopped: grew"):
        sphere.step(400)


def test_a_snapshot_takes_the_score_apart() -> None:
    # C falls to a quarter, 0.225, which is less than any other term has
    snapshot = TimeSphere(START, {"C": Decay(math.log(4.0))}).simulate(2).snapshot(1)
    assert pytest.approx(0.225) == snapshot.inputs.C
    assert snapshot.limiting_term == "C"
    assert snapshot.components["ABC"] == pytest.approx(0.5 * 0.6 * 0.225)
    # 1·(1 + 0.1)·(0.7·0.8·1.1)·(0.5·0.6·0.225) = 1.1·0.616·0.0675
    assert snapshot.score == pytest.approx(0.0457380, rel=1e-12)
    assert snapshot.to_dict()["inputs"] == {**START.to_dict(), "C": snapshot.inputs.C}


def test_functions_of_a_step_notice_events_in_the_order_of_steps() -> None:
    def low(step: TimeStep) -> Event | None:
        if step.snapshot.score < 0.1:
            return Event("low", "score", step.step, step.snapshot.score)
        return None

    def every_tenth(step: TimeStep) -> list[Event]:
        return [Event("tick", "A", step.step, 0.0)] if step.step % 10 == 0 else []

    sphere = TimeSphere(AxiomInputs(A=0.5), {"A": Decay(0.1)})
    sphere.add_event_handler(low)
    sphere.add_event_handler(every_tenth)
    # 0.5·exp(−0.1·n) < 0.1 from n = 16.1 on
    events = sphere.simulate(20).events
    assert [(event.kind, event.step) for event in events] == [
        ("tick", 0),
        ("tick", 10),
        ("low", 17),
        ("low", 18),
        ("low", 19),
        ("low", 20),
        ("tick", 20),
    ]
    assert [event.kind for event in sphere.step(20).events] == ["low", "tick"]
    assert sphere.step(5).events == ()


def test_progress_is_told_and_may_end_a_run() -> None:
    told: list[tuple[int, int]] = []
    sphere = TimeSphere(START, {"A": Linear(0.0)}, on_progress=lambda done, steps: told.append((done, steps)))
    sphere.simulate(10_000)
    assert told[-1] == (10_000, 10_000)
    assert [done for done, _ in told] == sorted(done for done, _ in told)

    def leave(done: int, steps: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TimeSphere(START, {"A": Linear(0.0)}, on_progress=leave).simulate(10)


def test_wrong_arguments_are_named() -> None:
    sphere = TimeSphere(START)
    with pytest.raises(InvalidParameterError, match="'Q' is no variable; there are A, B, C, X, Y, Z, E_n, F_n"):
        sphere.add_update_rule("Q", Linear(0.1))  # type: ignore[arg-type]
    with pytest.raises(InvalidParameterError, match=r"update_rules\.A: must be a function"):
        sphere.add_update_rule("A", 0.1)  # type: ignore[arg-type]
    with pytest.raises(InvalidParameterError, match="handler: must have detect"):
        sphere.add_event_handler(0.1)  # type: ignore[arg-type]
    for steps in (0, 100_001, 1.5, "9", True):
        with pytest.raises(InvalidParameterError, match="steps: must be"):
            sphere.simulate(steps)  # type: ignore[arg-type]
    with pytest.raises(InvalidParameterError, match="'Q' is no series"):
        sphere.simulate_ensemble([START], 3, keep=["Q"])  # type: ignore[list-item]
    with pytest.raises(InvalidParameterError, match=r"quantiles\[1\]: must be in \[0, 1\], not 2"):
        sphere.simulate_ensemble([START], 3, quantiles=(0.5, 2.0))
    with pytest.raises(InvalidParameterError, match="inputs: must have at least one scenario"):
        sphere.simulate_ensemble([], 3)
    with pytest.raises(InvalidInputError, match="A: must be a finite number, not nan"):
        AxiomInputs(A=math.nan)
    with pytest.raises(InvalidInputError, match="B: must hold finite numbers"):
        AxiomInputs(B=np.array([1.0, math.inf]))
    with pytest.raises(InvalidInputError, match=r"inputs: arrays must be of one length, not of \[2, 3\]"):
        AxiomInputs(A=np.ones(2), B=np.ones(3))
    with pytest.raises(InvalidParameterError, match="inputs: has arrays"):
        TimeSphere(AxiomInputs(A=np.ones(2))).simulate(3)


def test_floats_reach_rules_in_a_single_run_and_arrays_in_an_ensemble() -> None:
    seen: list[Any] = []

    def rule(state: SystemState, step: int) -> Any:
        seen.append(state.own)
        return state.own

    TimeSphere(START, {"A": rule}).simulate(1)
    TimeSphere(START, {"A": rule}).simulate_ensemble([START, START], 1)
    assert type(seen[0]) is float
    assert isinstance(seen[1], np.ndarray)
    assert seen[1].tolist() == [0.5, 0.5]


def test_detectors_look_ahead_of_a_step_and_too_many_events_are_counted() -> None:
    sphere = TimeSphere(AxiomInputs(A=0.5), {"A": Oscillation(0.25, 4.0)})
    sphere.add_event_handler(Peaks(variable="A"))
    assert [event.kind for event in sphere.step(1).events] == ["peak"]
    assert [event.kind for event in sphere.step(3).events] == ["trough"]
    assert sphere.step(2).events == ()

    def busy(step: TimeStep) -> list[Event]:
        return [Event("tick", "A", step.step, 0.0)] * 600

    sphere.add_event_handler(busy)
    result = sphere.simulate(200)
    assert len(result.events) == 100_000
    assert result.events_total == 201 * 600 + 100  # a turn at every second step, the last one at step 199


def test_a_detector_that_fails_is_told_and_costs_nothing_else() -> None:
    class Broken:
        kind = "broken"
        variables = frozenset({"A"})

        def detect(self, series: Any, /) -> list[Event]:
            raise RuntimeError("no idea")

    sphere = TimeSphere(AxiomInputs(A=0.5), {"A": Oscillation(0.25, 4.0)})
    sphere.add_event_handler(Broken())  # type: ignore[arg-type]
    sphere.add_event_handler(Peaks(variable="A"))
    single, ensemble = sphere.simulate(4), sphere.simulate_ensemble([AxiomInputs(A=0.5)], 4)
    for events in (single.events, ensemble.events):
        assert [(event.kind, event.step) for event in events] == [("peak", 1), ("trough", 3), ("failed", 4)]
        assert events[-1].detail == "broken: RuntimeError: no idea"

import math
import tracemalloc
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from axiom.simulation import (
    AxiomInputs,
    Constant,
    Coupled,
    Decay,
    Ensemble,
    EnsembleResult,
    Exponential,
    Float,
    Logistic,
    RandomWalk,
    Scenario,
    Spread,
    SystemState,
    TimeSphere,
    UpdateRule,
    VariableName,
)
from axiom.simulation.rules import ClosedRule
from core.errors import InvalidParameterError

START = AxiomInputs(0.5, 0.6, 0.9, 0.7, 0.8, 1.1, 1.0, 0.1)


def test_scenarios_of_closed_rules_are_single_runs_whatever_their_number() -> None:
    update: dict[VariableName, UpdateRule] = {"A": Logistic(0.1), "C": Decay(0.05), "E_n": Coupled("A", 0.2)}
    starts = [AxiomInputs(A=a, C=0.9) for a in np.linspace(0.05, 0.95, 777)]
    ensemble = TimeSphere(START, update).simulate_ensemble(starts, 50, keep=["score", "E_n"])
    for scenario in (0, 400, 776):
        single = TimeSphere(starts[scenario], update).simulate(50)
        assert np.array_equal(ensemble.series["score"][:, scenario], single.series["score"])
        assert np.array_equal(ensemble.series["E_n"][:, scenario], single.series["E_n"])
        assert getattr(ensemble.final, "C")[scenario] == single.series["C"][-1]  # noqa: B009 - an array in mypy's eyes too


def test_bands_are_the_quantiles_over_all_scenarios() -> None:
    rng = np.random.default_rng(1)
    inputs = AxiomInputs(A=rng.uniform(0.2, 0.8, 500))
    sphere = TimeSphere(START, {"A": RandomWalk(0.01)}, seed=5)
    result = sphere.simulate_ensemble(inputs, 40, keep=["A", "score"], quantiles=(0.1, 0.5, 0.9))
    assert set(result.bands) == {"A", "score"}
    for name in ("A", "score"):
        expected = np.quantile(result.series[name], [0.1, 0.5, 0.9], axis=1)
        assert np.allclose(result.bands[name], expected, rtol=1e-14)


@pytest.mark.parametrize(
    "update", [{"A": Decay(0.01), "B": Logistic(0.1)}, {"A": RandomWalk(0.1), "B": Coupled("A", 0.1)}]
)
def test_an_ensemble_takes_little_more_memory_than_its_result(update: dict[VariableName, UpdateRule]) -> None:
    inputs = AxiomInputs(A=np.linspace(0.1, 0.9, 2_000), B=0.5)
    sphere = TimeSphere(START, update)
    sphere.simulate_ensemble(inputs, 10)
    tracemalloc.start()
    try:
        result = sphere.simulate_ensemble(inputs, 600)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 1.5 * result.series["score"].nbytes


def test_the_scenario_that_stops_an_ensemble_is_named() -> None:
    inputs = AxiomInputs(E_n=np.array([1.0, 1e300, 1.0]))
    result = TimeSphere(START, {"E_n": Exponential(9.0)}).simulate_ensemble(inputs, 50, quantiles=(0.5,))
    assert result.stopped is not None
    assert (result.stopped.step, result.stopped.scenario) == (9, 1)  # 10^300·10^9
    assert result.last_step == 8
    assert result.series["score"].shape == (9, 3)
    assert result.bands["score"].shape == (1, 9)
    assert getattr(result.final, "E_n").tolist() == pytest.approx([1e8, 1e308, 1e8])  # noqa: B009


def test_a_scenario_drawn_at_the_bound_does_not_stop_the_others() -> None:
    # of 100 draws around 0.1 with a deviation of 0.1 some are moved to 0, where a logistic stays
    scenario = Scenario(
        AxiomInputs(A=0.1), {"A": Logistic(1.0)}, 1_000, ensemble=Ensemble(100, {"A": Spread("normal", 0.1)})
    )
    result = scenario.run()
    assert result.stopped is None
    assert isinstance(result, EnsembleResult)
    assert set(np.round(getattr(result.final, "A"), 12)) == {0.0, 1.0}  # noqa: B009


def test_bands_of_numbers_that_lie_further_apart_than_floats_reach_are_finite() -> None:
    inputs = AxiomInputs(A=np.array([-1.5e308, 1.5e308]), B=np.array([-1.0, 3.0]))
    sphere = TimeSphere(AxiomInputs(), {"A": Constant(), "B": Constant()})
    bands = sphere.simulate_ensemble(inputs, 2, quantiles=(0.0, 0.5, 0.75, 1.0)).bands
    assert bands["A"].tolist() == [[each] * 3 for each in (-1.5e308, 0.0, 0.75e308, 1.5e308)]
    assert bands["B"].tolist() == [[each] * 3 for each in (-1.0, 1.0, 2.0, 3.0)]


@pytest.mark.parametrize("scenarios", [4, 5_000])
def test_of_several_that_fail_the_first_step_is_named_then_the_first_variable_then_the_first_scenario(
    scenarios: int,
) -> None:
    # 10^n from 1 ends at step 309, from 10^299 at step 10, from 10^303 at step 6
    def column(**at: float) -> np.ndarray:
        values = np.ones(scenarios)
        for place, value in at.items():
            values[int(place[1:])] = value
        return values

    def fails(state: SystemState, step: int) -> Float:
        return math.nan if step == 8 else state.own

    grows = Exponential(9.0)

    def stop(rules: dict[VariableName, UpdateRule], **inputs: np.ndarray) -> tuple[object, ...]:
        result = TimeSphere(START, rules).simulate_ensemble(AxiomInputs(A=column(), **inputs), 400, keep=["A", "score"])
        assert result.stopped is not None
        assert result.last_step == result.stopped.step - 1 == len(result.series["A"]) - 1
        assert all(np.isfinite(each).all() for each in result.series.values())
        return result.stopped.step, result.stopped.variable, result.stopped.scenario

    early, late = column(_1=1e299, _3=1e303, _2=1e303), column(_1=1e299)
    assert stop({"B": grows, "C": grows}, B=late, C=early) == (6, "C", 2)  # the score takes both as 1
    assert stop({"B": grows, "C": grows}, B=early, C=early) == (6, "B", 2)
    assert stop({"B": grows, "C": fails}, B=late) == (8, "C", 0)
    assert stop({"B": grows, "C": fails}, B=early) == (6, "B", 2)
    assert stop({"B": fails, "C": fails}) == (8, "B", 0)
    # 10^100·10^200·10^2n is beyond 10^308 at step 5, a step before C is
    large = {"Z": column(_3=1e100), "E_n": column(_3=1e200)}
    assert stop({"C": grows, "Z": grows, "E_n": grows}, C=early, **large) == (5, "score", 3)


def test_a_start_whose_score_is_too_large_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"^inputs\.E_n: too large: the score of step 0 exceeds"):
        TimeSphere(AxiomInputs(E_n=1e200, F_n=1e150)).simulate(3)
    with pytest.raises(InvalidParameterError, match=r"^inputs\.Z: too large"):
        TimeSphere(START).simulate_ensemble(AxiomInputs(Z=np.array([1.0, 1e200]), E_n=1e150), 3)


def test_a_closed_form_that_fails_stops_the_run() -> None:
    @dataclass(frozen=True, slots=True)
    class Broken(ClosedRule):
        def path(self, start: Any, steps: Any) -> Any:
            raise ArithmeticError("no idea")

    result = TimeSphere(START, {"A": Decay(0.1), "B": Broken()}).simulate_ensemble([START, START], 10)
    assert result.stopped is not None
    assert (result.stopped.step, result.stopped.variable) == (1, "B")
    assert result.stopped.problem == "its rule failed: ArithmeticError: no idea"
    assert result.last_step == 0

import tracemalloc

import numpy as np
import pytest

from axiom.simulation import (
    AxiomInputs,
    Coupled,
    Decay,
    Exponential,
    Logistic,
    RandomWalk,
    TimeSphere,
    UpdateRule,
    VariableName,
)

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

from typing import Any

import numpy as np
import pytest

from axiom.simulation import AxiomInputs, Linear, Stop, SystemState, TimeSphere

PROBLEM = "its rule failed: InvalidParameterError: lag: must be from 0 to 16 in all, not 17"


def look_back(*lags: int) -> Any:
    """Return a rule that takes what B was so many steps ago."""

    def rule(state: SystemState, step: int) -> Any:
        for lag in lags:
            state = state.before(lag)
        return state["B"]

    return rule


@pytest.mark.parametrize("scenarios", [1, 500, 4_096, 9_000, 20_000])
def test_sixteen_steps_before_the_last_are_there_across_all_blocks(scenarios: int) -> None:
    starts = np.linspace(0.0, 1.0, scenarios)
    sphere = TimeSphere(AxiomInputs(), {"A": look_back(16), "B": Linear(1.0)})
    result = sphere.simulate_ensemble(AxiomInputs(A=starts, B=starts), 60, keep=["A"])
    # A at step n is B at n − 1 − 16, which is its start plus as many; the start itself up to step 17
    steps = np.maximum(np.arange(61) - 17, 0)
    assert np.array_equal(result.series["A"], starts + steps[:, None])


def test_sixteen_steps_before_the_last_are_there_where_the_ring_begins_again() -> None:
    result = TimeSphere(AxiomInputs(B=0.0), {"A": look_back(16), "B": Linear(1.0)}).simulate(10_000)
    assert result.series["A"][17:].tolist() == list(range(9_984))


@pytest.mark.parametrize("lags", [(17,), (16, 1), (1, 16), (8, 8, 1)])
def test_more_than_sixteen_are_refused_in_however_many_parts_they_are_asked_for(lags: tuple[int, ...]) -> None:
    result = TimeSphere(AxiomInputs(), {"A": look_back(*lags)}).simulate(30)
    assert result.stopped == Stop(1, "A", 0, PROBLEM)


def test_sixteen_in_parts_are_sixteen() -> None:
    sphere = TimeSphere(AxiomInputs(B=0.0), {"A": look_back(8, 0, 8), "B": Linear(1.0)})
    result = sphere.simulate_ensemble(AxiomInputs(A=np.zeros(3_000), B=0.0), 40, keep=["A"])
    assert result.series["A"][[17, 18, 40], 0].tolist() == [0.0, 1.0, 23.0]

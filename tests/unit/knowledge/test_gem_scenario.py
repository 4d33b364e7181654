from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from axiom import Terms
from axiom.simulation import Scenario, SimulationResult
from core.errors import InvalidInputError
from gems import QuantumState, evolve
from knowledge import feed_gem, plan_scenario
from knowledge.gem_axiom import FloatArray
from tests.unit.knowledge.states import GEM, NOTHING, draw_state, group, mean_interference


def run(scenario: Scenario) -> SimulationResult:
    """Run a scenario from its JSON, as a store would."""
    result = Scenario.from_dict(scenario.to_dict()).run()
    assert isinstance(result, SimulationResult)
    assert result.stopped is None
    return result


def check_forecast(state: QuantumState[FloatArray], step: float, steps: int, at: Iterable[int]) -> None:
    """Check C, Y and Z of a simulation against the states evolved one by one."""
    passages = group(state)
    seen = passages.look()
    start = Terms(0.5, 0.5, float(seen.C), 0.5, float(seen.Y), float(seen.Z), 1.0, 0.0)
    series = run(plan_scenario("port", start, passages, step, steps)).series
    for each in at:
        then = evolve(state, step * each)
        assert series["C"][each] == pytest.approx(then.coherence.mean(), abs=1e-12)
        assert series["Y"][each] == pytest.approx((1.0 + mean_interference(then)) / 2.0, abs=1e-12)
        assert series["Z"][each] == pytest.approx(1.0 - then.uncertainty.mean(), abs=1e-12)
    assert set(series["A"]) == set(series["B"]) == set(series["X"]) == {0.5}
    assert (series["E_n"][-1], series["F_n"][-1]) == (1.0, 0.0)


def test_a_fresh_gem_fades_step_by_step_as_its_state_does() -> None:
    ones = np.ones(1)
    check_forecast(QuantumState(ones, 0.0 * ones, ones, 0.1 * ones), 1.0 / 30.0, 365, range(366))


def test_passages_of_one_energy_are_followed_exactly() -> None:
    state = replace(draw_state(9), energy=np.full(9, 2.5), uncertainty=np.linspace(0.0, 0.4, 9))
    check_forecast(state, 0.01, 500, range(0, 501, 7))  # none is wholly uncertain before the end


def test_passages_of_many_energies_are_followed_exactly_where_pieces_meet() -> None:
    check_forecast(draw_state(9), 0.05, 400, range(0, 401, 10))


def test_in_between_pieces_stay_near() -> None:
    state = draw_state(50)
    passages = group(state)
    seen = passages.look()
    start = Terms(1.0, 1.0, float(seen.C), 1.0, float(seen.Y), float(seen.Z), 1.0, 0.0)
    series = run(plan_scenario("port", start, passages, 1 / 30, 365)).series
    exact = passages.look(np.arange(366) / 30)
    gaps = [series["C"] - exact.C, series["Y"] - exact.Y, series["Z"] - exact.Z]
    assert np.abs(gaps).max() < 0.01


@pytest.mark.parametrize("steps", [1, 2, 39, 41, 100_000])
def test_a_simulation_may_have_any_number_of_steps(steps: int) -> None:
    scenario = plan_scenario("port", Terms(*(0.5,) * 8), group(draw_state(5)), 1.0, steps)
    assert scenario.steps == steps
    assert run(scenario).last_step == steps


def test_too_many_steps_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="steps"):
        plan_scenario("port", Terms(*(0.5,) * 8), group(draw_state(5)), 1.0, 100_001)
    with pytest.raises(InvalidInputError, match="steps"):
        plan_scenario("port", Terms(*(0.5,) * 8), group(draw_state(5)), 1.0, 0)


def test_a_gem_without_passages_stays_as_it_is() -> None:
    terms = feed_gem(GEM, NOTHING, [], None).terms
    scenario = plan_scenario("port", terms, NOTHING, 1.0, 10)
    assert scenario.rules == {}
    assert set(run(scenario).series["score"]) == {0.0}

import json
import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axiom.simulation import (
    SERIES,
    AxiomInputs,
    Bounded,
    Decay,
    Ensemble,
    EnsembleResult,
    Linear,
    Logistic,
    Oscillation,
    Piecewise,
    RandomWalk,
    Rule,
    Scenario,
    SimulationResult,
    Spread,
    Sum,
)
from core.errors import InvalidParameterError

quick = settings(deadline=None, max_examples=30)
TOLD: dict[str, Any] = {
    "inputs": {"A": 0.5, "C": 0.9},
    "rules": {"A": {"rule": "logistic", "rate": 0.1}, "C": {"rule": "decay", "rate": 0.01}},
    "steps": 50,
}

scenarios = st.builds(
    Scenario,
    inputs=st.builds(AxiomInputs, A=st.floats(0, 1), Z=st.floats(-1, 3)),
    rules=st.dictionaries(
        st.sampled_from(["A", "B", "E_n"]),
        st.one_of(
            st.builds(Linear, slope=st.floats(-0.1, 0.1)),
            st.builds(Decay, rate=st.floats(0, 1)),
            st.builds(Oscillation, amplitude=st.floats(0, 1), period=st.floats(1, 50)),
            st.builds(RandomWalk, sd=st.floats(0, 0.1)),
        ),
    ),
    steps=st.integers(1, 80),
    seed=st.integers(0, 2**63 - 1),
    ensemble=st.none()
    | st.builds(Ensemble, size=st.integers(1, 20), uncertainty=st.just({"A": Spread("normal", 0.1)})),
    clamp_to_unit=st.booleans(),
)


@quick
@given(scenarios)
def test_a_scenario_replays_from_its_json_bit_for_bit(scenario: Scenario) -> None:
    again = Scenario.from_dict(json.loads(json.dumps(scenario.to_dict())))
    assert again.fingerprint() == scenario.fingerprint()
    first, second = scenario.run(), again.run()
    if isinstance(first, SimulationResult) and isinstance(second, SimulationResult):
        assert all(np.array_equal(first.series[name], second.series[name]) for name in SERIES)
    else:
        assert isinstance(first, EnsembleResult)
        assert isinstance(second, EnsembleResult)
        assert first.bands.keys() == second.bands.keys()
        assert all(np.array_equal(first.bands[name], second.bands[name]) for name in first.bands)


def test_what_is_left_out_is_filled_in() -> None:
    scenario = Scenario.from_dict(TOLD)
    assert scenario == Scenario(AxiomInputs(A=0.5, C=0.9), {"A": Logistic(0.1), "C": Decay(0.01)}, 50)
    assert scenario.to_dict()["rules"] == {
        "A": {"rule": "logistic", "rate": 0.1, "capacity": 1.0},
        "C": {"rule": "decay", "rate": 0.01, "floor": 0.0},
    }


def test_a_fingerprint_is_of_the_numbers_not_of_the_words() -> None:
    scenario = Scenario.from_dict(TOLD)
    spelled = {**TOLD, "name": "another", "seed": 0, "inputs": {"C": 0.9, "A": 0.5, "B": 1}}
    assert Scenario.from_dict(spelled).fingerprint() == scenario.fingerprint()
    for other in (
        replace(scenario, steps=51),
        replace(scenario, seed=1),
        replace(scenario, ensemble=Ensemble()),
        replace(scenario, clamp_to_unit=False),
        replace(scenario, inputs=AxiomInputs(A=0.5)),
        replace(scenario, rules={"A": Logistic(0.1)}),
    ):
        assert other.fingerprint() != scenario.fingerprint()
    assert len(scenario.fingerprint()) == 32


def test_another_version_of_an_extension_has_another_fingerprint_however_deep_it_stands() -> None:
    @dataclass(frozen=True, slots=True)
    class Drift(Rule):
        kind: ClassVar[str] = "drift"
        version: ClassVar[str] = "1.0.0"

    def fingerprint(version: str) -> bytes:
        Drift.version = version
        deep = Sum([Linear(0.1), Piecewise([(3, Bounded(Drift()))])])
        return Scenario(AxiomInputs(A=0.5), {"A": deep}).fingerprint()

    assert fingerprint("1.0.0") == fingerprint("1.0.0")
    assert fingerprint("1.0.0") != fingerprint("1.0.1")


def test_uncertain_inputs_are_drawn_around_what_is_given() -> None:
    ensemble = Ensemble(20_000, {"B": Spread("normal", 0.05), "C": Spread("uniform", 0.2), "A": Spread("normal", 1.0)})
    drawn: Any = ensemble.draw(AxiomInputs(A=0.5, B=0.5, C=0.5, X=7.0), seed=4)
    assert np.mean(drawn.B) == pytest.approx(0.5, abs=0.002)
    assert np.std(drawn.B) == pytest.approx(0.05, rel=0.03)
    assert (drawn.C.min(), drawn.C.max()) == pytest.approx((0.3, 0.7), abs=0.001)
    assert (drawn.A.min(), drawn.A.max()) == (0.0, 1.0)  # moved to the bounds
    assert set(drawn.X) == {7.0}  # what is certain is taken as it is
    again: Any = Ensemble(20_000, {"B": Spread("normal", 0.05)}).draw(AxiomInputs(B=0.5), seed=4)
    assert np.array_equal(again.B, drawn.B)  # whatever else is uncertain
    other: Any = ensemble.draw(AxiomInputs(B=0.5), seed=5)
    assert not np.array_equal(other.B, drawn.B)


def test_an_ensemble_without_uncertainty_has_bands_of_no_width() -> None:
    scenario = Scenario(AxiomInputs(A=0.5), {"A": Decay(0.1)}, 20, ensemble=Ensemble(5))
    result, single = scenario.run(), replace(scenario, ensemble=None).run()
    assert isinstance(result, EnsembleResult)
    assert isinstance(single, SimulationResult)
    for band in result.bands["score"]:
        assert np.array_equal(band, single.series["score"])


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"step": 3}, "step", "is not known; known are inputs, rules, steps"),
        ({"steps": 0}, "steps", "must be from 1 to 100,000, not 0"),
        ({"steps": 100_001}, "steps", "must be from 1 to 100,000"),
        ({"steps": "9"}, "steps", "must be a whole number, not the text '9'"),
        ({"inputs": []}, "inputs", "must be an object, not a list"),
        ({"inputs": {"Q": 1}}, "inputs.Q", "is not known; known are A, B, C"),
        ({"inputs": {"A": None}}, "inputs.A", "must be a number, not null"),
        ({"inputs": {"A": math.inf}}, "inputs.A", "must be a finite number"),
        ({"rules": {"score": {"rule": "linear", "slope": 1}}}, "rules.score", "is not known; known are A, B, C"),
        ({"rules": {"A": {"rule": "linear"}}}, "rules.A.slope", "is required for linear"),
        ({"events": {}}, "events", "must be a list"),
        ({"events": [{}]}, "events[0].event", "is required; known are milestones, peaks, plateaus, threshold"),
        ({"events": [{"event": "x"}]}, "events[0].event", "event handler 'x' is unknown"),
        ({"seed": -1}, "seed", "must be from 0 to"),
        ({"seed": 2**63}, "seed", "must be from 0 to"),
        ({"name": 3}, "name", "must be a text of at most 200 characters"),
        ({"clamp_to_unit": 1}, "clamp_to_unit", "must be true or false"),
        ({"ensemble": 10}, "ensemble", "must be an object, not 10"),
        ({"ensemble": {"size": 0}}, "ensemble.size", "must be from 1 to 1,000,000, not 0"),
        ({"ensemble": {"sizes": 1}}, "ensemble.sizes", "is not known; known are size, uncertainty, quantiles"),
        ({"ensemble": {"quantiles": [0.5, 1.5]}}, "ensemble.quantiles[1]", "must be in [0, 1], not 1.5"),
        ({"ensemble": {"quantiles": []}}, "ensemble.quantiles", "must be 1 to 25, not 0"),
        ({"ensemble": {"quantiles": 0.5}}, "ensemble.quantiles", "must be a list, not 0.5"),
        ({"ensemble": {"uncertainty": {"Q": {}}}}, "ensemble.uncertainty.Q", "is not known"),
        ({"ensemble": {"uncertainty": {"A": 0.1}}}, "ensemble.uncertainty.A", "must be an object, not 0.1"),
        ({"ensemble": {"uncertainty": {"A": {"width": -1}}}}, "ensemble.uncertainty.A.width", "must be at least 0"),
        (
            {"ensemble": {"uncertainty": {"A": {"kind": "beta"}}}},
            "ensemble.uncertainty.A.kind",
            "must be normal or uniform",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(change: dict[str, Any], field: str, problem: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        Scenario.from_dict({**TOLD, **change})
    assert caught.value.field == field
    assert problem in caught.value.problem


def test_a_scenario_that_is_no_object_is_refused() -> None:
    wrong: list[object] = [None, [], "x", 3]
    for each in wrong:
        with pytest.raises(InvalidParameterError, match="scenario: must be an object"):
            Scenario.from_dict(each)


def test_python_code_runs_but_cannot_be_told_as_json() -> None:
    scenario = Scenario(AxiomInputs(A=0.5), {"A": lambda state, step: 0.25}, 3)
    result = scenario.run()
    assert isinstance(result, SimulationResult)
    assert result.series["A"].tolist() == [0.5, 0.25, 0.25, 0.25]
    with pytest.raises(InvalidParameterError, match=r"rules\.A: is Python code, which JSON cannot tell"):
        scenario.to_dict()

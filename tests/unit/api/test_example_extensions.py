"""The worked examples do what their pages say."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from api.cli.extension_trial import try_extensions
from api.domain_models import build_scenario, describe_model
from api.extension_reports import list_extensions
from axiom.simulation import EnsembleResult, Scenario, SimulationResult
from core.errors import ConfigurationError, InvalidParameterError
from core.extension_folder import ExtensionFolder, using

EXAMPLES = Path(__file__).parents[3] / "examples" / "extensions"


@pytest.fixture(autouse=True)
def examples() -> Iterator[None]:
    folder = ExtensionFolder(EXAMPLES)
    with using(folder):
        yield
    folder.close()


def run(**told: object) -> SimulationResult:
    result = Scenario.from_dict(json.loads(json.dumps(told))).run()
    assert isinstance(result, SimulationResult)
    return result


def test_all_of_them_pass_their_check() -> None:
    trials = try_extensions([each for each in list_extensions() if each.in_folder])
    assert [(trial.name, trial.status) for trial in trials] == [
        ("momentum", "OK"),
        ("threshold_alert", "OK"),
        ("economic_forecast", "OK"),
    ]


def test_momentum_by_hand() -> None:
    told = {"rule": "momentum", "inertia": 0.5, "pull": 0.1, "target": 1.0}
    result = run(inputs={"A": 0.0}, rules={"A": told}, steps=3)
    # 0 + 0 + 0.1·1; 0.1 + 0.5·0.1 + 0.1·0.9; 0.24 + 0.5·0.14 + 0.1·0.76
    assert result.series["A"].tolist() == pytest.approx([0.0, 0.1, 0.24, 0.386], rel=1e-15)


@pytest.mark.parametrize(("inertia", "overshoots"), [(0.4, False), (0.9, True)])
def test_momentum_settles_and_overshoots_with_much_inertia_only(inertia: float, overshoots: bool) -> None:
    told = {"rule": "momentum", "inertia": inertia, "pull": 0.1}
    series = run(inputs={"A": 0.0}, rules={"A": told}, steps=500).series["A"]
    assert series[-1] == pytest.approx(1.0, abs=1e-9)
    assert bool(series.max() > 1.0 + 1e-9) is overshoots


def test_momentum_of_an_ensemble_of_one_is_that_of_the_single_run() -> None:
    told = {"inputs": {"A": 0.2}, "rules": {"A": {"rule": "momentum"}}, "steps": 50}
    single, ensemble = run(**told), Scenario.from_dict({**told, "ensemble": {"size": 1, "quantiles": [0.5]}}).run()
    assert isinstance(ensemble, EnsembleResult)
    assert np.array_equal(single.series["A"], ensemble.bands["A"][0])


def test_an_alert_needs_patience_and_is_cleared() -> None:
    # the score goes 1, 0.4, 0.4, 1, 0.4, 0.4, 0.4, 0.4, 1, 1: two states below are too few
    values = [0.4, 0.4, 1.0, 0.4, 0.4, 0.4, 0.4, 1.0, 1.0]
    pieces = [{"steps": 1, "rule": {"rule": "constant", "value": value}} for value in values]
    told = {"event": "threshold_alert", "level": 0.5, "patience": 3}
    result = run(rules={"A": {"rule": "piecewise", "pieces": pieces}}, events=[told], steps=len(values))
    assert [(event.kind, event.step, event.value) for event in result.events] == [
        ("alert", 6.0, 0.4),
        ("all_clear", 8.0, 1.0),
    ]


def test_an_alert_of_the_other_side_counts_from_the_first_state_on() -> None:
    told = {"event": "threshold_alert", "variable": "A", "level": 0.5, "side": "above", "patience": 2}
    result = run(inputs={"A": 0.9}, rules={"A": {"rule": "constant"}}, events=[told], steps=5)
    assert [(event.kind, event.step, event.detail) for event in result.events] == [("alert", 1.0, "2 states above 0.5")]


def test_a_forecast_without_shocks_by_hand() -> None:
    scenario = build_scenario("economic_forecast", {"growth": 0.04, "shock": 0, "cycle": 0, "paths": 1, "years": 2})
    result = scenario.run()
    assert isinstance(result, SimulationResult)
    # output = investment · employment · stability e^(−0.02·2) · potential 1.04²
    expected = 0.8 * 0.95 * np.exp(-0.04) * 1.04**2
    assert result.series["score"][-1] == pytest.approx(expected, rel=1e-12)


def test_a_forecast_draws_its_futures_and_replays() -> None:
    scenario = build_scenario("economic_forecast", {"years": 3, "paths": 50})
    first, second = scenario.run(), Scenario.from_dict(json.loads(json.dumps(scenario.to_dict()))).run()
    assert isinstance(first, EnsembleResult)
    assert isinstance(second, EnsembleResult)
    assert (first.size, first.last_step) == (50, 12)
    assert np.array_equal(first.bands["score"], second.bands["score"])
    assert first.bands["score"][0, -1] < first.bands["score"][-1, -1]


def test_a_model_says_what_it_takes() -> None:
    model = describe_model("economic_forecast")
    assert model.description.startswith("An economy in quarters")
    growth = next(each for each in model.parameters if each.name == "growth")
    assert (growth.default, growth.required, growth.takes) == (0.02, False, "a finite number in [-0.5, 0.5]")


@pytest.mark.parametrize(
    ("parameters", "field"), [({"growth": "much"}, "parameters.growth"), ({"colour": 1}, "parameters.colour")]
)
def test_a_wrong_parameter_of_a_model_is_named(parameters: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        build_scenario("economic_forecast", parameters)
    assert caught.value.field == field


def test_an_unknown_model_lists_the_known() -> None:
    with pytest.raises(ConfigurationError, match="domain model 'weather' is unknown; known are economic_forecast"):
        build_scenario("weather", {})

import numpy as np
import pytest

from api.cli.simulation_view import draw_sparkline
from api.cli.simulation_words import group_events, limits_of, tell_steps, tell_trend, to_json
from axiom.simulation import (
    AxiomInputs,
    Constant,
    Ensemble,
    EnsembleResult,
    Event,
    Linear,
    RandomWalk,
    Scenario,
    analyse_trend,
)


def test_a_sparkline_goes_from_the_least_to_the_greatest_value() -> None:
    assert draw_sparkline(np.arange(8.0), 8) == "▁▂▃▄▅▆▇█"
    assert draw_sparkline(np.array([3.0, 1.0, 2.0]), 40) == "█▁▅"
    assert draw_sparkline(-np.arange(800.0), 8) == "█▇▆▅▄▃▂▁"


def test_a_sparkline_shows_rounding_and_huge_values_as_what_they_are() -> None:
    assert draw_sparkline(np.array([0.1 + 0.2, 0.3, 0.3]), 8) == "───"
    assert draw_sparkline(np.zeros(5), 8) == "─────"
    assert draw_sparkline(np.array([-1.7e308, 0.0, 1.7e308]), 3) == "▁▅█"


def test_events_of_many_scenarios_are_told_together() -> None:
    events = [Event("threshold", "score", float(at), 0.5, at, "rises through 0.5") for at in range(21)]
    events += [Event("plateau", "A", float(at), float(at), 0, f"until step {at + 9}") for at in range(30, 50)]
    first, second = group_events(events)
    assert (first.kind, first.detail, first.count, first.scenarios) == ("threshold", "rises through 0.5", 21, 21)
    assert first.steps == pytest.approx((1.0, 10.0, 19.0))
    assert (second.kind, second.detail, second.count, second.scenarios) == ("plateau", "", 20, 1)
    assert group_events([]) == []


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (1.02 ** np.arange(50), "rising ever faster, +2 % a step; the second half lies 0.821 above the first"),
        (np.linspace(1.0, 0.0, 41), "falling at a steady pace, -5 % a step; the second half lies 0.5 below the first"),
        (np.ones(20), "no clear direction"),
        (np.linspace(-1.0, 1.0, 41) ** 2, "no clear direction, turning on its way"),
    ],
)
def test_a_trend_is_told_in_words(values: np.ndarray, told: str) -> None:
    assert tell_trend(analyse_trend(values)) == told


def test_many_steps_are_not_all_told() -> None:
    assert tell_steps([3.0]) == "step 3"
    assert tell_steps([1.0, 2.5, 1_000.0]) == "steps 1, 2.5, 1,000"
    assert tell_steps([float(at) for at in range(11)]) == "steps 0, 1, 2, 3, 4, 5, 6, 7 and 3 more"


def test_the_limiting_terms_of_an_ensemble_are_shares_of_its_scenarios() -> None:
    scenario = Scenario(AxiomInputs(A=0.9), {"B": RandomWalk(0.5)}, 20, ensemble=Ensemble(500))
    result = scenario.run()
    assert isinstance(result, EnsembleResult)
    below = float((np.asarray(result.final.B) < 0.9).mean())
    assert 0.2 < below < 0.8
    assert limits_of(scenario, result) == pytest.approx({"B": below, "A": 1.0 - below})


def test_without_limits_nothing_limits() -> None:
    best = Scenario(rules={"A": Constant()}, steps=3)
    assert limits_of(best, best.run()) == {}
    unbounded = Scenario(AxiomInputs(A=-0.5), steps=3, clamp_to_unit=False)
    assert limits_of(unbounded, unbounded.run()) == {}


def test_json_has_the_series_of_a_single_run_and_the_bands_of_an_ensemble() -> None:
    single = Scenario(AxiomInputs(A=0.5), {"A": Linear(0.1)}, 2)
    told = to_json(single, single.run())
    assert told["series"] == {"score": pytest.approx([0.5, 0.6, 0.7]), "A": pytest.approx([0.5, 0.6, 0.7])}
    assert (told["bands"], told["size"], told["limits"]) == ({}, None, {"A": 1.0})
    assert Scenario.from_dict(told["scenario"]).fingerprint() == single.fingerprint()
    many = Scenario(AxiomInputs(A=0.5), {"A": Linear(0.1)}, 2, ensemble=Ensemble(3, quantiles=(0.0, 1.0)))
    told = to_json(many, many.run())
    assert (told["series"], told["size"]) == ({}, 3)
    assert told["bands"]["A"]["1.0"] == pytest.approx([0.5, 0.6, 0.7])  # type: ignore[index]

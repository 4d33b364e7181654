import io
import re

import numpy as np
import pytest
from rich.console import Console

from api.cli.simulation_view import draw_sparkline, render_simulation
from api.cli.simulation_words import group_events, limits_of, tell_steps, tell_trend, to_json
from axiom.simulation import (
    AxiomInputs,
    Constant,
    Ensemble,
    EnsembleResult,
    Event,
    Linear,
    Oscillation,
    Peaks,
    RandomWalk,
    Scenario,
    analyse_trend,
    results,
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
        (np.ones(20), "stays as it is"),
        (np.tile([0.4, 0.6, 0.4, 0.2], 20), "no clear direction"),
        (np.linspace(-1.0, 1.0, 41) ** 2, "no clear direction, turning on its way"),
        (
            np.linspace(-0.6, 1.0, 41) ** 2,
            "rising, turning on its way, +6.06 % a step; the second half lies 0.32 above the first",
        ),
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


def show(scenario: Scenario) -> str:
    stream = io.StringIO()
    render_simulation(Console(file=stream, width=100), scenario, scenario.run())
    return stream.getvalue()


def test_growth_is_told_in_percent_and_in_multiples_where_it_is_great() -> None:
    out = show(Scenario(AxiomInputs(A=0.5, F_n=0.0), {"A": Linear(-0.001), "F_n": Linear(0.1), "E_n": Linear(10.0)}))
    rows = {line.split()[0]: line.split() for line in out.splitlines()[8:12]}
    assert rows["A"] == ["A", "0.4", "0.5", "0.45", "-20", "%", "0"]  # 0.5 - 100·0.001; no step differs from another
    assert rows["E_n"][-3:] == ["+1000", "×", "0"]  # from 1 to 1001
    assert "–" in rows["F_n"], "from 0 there is none"
    assert "0 %" in show(Scenario(rules={"A": Oscillation(amplitude=0.1, period=20)}, steps=100))


def test_events_that_were_found_and_not_kept_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MOST_EVENTS", 3)
    scenario = Scenario(rules={"A": Oscillation(amplitude=0.1, period=20)}, steps=100, events=(Peaks(variable="A"),))
    assert "the first 3 of 10 events were kept" in show(scenario)
    assert to_json(scenario, scenario.run())["events_total"] == 10


def test_scenarios_in_which_nothing_limits_are_counted_too() -> None:
    scenario = Scenario(rules={"A": RandomWalk(0.5)}, steps=20, ensemble=Ensemble(500))
    told = re.search(r"A \(impulses\) in ([\d.]+) %, nothing in ([\d.]+) %, at step 20", show(scenario))
    assert told is not None
    assert float(told[1]) + float(told[2]) == pytest.approx(100.0)


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

"""The presets run as their pages say, figure by figure."""

import doctest
import json
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from axiom.simulation import (
    PRESETS,
    EnsembleResult,
    Linear,
    Scenario,
    SimulationResult,
    find_preset,
    list_presets,
    vary,
)
from core.errors import InvalidParameterError, PresetNotFoundError

PAGES = Path(__file__).parents[4] / "docs" / "presets"
BLOCK = re.compile(r"```pycon\n(.*?)```", re.DOTALL)


def run(name: str, **changes: object) -> SimulationResult:
    result = vary(find_preset(name).scenario, changes).run()
    assert isinstance(result, SimulationResult)
    return result


def limits(result: SimulationResult) -> list[str | None]:
    return [result.snapshot(n).limiting_term for n in range(result.last_step + 1)]


def test_each_scenario_that_is_packaged_is_listed() -> None:
    packaged = {Path(each.name).stem for each in (files("axiom.simulation") / "scenarios").iterdir()}
    assert {each.name for each in list_presets()} == set(PRESETS) == packaged
    assert len(PRESETS) == len(set(PRESETS)) == 8


@pytest.mark.parametrize("name", PRESETS)
def test_the_figures_of_the_page_are_those_of_a_run(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    session = "\n".join(BLOCK.findall(page))
    test = doctest.DocTestParser().get_doctest(session, {}, name, None, 0)
    assert len(test.examples) >= 4
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", PRESETS)
def test_the_page_tells_how_long_it_runs_and_how_to_run_it(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    preset = find_preset(name)
    assert page.startswith(f"# {preset.title}\n")
    assert f"`lattice simulate --preset {name}`" in page
    assert f"\n{preset.scenario.steps} steps" in page
    assert f"[{name}]({name}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PRESETS)
def test_each_goes_to_its_end_with_events_on_the_way(name: str) -> None:
    scenario = find_preset(name).scenario
    result = scenario.run()
    assert result.stopped is None
    assert result.last_step == scenario.steps
    assert result.events
    assert scenario.name == name


@pytest.mark.parametrize("name", PRESETS)
def test_each_replays_from_its_json(name: str) -> None:
    scenario = find_preset(name).scenario
    again = Scenario.from_dict(json.loads(json.dumps(scenario.to_dict())))
    assert again.fingerprint() == scenario.fingerprint()
    first, second = scenario.run(), again.run()
    assert first.events == second.events
    if isinstance(first, EnsembleResult) and isinstance(second, EnsembleResult):
        np.testing.assert_array_equal(first.bands["score"], second.bands["score"])
    else:
        np.testing.assert_array_equal(first.series["score"], second.series["score"])


def test_an_unknown_one_is_answered_with_those_there_are() -> None:
    with pytest.raises(PresetNotFoundError, match=r"'burn_out' is unknown; known are steady_growth, .*, burnout"):
        find_preset("burn_out")


def test_it_is_told_as_json() -> None:
    told = json.loads(json.dumps(find_preset("burnout").to_dict()))
    assert told["title"] == "Burnout"
    assert Scenario.from_dict(told["scenario"]) == find_preset("burnout").scenario


def test_a_varied_scenario_keeps_what_is_not_named() -> None:
    preset = find_preset("divergent_paths").scenario
    rules = {"B": {"rule": "linear", "slope": 0.01}}
    varied = vary(preset, {"inputs": {"E_n": 2.2}, "rules": rules, "steps": 10, "seed": 5, "ensemble": None})
    assert (varied.inputs.E_n, varied.inputs.A, varied.inputs.B) == (2.2, 0.5, 0.5)
    assert varied.rules == {"A": preset.rules["A"], "B": Linear(0.01)}
    assert (varied.steps, varied.seed, varied.ensemble) == (10, 5, None)
    assert (varied.name, varied.events) == (preset.name, preset.events)
    assert vary(preset, {}) == preset


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"inputs": {"Q": 1.0}}, "inputs.Q"),
        ({"inputs": [1.0]}, "inputs"),
        ({"rules": {"A": {"rule": "linear", "slope": "up"}}}, "rules.A.slope"),
        ({"steps": 0}, "steps"),
        ({"colour": "red"}, "colour"),
        ({"ensemble": {"size": 0}}, "ensemble.size"),
    ],
)
def test_a_wrong_change_is_named_by_its_path(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        vary(find_preset("burnout").scenario, changes)
    assert caught.value.field == field


# What the pages invite to try, beside their figures


def test_steady_growth_passes_1_once_x_is_1() -> None:
    assert run("steady_growth").series["score"].max() < 1.0
    assert run("steady_growth", inputs={"X": 1.0}).series["score"].max() > 1.0


def test_a_plateau_without_a_move_of_x_stays() -> None:
    plateau = run("learning_plateau", rules={"X": {"rule": "constant"}}).series["score"]
    assert plateau[-1] == pytest.approx(0.9 * 0.85 * 0.6 * 0.9 * 0.95, abs=1e-6)


def test_a_decay_with_a_floor_never_limits() -> None:
    floored = run("corruption_decay", rules={"X": {"rule": "decay", "rate": 0.01, "floor": 0.75}})
    assert set(limits(floored)[9:]) == {"Y"}


def test_mending_the_limiting_term_hides_the_decay_for_a_while() -> None:
    mended = run("corruption_decay", rules={"Y": {"rule": "linear", "slope": 0.004}}).series["score"]
    peak = int(np.argmax(mended))
    assert 26 < peak <= 100
    assert mended[150] < mended[peak]


def test_alignment_lifts_even_a_term_of_nothing() -> None:
    lifted = run("alignment", inputs={"C": 0.0}).series["score"]
    assert lifted[0] == 0.0
    assert lifted[-1] == pytest.approx((3.55 / 6) ** 6, rel=1e-3)


def test_a_broken_ring_follows_the_one_that_stays() -> None:
    broken = run("alignment", rules={"C": {"rule": "constant"}}, steps=400)
    for name in ("A", "B", "X", "Y", "Z"):
        assert broken.series[name][-1] == pytest.approx(0.35, abs=1e-3)


def test_one_swing_alone_costs_nothing_and_feedback_makes_up_for_two() -> None:
    alone = run("innovation_cycles", rules={"A": {"rule": "constant"}}).series["score"]
    assert alone[1:].mean() == pytest.approx(0.36, abs=1e-12)
    made_up = run("innovation_cycles", inputs={"F_n": 0.143}).series["score"]
    assert made_up[1:].mean() == pytest.approx(0.36, abs=1e-4)


def test_a_spared_term_halves_the_fall() -> None:
    score = run("resilience_and_recovery", rules={"C": {"rule": "constant"}}).series["score"]
    assert score.min() / score[0] == pytest.approx(1 / 4)


def test_a_push_to_the_best_energy_can_be_kept_up() -> None:
    pieces = [
        {"steps": 40, "rule": {"rule": "linear", "slope": 1 / 120}},
        {"steps": 1, "rule": {"rule": "constant"}},
    ]
    score = run("burnout", rules={"E_n": {"rule": "piecewise", "pieces": pieces}}).series["score"]
    assert score[-1] == pytest.approx(16 / 15, abs=1e-3)
    assert score.min() == 1.0


def test_a_lower_tipping_point_lets_nine_of_ten_rise() -> None:
    result = vary(find_preset("divergent_paths").scenario, {"inputs": {"E_n": 2.2}}).run()
    assert isinstance(result, EnsembleResult)
    assert float(np.mean(np.asarray(result.final.A) > 1.0)) == pytest.approx(0.9, abs=0.02)

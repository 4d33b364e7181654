import json
import os
import re
from dataclasses import fields
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from api.cli import simulate
from axiom.simulation import PRESETS, Parameters, Scenario, find_preset
from tests.integration.cli.process import ROOT, Lattice

RUNAWAY = ("--rule", "E_n=e_sequence", "--steps", "1000")


@pytest.fixture
def lattice(tmp_path: Path) -> Lattice:
    return Lattice({"LATTICE_DATA_DIR": str(tmp_path), "LATTICE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})


def test_options_alone_make_a_simulation_and_no_database_is_asked(lattice: Lattice) -> None:
    done = lattice("simulate", "--set", "A=0.5", "--rule", "A=linear:slope=0.1", "--steps", "3", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["series"]["A"] == pytest.approx([0.5, 0.6, 0.7, 0.8])
    assert done.json["limits"] == {"A": 1.0}
    assert done.json["scenario"]["rules"] == {"A": {"rule": "linear", "slope": 0.1}}


def test_a_simulation_is_shown_within_80_columns(lattice: Lattice) -> None:
    done = lattice("simulate", "--preset", "corruption_decay")
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
    assert re.search(r"^score +0\.1619 +▄[▁▂▃▄▅▆▇█]+ +0\.09033$", done.out.replace(" \n", "\n"), re.MULTILINE)
    for told in ("limited by  X (objectivity), at step 150", "falling ever faster", "peak", "falls through 0.6"):
        assert told in done.out


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_runs(lattice: Lattice, name: str) -> None:
    done = lattice("simulate", "--preset", name)
    assert done.code == 0, done.err
    assert done.out.startswith(name)


def test_an_ensemble_shows_its_quantiles_and_what_its_scenarios_share(lattice: Lattice) -> None:
    done = lattice("simulate", "--preset", "divergent_paths", "--ensemble", "200", "--quantile", "0.5", "--seed", "3")
    assert done.code == 0, done.err
    assert "200 scenarios · 120 steps · seed 3" in done.out
    assert re.search(r"threshold +score +rises through 1 +\d+ ", done.out)
    assert re.search(r"\(\w+\) in \d", done.out)


def test_a_spread_alone_makes_an_ensemble_and_none_makes_a_single_run(lattice: Lattice) -> None:
    moved = ("--rule", "B=linear:slope=0.001", "--steps", "5", "--json")
    many = lattice("simulate", "--set", "A=0.5", "--spread", "A=uniform:0.1", *moved)
    assert many.json["size"] == 1_000
    assert many.json["scenario"]["ensemble"]["quantiles"] == [0.05, 0.5, 0.95]
    low, high = many.json["bands"]["score"]["0.05"][0], many.json["bands"]["score"]["0.95"][0]
    assert 0.4 < low < 0.42
    assert 0.58 < high < 0.6
    single = lattice("simulate", "--preset", "divergent_paths", "--ensemble", "0", "--json")
    assert (single.json["size"], single.json["bands"]) == (None, {})


def test_what_was_run_can_be_saved_and_run_again(lattice: Lattice, tmp_path: Path) -> None:
    path = tmp_path / "scenario.json"
    added = ("--rule", "X=random_walk:sd=0.01", "--event", "peaks:variable=X,prominence=0.01", "--seed", "5")
    first = lattice("simulate", "--preset", "burnout", *added, "--save-scenario", str(path), "--json")
    assert first.code == 0, first.err
    assert lattice("simulate", str(path), "--json").json == first.json
    assert lattice("simulate", "-", "--json", given=path.read_text("utf-8")).json == first.json


def test_files_are_written_and_told(lattice: Lattice, tmp_path: Path) -> None:
    names = {"--plot": "o.svg", "--csv": "o.csv", "--parquet": "o.parquet", "--save-scenario": "o.json"}
    options = [each for option, name in names.items() for each in (option, str(tmp_path / name))]
    done = lattice("simulate", "--rule", "A=decay:rate=0.1", *options)
    assert done.code == 0, done.err
    assert {path.name for path in tmp_path.iterdir()} == set(names.values())
    assert all(f"{tmp_path / name}: " in done.err for name in names.values())
    quiet = lattice("simulate", "--rule", "A=decay:rate=0.1", *options, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_a_runaway_is_told_plainly_and_its_beginning_is_kept(lattice: Lattice, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    done = lattice("simulate", *RUNAWAY, "--csv", str(path))
    assert done.code == 1
    assert "stopped before step 646 of 1,000: E_n grew beyond what a float can hold" in done.out
    assert len(path.read_text("utf-8").splitlines()) == 1 + 646
    told = lattice("simulate", *RUNAWAY, "--json")
    assert (told.code, told.json["stopped"]["step"], told.json["last_step"]) == (1, 646, 645)
    quiet = lattice("simulate", *RUNAWAY, "--quiet")
    assert (quiet.code, quiet.out) == (1, "")
    assert quiet.err.startswith("stopped before step 646")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--preset", "gone"), 4, "known are steady_growth"),
        (("--rule", "A=linaer:slope=1"), 3, "linear"),
        (("--rule", "A=linear"), 3, "rules.A.slope: is required"),
        (("--rule", "Q=linear:slope=1"), 3, "rules.Q"),
        (("--set", "A=much"), 3, "inputs.A: must be a number"),
        (("--set", "A=NaN"), 3, "inputs.A: must be a finite number"),
        (("--steps", "0"), 3, "steps: must be from 1 to 100,000"),
        (("--event", "threshold"), 3, "events[0].level: is required"),
        (("--quantile", "1.5"), 3, "ensemble.quantiles[0]"),
        (("--spread", "A=wide:1"), 3, "ensemble.uncertainty.A.kind"),
        (("--rule", "A"), 2, "NAME=VALUE"),
        (("--plot", "out.pdf"), 2, ".svg or .png"),
        (("--csv", "no/such/out.csv"), 2, "there is no folder"),
        (("--csv", "out", "--parquet", "out"), 2, "same file as --csv"),
        (("--preset", "burnout", "--gem", "g"), 2, "cannot be combined with --preset"),
        (("--preset", "burnout", "--parameter", "a=1"), 2, "takes none"),
        (("--parameter", "a=1"), 2, "--preset names"),
        (("--step-days", "7"), 2, "goes with --gem"),
        (("gone.json",), 3, "No such file"),
    ],
)
def test_what_is_wrong_is_named(lattice: Lattice, arguments: tuple[str, ...], code: int, told: str) -> None:
    done = lattice("simulate", *arguments, "--json")
    assert done.code == code, done.err
    assert told in done.error["message"]
    assert done.out == ""


def test_a_scenario_nested_too_deeply_is_refused(lattice: Lattice) -> None:
    rule: dict[str, object] = {"rule": "constant"}
    for _ in range(300):
        rule = {"rule": "sum", "rules": [rule]}
    done = lattice("simulate", "-", "--json", given=json.dumps({"rules": {"A": rule}}))
    assert done.code == 3
    assert done.error["details"]["field"].startswith("rules")
    assert "deep" in done.error["message"]


def test_a_simulation_in_which_nothing_moves_says_what_is_missing(lattice: Lattice) -> None:
    done = lattice("simulate")
    assert done.code == 0
    assert "nothing moves" in done.err
    assert "stays as it is" in done.out


def test_a_folder_that_cannot_be_written_into_is_told_before_the_run(
    lattice: Lattice, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    done = lattice("simulate", "--csv", str(tmp_path / "out.csv"), "--json")
    assert (done.code, done.out) == (2, "")
    assert "--csv: no file can be written" in done.error["message"]


def test_a_long_simulation_shows_how_far_it_is(lattice: Lattice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "PATIENCE_S", -1.0)
    done = lattice("simulate", "--rule", "A=random_walk:sd=0.1", "--steps", "2000")
    assert "Simulating" in done.err
    assert "2,000 steps" in done.err
    assert lattice("simulate", "--rule", "A=random_walk:sd=0.1", "--quiet").err == ""


def test_ctrl_c_ends_it_and_leaves_no_file(lattice: Lattice, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt() -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulate, "time", type("Clock", (), {"monotonic": staticmethod(interrupt)}))
    assert lattice("simulate", "--csv", str(tmp_path / "out.csv")).code == 130
    assert list(tmp_path.iterdir()) == []


def test_help_has_examples(lattice: Lattice) -> None:
    for command in (("simulate",), ("presets", "list"), ("presets", "show")):
        shown = lattice(*command, "--help").out
        assert "Examples" in shown
        assert f"lattice {' '.join(command)}" in shown


def test_the_page_names_every_rule_with_its_parameters() -> None:
    page = (ROOT / "docs" / "simulation.md").read_text("utf-8")
    for point in entry_points(group="lattice.update_rules"):
        if not point.value.startswith("axiom."):
            continue
        rule = point.load()
        assert issubclass(rule, Parameters)
        row = next(line for line in page.splitlines() if line.startswith(f"| `{point.name}` | `{rule.__name__}` |"))
        for each in fields(rule):
            assert f"`{each.name}`" in row, (point.name, each.name)


def test_the_scenario_and_the_code_of_the_page_run() -> None:
    page = (ROOT / "docs" / "simulation.md").read_text("utf-8")
    (told,) = re.findall(r"```json\n(\{\n.*?)```", page, re.DOTALL)
    result = Scenario.from_dict(json.loads(told)).run()
    assert (result.last_step, result.stopped) == (200, None)
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 - our own page
    assert names["result"].series["score"].size == 201  # type: ignore[attr-defined]


def test_the_page_of_the_command_names_every_option(lattice: Lattice) -> None:
    section = (ROOT / "docs" / "cli.md").read_text("utf-8").partition("\n## simulate\n")[2].partition("\n## ")[0]
    options = set(re.findall(r"--[a-z][a-z-]+", lattice("simulate", "--help").out.partition("Options")[2]))
    assert options >= {"--rule", "--spread", "--save-scenario", "--json"}
    assert {each for each in options if each not in section} <= {"--help"}


def test_presets_are_listed_and_shown(lattice: Lattice) -> None:
    listed = lattice("presets", "list", "--json").json
    assert [each["name"] for each in listed][: len(PRESETS)] == list(PRESETS)
    shown = lattice("presets", "show", "burnout", "--json").json
    assert Scenario.from_dict(shown["scenario"]) == find_preset("burnout").scenario
    text = lattice("presets", "show", "burnout").out
    assert json.loads(text[text.index("{") :]) == find_preset("burnout").scenario.to_dict()
    assert all(name in lattice("presets", "list").out for name in PRESETS)
    assert lattice("presets", "show", "gone").code == 4


def test_domain_models_and_rules_of_extensions_are_served_too(tmp_path: Path) -> None:
    lattice = Lattice({"LATTICE_DATA_DIR": str(tmp_path), "LATTICE_EXTENSIONS_DIR": str(ROOT / "examples/extensions")})
    listed = lattice("presets", "list", "--json").json
    assert listed[-1]["name"] == "economic_forecast"
    assert "growth" in lattice("presets", "show", "economic_forecast").out
    parameters = ("--parameter", "years=2", "--parameter", "paths=1")
    done = lattice("simulate", "--preset", "economic_forecast", *parameters, "--json")
    assert (done.json["last_step"], done.json["size"]) == (8, None)
    wrong = lattice("simulate", "--preset", "economic_forecast", "--parameter", "years=0", "--json")
    assert (wrong.code, wrong.error["details"]["field"]) == (3, "parameters.years")
    moved = lattice("simulate", "--set", "A=0", "--rule", "A=momentum:inertia=0.5,pull=0.1", "--steps", "2", "--json")
    assert moved.json["series"]["A"] == pytest.approx([0.0, 0.1, 0.1 + 0.5 * 0.1 + 0.1 * 0.9])

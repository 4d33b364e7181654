import io
import json
import math
import sys
from pathlib import Path

import pytest
import typer

from api.cli.simulation_options import Changes, read_part, read_scenario_file, read_spread, read_value
from core.errors import UnreadableSourceError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("decay:rate=0.02", {"rule": "decay", "rate": 0.02}),
        ("constant", {"rule": "constant"}),
        (" coupled : source = score , rate = 0.1 ", {"rule": "coupled", "source": "score", "rate": 0.1}),
        ("milestones:levels=[0.5, 0.9],variable=A", {"rule": "milestones", "levels": [0.5, 0.9], "variable": "A"}),
        (
            'bounded:of={"rule": "linear", "slope": 1e-2},high=2',
            {"rule": "bounded", "of": {"rule": "linear", "slope": 0.01}, "high": 2},
        ),
        ('{"rule": "sum", "rules": []}', {"rule": "sum", "rules": []}),
        ("constant:value=null", {"rule": "constant", "value": None}),
        ('x:name="a,b"', {"rule": "x", "name": "a,b"}),
    ],
)
def test_rules_are_read_from_short_texts_and_from_json(text: str, told: object) -> None:
    assert read_part("--rule", "rule", text) == told


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("decay:rate", "'rate' has no value"),
        ("decay:=1", "has no value"),
        ("milestones:levels=[0.5", "no JSON"),
        ("milestones:levels=[0.5]0.9", "needs a comma"),
        ("{", "no JSON"),
        ("{" * 100_000, "no JSON"),
        ("x:y=" + "[" * 100_000, "no JSON"),
        ("linear:slope=1,slope=2", "slope is given twice"),
    ],
)
def test_a_text_that_is_no_rule_is_refused(text: str, problem: str) -> None:
    with pytest.raises(typer.BadParameter, match=problem):
        read_part("--event", "event", text)


@pytest.mark.parametrize(("text", "value"), [(".5", 0.5), ("5.", 5.0), ("+1e2", 100.0), ("inf", math.inf), ("a", "a")])
def test_numbers_may_be_written_as_people_do(text: str, value: object) -> None:
    assert read_value(text) == value


def test_spreads_are_normal_unless_told_otherwise() -> None:
    assert read_spread("0.05") == {"kind": "normal", "width": 0.05}
    assert read_spread("uniform:0.1") == {"kind": "uniform", "width": 0.1}
    assert read_spread('{"kind": "normal", "width": 1}') == {"kind": "normal", "width": 1}


def test_changes_come_on_top_of_a_scenario() -> None:
    scenario = {
        "inputs": {"A": 0.5, "B": 0.5},
        "rules": {"A": {"rule": "constant"}, "B": {"rule": "constant"}},
        "events": [{"event": "peaks"}],
        "seed": 7,
        "ensemble": {"size": 10, "uncertainty": {"A": {"kind": "normal", "width": 1.0}}},
    }
    changes = Changes(
        inputs=["A=0.8", "C=1e-1"],
        rules=["A=linear:slope=0.1"],
        events=["threshold:level=0.5"],
        steps=9,
        spreads=["B=0.2"],
        quantiles=[0.9, 0.1, 0.9],
    )
    assert changes.apply(scenario) == {
        "inputs": {"A": 0.8, "B": 0.5, "C": 0.1},
        "rules": {"A": {"rule": "linear", "slope": 0.1}, "B": {"rule": "constant"}},
        "events": [{"event": "peaks"}, {"event": "threshold", "level": 0.5}],
        "seed": 7,
        "steps": 9,
        "ensemble": {
            "size": 10,
            "uncertainty": {"A": {"kind": "normal", "width": 1.0}, "B": {"kind": "normal", "width": 0.2}},
            "quantiles": [0.1, 0.9],
        },
    }
    assert scenario["inputs"] == {"A": 0.5, "B": 0.5}, "what was given stays as it was"
    assert Changes().apply(scenario) == scenario


def test_an_ensemble_of_none_is_a_single_run() -> None:
    assert Changes(ensemble=0).apply({"ensemble": {"size": 3}, "steps": 1}) == {"steps": 1}
    with pytest.raises(typer.BadParameter, match="--spread"):
        Changes(ensemble=0, spreads=["A=1"]).apply({})


@pytest.mark.parametrize("pair", ["A", "=0.5", "A=", " =1"])
def test_a_pair_without_a_name_or_value_is_refused(pair: str) -> None:
    with pytest.raises(typer.BadParameter, match="NAME=VALUE"):
        Changes(inputs=[pair]).apply({})


def test_a_name_that_comes_twice_is_refused() -> None:
    for changes in (Changes(inputs=["A=1", "A=2"]), Changes(rules=["A=constant", "A=constant"])):
        with pytest.raises(typer.BadParameter, match="A is given twice"):
            changes.apply({})


def test_what_a_scenario_has_wrong_is_left_to_its_reader() -> None:
    broken = {"inputs": 3, "rules": [], "events": 5, "ensemble": "many"}
    changes = Changes(inputs=["A=1"], rules=["A=constant"], events=["peaks"], ensemble=2)
    assert changes.apply(broken) == {**broken, "rules": {"A": {"rule": "constant"}}}


def test_a_scenario_comes_from_a_file_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scenario.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"steps": 3}).encode())
    assert read_scenario_file(str(path)) == {"steps": 3}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"steps": 4}')))
    assert read_scenario_file("-") == {"steps": 4}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "is no JSON"),
        (b"\n", "is empty"),
        (b"[1]", "is no scenario"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "scenario.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableSourceError, match=problem):
        read_scenario_file(str(path))

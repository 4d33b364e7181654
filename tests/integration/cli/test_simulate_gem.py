"""`lattice simulate --gem`: what becomes of a gem that is left alone."""

import json
import math
from pathlib import Path

import pytest

from tests.integration.cli.process import Lattice


@pytest.fixture
def port(lattice: Lattice, tmp_path: Path) -> Lattice:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"id": "1", "text": "The island ferry leaves at seven.", "gem": "port"}), "utf-8")
    assert lattice("ingest", str(rows)).code == 0
    return lattice


def test_a_gem_fades_as_its_state_does(port: Lattice) -> None:
    told = port("simulate", "--gem", "port", "--step-days", "30", "--steps", "5", "--json")
    assert told.code == 0, told.err
    pressure, certainty = told.json["series"]["C"], told.json["series"]["Z"]
    assert pressure[5] / pressure[0] == pytest.approx(math.exp(-5.0))
    assert certainty[5] - certainty[0] == pytest.approx(-0.5)
    assert told.json["name"] == "port"


def test_a_year_is_foreseen_and_options_come_on_top(port: Lattice, tmp_path: Path) -> None:
    path = tmp_path / "port.json"
    options = ("--rule", "C=constant", "--event", "threshold:variable=Z,level=0.5", "--save-scenario", str(path))
    shown = port("simulate", "--gem", "port", *options)
    assert shown.code == 0, shown.err
    assert "port  365 steps" in shown.out
    assert "falls through 0.5" in shown.out
    told = json.loads(path.read_text("utf-8"))
    assert told["rules"]["C"] == {"rule": "constant", "value": None}
    assert "Z" in told["rules"]


def test_a_gem_that_is_not_there_is_told(lattice: Lattice) -> None:
    assert lattice("simulate", "--gem", "nowhere", "--json").error["code"] == "gem_not_found"
    assert lattice("simulate", "--gem", "nowhere", "--step-days", "0", "--json").code in {3, 4}

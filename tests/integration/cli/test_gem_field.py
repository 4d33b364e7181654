"""`lattice gems state|history|forecast|field|risk|modes|rehearse|interference`, for people and as JSON."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.process import Lattice

TEXTS = ("The island ferry leaves at seven and at noon.", "The gantry crane at pier nine lifts forty tonnes.")


@pytest.fixture
def port(lattice: Lattice, tmp_path: Path) -> Lattice:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("\n".join(json.dumps({"id": text, "text": text}) for text in TEXTS))
    assert lattice("ingest", str(rows), "--gem", "port").code == 0
    assert lattice("gems", "create", "quay").code == 0
    assert lattice("gems", "entangle", "port", "quay", "--strength", "0.5").code == 0
    return lattice


def test_a_gem_is_followed_from_its_birth_into_the_future(port: Lattice) -> None:
    shown = port("gems", "state", "port")
    assert (shown.code, "its share in the lattice's" in shown.out) == (0, True), shown.err
    assert "below 0.1" in shown.out
    state = port("gems", "state", "port", "--at", "2090-01-01", "--json").json
    assert state["state"]["uncertainty"] == 1.0
    told = port("gems", "forecast", "port", "--below", "0.5", "--json").json
    assert port("gems", "state", "port", "--at", told["falls_at"], "--json").json["state"][
        "coherence"
    ] == pytest.approx(0.5)
    assert "coherence below 0.1: from " in port("gems", "forecast", "port").out
    assert "ingest" in port("gems", "history", "port").out
    history = port("gems", "history", "port", "--until", "2090-01-01", "--json").json
    assert [mark["cause"] for mark in history["measurements"]] == ["ingest"]


def test_all_gems_are_told_together(port: Lattice) -> None:
    assert "order parameter" in port("gems", "field").out
    assert "no gem falls below 0.1" in port("gems", "risk").out
    assert "port" in port("gems", "risk", "--within-days", "365").out
    assert "port" in port("gems", "modes").out
    assert "2 gems" in port("gems", "history").out
    assert "order parameter 1.000" in port("gems", "interference", "port", "quay").out
    assert "ferry" in port("gems", "interference", "port").out

    assert port("gems", "field", "--json").json["gems"] == 2
    at_risk = port("gems", "risk", "--within-days", "365", "--json").json["gems"]
    assert {each["name"] for each in at_risk} == {"port", "quay"}
    assert sum(mode["size"] for mode in port("gems", "modes", "--json").json["modes"]) == 2
    assert port("gems", "history", "--json").json["points"][-1]["gems"] == 2
    assert len(port("gems", "interference", "port", "--json").json["labels"]) == 2


def test_a_rehearsal_is_done_only_when_told_so(port: Lattice) -> None:
    told = port("gems", "rehearse", "port")
    assert (told.code, "nothing was changed" in told.out, "quay" in told.out) == (0, True, True), told.err
    assert len(port("gems", "log", "port", "--json").json) == 1
    done = port("gems", "rehearse", "port", "--yes", "--json").json
    assert (done["dry_run"], [partner["name"] for partner in done["partners"]]) == (False, ["quay"])
    assert port("gems", "log", "port", "--json").json[0]["cause"] == "manual"
    assert port("gems", "log", "quay", "--json").json[0]["cause"] == "entanglement"
    assert "manual" in port("gems", "history", "port").out


def test_an_empty_lattice_and_wrong_arguments_are_told(lattice: Lattice) -> None:
    assert "0 gems" in lattice("gems", "field").out
    assert "no gems" in lattice("gems", "modes").out
    assert "no gems in this time" in lattice("gems", "history").out
    assert lattice("gems", "state", "nowhere", "--json").error["code"] == "gem_not_found"
    assert lattice("gems", "state", "nowhere", "--at", "yesterday").code != 0
    assert lattice("gems", "rehearse", "nowhere", "--passage", "x").code != 0

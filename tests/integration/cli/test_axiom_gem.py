"""`lattice axiom gem`: what the axiom says of a gem, for people and as JSON."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.process import Lattice

TEXTS = ("The island ferry leaves at seven and at noon.", "The gantry crane at pier nine lifts forty tonnes.")


@pytest.fixture
def port(lattice: Lattice, tmp_path: Path) -> Lattice:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("\n".join(json.dumps({"id": text, "text": text, "gem": "port"}) for text in TEXTS))
    assert lattice("ingest", str(rows)).code == 0
    return lattice


def test_a_gem_is_scored_before_and_after_it_was_asked(port: Lattice) -> None:
    shown = port("axiom", "gem", "port")
    assert shown.code == 0, shown.err
    assert "Score 0." in shown.out
    assert "assumed" in shown.out
    assert "no reflections yet" in shown.out
    for _ in range(2):
        assert port("reflect", "When does the ferry leave?", "--gem", "port").code == 0
    shown = port("axiom", "gem", "port")
    assert "2 reflections" in shown.out
    assert "holds the score back most" in shown.out
    told = port("axiom", "gem", "port", "--json").json
    assert told["bases"]["A"] == {"of": "reflections", "count": 2}
    assert len(told["history"]["items"]) == 2
    assert len(port("axiom", "gem", "port", "--limit", "1", "--json").json["history"]["items"]) == 1


def test_a_later_moment_is_seen_and_an_earlier_one_refused(port: Lattice) -> None:
    told = port("axiom", "gem", "port", "--at", "2096-01-01", "--json").json
    assert (told["at"], told["axiom"]["terms"]["Z"]) == ("2096-01-01T00:00:00Z", 0.0)
    refused = port("axiom", "gem", "port", "--at", "2001-01-01", "--json")
    assert refused.code != 0
    assert refused.error["details"]["field"] == "at"


def test_a_gem_that_is_not_there_is_told(lattice: Lattice) -> None:
    missing = lattice("axiom", "gem", "nowhere", "--json")
    assert missing.error["code"] == "gem_not_found"

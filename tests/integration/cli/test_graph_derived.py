"""`lattice graph extract` and `lattice graph resonance`, with a scripted model."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.process import Lattice

TEXTS = ("Ann has lived in Oslo since 2019.", "Ann has been living in Oslo since 2019.")
FOUND = {"entities": [{"name": "Ann", "kind": "person"}], "relations": []}
LIVES = {"subject": "Ann", "predicate": "lives in", "object": "Oslo", "valid_from": "2019"}
ANSWER = {
    "passages": [
        {"passage": 1, **FOUND, "relations": [LIVES]},
        {"passage": 2, **FOUND, "relations": [{**LIVES, "object": "Rome"}]},
    ]
}


@pytest.fixture
def talking(database_url: str, tmp_path: Path) -> Lattice:
    """The program with two documents, and a model that always gives the same answer."""
    config = tmp_path / "llm.toml"
    config.write_text(
        f"[targets.main]\nprovider = 'scripted'\nmodel = '{json.dumps(ANSWER)}'\n"
        "prices = {input_usd = 1, output_usd = 1}\n[models.default]\ntargets = ['main']\n"
    )
    lattice = Lattice(
        {
            "LATTICE_DATABASE_URL": database_url,
            "LATTICE_DATA_DIR": str(tmp_path),
            "LATTICE_LLM__CONFIG": str(config),
        }
    )
    rows = tmp_path / "rows.jsonl"
    rows.write_text("\n".join(json.dumps({"id": text, "text": text, "gem": "people"}) for text in TEXTS))
    assert lattice("ingest", str(rows)).code == 0
    return lattice


def test_what_a_model_finds_is_in_the_graph(talking: Lattice) -> None:
    planned = talking("graph", "extract", "people", "--dry-run")
    assert planned.code == 0, planned.err
    assert "2 passages to look into" in planned.out
    assert "$" in planned.out
    assert talking("graph", "relations", "people", "--json").json == []

    stopped = talking("graph", "extract", "people", "--max-usd", "0.000001", "--json")
    assert (stopped.code, stopped.json["done"]["stopped"], stopped.json["done"]["calls"]) == (1, True, 0)

    done = talking("graph", "extract", "people", "--max-usd", "1")
    assert done.code == 0, done.err
    assert "2 passages looked into" in done.out
    assert "dropped: 1 unsaid_relations" in done.out
    (relation,) = talking("graph", "relations", "people", "--json").json
    assert (relation["subject"], relation["object"], relation["origin"]) == ("Ann", "Oslo", "llm")
    assert talking("graph", "extract", "people", "--json").json["done"]["passages"] == 0
    assert talking("graph", "extract", "people", "--max-usd", "much").code == 2
    assert talking("graph", "extract", "people", "--max-usd", "-1").code == 3
    assert talking("graph", "extract", "people", "--model", "unheard").code == 4


def test_passages_that_are_alike_are_linked(talking: Lattice) -> None:
    linked = talking("graph", "resonance", "people", "--json").json
    assert (linked["links"], linked["pending"], linked["threshold"]) == (2, 0, 0.8)
    assert talking("graph", "resonance", "people", "--most", "1", "--anew").out.strip() == "2 links"
    assert talking("graph", "resonance", "people", "--threshold", "2").code == 3

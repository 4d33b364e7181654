"""`lattice graph`: from documents with relations to what they say together."""

import json
from pathlib import Path

from tests.integration.cli.process import Lattice

ROWS = [
    {"id": "1", "text": "Ann lives in Oslo.", "relations": [["Ann", "born in", "Oslo"], ["Ann", "knows", "Robert"]]},
    {"id": "2", "text": "Ann was born in Bergen, says Bob.", "relations": [["Ann", "born in", "Bergen"]]},
    {"id": "3", "text": "There was Bob, and Ann.", "relations": [["Bob", "knows", "Cy"]]},
]


def test_a_graph_is_read_asked_and_set_right(lattice: Lattice, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("\n".join(json.dumps({**row, "gem": "people"}) for row in ROWS))
    assert lattice("ingest", str(rows)).code == 0

    entities = lattice("graph", "entities", "people", "--json").json
    assert {"Ann", "Bob", "Robert", "Oslo"} <= {each["name"] for each in entities}
    shown = lattice("graph", "entity", "people", "ann")
    assert shown.code == 0
    assert "knows" in shown.out
    relations = lattice("graph", "relations", "people", "--subject", "Ann", "--predicate", "BORN_IN", "--json").json
    by_object = {each["object"]: each["id"] for each in relations}
    assert by_object.keys() == {"Oslo", "Bergen"}

    assert "Ann born in: there can be one only" in lattice("graph", "contradictions", "people").out
    chosen = ("--keep", by_object["Oslo"], "--close", by_object["Bergen"])
    assert lattice("graph", "resolve", "people", *chosen, "--json").json["kind"] == "resolve"
    assert "no contradictions" in lattice("graph", "contradictions", "people").out

    assert "robert" in lattice("graph", "merge", "people", "Robert", "Bob").out
    assert {"Ann", "Cy"} <= {
        node["name"] for node in lattice("graph", "neighbours", "people", "Bob", "--json").json["nodes"]
    }
    assert "Ann → Robert → Cy" in lattice("graph", "paths", "people", "Ann", "Cy").out
    assert lattice("graph", "communities", "people").code == 0
    assert "Robert" in lattice("graph", "central", "people", "--limit", "1").out
    undone = lattice("graph", "undo", "people", "--json").json
    assert undone["kind"] == "merge"
    assert lattice("graph", "merge", "people", "Robert", "Nobody").code == 4

    marked = lattice("graph", "predicates", "people", "--set", "born_in=many", "--json").json
    assert marked["predicates"] == {"born in": "many"}
    assert lattice("graph", "predicates", "people", "--set", "born_in=default", "--json").json["predicates"] == {}
    assert lattice("graph", "predicates", "people", "--set", "nonsense").code == 2
    assert [each["kind"] for each in lattice("graph", "changes", "people", "--json").json] == ["merge", "resolve"]

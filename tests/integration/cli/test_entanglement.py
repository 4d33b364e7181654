"""Entangling gems on the command line, and recalling through it."""

import json
from pathlib import Path

from tests.integration.cli.process import Lattice

ROWS = [
    {"id": "ferry", "text": "The island ferry leaves the harbour at noon.", "gem": "harbour"},
    {"id": "boats", "text": "The ferry from the island to the harbour leaves at nine.", "gem": "island"},
]


def test_gems_are_entangled_as_suggested_and_recalled_through_it(lattice: Lattice, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("\n".join(map(json.dumps, ROWS)), "utf-8")
    assert lattice("ingest", str(rows)).code == 0
    (suggested,) = lattice("gems", "entanglements", "harbour", "--suggest", "--json").json["suggestions"]
    assert suggested["name"] == "island"
    made = lattice("gems", "entangle", "harbour", "island", "--strength", str(suggested["strength"]))
    assert (made.code, "entangled with strength" in made.out) == (0, True)
    shown = lattice("gems", "entanglements", "island")
    assert "harbour" in shown.out
    found = lattice("recall", "When does the ferry leave?", "--gem", "harbour", "--reach", "entangled", "--explain")
    assert "in island, by 0." in found.out
    assert "reach -" in found.out
    answer = lattice("reflect", "When does the ferry leave?", "--gem", "harbour", "--reach", "lattice", "--json").json
    assert {each["gem_name"] for each in answer["evidence"]} == {"harbour", "island"}
    assert lattice("gems", "disentangle", "island", "harbour").code == 0
    gone = lattice("gems", "disentangle", "island", "harbour", "--json")
    assert (gone.code, gone.error["code"]) == (4, "entanglement_not_found")

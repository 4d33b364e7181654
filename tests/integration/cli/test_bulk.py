"""`lattice ingest` of rows that bring their embeddings."""

import json
from pathlib import Path

import numpy as np

from tests.integration.cli.process import Lattice


def write_rows(path: Path) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(5, 384)).tolist()
    rows = [{"id": f"r{i}", "text": f"Walk {i} to the pier.", "embedding": vectors[i]} for i in range(5)]
    rows[2]["gem"] = "other"
    path.write_text("\n".join([*map(json.dumps, rows), "nonsense"]), "utf-8")


def test_rows_with_embeddings_are_loaded_and_skipped_the_second_time(lattice: Lattice, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path)
    first = lattice("ingest", str(path), "--gem", "notes", "--json")
    assert first.code == 1
    assert {name: part["documents"] for name, part in first.json["gems"].items()} == {"notes": 4, "other": 1}
    assert first.json["problems"] == [
        {"name": "rows.jsonl", "line": 6, "problem": first.json["problems"][0]["problem"]}
    ]
    again = lattice("ingest", str(path), "--gem", "notes")
    assert "0 documents stored (0 replaced), 4 skipped" in again.out
    found = lattice("recall", "Who walked to the pier?", "--json")
    assert len(found.json["passages"]) == 5


def test_standard_input_is_not_read_by_a_cluster(lattice: Lattice) -> None:
    refused = lattice("ingest", "-", "--engine", "ray")
    assert refused.code == 2
    assert "standard input" in refused.err

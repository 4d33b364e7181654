"""What a user does in one sitting, on a database of their own."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.process import Lattice

ROWS = [
    {"id": "m1", "text": "Ann moved to Oslo in May 2021.", "gem": "people", "speaker": "Ann", "thread": "chat"},
    {"id": "m2", "text": "Bob prefers green tea to coffee.", "gem": "people", "speaker": "Bob", "thread": "chat"},
    {"id": "m3", "text": "The harbour office opens at nine.", "metadata": {"floor": 2}},
]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)), "utf-8")
    return folder


def ids(passages: Any) -> list[str]:
    return [passage["external_id"] for passage in passages["passages"]]


def test_from_files_to_an_answer_that_is_rated(lattice: Lattice, sources: Path) -> None:
    stored = lattice("ingest", str(sources), "--gem", "notes", "--json")
    assert stored.code == 0, stored.err
    assert {name: part["documents"] for name, part in stored.json["gems"].items()} == {"people": 2, "notes": 1}

    found = lattice("recall", "Where did Ann move?", "--json", "--explain")
    assert ids(found.json)[0] == "m1"
    assert found.json["passages"][0]["scores"].keys() >= {"late", "dense", "lexical", "link", "novelty"}
    only = lattice("recall", "Where did Ann move?", "--gem", "notes", "--metadata", "floor=2", "--json")
    assert ids(only.json) == ["m3"]
    dated = lattice("recall", "Where did Ann move in May 1990?", "--gem", "people", "--dates")
    assert "nothing was found of that time; without --dates" in dated.out
    shown = lattice("recall", "green tea", "--explain")
    assert "Bob prefers green tea to coffee." in shown.out
    assert "dense +" in shown.out

    answer = lattice("reflect", "What does Bob prefer?", "--gem", "people", "--json").json
    assert answer["grounding"] == "grounded"
    assert "[1]" in answer["answer"]
    rated = lattice("feedback", answer["id"], "-0.5", "--json")
    assert (rated.code, rated.json["feedback"]) == (0, -0.5)
    log = lattice("gems", "log", "people", "--json").json
    assert {entry["cause"] for entry in log} == {"ingest", "reflection"}
    replayed = lattice("gems", "replay", "people")
    assert replayed.code == 0
    assert replayed.out.startswith("agrees: ")


def test_streamed_answer_ends_with_its_score_and_the_state_it_changed(lattice: Lattice, sources: Path) -> None:
    lattice("ingest", str(sources))
    told = lattice("reflect", "What does Bob prefer?", "--gem", "people", "--stream")
    assert told.code == 0, told.err
    assert told.out.startswith("Bob prefers green tea to coffee. [1]\n")
    for part in ("Score ", "holds the score back most", "gem before", "gem after", "lattice feedback "):
        assert part in told.out


def test_standard_input_and_what_cannot_be_read(lattice: Lattice, tmp_path: Path) -> None:
    (tmp_path / "picture.bin").write_bytes(b"\x00\x01")
    given = '{"id": "a", "text": "one"}\nnot json\n'
    done = lattice.run_apart("ingest", "-", str(tmp_path / "picture.bin"), "--json", given=given)
    assert done.code == 1
    assert (done.json["documents"], done.json["failed"]) == (1, 2)
    assert [problem["line"] for problem in done.json["problems"]] == [2, None]
    again = lattice("ingest", "-", given=given)
    assert again.code == 1
    assert "1 skipped" in again.out
    assert "standard input, line 2" in again.err


def test_gem_from_birth_to_deletion(lattice: Lattice) -> None:
    born = lattice("gems", "create", "garden", "--description", "What grows", "--metadata", "beds=4", "--json")
    assert born.json["metadata"] == {"beds": 4}
    assert lattice("gems", "update", "garden", "--name", "orchard", "--json").json["name"] == "orchard"
    assert lattice("gems", "archive", "orchard", "--json").json["archived_at"] is not None
    assert lattice("gems", "list", "--json").json == []
    assert [gem["name"] for gem in lattice("gems", "list", "--archived", "--json").json] == ["orchard"]
    assert lattice("gems", "restore", "orchard", "--json").json["archived_at"] is None
    assert "orchard" in lattice("gems", "show", born.json["id"]).out
    assert lattice("gems", "delete", "orchard").code == 2  # nobody can be asked
    assert lattice("gems", "delete", "orchard", "--yes").code == 0
    assert lattice("gems", "show", "orchard").code == 4


def test_documents_are_listed_and_deleted(lattice: Lattice, sources: Path) -> None:
    lattice("ingest", str(sources))
    listed = lattice("documents", "list", "--gem", "people", "--json").json
    assert {each["external_id"] for each in listed} == {"m1", "m2"}
    gone = lattice("documents", "delete", listed[0]["id"], "--gem", "people", "--yes", "--json")
    assert gone.json == {"deleted": [listed[0]["id"]]}
    assert len(lattice("documents", "list", "--gem", "people", "--json").json) == 1
    assert lattice("documents", "delete", listed[0]["id"], "--gem", "people", "--yes").code == 4

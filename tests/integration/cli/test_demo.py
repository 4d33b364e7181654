"""The demo, as a stranger runs it: on the project's documentation, with nothing set up."""

from pathlib import Path

from tests.integration.cli.process import Lattice


def test_demo_answers_with_citations_and_is_repeatable(folder: Path) -> None:
    lattice = Lattice({"LATTICE_DATA_DIR": str(folder)})
    shown = lattice.run_apart("demo")
    assert shown.code == 0, shown.err
    assert shown.out.count("grounded: ") == 3
    assert "How the gem's state changed" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert not (folder / "postgres").exists()  # the user's own lattice is not touched

    again = lattice("demo", "--json")
    assert again.code == 0, again.err
    assert again.json["ingest"]["documents"] == 0
    assert again.json["ingest"]["skipped"] > 0
    assert len(again.json["reflections"]) == 3
    for reflection in again.json["reflections"]:
        assert any(passage["cited"] for passage in reflection["evidence"])
    assert again.json["after"]["state"]["uncertainty"] < again.json["before"]["state"]["uncertainty"]

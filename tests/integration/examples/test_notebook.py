"""The notebook runs from its first cell to its last, and says what its text says."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

NOTEBOOK = Path(__file__).parents[3] / "examples" / "axiom.ipynb"

STRICT = "import warnings\nwarnings.simplefilter('error')"
NAMED = """
import json
print(json.dumps({
    "score": score, "limiting": shares.limiting_term, "events": [event.kind for event in run.events],
    "changes": list(changes.values()), "banded": bool((low <= middle).all() and (middle <= high).all()),
    "spreads": [expected_spread, measured_spread], "risen": risen, "mean": float(ends.mean()),
    "means": [float(result.series["score"].mean()) for result in (pushed, listened)],
    "found_energy": found_energy, "same": same, "prints": [again.fingerprint().hex(), scenario.fingerprint().hex()],
}))
"""


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def _cell(source: str) -> Any:
    return new_code_cell(source)  # type: ignore[no-untyped-call]


def test_it_is_stored_without_outputs() -> None:
    notebook = read()
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) >= 10
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


@pytest.fixture(scope="module")
def ran() -> Any:
    """The notebook, run in a kernel of its own in which warnings are errors; the last cell prints what was found."""
    notebook = read()
    notebook.cells = [_cell(STRICT), *notebook.cells, _cell(NAMED)]
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": NOTEBOOK.parent}}
    )
    return client.execute()


def test_its_results_are_those_that_it_tells(ran: Any) -> None:
    found = json.loads(ran.cells[-1].outputs[0]["text"])
    assert found["score"] == pytest.approx(1.2 * 1.1 * 0.9 * 0.75 * 0.85 * 0.8 * 0.3 * 0.7)
    assert found["limiting"] == "B"
    assert found["events"] == ["threshold", "peak", "threshold"]
    assert found["changes"] == ["B", "C"]
    assert found["banded"]
    expected, measured = found["spreads"]
    assert measured == pytest.approx(expected, rel=0.1)
    assert 0.4 < found["risen"] < 0.6
    assert 0.5 < found["mean"] < 1.5
    pushed, listened = found["means"]
    assert pushed < 1.0 < listened
    assert found["found_energy"] == pytest.approx(4 / 3, abs=1e-2)
    assert found["same"]
    assert len(set(found["prints"])) == 1


def test_it_draws_its_figures(ran: Any) -> None:
    drawn = [
        output["data"]["image/png"]
        for cell in ran.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(drawn) == 5
    assert all(len(figure) > 5_000 for figure in drawn)

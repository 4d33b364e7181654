import csv
import io
import json
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import typer
from pyarrow import parquet

from api.cli.simulation_files import (
    SCENARIO_KEY,
    list_columns,
    write_csv,
    write_parquet,
    write_scenario,
    write_whole,
)
from axiom.simulation import SERIES, AxiomInputs, Ensemble, RandomWalk, Scenario, SimulationResult
from core.errors import ConfigurationError

SINGLE = Scenario(AxiomInputs(A=0.1), {"B": RandomWalk(1e-3)}, 20, name="näher")
MANY = Scenario(rules={"B": RandomWalk(0.1)}, steps=20, ensemble=Ensemble(9, quantiles=(0.05, 0.5, 1.0)))


def test_csv_has_all_series_and_reads_back_the_same_numbers() -> None:
    result, file = SINGLE.run(), io.BytesIO()
    assert isinstance(result, SimulationResult)
    write_csv(file, list_columns(result))
    heading, *rows = csv.reader(io.StringIO(file.getvalue().decode()))
    assert heading == ["step", *SERIES]
    assert [int(row[0]) for row in rows] == list(range(21))
    for at, name in enumerate(SERIES, start=1):
        assert [float(row[at]) for row in rows] == result.series[name].tolist()


def test_the_columns_of_an_ensemble_are_the_bands_of_what_moves() -> None:
    columns = list_columns(MANY.run())
    moving = [f"{name}_{quantile}" for name in ("B", "score") for quantile in ("0.05", "0.5", "1.0")]
    assert list(columns) == ["step", *moving]
    assert {column.shape for column in columns.values()} == {(21,)}


@pytest.mark.parametrize("scenario", [SINGLE, MANY])
def test_a_parquet_file_carries_the_scenario_that_it_was_made_from(scenario: Scenario) -> None:
    file, columns = io.BytesIO(), list_columns(scenario.run())
    write_parquet(file, columns, scenario)
    table = parquet.read_table(io.BytesIO(file.getvalue()))
    assert table.column_names == list(columns)
    for name, column in columns.items():
        np.testing.assert_array_equal(table[name].to_numpy(), column)
    told = Scenario.from_dict(json.loads(table.schema.metadata[SCENARIO_KEY]))
    assert told.fingerprint() == scenario.fingerprint()


def test_a_scenario_is_written_to_be_read_again() -> None:
    file = io.BytesIO()
    write_scenario(file, SINGLE)
    assert Scenario.from_dict(json.loads(file.getvalue())) == SINGLE
    assert "näher" in file.getvalue().decode()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(typer.BadParameter, match="No space left"):
        write_whole("--csv", path, fail)
    with pytest.raises(ValueError, match="other"):
        write_whole("--csv", path, lambda _: (_ for _ in ()).throw(ValueError("other")))
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]
    assert path.read_bytes() == b"before"
    write_whole("--csv", path, lambda file: file.write(b"after"))  # type: ignore[arg-type]
    assert path.read_bytes() == b"after"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match=r"crystal-lattice\[parquet\]"):
        write_parquet(io.BytesIO(), {}, SINGLE)

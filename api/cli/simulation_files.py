"""A simulation's series as files, each written whole or not at all: CSV, Parquet, and the scenario to run again."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import typer
from numpy.typing import NDArray

from axiom.simulation import SERIES, EnsembleResult, Scenario, SimulationResult
from core.errors import ConfigurationError

Columns = Mapping[str, NDArray[Any]]

SCENARIO_KEY = b"scenario"  # under which a Parquet file carries what it was made from


def write_whole(option: str, path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file beside its place and move it there, so that a file of this name is always a whole one.

    Raises:
        typer.BadParameter: it cannot be written; names the option.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file:
            write(file)
        partial.replace(path)
    except OSError as e:
        raise typer.BadParameter(f"{path} cannot be written: {e.strerror or e}", param_hint=option) from e
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def list_columns(result: SimulationResult | EnsembleResult) -> Columns:
    """Return what a table of the result has: a row for each step from 0, and columns by name, each of shape (n,).

    Of a single run these are the eight variables and the score; of an ensemble the bands of what moves, such as
    `score_0.05`.
    """
    steps = np.arange(result.last_step + 1)
    if isinstance(result, SimulationResult):
        return {"step": steps, **{name: result.series[name] for name in SERIES}}
    bands = ((name, result.bands[name]) for name in SERIES if name in result.bands)
    rows = {f"{name}_{at}": band[i] for name, band in bands for i, at in enumerate(result.quantiles)}
    return {"step": steps, **rows}


def write_csv(file: BinaryIO, columns: Columns) -> None:
    """Write columns as CSV with a heading; numbers are as short as they can be and read back the same."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    text.flush()
    text.detach()


def write_parquet(file: BinaryIO, columns: Columns, scenario: Scenario) -> None:
    """Write columns as Parquet; the scenario stands in its metadata, so that the file can be made again.

    Raises:
        ConfigurationError: the extra is missing.
    """
    require_parquet()
    import pyarrow as pa
    from pyarrow import parquet

    told = json.dumps(scenario.to_dict(), ensure_ascii=False).encode()
    table = pa.table(dict(columns)).replace_schema_metadata({SCENARIO_KEY: told})
    parquet.write_table(table, file, compression="zstd")


def write_scenario(file: BinaryIO, scenario: Scenario) -> None:
    """Write a scenario as JSON for people and for `lattice simulate`."""
    file.write(json.dumps(scenario.to_dict(), ensure_ascii=False, indent=2).encode() + b"\n")


def require_parquet() -> None:
    """Look for what Parquet files take.

    Raises:
        ConfigurationError: the extra is missing.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as e:
        raise ConfigurationError("Parquet needs an extra: pip install 'crystal-lattice[parquet]'") from e

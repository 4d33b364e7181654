"""`lattice eval …`: how well the lattice works, in figures."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import JsonOption, examples
from api.cli.output import emit
from api.cli.session import load_settings, run

if TYPE_CHECKING:
    from rich.console import Console

    from api.cli.recall_trial import TrialResult

app = typer.Typer(help="Measure how well the lattice works.", no_args_is_help=True)


class Per(Enum):
    """What is kept apart."""

    GEM = "gem"


@app.callback()
def _group() -> None:
    """Keep `recall` a command of a group while it is the only one."""


@app.command(
    epilog=examples(
        "lattice eval recall --documents D.jsonl --questions Q.jsonl",
        "lattice eval recall --documents D.jsonl --questions Q.jsonl --k 5,10 --per gem --json",
    )
)
def recall(
    documents: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Rows as `lattice ingest` takes them; each needs an id.")
    ],
    questions: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Rows of id, question, evidence (document ids) and group.")
    ],
    k: Annotated[str, typer.Option("--k", help="How many distinct documents count, several by commas.")] = "5,10,20",
    per: Annotated[Per | None, typer.Option(help="Keep the corpora of each value of `gem` apart.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how well recall finds the evidence of questions.

    Works in a lattice of its own that is removed at the end; what you have stored is neither seen nor changed.
    """
    ks = _parse_ks(k)
    settings = load_settings()
    from api.cli.recall_trial import read_trial, run_trial

    trial = read_trial(documents, questions, ks, apart=per is Per.GEM)
    result = run(run_trial(settings, trial))
    emit(as_json, result.as_json, lambda console: _render(console, result))


def _parse_ks(text: str) -> tuple[int, ...]:
    try:
        ks = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        ks = ()
    if not ks or not 1 <= ks[0] <= ks[-1] <= 100:
        raise typer.BadParameter(f"must be numbers from 1 to 100 parted by commas, not {text!r}", param_hint="--k")
    return ks


def _render(console: "Console", result: "TrialResult") -> None:
    from api.cli.views import plain_table

    figures: Mapping[str, Mapping[str, float]] = {"overall": result.overall, **result.groups}
    table = plain_table("group", *(_title(name) for name in result.overall), right=range(1, len(result.overall) + 1))
    for name, row in figures.items():
        table.add_row(name, *(f"{value:,}" if isinstance(value, int) else f"{value:.3f}" for value in row.values()))
    console.print(table)
    console.print(f"{result.documents:,} documents ingested in {result.ingest_s:.1f} s")


def _title(name: str) -> str:
    return {"seconds_per_question": "s each"}.get(name, name)

"""`lattice eval …`: how well the lattice works, in figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import JsonOption, examples
from api.cli.output import emit
from api.cli.session import load_settings, run
from api.cli.tuning import Per, add_to

if TYPE_CHECKING:
    from rich.console import Console

    from api.cli.recall_trial import TrialResult

app = typer.Typer(help="Measure how well the lattice works, and fit it to your own questions.", no_args_is_help=True)
add_to(app)


@app.command(
    epilog=examples(
        "lattice eval recall --documents D.jsonl --questions Q.jsonl",
        "lattice eval recall --documents D.jsonl --questions Q.jsonl --k 5,10 --per gem --json",
        "lattice eval recall --documents D.jsonl --questions Q.jsonl --ablation",
    )
)
def recall(
    documents: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Rows as `lattice ingest` takes them; each needs an id.")
    ],
    questions: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Rows of id, question, evidence (document ids) and group.")
    ],
    *,
    k: Annotated[str, typer.Option("--k", help="How many distinct documents count, several by commas.")] = "5,10,20",
    per: Annotated[Per | None, typer.Option(help="Keep the corpora of each value of `gem` apart.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="CHANNEL", help="Switch a channel off; may be given several times.")
    ] = None,
    ablation: Annotated[bool, typer.Option("--ablation", help="Also measure without each channel in turn.")] = False,
    intervals: Annotated[
        bool, typer.Option("--intervals", help="Say where each figure lies with 95% confidence.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure how well recall finds the evidence of questions.

    Works in a lattice of its own that is removed at the end; what you have stored is neither seen nor changed.
    """
    ks = _parse_ks(k)
    switched_off = _check_channels(without or [])
    settings = load_settings()
    from api.cli.recall_trial import read_trial, run_trial

    trial = read_trial(documents, questions, ks, apart=per is Per.GEM)
    result = run(run_trial(settings, trial, switched_off, ablation=ablation))
    emit(
        as_json,
        lambda: result.as_json(intervals=intervals),
        lambda console: _render(console, result, intervals=intervals),
    )


def _parse_ks(text: str) -> tuple[int, ...]:
    try:
        ks = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        ks = ()
    if not ks or not 1 <= ks[0] <= ks[-1] <= 100:
        raise typer.BadParameter(f"must be numbers from 1 to 100 parted by commas, not {text!r}", param_hint="--k")
    return ks


def _check_channels(names: Sequence[str]) -> tuple[str, ...]:
    from knowledge import CHANNELS

    if unknown := [name for name in names if name not in CHANNELS]:
        problem = f"{unknown[0]!r} is not a channel; there are {', '.join(CHANNELS)}"
        raise typer.BadParameter(problem, param_hint="--without")
    return tuple(dict.fromkeys(names))


def _render(console: "Console", result: "TrialResult", *, intervals: bool) -> None:
    from api.cli.views import plain_table

    figures = result.figures()
    names = figures["overall"]
    table = plain_table("group", *map(_title, names), right=range(1, len(names) + 1))
    for group, row in figures.items():
        table.add_row(group, *(f"{value:,}" if isinstance(value, int) else f"{value:.3f}" for value in row.values()))
    console.print(table)
    if intervals:
        _render_intervals(console, result)
    if result.ablated:
        _render_ablation(console, result)
    console.print(f"{result.documents:,} documents ingested in {result.ingest_s:.1f} s")


def _render_intervals(console: "Console", result: "TrialResult") -> None:
    from api.cli.views import plain_table

    bounds = result.intervals()
    shown = [name for name in bounds["overall"] if not name.startswith("hit@")]
    table = plain_table("95% interval", *shown, right=range(1, len(shown) + 1))
    for group, row in bounds.items():
        table.add_row(group, *(f"{row[name].low:.2f}–{row[name].high:.2f}" for name in shown))
    console.print()
    console.print(table)


def _render_ablation(console: "Console", result: "TrialResult") -> None:
    from api.cli.views import plain_table

    ablation = result.ablation()
    shown = [name for name in next(iter(ablation.values())).change if not name.startswith("hit@")]
    table = plain_table("without", *shown, "change of ndcg@10", right=range(1, len(shown) + 2))
    for channel, each in ablation.items():
        change = each.change["ndcg@10"]
        moved = f"{change.mean:+.3f} ({change.low:+.3f} to {change.high:+.3f})"
        table.add_row(channel, *(f"{each.figures[name]:.3f}" for name in shown), moved)
    console.print()
    console.print(table)


def _title(name: str) -> str:
    return {"seconds_per_question": "s each"}.get(name, name)

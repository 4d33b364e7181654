"""`lattice eval tune`: the fusion weights, fitted to the user's own labelled questions."""

from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, examples
from api.cli.output import emit, note, open_bar
from api.cli.session import load_settings, run

if TYPE_CHECKING:
    from rich.console import Console

    from api.cli.recall_trial import Trial
    from api.settings import Settings
    from knowledge import Case, FusionWeights, Tuning

SEEDS = 30  # of so many of the best the links are gathered: other weights have other favourites than the constants


class Per(Enum):
    """What is kept apart."""

    GEM = "gem"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = (
        "lattice eval tune --documents D.jsonl --questions Q.jsonl",
        "lattice eval tune --documents D.jsonl --questions Q.jsonl --per gem --out weights.json",
    )
    app.command("tune", epilog=examples(*lines))(tune)


def tune(
    documents: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Rows as `lattice ingest` takes them; each needs an id.")
    ],
    questions: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Rows of id, question and evidence (document ids).")
    ],
    *,
    per: Annotated[Per | None, typer.Option(help="Keep the corpora of each value of `gem` apart.")] = None,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the weights here, if they beat the constants.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, max=20, help="Into how many parts the questions are divided.")] = 5,
    restarts: Annotated[int, typer.Option(min=0, max=20, help="Further starts of each search.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed finds the same.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Fit the weights of recall's channels to labelled questions, and say what they are worth on unseen ones.

    Writes nothing unless they beat the constants there. Works in a lattice of its own that is removed at the end.
    """
    settings = load_settings()
    from api.cli.recall_trial import read_trial
    from knowledge import FusionWeights, write_weights
    from knowledge import tune as fit

    trial = read_trial(documents, questions, (10,), apart=per is Per.GEM)
    _require(len(trial.questions), folds)
    cases = run(_gather(settings, trial))
    _require(len(cases), folds)  # a question to an empty gem is none
    constants = FusionWeights()
    with open_bar("Fitting", "fits") as bar:
        tuning = fit(cases, constants, folds=folds, restarts=restarts, seed=seed, on_fit=bar.advance_to)
    written = out is not None and tuning.is_better
    if out is not None and written:
        write_weights(out, tuning)
    emit(
        as_json,
        lambda: _to_json(constants, tuning, written=written),
        lambda console: _render(console, constants, tuning),
    )
    if out is not None:
        note(f"written to {out}" if written else "not written: the gain on unseen questions may be none")
        if not written:
            raise typer.Exit(PARTIAL)


def _require(questions: int, folds: int) -> None:
    if questions < 2 * folds:
        raise typer.BadParameter(f"needs at least {2 * folds} questions for {folds} folds", param_hint="--questions")


async def _gather(settings: "Settings", trial: "Trial") -> "list[Case]":
    from api.cli.recall_trial import find_gems, open_trial
    from knowledge import FusionWeights, Recall, RecallQuery, gather_case

    async with open_trial(settings, trial) as (service, _):
        recall = Recall(service.recall.database, service.recall.embedder, FusionWeights())
        gems = await find_gems(service, trial)
        cases = []
        with open_bar("Asking", "questions") as bar:
            for done, question in enumerate(trial.questions, start=1):
                query = RecallQuery(question.text, (gems[question.gem],))
                cases.append(
                    await gather_case(recall, service.tenant, query, service.at(), question.evidence, seeds=SEEDS)
                )
                bar.advance_to(done, len(trial.questions))
    return [case for case in cases if case is not None]


def _to_json(constants: "FusionWeights", tuning: "Tuning", *, written: bool) -> object:
    return {
        "constants": asdict(constants),
        "weights": asdict(tuning.weights),
        "held_out": {name: asdict(each) for name, each in tuning.measures.items()},
        "questions": tuning.questions,
        "folds": tuning.folds,
        "better": tuning.is_better,
        "written": written,
    }


def _render(console: "Console", constants: "FusionWeights", tuning: "Tuning") -> None:
    from api.cli.views import plain_table

    table = plain_table("held out", "constants", "tuned", "gain, 95%", right=range(1, 4))
    for name, each in tuning.measures.items():
        gain = f"{each.tuned - each.constants:+.3f} ({each.gain.low:+.3f} to {each.gain.high:+.3f})"
        table.add_row(name, f"{each.constants:.3f}", f"{each.tuned:.3f}", gain)
    console.print(table)
    console.print()
    weights = plain_table("weight", "constant", "tuned", right=range(1, 3))
    before: Mapping[str, float] = asdict(constants)
    for name, value in asdict(tuning.weights).items():
        weights.add_row(name, f"{before[name]:.3f}", f"{value:.3f}")
    console.print(weights)
    verdict = "better than" if tuning.is_better else "not shown to be better than"
    console.print(
        f"{tuning.questions:,} questions in {tuning.folds} folds: {verdict} the constants on unseen questions"
    )

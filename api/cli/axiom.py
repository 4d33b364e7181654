"""`lattice axiom …`: score terms, and place a text on the scale of subjectivity. No database is needed."""

import sys
from typing import Annotated

import typer

from api.cli import axiom_gem
from api.cli.options import JsonOption, examples
from api.cli.output import emit
from core.errors import InvalidInputError
from core.text import make_storable

app = typer.Typer(help="The axiom: score terms or a gem, and how subjective a text is.", no_args_is_help=True)


@app.command(
    epilog=examples(
        "lattice axiom score A=0.8 B=0.9 C=0.6 X=0.9 Y=0.75 Z=0.95",
        "lattice axiom score C=0.4 E_n=1.5 F_n=-0.2 --json",
    )
)
def score(
    terms: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE", help="A, B, C, X, Y, Z, E_n, F_n; those left out are neutral: 1, and 0 for F_n."
        ),
    ],
    clamp: Annotated[bool, typer.Option(help="Move terms into their bounds, or take them as they are.")] = True,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse terms out of their bounds.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Score eight terms: what each does to the score, which one holds it back, and what would raise it."""
    values = _read_terms(terms)
    from msgspec.structs import replace

    from api.schemas.axiom import ScoreBody, to_score

    view = to_score(replace(ScoreBody(clamp_to_unit=clamp, strict_bounds=strict), **values))
    from api.cli.axiom_view import render_score

    emit(as_json, lambda: view, lambda console: render_score(console, view, values))


@app.command(
    epilog=examples(
        'lattice axiom subjectivity "Obviously the worst garbage ever!"',
        "lattice axiom subjectivity - --json < letter.txt",
    )
)
def subjectivity(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", parser=make_storable, help="In English; - reads standard input.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Measure how subjective a text is: noise, emotion and bias, and its place among seven tiers."""
    from api.schemas.axiom import SubjectivityBody, to_subjectivity

    view = to_subjectivity(SubjectivityBody(text=_read_input() if text == "-" else text))
    from api.cli.axiom_view import render_subjectivity

    emit(as_json, lambda: view, lambda console: render_subjectivity(console, view))


axiom_gem.add_to(app)


def _read_terms(pairs: list[str]) -> dict[str, float]:
    """Read NAME=VALUE pairs.

    Raises:
        typer.BadParameter: a pair names no term or no number, or a term comes twice.
    """
    from axiom import ARGUMENTS

    names = {name.lower(): argument for term, argument in ARGUMENTS.items() for name in (term, argument)}
    values: dict[str, float] = {}
    for pair in pairs:
        name, mark, value = pair.partition("=")
        argument = names.get(name.strip().lower())
        if argument is None or not mark:
            known = ", ".join(ARGUMENTS.values())
            raise typer.BadParameter(f"must look like NAME=VALUE with one of {known}, not {pair!r}")
        if argument in values:
            raise typer.BadParameter(f"{argument} is given twice")
        try:
            values[argument] = float(value)
        except ValueError:
            raise typer.BadParameter(f"{argument}: must be a number, not {value!r}") from None
    return values


def _read_input() -> str:
    """Return standard input as text.

    Raises:
        InvalidInputError: it is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise InvalidInputError("standard input", f"is not UTF-8: {e.reason} at byte {e.start}") from e

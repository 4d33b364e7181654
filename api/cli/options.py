"""Options that several commands share, and how their values are read."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from core import clock
from core.errors import InvalidInputError
from core.text import make_storable

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
# what the shell handed over in no valid encoding is made storable; names of files stay as they are
GemArgument = Annotated[str, typer.Argument(metavar="GEM", parser=make_storable, help="Name or id of the gem.")]
QuestionArgument = Annotated[str, typer.Argument(metavar="QUESTION", parser=make_storable, help="What is asked.")]
MetadataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metadata", metavar="KEY=VALUE", help="May be given several times; a value that is JSON is read so."
    ),
]


def examples(*lines: str) -> str:
    """Return the end of a command's help: how it is typed."""
    return "\n".join(["[bold]Examples[/bold]", *(f"  {line}".replace("[", r"\[") for line in lines)])


def parse_metadata(pairs: Sequence[str] | None) -> Mapping[str, Any] | None:
    """Read KEY=VALUE pairs; `year=2024` is a number, `name=Ann` a text.

    Raises:
        typer.BadParameter: a pair has no key.
    """
    if not pairs:
        return None
    metadata: dict[str, Any] = {}
    for pair in pairs:
        key, mark, value = make_storable(pair).partition("=")
        if not (mark and key):
            raise typer.BadParameter(f"must look like KEY=VALUE, not {pair!r}", param_hint="--metadata")
        try:
            metadata[key] = json.loads(value)
        except (ValueError, RecursionError):
            metadata[key] = value
    return metadata


def parse_moment(text: str | None, option: str) -> datetime | None:
    """Read an ISO 8601 date or time; one without a zone is in UTC.

    Raises:
        typer.BadParameter: it is none.
    """
    if text is None:
        return None
    try:
        return clock.parse_moment(text, option)
    except InvalidInputError as e:
        raise typer.BadParameter(e.problem, param_hint=option) from None


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be undone.

    Raises:
        typer.BadParameter: there is nobody to ask.
        typer.Abort: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("is required where nobody can be asked", param_hint="--yes")
    typer.confirm(question, abort=True, err=True)

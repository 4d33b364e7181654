"""Options that several commands share, and how their values are read."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
GemArgument = Annotated[str, typer.Argument(metavar="GEM", help="Name or id of the gem.")]
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
        key, mark, value = pair.partition("=")
        if not (mark and key):
            raise typer.BadParameter(f"must look like KEY=VALUE, not {pair!r}", param_hint="--metadata")
        try:
            metadata[key] = json.loads(value)
        except ValueError:
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
        moment = datetime.fromisoformat(text)
    except ValueError:
        problem = f"must be a date or time such as 2024-05-08 or 2024-05-08T13:56:00Z, not {text!r}"
        raise typer.BadParameter(problem, param_hint=option) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


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

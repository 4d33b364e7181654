"""`lattice doctor`: is everything in order, and if not, what mends it."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, examples
from api.cli.output import emit
from api.cli.session import run

if TYPE_CHECKING:
    from rich.console import Console

    from api.cli.checks import Finding

COLOURS = {"OK": "green", "WARN": "yellow", "FAIL": "bold red"}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", epilog=examples("lattice doctor", "lattice doctor --online --json"))(doctor)


def doctor(
    online: Annotated[bool, typer.Option("--online", help="Also ask each LLM and a remote embedding model.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check settings, data folder, database and models; the exit code is 1 if a check fails."""
    from api.cli.checks import examine

    findings = run(examine(online=online))
    emit(as_json, lambda: findings, lambda console: _render(console, findings))
    if any(finding.status == "FAIL" for finding in findings):
        raise typer.Exit(PARTIAL)


def _render(console: "Console", findings: "list[Finding]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for finding in findings:
        table.add_row(Text(finding.status, COLOURS[finding.status]), Text(finding.name), Text(finding.message))
    console.print(table)

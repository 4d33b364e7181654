"""`lattice version`."""

import platform
import sys

import typer

from api.cli.options import JsonOption, examples
from api.cli.output import print_json
from api.version import read_version


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("version", epilog=examples("lattice version", "lattice version --json"))(show_version)


def show_version(as_json: JsonOption = False) -> None:
    """Print the version."""
    if as_json:
        facts = {"version": read_version(), "python": platform.python_version(), "platform": platform.platform()}
        print_json(facts, sys.stdout)
    else:
        typer.echo(read_version())


def show_and_exit(asked: bool) -> None:
    """Print the version and end, if it was asked for."""
    if asked:
        typer.echo(read_version())
        raise typer.Exit

"""How extensions look in a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from api.cli.extension_trial import Trial
from api.cli.output import counted
from api.cli.views import plain_table
from core.registry import Listing

OURS = "crystal-lattice"  # the package
STYLES = {"ready": "", "loaded": "", "off": "dim", "broken": "red", "OK": "green", "OFF": "dim", "FAIL": "red"}


def render_extensions(console: Console, found: Sequence[Listing]) -> None:
    """Show extensions, one a line, with their kinds."""
    table = plain_table("name", "kind", "version", "state", "from", "about")
    for each in found:
        told = Text(each.problem, "red") if each.problem else Text(each.description)
        kind = "" if each.kind is None else each.kind.noun
        origin = "built in" if each.origin.partition(" ")[0] == OURS else each.origin
        table.add_row(each.name, kind, each.version, Text(each.state, STYLES[each.state]), origin, told)
    console.print(table if found else "no extensions")


def render_trials(console: Console, trials: Sequence[Trial]) -> None:
    """Show what came of trials, one a line, and how many failed."""
    table = plain_table("", "name", "kind", "what was tried, or is wrong")
    for each in trials:
        name = Text(each.name, "bold")
        table.add_row(Text(each.status, STYLES[each.status]), name, each.kind.replace("_", " "), each.message)
    console.print(table)
    failed = sum(trial.status == "FAIL" for trial in trials)
    console.print(f"{counted(failed, 'extension')} of {len(trials)} failed" if failed else "all work")

"""How extensions look in a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from api.cli.extension_trial import Trial
from api.cli.output import counted
from api.cli.views import indented, parameter_table, plain_table
from core.registry import Listing

if TYPE_CHECKING:
    from api.extension_reports import Description

OURS = "crystal-lattice"  # the package
STYLES = {"ready": "", "loaded": "", "off": "dim", "broken": "red", "OK": "green", "OFF": "dim", "FAIL": "red"}


def render_extensions(console: Console, found: Sequence[Listing]) -> None:
    """Show extensions, one a line, with their kinds."""
    table = plain_table("name", "kind", "version", "state", "from", "about")
    for each in found:
        told = Text(each.problem, "red") if each.problem else Text(each.description)
        kind = "" if each.kind is None else each.kind.noun
        table.add_row(each.name, kind, each.version, Text(each.state, STYLES[each.state]), _origin(each), told)
    console.print(table if found else "no extensions")


def render_descriptions(console: Console, found: "Sequence[Description]") -> None:
    """Show extensions of one name, each with what it takes."""
    for each in found:
        listing = each.listing
        kind = "extension" if listing.kind is None else listing.kind.noun
        console.print(Text(listing.name, "bold") + Text(f"  {kind}, {listing.version}, {_origin(listing)}", "dim"))
        if listing.problem:
            console.print(Text(listing.problem, "red"), soft_wrap=True)
        if each.description:
            console.print(each.description)
        if each.parameters:
            console.print(indented(parameter_table(each.parameters)))


def render_trials(console: Console, trials: Sequence[Trial]) -> None:
    """Show what came of trials, one a line, and how many failed."""
    table = plain_table("", "name", "kind", "what was tried, or is wrong")
    for each in trials:
        name = Text(each.name, "bold")
        table.add_row(Text(each.status, STYLES[each.status]), name, each.kind.replace("_", " "), each.message)
    console.print(table)
    failed = sum(trial.status == "FAIL" for trial in trials)
    console.print(f"{counted(failed, 'extension')} of {len(trials)} failed" if failed else "all work")


def _origin(listing: Listing) -> str:
    return "built in" if listing.origin.partition(" ")[0] == OURS else listing.origin

"""Print what the router does with every wire fault: `python -m tests.wire.fault_table`; 1 if anything is unexpected."""

import asyncio
import logging
import sys
import time
from collections.abc import Iterable

import structlog
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.wire.fault_case import MODES, WIRES, SetUp
from tests.wire.fault_cells import SET_UPS, Outcome, Result, list_cells, run_cells
from tests.wire.faults import FAULTS

WIDTH = 160  # of a table in a file or a pipe
TITLES: dict[SetUp, str] = {
    "alone": "The failing target alone",
    "other_key": "Then a second target with another key and another model",
    "same_key": "Then a second target with the same key and another model",
    "same_model": "Then a second target with another key and the same model",
    "other_wire": "Then a second target on the other wire",
}
ENDS = {"all_targets_failed": "failed", "stream_broken": "broken"}
LEGEND = (
    "Each cell: who answered, or failed (an error, nothing was shown) or broken (an error with the partial text and "
    "usage); requests that came to the first + the second target; the kinds of the recorded attempts."
)


def main() -> int:
    """Run the whole table, print it and return the exit code."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # the table tells it all
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    begun_s = time.perf_counter()
    results = asyncio.run(run_cells(list_cells(FAULTS)))
    for set_up in SET_UPS:
        console.print(tabulate(set_up, results))
    console.print(LEGEND)
    wrong = [each for each in results if not each.is_as_expected]
    for each in wrong:
        console.print(explain(each), style="red", markup=False)
    console.print(f"{len(results)} cells in {time.perf_counter() - begun_s:.0f} s, {len(wrong)} not as expected")
    return 1 if wrong else 0


def tabulate(set_up: SetUp, results: Iterable[Result]) -> Table:
    """Return the table of one set-up: a row a fault, a column a wire and mode."""
    found = {(each.cell.fault.what, *each.cell.column): each for each in results if each.cell.set_up == set_up}
    table = Table(title=TITLES[set_up], title_justify="left")
    table.add_column("fault")
    columns = [(wire, mode) for wire in WIRES for mode in MODES]
    for wire, mode in columns:
        table.add_column(f"{wire}, {mode}")
    for fault in FAULTS:
        row = [found.get((fault.what, *column)) for column in columns]
        if any(row):
            table.add_row(Text(fault.what), *map(show, row))
    return table


def show(result: Result | None) -> Text:
    """Return what was seen in a cell, in red if anything about it was unexpected."""
    if result is None:
        return Text("-", "dim")
    return Text(_describe(result.seen), "" if result.is_as_expected else "bold red")


def explain(result: Result) -> str:
    """Return in one line how a cell differs from what was expected."""
    cell = result.cell
    where = f"{cell.fault.what} ({cell.wire}, {cell.mode}, {cell.set_up})"
    flaws = "".join(f"; {flaw}" for flaw in result.flaws)
    if result.seen == result.expected:
        return f"{where}: {result.seen.end}{flaws}"
    return f"{where}:\n  expected {_spell(result.expected)}\n  seen     {_spell(result.seen)}{flaws}"


def _describe(outcome: Outcome) -> str:
    kinds = dict.fromkeys(str(each.kind) for each in outcome.attempts if each.kind)
    calls = "+".join(map(str, outcome.calls))
    return " ".join([ENDS.get(outcome.end, outcome.end), calls, *kinds])


def _spell(outcome: Outcome) -> str:
    attempts = ", ".join(
        f"{each.target} {each.kind or 'answered'} {each.status or ''}".strip() for each in outcome.attempts
    )
    return f"{outcome.end}, calls {outcome.calls[0]}+{outcome.calls[1]}, attempts: {attempts or 'none'}"


if __name__ == "__main__":
    sys.exit(main())

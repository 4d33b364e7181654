"""`python -m benchmarks`: measures what docs/benchmarks.md tells, and prints it."""

import argparse
import asyncio
import importlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from benchmarks.blocks import SpreadFigure
from benchmarks.figures import Figure, read_machine

BENCHMARKS = (
    *("ingestion", "bulk", "recall", "lexical", "scale", "rest", "router", "routing", "axiom"),
    *("field", "uses", "dynamics", "snapshots", "stream"),
)
EXTRAS = {"router": ("litellm", "memory"), "scale": ("million",), "dynamics": ("search",)}
"""What a benchmark does only when it is told to."""
FINE = {"MRR", "ratio", "share"}


async def run(names: list[str], extras: Mapping[str, bool]) -> dict[str, list[Figure]]:
    """Run benchmarks one after another; each tells on stderr when it starts."""
    found = {}
    for name in names:
        print(f"measuring {name} …", file=sys.stderr)
        measure = importlib.import_module(f"benchmarks.{name}").measure
        told = {extra: extras[extra] for extra in EXTRAS.get(name, ())}
        found[name] = [figure async for figure in measure(**told)]
    return found


def tell_value(figure: Figure, value: float) -> str:
    """Return a value of a figure, with as many places as its unit is told with."""
    return f"{value:,.{3 if figure.unit in FINE else 2}f}"


def tell_spread(figure: Figure) -> str:
    """Return from where to where a figure went when it was measured again."""
    if not isinstance(figure, SpreadFigure):
        return ""
    return f"{tell_value(figure, figure.least)} … {tell_value(figure, figure.greatest)}"


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--litellm", action="store_true", help="router: install litellm apart, and compare it too")
    parser.add_argument("--memory", action="store_true", help="router: watch its memory over 100,000 calls")
    parser.add_argument("--million", action="store_true", help="scale: a gem of 1,000,000 passages too")
    parser.add_argument("--search", action="store_true", help="dynamics: search a grid of settings first; half an hour")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}; known are {', '.join(BENCHMARKS)}")
    found = asyncio.run(run(options.names or list(BENCHMARKS), vars(options)))
    machine = read_machine()
    if options.json:
        figures = {name: [asdict(figure) for figure in each] for name, each in found.items()}
        print(json.dumps({"machine": machine, "figures": figures}, indent=2))
        return
    table = Table("benchmark", "figure", "value", "unit", "spread", "aim", title=f"{machine}")
    for name, each in found.items():
        for figure in each:
            value, range_ = tell_value(figure, figure.value), tell_spread(figure)
            table.add_row(name, figure.name, value, figure.unit, range_, figure.aim)
    Console().print(table)


if __name__ == "__main__":
    main()

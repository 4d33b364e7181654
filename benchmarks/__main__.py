"""`python -m benchmarks`: measures what docs/benchmarks.md tells, and prints it."""

import argparse
import asyncio
import importlib
import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, read_machine

BENCHMARKS = ("ingestion", "recall", "lexical", "rest")


async def run(names: list[str]) -> dict[str, list[Figure]]:
    """Run benchmarks one after another; each tells on stderr when it starts."""
    found = {}
    for name in names:
        print(f"measuring {name} …", file=sys.stderr)
        measure = importlib.import_module(f"benchmarks.{name}").measure
        found[name] = [figure async for figure in measure()]
    return found


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}; known are {', '.join(BENCHMARKS)}")
    found = asyncio.run(run(options.names or list(BENCHMARKS)))
    machine = read_machine()
    if options.json:
        figures = {name: [asdict(figure) for figure in each] for name, each in found.items()}
        print(json.dumps({"machine": machine, "figures": figures}, indent=2))
        return
    table = Table("benchmark", "figure", "value", "unit", "aim", title=f"{machine}")
    for name, each in found.items():
        for figure in each:
            table.add_row(name, figure.name, f"{figure.value:,.2f}", figure.unit, figure.aim)
    Console().print(table)


if __name__ == "__main__":
    main()

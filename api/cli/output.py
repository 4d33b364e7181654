"""Where a command prints: its result on standard output, everything else on standard error."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

WIDTH_UNSEEN = 100  # columns where no terminal says how many


def open_console(stream: TextIO | None = None) -> "Console":
    """Return a console on a stream, standard output if none is given; text is printed as it is, without markup."""
    from rich.console import Console

    stream = stream or sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDTH_UNSEEN
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def emit(as_json: bool, value: Callable[[], object], render: Callable[["Console"], None]) -> None:
    """Print a result: as one JSON value, or for people."""
    if as_json:
        print_json(value(), sys.stdout)
    else:
        render(open_console())


def print_json(value: object, stream: TextIO) -> None:
    """Print one JSON value on one line, in UTF-8 whatever the terminal's encoding."""
    import msgspec

    stream.flush()
    stream.buffer.write(msgspec.json.encode(value) + b"\n")
    stream.buffer.flush()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 passage", "2 passages"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def note(message: str) -> None:
    """Tell something beside the result."""
    sys.stderr.write(f"{message}\n")


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar on standard error; where that is no terminal, it is printed once, at its end."""

    progress: "Progress"
    task: "TaskID"

    def advance_to(self, done: int, total: int | None, detail: str = "") -> None:
        """Show how much is done, of how much if that is known."""
        self.progress.update(self.task, completed=done, total=total, detail=detail)


@contextmanager
def open_bar(label: str, unit: str) -> Iterator[Bar]:
    """Show a progress bar that counts in `unit`."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn(f"{{task.completed:,.0f}} {unit}{{task.fields[detail]}}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=open_console(sys.stderr)) as progress:
        yield Bar(progress, progress.add_task(label, total=None, detail=""))

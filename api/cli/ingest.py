"""`lattice ingest`: files, folders, rows and standard input into gems."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, examples
from api.cli.output import counted, emit, note, open_bar
from api.cli.session import with_service

if TYPE_CHECKING:
    from rich.console import Console

    from api.cli.intake import IntakeReport
    from api.cli.output import Bar
    from api.service import Service

DEFAULT_GEM = "default"
STANDARD_INPUT = "-"
SPOOL_BYTES = 16_000_000  # of standard input that are held in memory; the rest goes to a temporary file
PROBLEMS_SHOWN = 20


class InputFormat(Enum):
    """How standard input is read."""

    AUTO = "auto"
    TEXT = "text"
    JSONL = "jsonl"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = (
        "lattice ingest notes/ report.pdf --gem research",
        "lattice ingest chat.jsonl",
        "git log | lattice ingest - --gem history",
    )
    app.command("ingest", epilog=examples(*lines))(ingest)


def ingest(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders; - is standard input.")],
    gem: Annotated[str, typer.Option(help="Where documents go that name no gem; made if missing.")] = DEFAULT_GEM,
    input_format: Annotated[
        InputFormat, typer.Option("--format", help="How standard input is read; a file goes by its name's ending.")
    ] = InputFormat.AUTO,
    as_json: JsonOption = False,
) -> None:
    """Store documents: .txt .md .html .pdf .docx .jsonl .csv, and folders of them.

    What is stored already is skipped, what changed is replaced. A row of JSONL or CSV goes to the gem that its field
    `gem` names. A file or row that cannot be read is named at the end; the rest is stored, and the exit code is 1.
    """
    if "" in paths:  # of an unset variable; it would stand for the working folder
        raise typer.BadParameter("must not be empty", param_hint="PATH")
    with _standard_input(wanted=STANDARD_INPUT in paths) as stream:
        suffix = _suffix(input_format, stream)

        async def work(service: "Service") -> "IntakeReport":
            from api.cli.intake import take_in
            from knowledge import read_sources

            rows = read_sources(paths, input_format=suffix, standard_input=stream)
            with open_bar("Ingesting", "documents") as bar:
                return await take_in(
                    service, rows, lambda document: document.gem or gem, lambda report: show_progress(bar, report)
                )

        report = with_service(work)
    emit(as_json, lambda: _as_json(report), lambda console: _render(console, report))
    if not as_json:
        show_problems(report)
    if report.failed:
        raise typer.Exit(PARTIAL)


def show_progress(bar: "Bar", report: "IntakeReport") -> None:
    """Show how far an ingestion has come."""
    total = report.total
    rate = f", {total.passages / total.seconds:,.0f} passages/s" if total.seconds else ""
    known = report.read if report.is_read else None
    bar.advance_to(total.documents + total.skipped, known, f", {counted(total.passages, 'passage')}{rate}")


def show_problems(report: "IntakeReport") -> None:
    """Name what could not be read."""
    if report.failed:
        note(f"{report.failed:,} could not be read:")
        for problem in report.problems[:PROBLEMS_SHOWN]:
            note(f"  {problem}")
        if report.failed > PROBLEMS_SHOWN:
            note(f"  … and {report.failed - PROBLEMS_SHOWN:,} more; --json lists up to 1,000")


def _render(console: "Console", report: "IntakeReport") -> None:
    for name, part in report.gems.items():
        stored = f"{counted(part.documents, 'document')} stored ({part.replaced:,} replaced), {part.skipped:,} skipped"
        console.print(f"{name}: {stored}, {counted(part.passages, 'passage')} in {part.seconds:.1f} s", soft_wrap=True)
    if not report.gems:
        console.print("nothing was stored")


def _as_json(report: "IntakeReport") -> object:
    return {
        "gems": {name: _counts(part) for name, part in report.gems.items()},
        **_counts(report.total),
        "failed": report.failed,
        "problems": [{"name": each.name, "line": each.line, "problem": each.problem} for each in report.problems],
    }


def _counts(report: object) -> dict[str, object]:
    names = ("documents", "replaced", "skipped", "passages", "seconds")
    return {name: getattr(report, name) for name in names}


@contextmanager
def _standard_input(*, wanted: bool) -> Iterator[BinaryIO | None]:
    """Give standard input, read to its end beforehand: a thread that waits for it could not be interrupted."""
    if not wanted:
        yield None
        return
    with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        shutil.copyfileobj(sys.stdin.buffer, spool)
        spool.seek(0)
        yield cast("BinaryIO", spool)


def _suffix(input_format: InputFormat, stream: BinaryIO | None) -> str:
    """Return the ending that stands for a format; rows begin with a brace."""
    if input_format is InputFormat.AUTO and stream is not None:
        head = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
        stream.seek(0)
        return ".jsonl" if head.startswith(b"{") else ".txt"
    return ".jsonl" if input_format is InputFormat.JSONL else ".txt"

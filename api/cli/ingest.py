"""`lattice ingest`: files, folders, rows and standard input into gems."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from api.cli import bulk
from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, examples
from api.cli.output import counted, emit, note, open_bar
from api.cli.session import with_service

if TYPE_CHECKING:
    from rich.console import Console

    from api.cli.carrying import Carried
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


class Engine(Enum):
    """What reads, cuts and embeds."""

    LOCAL = "local"
    RAY = "ray"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = (
        "lattice ingest notes/ report.pdf --gem research",
        "lattice ingest chat.jsonl",
        "git log | lattice ingest - --gem history",
    )
    app.command("ingest", epilog=examples(*lines))(ingest)


def ingest(  # noqa: PLR0917 - typer passes them by name
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders; - is standard input.")],
    gem: Annotated[str, typer.Option(help="Where documents go that name no gem; made if missing.")] = DEFAULT_GEM,
    input_format: Annotated[
        InputFormat, typer.Option("--format", help="How standard input is read; a file goes by its name's ending.")
    ] = InputFormat.AUTO,
    engine: Annotated[
        Engine, typer.Option(help="What reads and embeds: this process, or a Ray cluster.")
    ] = Engine.LOCAL,
    ray_address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster; without one, one is started on this machine.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Store documents: .txt .md .html .pdf .docx .jsonl .csv, and folders of them.

    What is stored already is skipped, what changed is replaced. A row of JSONL or CSV goes to the gem that its field
    `gem` names. A file or row that cannot be read is named at the end; the rest is stored, and the exit code is 1.
    Files whose rows bring an `embedding` are loaded in bulk. What was stopped is gone on with by `lattice ingestions
    resume`, or by the same command again.
    """
    if "" in paths:  # of an unset variable; it would stand for the working folder
        raise typer.BadParameter("must not be empty", param_hint="PATH")
    if engine is Engine.RAY and STANDARD_INPUT in paths:
        raise typer.BadParameter("standard input is read by the local engine only", param_hint="PATH")
    if engine is Engine.RAY:
        bulk.ingest_on_ray(paths, gem, ray_address, as_json=as_json)
        return
    if bulk.is_precomputed(paths):
        bulk.load(paths, gem, as_json=as_json)
        return

    with _standard_input(wanted=STANDARD_INPUT in paths) as stream:
        suffix = _suffix(input_format, stream)

        async def work(service: "Service") -> "Carried":
            from api.cli.carrying import begin, carry_out

            ingestion_id = await begin(service, paths, gem, stream, suffix)
            with open_bar("Ingesting", "documents") as bar:
                return await carry_out(service, ingestion_id, bar)

        carried = with_service(work)
    show_carried(carried, as_json=as_json)


def show_carried(carried: "Carried", *, as_json: bool) -> None:
    """Show how an ingestion of this process ended.

    Raises:
        typer.Exit: not all of it was stored.
    """
    emit(as_json, lambda: _as_json(carried), lambda console: _render(console, carried))
    if not as_json:
        _show_problems(carried)
    if carried.record.counts.failed or carried.record.state != "done":
        raise typer.Exit(PARTIAL)


def show_progress(bar: "Bar", report: "IntakeReport") -> None:
    """Show how far documents have come that nobody need resume."""
    total = report.total
    rate = f", {total.passages / total.seconds:,.0f} passages/s" if total.seconds else ""
    bar.advance_to(total.documents + total.skipped, report.rows, f", {counted(total.passages, 'passage')}{rate}")


def _show_problems(carried: "Carried") -> None:
    failed = carried.record.counts.failed
    if failed:
        note(f"{failed:,} could not be read:")
        for problem in carried.problems[:PROBLEMS_SHOWN]:
            place = problem.name if problem.line is None else f"{problem.name}, line {problem.line}"
            note(f"  {place}: {problem.problem}")
        more = f" lists up to {len(carried.problems):,}" if failed > PROBLEMS_SHOWN else " shows them again"
        rest = f"… and {failed - PROBLEMS_SHOWN:,} more; " if failed > PROBLEMS_SHOWN else ""
        note(f"  {rest}lattice ingestions show {carried.record.ingestion_id}{more}")
    if carried.record.state == "cancelled":
        note(f"it was cancelled; lattice ingestions resume {carried.record.ingestion_id} goes on with it")


def _render(console: "Console", carried: "Carried") -> None:
    for name, part in carried.gems.items():
        stored = f"{counted(part.documents, 'document')} stored ({part.replaced:,} replaced), {part.skipped:,} skipped"
        console.print(f"{name}: {stored}, {counted(part.passages, 'passage')} in {part.seconds:.1f} s", soft_wrap=True)
    if not carried.gems:
        console.print("nothing was stored")


def _as_json(carried: "Carried") -> object:
    return {
        "ingestion": str(carried.record.ingestion_id),
        "state": carried.record.state,
        "gems": {name: _counts(part) for name, part in carried.gems.items()},
        **_counts(carried.total),
        "failed": carried.record.counts.failed,
        "problems": [{"name": each.name, "line": each.line, "problem": each.problem} for each in carried.problems],
    }


def _counts(report: object) -> dict[str, object]:
    names = ("documents", "replaced", "skipped", "passages", "seconds")
    return {name: getattr(report, name) for name in names}


@contextmanager
def _standard_input(*, wanted: bool) -> Iterator[BinaryIO]:
    """Give standard input, read to its end beforehand: a thread that waits for it could not be interrupted."""
    with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        if wanted:
            shutil.copyfileobj(sys.stdin.buffer, spool)
            spool.seek(0)
        yield cast("BinaryIO", spool)


def _suffix(input_format: InputFormat, stream: BinaryIO) -> str:
    """Return the ending that stands for a format; rows begin with a brace."""
    if input_format is InputFormat.AUTO:
        head = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
        stream.seek(0)
        return ".jsonl" if head.startswith(b"{") else ".txt"
    return ".jsonl" if input_format is InputFormat.JSONL else ".txt"

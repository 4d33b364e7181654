"""How ingestions look in a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from api.cli.output import Bar, counted
from api.cli.views import fact_table, plain_table, show_moment
from knowledge.jobs import IngestionProblem, IngestionRecord

COLOURS = {"done": "green", "failed": "red", "cancelled": "yellow", "running": "cyan", "queued": "dim"}


def render_ingestions(console: Console, records: Sequence[IngestionRecord]) -> None:
    """Show ingestions, one a line."""
    if not records:
        console.print("no ingestions")
        return
    table = plain_table("state", "read", "of", "stored", "failed", "begun", "id", "input", right=range(1, 5))
    for record in records:
        counts = record.counts
        numbers = (counts.read, "?" if record.total is None else record.total, counts.stored, counts.failed)
        told = (each if isinstance(each, str) else f"{each:,}" for each in numbers)
        state = Text(record.state, COLOURS[record.state])
        table.add_row(state, *told, show_moment(record.created_at), str(record.ingestion_id), record.input)
    console.print(table)


def render_ingestion(console: Console, record: IngestionRecord, problems: Sequence[IngestionProblem]) -> None:
    """Show one ingestion, and what could not be stored."""
    counts = record.counts
    stored = f"{counts.stored:,} stored ({counts.replaced:,} replaced), {counts.skipped:,} skipped"
    rate, left = record.passages_per_s, record.seconds_left
    console.print(Text(record.state, f"bold {COLOURS[record.state]}") + Text(f"  {record.input}"))
    facts = {
        "id": record.ingestion_id,
        "read": f"{counts.read:,} of {'?' if record.total is None else f'{record.total:,}'} rows: {stored}, "
        f"{counts.failed:,} failed",
        "passages": f"{counts.passages:,} in {record.seconds:.1f} s" + (f", {rate:,.0f} a second" if rate else ""),
        **({"left": show_duration(left)} if left is not None else {}),
        **({"error": f"{record.error} ({record.error_code})"} if record.error_code else {}),
        **({"host": record.host} if record.host else {}),
        "begun": show_moment(record.created_at),
        **({"ended": show_moment(record.finished_at)} if record.finished_at else {}),
    }
    console.print(fact_table(facts))
    for problem in problems:
        place = problem.name if problem.line is None else f"{problem.name}, line {problem.line}"
        console.print(f"  {place}: {problem.problem}", style="yellow", soft_wrap=True)


def show_record(bar: Bar, record: IngestionRecord) -> None:
    """Show on a progress bar how far an ingestion has come, how fast it is, and how long it will still take."""
    counts = record.counts
    parts = [counted(counts.passages, "passage")]
    if record.passages_per_s is not None:
        parts.append(f"{record.passages_per_s:,.0f} passages/s")
    if record.seconds_left is not None:
        parts.append(f"{show_duration(record.seconds_left)} left")
    if counts.failed:
        parts.append(f"{counts.failed:,} failed")
    bar.advance_to(counts.read, record.total, "".join(f", {part}" for part in parts))


def show_duration(seconds: float) -> str:
    """Return a time to wait for, in the unit that suits it."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02} s" if whole < 3600 else f"{whole // 3600} h {whole // 60 % 60:02} min"

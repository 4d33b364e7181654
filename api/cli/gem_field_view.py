"""How the questions of the field look in a terminal."""

import math
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.output import counted
from api.cli.simulation_view import LONGEST_LINE, draw_sparkline
from api.cli.views import fact_table, indented, plain_table, show_moment
from gems import FieldSummary, GemAt, GemAtRisk, GemForecast, GemHistory, LatticePoint, NamedMode, Point, QuantumState
from knowledge import Rehearsal

LABEL = 28  # characters of a row's name beside a matrix
MARKS_SHOWN = 30


def render_state(console: Console, found: GemAt) -> None:
    """Show a gem at a moment."""
    console.print(_headline(found.gem.name, f"at {show_moment(found.at)}", archived=found.gem.archived_at is not None))
    facts = {
        **_tell_state(found.state),
        "field": f"{found.field:+.3f}  (its share in the lattice's, −1 to 1)",
        f"below {found.below:g}": _tell_fall(found.falls_at, found.at),
        "measured": show_moment(found.gem.measured_at),
    }
    console.print(indented(fact_table(facts)))


def render_history(console: Console, found: GemHistory) -> None:
    """Show a gem's curve and what made it jump, the newest last."""
    console.print(_headline(found.gem.name, "as its log says"))
    marks = found.curve.marks
    jumps = {mark.entry.since for mark in marks}
    _render_curve(console, [point for point in found.curve.points if point.at not in jumps] or found.curve.points)
    table = plain_table("when", "cause", "gain", "coherence", "energy", "uncertainty", right=range(2, 6))
    for mark in marks[-MARKS_SHOWN:]:
        pairs = (
            f"{getattr(mark.before, name):.3f} → {getattr(mark.after, name):.3f}"
            for name in ("coherence", "energy", "uncertainty")
        )
        table.add_row(show_moment(mark.entry.since), mark.entry.cause, f"{mark.entry.gain:.3g}", *pairs)
    if marks:
        console.print(table)
    if len(marks) > MARKS_SHOWN:
        console.print(f"… and {counted(len(marks) - MARKS_SHOWN, 'earlier entry')}: --json has them", style="dim")


def render_forecast(console: Console, found: GemForecast) -> None:
    """Show what becomes of a gem that is left alone."""
    console.print(_headline(found.gem.name, "if nobody uses it"))
    _render_curve(console, found.points)
    console.print(f"coherence below {found.below:g}: {_tell_fall(found.falls_at, found.points[0].at)}")


def render_field(console: Console, found: FieldSummary) -> None:
    """Show all gems together."""
    console.print(_headline(counted(found.gems, "gem"), f"at {show_moment(found.at)}"))
    if not found.gems:
        return
    facts = {
        "order parameter": f"{found.order_parameter:.3f}  (how much of them moves together, 0 to 1)",
        "coherence": f"{found.coherence_mean:.3f} on average   {_draw_counts(found.coherence_counts)}",
        "uncertainty": f"{found.uncertainty_mean:.3f} on average   {_draw_counts(found.uncertainty_counts)}",
        "energy": f"{found.energy_mean:.3f} on average",
        f"below {found.threshold:g}": counted(found.below, "gem"),
    }
    console.print(indented(fact_table(facts)))


def render_lattice_history(console: Console, found: Sequence[LatticePoint]) -> None:
    """Show how all gems together fared."""
    told = [point for point in found if point.gems]
    if not told:
        console.print("no gems in this time")
        return
    console.print(_headline(counted(told[-1].gems, "gem"), "as their logs say"))
    table = Table.grid(padding=(0, 2))
    for name in ("coherence", "uncertainty", "order_parameter", "gems"):
        values = np.array([getattr(point, name) for point in told], np.float64)
        line = Text(draw_sparkline(values, LONGEST_LINE), "cyan")
        table.add_row(Text(name.replace("_", " "), "dim"), line, f"{values[0]:.3g} → {values[-1]:.3g}")
    console.print(indented(table))
    console.print(Text(f"from {show_moment(told[0].at)} to {show_moment(told[-1].at)}", "dim"))


def render_risks(console: Console, found: Sequence[GemAtRisk], below: float, now: datetime) -> None:
    """Show gems that fade, one a line."""
    if not found:
        console.print(f"no gem falls below {below:g} in this time", style="green")
        return
    table = plain_table("name", "coherence", "energy", f"below {below:g}", right=(1, 2))
    for each in found:
        numbers = (f"{each.state.coherence:.3f}", f"{each.state.energy:.3f}")
        table.add_row(Text(each.name, "bold"), *numbers, _tell_fall(each.falls_at, now))
    console.print(table)


def render_modes(console: Console, found: Sequence[NamedMode]) -> None:
    """Show groups of gems that move together."""
    if not found:
        console.print("no gems yet: lattice gems create NAME, or lattice ingest PATH --gem NAME")
        return
    table = plain_table("gems", "share", "order", "phase", "coherence", "the most coherent", right=range(5))
    for each in found:
        mode = each.mode
        rest = len(mode.members) - len(each.names)
        names = ", ".join(name for _, name in each.names) + (f" … {rest:,} more" if rest else "")
        table.add_row(
            f"{len(mode.members):,}",
            f"{100 * mode.share:.0f} %",
            f"{mode.order_parameter:.3f}",
            f"{mode.phase:.3f}",
            f"{mode.coherence:.3f}",
            names,
        )
    console.print(table)


def render_rehearsal(console: Console, found: Rehearsal) -> None:
    """Show what a rehearsal did, or would do."""
    verb = "would change" if found.dry_run else "changed"
    console.print(_headline(found.used.name, f"what the rehearsal {verb}"))
    table = plain_table("", "coherence", "energy", "uncertainty", right=(1, 2, 3))
    for each in (found.used, *found.partners):
        pairs = (
            f"{getattr(each.before, name):.3f} → {getattr(each.after.state, name):.3f}"
            for name in ("coherence", "energy", "uncertainty")
        )
        table.add_row(Text(each.name, "bold" if each is found.used else ""), *pairs)
    console.print(indented(table))
    before, after = (_day(each) for each in (found.falls_at_before, found.falls_at_after))
    measured = f", and {counted(found.passages, 'passage')} with it" if found.passages else ""
    console.print(f"it fades on {after} instead of {before}{measured}")
    if found.dry_run:
        console.print("nothing was changed: --yes does it", style="dim")


def render_matrix(console: Console, labels: Sequence[str], matrix: NDArray[np.float64], order_parameter: float) -> None:
    """Show interference of each with each."""
    if not labels:
        console.print("nothing to compare")
        return
    table = plain_table("", *(str(i) for i in range(1, len(labels) + 1)), right=range(1, len(labels) + 1))
    for i, (label, row) in enumerate(zip(labels, matrix.tolist(), strict=True), start=1):
        told = " ".join(label.split())
        name = told if len(told) <= LABEL else f"{told[: LABEL - 1]}…"
        cells = [Text(f"{value:+.2f}", "green" if value > 0.05 else "red" if value < -0.05 else "dim") for value in row]
        table.add_row(Text(f"{i:>2}  {name}"), *cells)
    console.print(table)
    console.print(f"order parameter {order_parameter:.3f}", style="dim")


def _render_curve(console: Console, points: Sequence[Point]) -> None:
    coherence = np.array([point.state.coherence for point in points])
    line = Text(draw_sparkline(coherence, LONGEST_LINE), "cyan")
    console.print(indented(Text("coherence  ", "dim") + line + f"  {coherence[0]:.3f} → {coherence[-1]:.3f}"))
    console.print(indented(Text(f"from {show_moment(points[0].at)} to {show_moment(points[-1].at)}", "dim")))


def _tell_state(state: QuantumState[float]) -> dict[str, str]:
    return {
        "coherence": f"{state.coherence:.3f}  (how strongly it holds, 0 to 1)",
        "energy": f"{state.energy:.3f}  (how slowly it fades, in τ)",
        "phase": f"{state.phase:.3f}  (when it was formed, 0 to 2π)",
        "uncertainty": f"{state.uncertainty:.3f}  (how stale it is, 0 to 1)",
    }


def _headline(name: str, told: str, *, archived: bool = False) -> Text:
    return Text(name, "bold") + Text(f"  {told}", "dim") + Text("  archived" if archived else "", "yellow")


def _tell_fall(falls_at: datetime | None, now: datetime) -> str:
    if falls_at is None or falls_at <= now:
        return "never" if falls_at is None else f"since {_day(falls_at)}"
    days = math.ceil((falls_at - now).total_seconds() / 86_400)
    return f"from {_day(falls_at)} on, in {counted(days, 'day')}"


def _day(moment: datetime | None) -> str:
    return "no day" if moment is None else f"{moment:%Y-%m-%d}"


def _draw_counts(counts: Sequence[int]) -> str:
    return f"0 {draw_sparkline(np.array(counts, np.float64), len(counts))} 1"

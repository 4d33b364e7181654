"""How scores and subjectivity look in a terminal."""

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from api.cli.views import indented, plain_table
from api.schemas.axiom import ScoreView, SensitivityView, SubjectivityView

NAMES: Mapping[str, str] = {
    "A": "impulses",
    "B": "elements",
    "C": "pressure",
    "X": "subjectivity scale",
    "Y": "why axis",
    "Z": "time sphere",
    "E": "exponential growth, E_n",
    "F": "Fibonacci or feedback, F_n",
}
BAR = 20  # characters of a whole signal


def render_score(console: Console, view: ScoreView, given: Mapping[str, float]) -> None:
    """Show one score, what each term does to it, and what would raise it.

    Args:
        console: where.
        view: what is shown.
        given: the terms as they were told; which of them were moved into their bounds is said.
    """
    console.print(Text(f"Score {view.score:.6g}", "bold") + Text(" = E_n · (1 + F_n) · X·Y·Z · (A·B·C)", "dim"))
    for name, value in given.items():
        used = (view.components or {}).get(name, value)
        if used != value:
            console.print(f"{name} = {value:g} is out of its bounds: {used:g} is used", style="dim")
    if view.sensitivity is None:
        console.print("a factor is negative: there are no shares", style="dim")
        return
    table = plain_table("term", "value", "share (ln)", "slope", "raised to", "gain", "", right=range(1, 6))
    for row in view.sensitivity:
        table.add_row(
            row.term, *_numbers(row), Text(NAMES[row.term], "yellow" if row.term == view.limiting_term else "")
        )
    console.print(indented(table))
    if view.limiting_term is None:
        console.print("No term holds the score back: none has a factor below 1.")
    else:
        console.print(Text(f"{view.limiting_term} holds the score back most.", "yellow"))


def render_subjectivity(console: Console, view: SubjectivityView) -> None:
    """Show how subjective a text is, and why."""
    console.print(Text(f"Subjectivity {view.value:.3f}  {view.tier}", "bold"))
    table = plain_table("signal", "value", "", right=(1,))
    for name in view.signals.__struct_fields__:
        value: float = getattr(view.signals, name)
        table.add_row(name.replace("_", " "), f"{value:.3f}", Text("█" * round(BAR * value), "cyan"))
    console.print(indented(table))
    console.print(f"X would be fed with {view.objectivity:.3f}.", style="dim")


def _numbers(row: SensitivityView) -> tuple[str, ...]:
    share = "-inf" if row.share is None else f"{row.share + 0.0:+.3f}"
    return f"{row.value:.4g}", share, f"{row.derivative:.4g}", f"{row.raised_to:.4g}", f"{row.gain:+.4g}"

"""How the demo looks in a terminal."""

from rich.console import Console
from rich.text import Text

from api.cli.output import counted
from api.cli.reflection_view import render_answer, render_axiom, render_change, render_cited
from api.cli.tour import GEM, Tour
from api.cli.views import fact_table, indented, rule

NEXT = {
    "lattice ingest PATH --gem NAME": "store your own files, folders or JSONL rows",
    'lattice recall "…" --explain': "find passages, with their scores taken apart",
    'lattice reflect "…" --gem NAME': "an answer with citations",
    "lattice simulate --gem NAME": "what becomes of it if nobody uses it",
    "lattice serve": "the same over HTTP, described at /schema",
    "lattice doctor": "check settings, database and models",
}


def render_tour(console: Console, tour: Tour) -> None:
    """Show all that the demo did, from the top down."""
    total = tour.intake.total
    console.print(
        f"Gem {GEM!r}: {counted(total.documents, 'document')} stored, {total.skipped:,} there already, "
        f"{counted(total.passages, 'passage')} in {total.seconds:.1f} s"
    )
    for problem in tour.intake.problems:
        console.print(f"passed over: {problem}", style="yellow")
    for number, asked in enumerate(tour.asked, start=1):
        console.print()
        console.print(rule(f"Question {number} of {len(tour.asked)}"))
        console.print(Text(asked.reflection.question, "bold"))
        console.print()
        render_answer(console, asked.reflection)
        console.print()
        console.print(Text("It cites, word for word", "bold"))
        render_cited(console, asked.reflection, asked.headings)
        console.print()
        render_axiom(console, asked.reflection.axiom)
    _render_state(console, tour)
    console.print()
    console.print(rule("What to try next"))
    console.print(indented(fact_table(NEXT)))
    console.print(f"The demo's own lattice is in {tour.data_dir}; delete the folder to forget it.", style="dim")


def _render_state(console: Console, tour: Tour) -> None:
    console.print()
    console.print(rule("How the gem's state changed"))
    later = f"in {tour.tau_days:g} days, if left alone"
    render_change(console, {"before": tour.before.state, "after": tour.after.state, later: tour.later})
    console.print(
        "Each use measured the gem: uncertainty fell, coherence rose towards 1, and the less coherent it was, the more "
        "energy it gained. Left alone, coherence fades as exp(-t/energy). Nothing ticks: whoever looks, evolves it.",
        style="dim",
    )

"""How the axiom of a gem looks in a terminal: the score, its terms, what they rest on, and its history."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from api.cli.output import counted
from api.cli.simulation_view import LONGEST_LINE, draw_sparkline, show_number
from api.cli.views import indented, plain_table, show_moment
from axiom import TERM_NAMES
from knowledge import Basis
from reflection import GemAxiom, ScoredReflection

MEANINGS: Mapping[str, str] = {
    "A": "impulse: evidence meets questions",
    "B": "elements: evidence covers them",
    "C": "pressure: passages hold",
    "X": "objectivity of the evidence",
    "Y": "why: passages agree",
    "Z": "certainty: passages are fresh",
    "E": "energy of the gem",
    "F": "feedback, counted as 1 + F",
}


def render_gem_axiom(console: Console, found: GemAxiom, history: Sequence[ScoredReflection]) -> None:
    """Show a gem's score with its terms, and how its reflections scored."""
    axiom = found.axiom
    console.print(Text(found.gem.name, "bold") + Text(f"  at {show_moment(found.at)}", "dim"))
    console.print(Text(f"Score {show_number(axiom.score)}", "bold") + Text(" = E · (1 + F) · X·Y·Z · (A·B·C)", "dim"))
    table = plain_table("term", "value", "share (ln)", "rests on", "", right=(1, 2))
    for name in TERM_NAMES:
        share = axiom.shares.shares[name]
        limits = name == axiom.shares.limiting_term
        told = Text(MEANINGS[name], "yellow" if limits else "")
        value: float = getattr(axiom.terms, name)
        shown = "-inf" if share is None else f"{round(share, 3) + 0.0:+.3f}"
        table.add_row(name, show_number(value), shown, Text(_words(found.bases[name]), "dim"), told)
    console.print(indented(table))
    limit = axiom.shares.limiting_term
    if limit is not None:
        console.print(Text(f"{limit} holds the score back most.", "yellow"))
    _render_history(console, history)


def _render_history(console: Console, history: Sequence[ScoredReflection]) -> None:
    if not history:
        console.print("no reflections yet: lattice reflect QUESTION --gem GEM", style="dim")
        return
    scores = np.array([each.axiom.score for each in reversed(history)])
    first, last = show_moment(history[-1].created_at), show_moment(history[0].created_at)
    oldest, newest = show_number(float(scores[0])), show_number(float(scores[-1]))
    if len(history) == 1:
        console.print(f"last reflection:  {newest}, at {last}")
        return
    line = draw_sparkline(scores, LONGEST_LINE)
    console.print(f"last {len(history):,} reflections:  {line}  {oldest} to {newest}")
    console.print(f"from {first} to {last}", style="dim")


def _words(basis: Basis) -> str:
    if basis.of in {"gem", "assumed"}:
        return {"gem": "the gem", "assumed": "assumed"}[basis.of]
    return counted(basis.count, basis.of[:-1])

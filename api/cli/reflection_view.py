"""How a reflection looks in a terminal: the answer, what it cites, how it scored, what it changed."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from rich.console import Console
from rich.text import Text

from api.cli.views import excerpt, explain_score, headline, indented, plain_table
from gems import QuantumState
from reflection import AxiomScore, CitedPassage, Reflection, StateChange

MEANINGS = {
    "A": "impulse: how near the evidence is to the question",
    "B": "elements: how much of the question it covers",
    "C": "pressure: how strongly the evidence holds",
    "X": "objectivity of the evidence",
    "Y": "why: how far the evidence agrees with itself",
    "Z": "certainty: how fresh the evidence is",
    "E": "energy of the gem",
    "F": "feedback of its users, counted as 1 + F",
}
GROUNDINGS = {
    "grounded": ("every citation is of a passage that was given", "green"),
    "uncited": ("the answer cites nothing: do not trust it", "yellow"),
    "invented": ("the answer cites a passage that was not given: do not trust it", "red"),
    "unanswered": ("the evidence does not answer the question", "yellow"),
}
STATE_PARTS = ("coherence", "energy", "phase", "uncertainty")


def render_answer(console: Console, reflection: Reflection) -> None:
    """Show the answer, and who gave it."""
    console.print(Text(reflection.answer))
    render_origin(console, reflection)


def render_origin(console: Console, reflection: Reflection) -> None:
    """Show who gave the answer and how it stands to its evidence."""
    meaning, colour = GROUNDINGS[reflection.grounding]
    cost = "" if not reflection.cost_usd else f", ${reflection.cost_usd:.4f}"
    console.print(Text(f"{reflection.grounding}: {meaning}", colour))
    console.print(f"by {reflection.model or reflection.provider} in {reflection.seconds:.2f} s{cost}", style="dim")


def render_cited(console: Console, reflection: Reflection, headings: Mapping[UUID, str | None]) -> None:
    """Show the passages that the answer cites, word for word; `headings` by passage, where known."""
    cited = [passage for passage in reflection.evidence if passage.cited]
    for passage in cited:
        _render_cited_passage(console, passage, headings.get(passage.passage_id))
    if not cited:
        console.print("The answer cites nothing.", style="dim")


def render_axiom(console: Console, axiom: AxiomScore) -> None:
    """Show the score of the evidence with its eight terms, and which of them holds it back."""
    console.print(Text(f"Score {axiom.score:.3f}", "bold") + Text(" = E · (1 + F) · X·Y·Z · (A·B·C)", "dim"))
    table = plain_table("term", "value", "share (ln)", "", right=(1, 2))
    for name, meaning in MEANINGS.items():
        share = axiom.shares.shares[name]  # type: ignore[index]  # MEANINGS has the names of the terms
        limits = name == axiom.shares.limiting_term
        told = Text(meaning + ("  <- holds the score back most" if limits else ""), "yellow" if limits else "")
        value: float = getattr(axiom.terms, name)
        table.add_row(name, f"{value:.3f}", "-inf" if share is None else f"{round(share, 3) + 0.0:+.3f}", told)
    console.print(indented(table))


def render_change(console: Console, columns: Mapping[str, QuantumState[float]]) -> None:
    """Show states side by side, under the names of their columns."""
    table = plain_table("", *columns, right=range(1, len(columns) + 1))
    for part in STATE_PARTS:
        table.add_row(part, *(f"{getattr(state, part):.4f}" for state in columns.values()))
    console.print(indented(table))


def render_reflection(console: Console, reflection: Reflection) -> None:
    """Show a whole reflection."""
    render_answer(console, reflection)
    render_details(console, reflection)


def render_details(console: Console, reflection: Reflection) -> None:
    """Show what an answer rests on and what it changed."""
    console.print()
    render_cited(console, reflection, {})
    console.print()
    render_axiom(console, reflection.axiom)
    if reflection.change is not None:
        console.print()
        render_change(console, _columns(reflection.change))
    _render_attempts(console, reflection)
    console.print()
    console.print(f"rate it: lattice feedback {reflection.reflection_id} 1", style="dim", soft_wrap=True)


def _columns(change: StateChange) -> Mapping[str, QuantumState[float]]:
    return {"gem before": change.before, "gem after": change.after}


def _render_attempts(console: Console, reflection: Reflection) -> None:
    failed: Sequence[str] = [f"{each.target}: {each.error}" for each in reflection.attempts if each.outcome == "failed"]
    if failed:
        console.print(Text(f"failed before it: {'; '.join(failed)}", "yellow"))


def _render_cited_passage(console: Console, passage: CitedPassage, heading: str | None) -> None:
    where = headline(passage.title, heading, None, passage.source or passage.external_id)
    reached = "" if passage.entanglement is None else f"  in {passage.gem_name}, by {passage.entanglement:g}"
    console.print(Text(f"[{passage.label}] ", "bold cyan") + Text(where, "bold") + Text(reached, "magenta"))
    console.print(indented(excerpt(passage.text)))
    console.print(indented(explain_score(passage.scores)))

"""How results look in a terminal of 80 columns or more."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from api.cli.output import counted

if TYPE_CHECKING:
    from api.parameters import Parameter
    from gems import Gem, Measurement
    from knowledge import DocumentSummary, PassageScore, RecalledPassage, TimePhrase

EXCERPT = 600  # characters of a passage that are shown
INDENT = 4
PARTS = ("late", "dense", "lexical", "speaker", "title", "link", "coherence", "interference", "novelty", "reach")


def render_gem(console: Console, gem: "Gem") -> None:
    """Show one gem with its state."""
    console.print(Text(gem.name, "bold") + Text("  archived" if gem.archived_at else "", "yellow"))
    if gem.description:
        console.print(gem.description)
    facts = {
        "id": gem.gem_id,
        "coherence": f"{gem.state.coherence:.3f}  (how strongly it holds, 0 to 1)",
        "energy": f"{gem.state.energy:.3f}  (how slowly it fades, in τ)",
        "phase": f"{gem.state.phase:.3f}  (when it was formed, 0 to 2π)",
        "uncertainty": f"{gem.state.uncertainty:.3f}  (how stale it is, 0 to 1)",
        "feedback": f"{gem.feedback:+.3f} from {counted(gem.ratings, 'rating')}",
        "measured": show_moment(gem.measured_at),
        "knowledge": counted(gem.slots, "passage") + " ever stored",
        **({"speakers": ", ".join(gem.speakers)} if gem.speakers else {}),
        **({"metadata": json.dumps(gem.metadata, ensure_ascii=False)} if gem.metadata else {}),
        "created": show_moment(gem.created_at),
    }
    console.print(fact_table(facts))


def render_gems(console: Console, gems: "Sequence[Gem]") -> None:
    """Show gems, one a line."""
    if not gems:
        console.print("no gems yet: lattice gems create NAME, or lattice ingest PATH --gem NAME")
        return
    table = plain_table("name", "coherence", "energy", "uncertainty", "feedback", "measured", "id", right=range(1, 5))
    for gem in gems:
        state = gem.state
        numbers = (f"{value:.3f}" for value in (state.coherence, state.energy, state.uncertainty))
        name = Text(gem.name, "dim" if gem.archived_at else "bold")
        table.add_row(name, *numbers, f"{gem.feedback:+.2f}", f"{gem.measured_at:%Y-%m-%d}", str(gem.gem_id))
    console.print(table)


def render_log(console: Console, log: "Sequence[Measurement]") -> None:
    """Show a gem's measurements, one a line."""
    table = plain_table("measured", "what", "cause", "gain", "coherence", "energy", "uncertainty", right=range(3, 7))
    for entry in log:
        what = "gem" if entry.passage_id is None else f"passage {str(entry.passage_id)[:8]}"
        numbers = (entry.gain, entry.coherence, entry.energy, entry.uncertainty)
        table.add_row(show_moment(entry.measured_at), what, entry.cause, *(f"{number:.3f}" for number in numbers))
    console.print(table if log else "nothing was measured yet: lattice reflect QUESTION --gem NAME")


def render_documents(console: Console, documents: "Sequence[DocumentSummary]") -> None:
    """Show documents, one a line."""
    table = plain_table("id", "passages", "characters", "title or name", right=(1, 2))
    for each in documents:
        name = each.title or each.external_id or each.source or ""
        table.add_row(str(each.document_id), f"{each.passages:,}", f"{each.characters:,}", name)
    console.print(table if documents else "no documents")


def render_passages(
    console: Console, passages: "Sequence[RecalledPassage]", *, explain: bool, phrase: "TimePhrase | None" = None
) -> None:
    """Show what was recalled, best first, and the time that the question was understood to name."""
    if phrase is not None and phrase.window is not None:
        since, until = (moment and show_moment(moment) for moment in (phrase.window.since, phrase.window.until))
        console.print(Text(f"{phrase.phrase}: from {since or 'the beginning'} until {until or 'now'}", "dim"))
    for label, passage in enumerate(passages, start=1):
        heading = headline(passage.title, passage.heading, passage.speaker, passage.source, passage.occurred_at)
        score = Text(f"  {passage.score.score:.3f}", "cyan")
        reached = "" if passage.entanglement is None else f"  in {passage.gem_name}, by {passage.entanglement:g}"
        console.print(Text(f"[{label}] ", "bold cyan") + Text(heading, "bold") + score + Text(reached, "magenta"))
        console.print(indented(passage.around.text if passage.around else excerpt(passage.text)))
        if passage.also_in:
            console.print(indented(Text(f"also in {counted(len(passage.also_in), 'other document')}", "dim")))
        if explain:
            console.print(indented(explain_score(passage.score)))
        console.print()
    if not passages:
        hint = "" if phrase is None else " of that time; without --dates it is looked for in all times"
        console.print(f"nothing was found{hint}")


def explain_score(score: "PassageScore | Mapping[str, float]") -> RenderableType:
    """Take a passage's recall score apart: its parts are a sum."""
    values = score if isinstance(score, Mapping) else {name: getattr(score, name) for name in score.__slots__}
    # reflections stored by an older version have fewer parts; few passages are reached through another gem
    shown = [name for name in PARTS if name in values and (name != "reach" or values[name])]
    terms = "  ".join(f"{name} {values[name]:+.3f}" for name in shown)
    raw = f"cosine {values['cosine']:.3f}  bm25 {values['bm25']:.2f}  field {values['field']:+.3f}"
    return Group(Text(f"score {values['score']:.3f} = {terms}", "dim"), Text(f"from  {raw}", "dim"))


def headline(
    title: str | None,
    heading: str | None = None,
    speaker: str | None = None,
    source: str | None = None,
    occurred_at: datetime | None = None,
) -> str:
    """Say in one line where a passage stands; nothing twice."""
    if title and heading and heading.startswith(title):
        title = None  # the path of headings begins with it
    when = None if occurred_at is None else f"{occurred_at:%Y-%m-%d}"
    parts = dict.fromkeys(part for part in (title, heading, speaker, when, source) if part)
    return " · ".join(parts) or "untitled"


def excerpt(text: str) -> str:
    """Return the beginning of a text as one paragraph, cut between words."""
    text = " ".join(text.split())
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT].rsplit(maxsplit=1)[0]} …"


def indented(inner: RenderableType) -> Padding:
    """Move something to the right."""
    return Padding(inner, (0, 0, 0, INDENT), expand=False)


def rule(title: str) -> Rule:
    """Return a line across the page with a title at its left."""
    return Rule(Text(title, "bold"), align="left", style="cyan")


def plain_table(*columns: str, right: Iterable[int] = ()) -> Table:
    """Return an empty table without a frame; the columns `right` hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for i, column in enumerate(columns):
        number = i in set(right)
        table.add_column(column, justify="right" if number else "left", overflow="fold", no_wrap=number or i == 0)
    return table


def parameter_table(parameters: "Sequence[Parameter]") -> Table:
    """Return what each parameter takes and does."""
    table = plain_table("parameter", "default", "takes", "")
    for each in parameters:
        default = "required" if each.required else json.dumps(each.default, ensure_ascii=False)
        table.add_row(Text(each.name, "bold"), default, each.takes, each.help)
    return table


def fact_table(facts: Mapping[str, object]) -> Table:
    """Return names and values, one pair a line."""
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(Text(name, "dim"), Text(str(value)))
    return table


def show_moment(moment: datetime) -> str:
    """Show a point in time in UTC, to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"

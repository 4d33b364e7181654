"""How a gem's graph looks in a terminal."""

from collections.abc import Sequence
from uuid import UUID

from rich.console import Console
from rich.text import Text

from api.cli.output import counted
from api.cli.views import excerpt, fact_table, headline, indented, plain_table, rule, show_moment
from knowledge.graph import (
    DEFAULTS,
    CentralEntities,
    Change,
    Communities,
    Contradiction,
    Edge,
    Entity,
    EntityDetail,
    Evidence,
    MadeEntity,
    Paths,
    Predicates,
    Relation,
    Subgraph,
    Suggestions,
)

SHOWN_MEMBERS = 12  # of a community


def render_entities(console: Console, found: Sequence[Entity]) -> None:
    """Show entities, one a line."""
    table = plain_table("name", "passages", "goes by", "id", right=(1,))
    for each in found:
        table.add_row(Text(each.name, "bold"), f"{each.passages:,}", ", ".join(each.names), str(each.entity_id))
    console.print(table if found else "no entities")


def render_detail(console: Console, detail: EntityDetail) -> None:
    """Show an entity with its relations and passages."""
    entity = detail.entity
    console.print(Text(entity.name, "bold"))
    facts = {"id": entity.entity_id, "goes by": ", ".join(entity.names), "passages": f"{entity.passages:,}"}
    console.print(fact_table(facts | ({"kind": entity.kind} if entity.kind else {})))
    if detail.relations:
        console.print(rule("relations"))
        render_relations(console, detail.relations)
    if detail.passages:
        console.print(rule("passages"))
    for passage in detail.passages:
        console.print(Text(headline(passage.title, occurred_at=passage.occurred_at), "bold"))
        console.print(indented(excerpt(passage.text)))


def render_relations(console: Console, found: Sequence[Relation]) -> None:
    """Show relations, one a line."""
    table = plain_table("relation", "held", "known since", "documents", "id", right=(3,))
    for each in found:
        held = f"{_day(each.valid_from)} … {_day(each.valid_to)}"
        said = Text(f"{each.subject} {each.predicate} {each.object}")
        table.add_row(said, held, _day(each.known_from), f"{each.support:,}", str(each.relation_id))
    console.print(table if found else "no relations")


def render_contradictions(console: Console, found: Sequence[Contradiction], limit: int) -> None:
    """Show contradictions with what is said on both sides."""
    for number, each in enumerate(found[:limit], start=1):
        why = {"one": "there can be one only", "one_at_a_time": "one at a time"}.get(
            each.cardinality or "", "other subjects have one only"
        )
        relation = each.newer.relation
        console.print(
            Text(f"[{number}] ", "bold cyan") + Text(f"{relation.subject} {relation.predicate}: {why}", "bold")
        )
        for side in (each.older, each.newer):
            _render_evidence(console, side)
    if not found:
        console.print("no contradictions")
    if len(found) > limit:
        console.print(f"there are more than {limit:,}")


def render_suggestions(console: Console, found: Suggestions) -> None:
    """Show entities that may be one, a pair a line."""
    table = plain_table("similarity", "one", "other", right=(0,))
    for each in found.items:
        table.add_row(f"{each.similarity:.3f}", each.first, each.second)
    console.print(table if found.items else "nothing to suggest")
    if found.waiting:
        console.print(f"{counted(found.waiting, 'name')} not looked at yet: run the command again")


def render_made(console: Console, made: MadeEntity) -> None:
    """Show what a change left or made."""
    render_changes(console, [made.change])
    console.print(f"{made.entity.name} now goes by {', '.join(made.entity.names) or 'no name of its own'}")


def render_changes(console: Console, found: Sequence[Change]) -> None:
    """Show changes, one a line."""
    table = plain_table("made", "change", "what", "undone", "id")
    for each in found:
        facts = "; ".join(f"{name}: {_show(value)}" for name, value in each.facts.items())
        undone = "" if each.undone_at is None else show_moment(each.undone_at)
        table.add_row(show_moment(each.made_at), each.kind, facts, undone, str(each.change_id))
    console.print(table if found else "no changes")


def render_subgraph(console: Console, found: Subgraph) -> None:
    """Show entities by distance, and what binds them."""
    names = {node.entity_id: node.name for node in found.nodes}
    for node in found.nodes:
        console.print(Text(f"{node.depth}  ", "dim") + Text(node.name, "bold" if node.depth == 0 else ""))
    for edge in found.edges:
        console.print(indented(_say_edge(names, edge)))
    _tell_cut(console, cut=found.cut)


def render_paths(console: Console, found: Paths) -> None:
    """Show paths, each with the edges it goes over."""
    for path in found.items:
        names = {node.entity_id: node.name for node in path.nodes}
        console.print(Text(" → ".join(node.name for node in path.nodes), "bold"))
        for edge in path.edges:
            console.print(indented(_say_edge(names, edge)))
    if not found.items:
        console.print("no path")
    _tell_cut(console, cut=found.cut)


def render_communities(console: Console, found: Communities) -> None:
    """Show communities, one a line."""
    table = plain_table("weight", "entities", "members", right=(0, 1))
    for each in found.items:
        shown = ", ".join(node.name for node in each.members[:SHOWN_MEMBERS])
        more = " …" if len(each.members) > SHOWN_MEMBERS else ""
        table.add_row(f"{each.weight:.1f}", f"{len(each.members):,}", shown + more)
    console.print(table if found.items else "no communities")
    _tell_cut(console, cut=found.cut)


def render_central(console: Console, found: CentralEntities) -> None:
    """Show central entities, one a line."""
    table = plain_table("score", "name", "id", right=(0,))
    for each in found.items:
        table.add_row(f"{each.score:.3f}", each.node.name, str(each.node.entity_id))
    console.print(table if found.items else "no entities")
    _tell_cut(console, cut=found.cut)


def render_predicates(console: Console, found: Predicates) -> None:
    """Show how many objects predicates take, those marked for the gem first."""
    table = plain_table("predicate", "takes", "")
    for name, kind in sorted(found.marked.items()):
        table.add_row(Text(name, "bold"), kind, "marked")
    for name, kind in sorted(DEFAULTS.items()):
        if name not in found.marked:
            table.add_row(name, kind, "default")
    console.print(table)


def _render_evidence(console: Console, side: Evidence) -> None:
    relation = side.relation
    held = f"{_day(relation.valid_from)} … {_day(relation.valid_to)}"
    where = headline(relation.title or relation.external_id, occurred_at=side.occurred_at)
    console.print(indented(Text(f"{relation.object}  {held}  {where}")))
    console.print(indented(Text(f"{relation.relation_id}", "dim")))
    if side.text:
        console.print(indented(indented(excerpt(side.text))))


def _say_edge(names: dict[UUID, str], edge: Edge) -> str:
    said = [*edge.predicates, *([counted(edge.passages, "passage")] if edge.passages else [])]
    return f"{names[edge.source]} – {names[edge.target]}: {', '.join(said)}"


def _tell_cut(console: Console, *, cut: bool) -> None:
    if cut:
        console.print("there is more than was looked at: raise --nodes", style="dim")


def _show(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _day(moment: object) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "?"

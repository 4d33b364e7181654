"""`lattice graph …`: entities and relations of a gem, what contradicts, and how things hang together."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli import graph_changes, graph_derived
from api.cli.graph_session import EntityArgument, LimitOption, On, run_on
from api.cli.options import GemArgument, JsonOption, examples, parse_moment
from api.cli.output import emit
from core.text import make_storable

if TYPE_CHECKING:
    from uuid import UUID

    from knowledge.graph import Bounds, Contradiction, EntityDetail, Paths, Predicates, Relation, Subgraph

AsOfOption = Annotated[str | None, typer.Option(help="As it was known then, ISO 8601. Now if absent.")]
NodesOption = Annotated[int, typer.Option(min=1, max=2_000, help="How many entities are looked at at the most.")]
DepthOption = Annotated[int, typer.Option(min=1, max=3, help="How many edges away at the most.")]

app = typer.Typer(
    help="Entities and relations of a gem: list, ask, merge, split, undo, contradictions.", no_args_is_help=True
)


@app.command(epilog=examples("lattice graph entities people", "lattice graph entities people --name ann --json"))
def entities(
    gem: GemArgument,
    name: Annotated[str | None, typer.Option(help="Only those of whose names one has this in it.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List what a gem's passages name, newest first."""
    part = None if name is None else make_storable(name)
    found = run_on(
        gem, lambda on: on.graph.list_entities(on.tenant, on.gem_id, on.at, part=part, before=None, limit=limit)
    )
    from api.cli import graph_views as views
    from api.schemas.graph import to_entity

    emit(as_json, lambda: [to_entity(each) for each in found], lambda console: views.render_entities(console, found))


@app.command(epilog=examples("lattice graph entity people Ann"))
def entity(
    gem: GemArgument,
    entity: EntityArgument,
    passages: Annotated[int, typer.Option(min=0, max=200, help="How many passages at the most.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Show an entity: its names, its relations, and passages that mention it."""

    async def ask(on: On) -> "EntityDetail":
        found = await on.find(entity)
        return await on.graph.get_entity(on.tenant, on.gem_id, found, on.at, passages=passages)

    detail = run_on(gem, ask)
    from api.cli import graph_views as views
    from api.schemas.graph import to_detail

    emit(as_json, lambda: to_detail(detail), lambda console: views.render_detail(console, detail))


@app.command(
    epilog=examples(
        "lattice graph relations people --subject Ann",
        "lattice graph relations people --as-of 2026-01-01 --valid-at 2020-06-01",
    )
)
def relations(
    gem: GemArgument,
    *,
    subject: Annotated[str | None, typer.Option(help="Of this entity, by name or id.")] = None,
    object_: Annotated[str | None, typer.Option("--object", help="To this entity, by name or id.")] = None,
    predicate: Annotated[str | None, typer.Option(help="Of this predicate, in any spelling.")] = None,
    as_of: AsOfOption = None,
    valid_at: Annotated[str | None, typer.Option(help="Only what held then in the world, ISO 8601.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List relations as they were known at one time and held at another, learned last first."""
    known, held = parse_moment(as_of, "--as-of"), parse_moment(valid_at, "--valid-at")

    async def ask(on: On) -> "list[Relation]":
        from knowledge.graph import RelationQuery

        query = RelationQuery(
            as_of=known,
            valid_at=held,
            subject_id=await _find(on, subject),
            object_id=await _find(on, object_),
            predicate=None if predicate is None else make_storable(predicate),
        )
        return await on.graph.list_relations(on.tenant, on.gem_id, query, on.at, before=None, limit=limit)

    found = run_on(gem, ask)
    from api.cli import graph_views as views
    from api.schemas.graph import to_relation

    emit(as_json, lambda: [to_relation(each) for each in found], lambda console: views.render_relations(console, found))


@app.command(
    epilog=examples("lattice graph contradictions people", "lattice graph contradictions people --subject Ann")
)
def contradictions(
    gem: GemArgument,
    subject: Annotated[str | None, typer.Option(help="Of this entity alone, by name or id.")] = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """List pairs of relations that cannot both hold, with what their documents say."""

    async def ask(on: On) -> "list[Contradiction]":
        of = await _find(on, subject)
        return await on.graph.list_contradictions(on.tenant, on.gem_id, on.at, subject_id=of, limit=limit + 1)

    found = run_on(gem, ask)
    from api.cli import graph_views as views
    from api.schemas.graph import to_contradictions

    emit(
        as_json,
        lambda: to_contradictions(found, limit),
        lambda console: views.render_contradictions(console, found, limit),
    )


@app.command(epilog=examples("lattice graph neighbours people Ann --depth 2"))
def neighbours(
    gem: GemArgument,
    entity: EntityArgument,
    *,
    depth: DepthOption = 1,
    nodes: NodesOption = 500,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the entities around one, nearest first, and what binds them."""
    bounds = _bounds(nodes, as_of)

    async def ask(on: On) -> "Subgraph":
        seed = await on.find(entity)
        return await on.graph.list_neighbours(on.tenant, on.gem_id, seed, on.at, depth=depth, bounds=bounds)

    found = run_on(gem, ask)
    from api.cli import graph_views as views
    from api.schemas.graph_queries import to_subgraph

    emit(as_json, lambda: to_subgraph(found), lambda console: views.render_subgraph(console, found))


@app.command(epilog=examples("lattice graph paths people Ann Oslo"))
def paths(
    gem: GemArgument,
    source: EntityArgument,
    target: EntityArgument,
    *,
    limit: LimitOption = 5,
    nodes: NodesOption = 500,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the shortest paths between two entities that are up to seven edges apart."""
    bounds = _bounds(nodes, as_of)

    async def ask(on: On) -> "Paths":
        ends = (await on.find(source), await on.find(target))
        return await on.graph.list_paths(on.tenant, on.gem_id, *ends, on.at, limit=limit, bounds=bounds)

    found = run_on(gem, ask)
    from api.cli import graph_views as views
    from api.schemas.graph_queries import to_paths

    emit(as_json, lambda: to_paths(found), lambda console: views.render_paths(console, found))


@app.command(epilog=examples("lattice graph communities people"))
def communities(
    gem: GemArgument,
    limit: LimitOption = 20,
    *,
    nodes: NodesOption = 500,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which entities belong together, among the most prominent ones."""
    bounds = _bounds(nodes, as_of)
    found = run_on(gem, lambda on: on.graph.list_communities(on.tenant, on.gem_id, on.at, limit=limit, bounds=bounds))
    from api.cli import graph_views as views
    from api.schemas.graph_queries import to_communities

    emit(as_json, lambda: to_communities(found), lambda console: views.render_communities(console, found))


@app.command(epilog=examples("lattice graph central people --by betweenness"))
def central(
    gem: GemArgument,
    *,
    by: Annotated[
        Literal["degree", "betweenness"], typer.Option(help="Weight of edges, or paths that cross.")
    ] = "degree",
    limit: LimitOption = 20,
    nodes: NodesOption = 500,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the most central of a gem's most prominent entities."""
    bounds = _bounds(nodes, as_of)
    found = run_on(
        gem, lambda on: on.graph.list_central(on.tenant, on.gem_id, on.at, by=by, limit=limit, bounds=bounds)
    )
    from api.cli import graph_views as views
    from api.schemas.graph_queries import to_central

    emit(as_json, lambda: to_central(found), lambda console: views.render_central(console, found))


@app.command(
    epilog=examples("lattice graph predicates people", "lattice graph predicates people --set owns=one_at_a_time")
)
def predicates(
    gem: GemArgument,
    marks: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PREDICATE=one|one_at_a_time|many|default", help="Mark a predicate; several may be given."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many objects predicates take of one subject, and mark some."""
    given = dict(_parse_mark(make_storable(each)) for each in marks or ())

    async def ask(on: On) -> "Predicates":
        from knowledge.graph import spell_predicate

        found = await on.graph.get_predicates(on.tenant, on.gem_id, on.at)
        if not given:
            return found
        spelt = {spell_predicate(name): kind for name, kind in given.items()}
        merged = {name: kind for name, kind in {**found.marked, **spelt}.items() if kind != "default"}
        return await on.graph.put_predicates(on.tenant, on.gem_id, merged, on.at)

    found = run_on(gem, ask)
    from api.cli import graph_views as views
    from api.schemas.graph import to_predicates

    emit(as_json, lambda: to_predicates(found), lambda console: views.render_predicates(console, found))


async def _find(on: On, reference: str | None) -> "UUID | None":
    return None if reference is None else await on.find(make_storable(reference))


def _parse_mark(text: str) -> tuple[str, str]:
    name, mark, kind = text.rpartition("=")
    if not mark:
        raise typer.BadParameter(f"must look like PREDICATE=KIND, not {text!r}", param_hint="--set")
    return name, kind


def _bounds(nodes: int, as_of: str | None) -> "Bounds":
    from knowledge.graph import Bounds

    return Bounds(nodes, parse_moment(as_of, "--as-of"))


graph_changes.add_to(app)
graph_derived.add_to(app)

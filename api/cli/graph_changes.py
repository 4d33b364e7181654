"""`lattice graph …`, the commands that set a gem's graph right: merge, split, alias, suggest, resolve, undo."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from api.cli.graph_session import EntityArgument, LimitOption, On, run_on
from api.cli.options import GemArgument, JsonOption, examples
from api.cli.output import emit
from core.text import make_storable

if TYPE_CHECKING:
    from knowledge.graph import MadeEntity

OthersArgument = Annotated[
    list[str], typer.Argument(metavar="ENTITY...", parser=make_storable, help="Any of its names, or its id.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=examples("lattice graph merge people Robert Bob Bobby"))(merge)
    app.command(
        epilog=examples(
            'lattice graph split people Robert "Bob Dole" --name Bob',
            'lattice graph split sky Mercury "Mercury (god)" --passage 6f0c2a1e-…',
        )
    )(split)
    app.command(epilog=examples("lattice graph alias people William Bill Will"))(alias)
    app.command(epilog=examples("lattice graph suggest people --threshold 0.95"))(suggest)
    app.command(epilog=examples("lattice graph undo people", "lattice graph undo people 6f0c2a1e-…"))(undo)
    app.command(epilog=examples("lattice graph changes people"))(changes)
    app.command(epilog=examples("lattice graph resolve people --keep 6f0c2a1e-… --close 0d3a6a1f-…"))(resolve)


def merge(gem: GemArgument, into: EntityArgument, entities: OthersArgument, as_json: JsonOption = False) -> None:
    """Let the first entity take over the names, mentions and relations of the others. Can be undone."""

    async def change(on: On) -> "MadeEntity":
        kept, others = await on.find(into), tuple([await on.find(each) for each in entities])
        return await on.graph.merge(on.tenant, on.gem_id, kept, others, on.at)

    _show_made(run_on(gem, change), as_json=as_json)


def split(
    gem: GemArgument,
    entity: EntityArgument,
    new: Annotated[str, typer.Argument(metavar="NEW", parser=make_storable, help="Name of the entity that is made.")],
    *,
    name: Annotated[list[str] | None, typer.Option(help="A name that shall mean the new one; several may be.")] = None,
    passage: Annotated[
        list[UUID] | None, typer.Option(help="A passage that means the new one; several may be.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a new entity of some of an entity's names or passages, with their relations. Can be undone."""

    async def change(on: On) -> "MadeEntity":
        from knowledge.graph import Split

        what = Split(await on.find(entity), new, tuple(map(make_storable, name or ())), tuple(passage or ()))
        return await on.graph.split(on.tenant, on.gem_id, what, on.at)

    _show_made(run_on(gem, change), as_json=as_json)


def alias(
    gem: GemArgument,
    entity: EntityArgument,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", parser=make_storable, help="What it also goes by.")],
    as_json: JsonOption = False,
) -> None:
    """Let an entity go by further names from now on. Can be undone."""

    async def change(on: On) -> "MadeEntity":
        return await on.graph.add_aliases(on.tenant, on.gem_id, await on.find(entity), tuple(names), on.at)

    _show_made(run_on(gem, change), as_json=as_json)


def suggest(
    gem: GemArgument,
    threshold: Annotated[float, typer.Option(min=0.01, max=1, help="The least cosine of two names.")] = 0.9,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Find entities that may be one, by their names; nothing is merged."""
    found = run_on(
        gem, lambda on: on.graph.suggest_merges(on.tenant, on.gem_id, on.at, threshold=threshold, limit=limit)
    )
    from api.cli import graph_views as views
    from api.schemas.graph_changes import to_suggestions

    emit(as_json, lambda: to_suggestions(found), lambda console: views.render_suggestions(console, found))


def undo(
    gem: GemArgument,
    change: Annotated[UUID | None, typer.Argument(metavar="[CHANGE]", help="As `changes` shows it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Undo a change, the last one that stands if none is named."""
    undone = run_on(gem, lambda on: on.graph.undo(on.tenant, on.gem_id, change, on.at))
    from api.cli import graph_views as views
    from api.schemas.graph_changes import to_change

    emit(as_json, lambda: to_change(undone), lambda console: views.render_changes(console, [undone]))


def changes(gem: GemArgument, limit: LimitOption = 20, as_json: JsonOption = False) -> None:
    """List what was merged, split, named and resolved, the last change first."""
    found = run_on(gem, lambda on: on.graph.list_changes(on.tenant, on.gem_id, on.at, before=None, limit=limit))
    from api.cli import graph_views as views
    from api.schemas.graph_changes import to_change

    emit(as_json, lambda: [to_change(each) for each in found], lambda console: views.render_changes(console, found))


def resolve(
    gem: GemArgument,
    keep: Annotated[UUID, typer.Option(help="The relation that holds.")],
    close: Annotated[UUID, typer.Option(help="The one that does not.")],
    as_json: JsonOption = False,
) -> None:
    """Decide between two relations that contradict each other. Can be undone."""
    change = run_on(gem, lambda on: on.graph.resolve_contradiction(on.tenant, on.gem_id, keep, close, on.at))
    from api.cli import graph_views as views
    from api.schemas.graph_changes import to_change

    emit(as_json, lambda: to_change(change), lambda console: views.render_changes(console, [change]))


def _show_made(made: "MadeEntity", *, as_json: bool) -> None:
    from api.cli import graph_views as views
    from api.schemas.graph_changes import to_made

    emit(as_json, lambda: to_made(made), lambda console: views.render_made(console, made))

"""`lattice gems …`: create, find, change, archive, restore and delete gems."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from api.cli import gem_entanglement, gem_field, gem_moves, gem_replay, snapshots
from api.cli.options import GemArgument, JsonOption, MetadataOption, YesOption, confirm, examples, parse_metadata
from api.cli.output import emit
from api.cli.session import with_service

if TYPE_CHECKING:
    from uuid import UUID

    from api.service import Service
    from gems import Gem, Moment

T = TypeVar("T")

DescriptionOption = Annotated[str | None, typer.Option(help="What the gem is about.")]
LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")]

app = typer.Typer(help="Create, find, change, archive, restore and delete gems.", no_args_is_help=True)


@app.command(epilog=examples('lattice gems create research --description "Papers" --metadata team=red'))
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="New to the lattice.")],
    description: DescriptionOption = None,
    metadata: MetadataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a gem."""
    facts = parse_metadata(metadata)

    async def work(service: "Service") -> "Gem":
        from gems import GemChange

        return await service.gems.create(service.tenant, GemChange(name, description, facts), service.at())

    _show(with_service(work), as_json=as_json)


@app.command("list", epilog=examples("lattice gems list", "lattice gems list --archived --json"))
def list_gems(
    archived: Annotated[bool, typer.Option("--archived", help="Those that are archived, instead.")] = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List gems, newest first."""

    async def work(service: "Service") -> "list[Gem]":
        return await service.gems.list_page(service.tenant, service.at(), archived=archived, limit=limit)

    found = with_service(work)
    from api.cli import views
    from api.schemas.gems import to_gem

    emit(
        as_json,
        lambda: [to_gem(each) for each in found],
        lambda console: views.render_gems(console, found),
    )


@app.command(epilog=examples("lattice gems show research"))
def show(gem: GemArgument, as_json: JsonOption = False) -> None:
    """Show a gem and the state it is in now."""
    _show(with_service(lambda service: service.gems.resolve(service.tenant, gem, service.at())), as_json=as_json)


@app.command(epilog=examples('lattice gems update research --name papers --description "What we read"'))
def update(
    gem: GemArgument,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    description: DescriptionOption = None,
    metadata: MetadataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a gem's name or description, or replace its metadata."""
    facts = parse_metadata(metadata)
    if name is None and description is None and facts is None:
        raise typer.BadParameter("give at least one of --name, --description, --metadata")

    async def change(service: "Service", gem_id: "UUID", at: "Moment") -> "Gem":
        from gems import GemChange

        return await service.gems.update(service.tenant, gem_id, GemChange(name, description, facts), at)

    _show(_on_gem(gem, change), as_json=as_json)


@app.command(epilog=examples("lattice gems archive research"))
def archive(gem: GemArgument, as_json: JsonOption = False) -> None:
    """Make a gem read only; recall over all gems leaves it out."""
    _show(_on_gem(gem, lambda s, gem_id, at: s.gems.archive(s.tenant, gem_id, at)), as_json=as_json)


@app.command(epilog=examples("lattice gems restore research"))
def restore(gem: GemArgument, as_json: JsonOption = False) -> None:
    """Undo an archiving."""
    _show(_on_gem(gem, lambda s, gem_id, at: s.gems.restore(s.tenant, gem_id, at)), as_json=as_json)


@app.command(epilog=examples("lattice gems delete research --yes"))
def delete(
    gem: GemArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell only what would go.")] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a gem with its documents, reflections and log. This cannot be undone."""
    if dry_run:
        _tell_deletion(gem, as_json=as_json)
        return
    confirm(f"Delete the gem {gem!r} and everything in it?", yes=yes)

    async def work(service: "Service") -> "Gem":
        found = await service.gems.resolve(service.tenant, gem, service.at())
        await service.gems.delete(service.tenant, found.gem_id)
        return found

    gone = with_service(work)
    emit(
        as_json,
        lambda: {"deleted": str(gone.gem_id), "name": gone.name},
        lambda console: console.print(f"deleted {gone.name}"),
    )


def _tell_deletion(gem: str, *, as_json: bool) -> None:
    rows = _on_gem(gem, lambda s, gem_id, at: s.moves.plan_deletion(s.tenant, gem_id, at))
    from api.schemas.operations import to_deletion

    plan = to_deletion(rows)
    told = ", ".join(f"{count:,} of {name}" for name, count in plan.rows.items())
    emit(
        as_json,
        lambda: plan,
        lambda console: console.print(f"would delete {told}; this could not be undone", soft_wrap=True),
    )


@app.command(epilog=examples("lattice gems log research --limit 5"))
def log(gem: GemArgument, limit: LimitOption = 20, as_json: JsonOption = False) -> None:
    """Show the measurements of a gem and its passages, newest first."""
    entries = _on_gem(gem, lambda s, gem_id, at: s.gems.list_measurements(s.tenant, gem_id, at, limit=limit))
    from api.cli import views
    from api.schemas.gems import to_measurement

    emit(
        as_json, lambda: [to_measurement(each) for each in entries], lambda console: views.render_log(console, entries)
    )


gem_replay.add_to(app)
gem_moves.add_to(app)
app.add_typer(snapshots.app, name="snapshot")
gem_field.add_to(app)
gem_entanglement.add_to(app)


def _on_gem(gem: str, use_case: "Callable[[Service, UUID, Moment], Awaitable[T]]") -> T:
    async def work(service: "Service") -> T:
        at = service.at()
        found = await service.gems.resolve(service.tenant, gem, at)
        return await use_case(service, found.gem_id, at)

    return with_service(work)


def _show(gem: "Gem", *, as_json: bool) -> None:
    from api.cli import views
    from api.schemas.gems import to_gem

    emit(as_json, lambda: to_gem(gem), lambda console: views.render_gem(console, gem))

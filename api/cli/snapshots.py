"""`lattice gems snapshot …`: gems as they are, kept, compared, brought back."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, YesOption, confirm, examples
from api.cli.output import counted, emit, open_bar
from api.cli.session import with_service
from core.text import make_storable

if TYPE_CHECKING:
    from api.service import Service
    from knowledge.keeping import GemDifference, Restored, Retention, Snapshot, Verification

app = typer.Typer(help="Keep gems as they are, compare them, and bring them back.", no_args_is_help=True)

SnapshotArgument = Annotated[UUID, typer.Argument(metavar="SNAPSHOT", help="Id of the snapshot.")]
OneGem = Annotated[
    str | None, typer.Argument(metavar="[GEM]", parser=make_storable, help="Name or id of the gem; or --lattice.")
]
LatticeOption = Annotated[bool, typer.Option("--lattice", help="The whole lattice, at one moment.")]
Keep = Annotated[int, typer.Option(min=0, max=10_000, help="How many stay.")]


@app.command(
    epilog=examples(
        "lattice gems snapshot create research --note 'before the move'", "lattice gems snapshot create --lattice"
    )
)
def create(
    gem: OneGem = None,
    lattice: LatticeOption = False,
    note: Annotated[str, typer.Option(parser=make_storable, help="What it is for.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Keep a gem, or every gem at one moment; what an earlier snapshot holds is not stored again."""
    _check_choice(gem, lattice=lattice)

    async def work(service: "Service") -> "Snapshot":
        at = service.at()
        gem_id = None if gem is None else (await service.gems.resolve(service.tenant, gem, at)).gem_id
        with open_bar("Keeping", "passages") as bar:
            return await service.snapshots.create(service.tenant, gem_id, at, note=note, watch=bar.advance_to)

    _show_snapshot(with_service(work), as_json=as_json)


@app.command("list", epilog=examples("lattice gems snapshot list research", "lattice gems snapshot list --lattice"))
def list_snapshots(
    gem: OneGem = None,
    lattice: LatticeOption = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the snapshots that hold a gem, newest first; one that was deleted is named by its id."""
    _check_choice(gem, lattice=lattice)

    async def work(service: "Service") -> "list[Snapshot]":
        gem_id = None if gem is None else await _find(service, gem)
        return await service.snapshots.list_page(service.tenant, gem_id, limit=limit)

    found = with_service(work)
    from api.cli import snapshot_views
    from api.schemas.snapshots import to_snapshot

    emit(
        as_json,
        lambda: [to_snapshot(each) for each in found],
        lambda console: snapshot_views.render_snapshots(console, found),
    )


@app.command(epilog=examples("lattice gems snapshot show 7a60c1d2-…"))
def show(snapshot: SnapshotArgument, as_json: JsonOption = False) -> None:
    """Show what a snapshot holds."""
    _show_snapshot(with_service(lambda s: s.snapshots.get(s.tenant, snapshot)), as_json=as_json)


@app.command(
    epilog=examples(
        "lattice gems snapshot diff 7a60c1d2-…", "lattice gems snapshot diff 7a60c1d2-… --against 91b2c0aa-…"
    )
)
def diff(
    snapshot: SnapshotArgument,
    against: Annotated[UUID | None, typer.Option(help="Another snapshot; the present if absent.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what changed since a snapshot, until now or until another one."""

    async def work(service: "Service") -> "list[GemDifference]":
        with open_bar("Comparing", "passages") as bar:
            return await service.snapshots.compare(service.tenant, snapshot, against, watch=bar.advance_to)

    found = with_service(work)
    from api.cli import snapshot_views
    from api.schemas.snapshot_differences import SnapshotDifferenceView, to_difference

    emit(
        as_json,
        lambda: SnapshotDifferenceView(
            snapshot_id=snapshot, against=against, gems=[to_difference(each) for each in found]
        ),
        lambda console: snapshot_views.render_differences(console, found),
    )


@app.command(
    epilog=examples(
        "lattice gems snapshot restore 7a60c1d2-…",
        "lattice gems snapshot restore 7a60c1d2-… --yes",
        "lattice gems snapshot restore 7a60c1d2-… --gem research --yes",
    )
)
def restore(
    snapshot: SnapshotArgument,
    *,
    gem: Annotated[
        str | None, typer.Option(parser=make_storable, help="The one of its gems that is restored, by name or id.")
    ] = None,
    reembed: Annotated[
        bool, typer.Option("--reembed", help="Embed anew what comes back, if the vectors are of another model.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell only; this is so unless --yes is given.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Restore.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell what a restore would change, and make it so with --yes; what there is is kept in a snapshot first."""
    only_told = dry_run or not yes

    async def work(service: "Service") -> "Restored":
        from knowledge.keeping import RestoreWish

        held = (await service.snapshots.get(service.tenant, snapshot)).gems
        gem_id = next((each.gem_id for each in held if gem in {each.name, str(each.gem_id)}), None)
        if gem is not None and gem_id is None:
            raise typer.BadParameter(f"the snapshot holds no gem {gem!r}", param_hint="--gem")
        wish = RestoreWish(gem_id, reembed)
        if only_told:
            with open_bar("Comparing", "passages") as bar:
                return await service.snapshots.plan_restore(service.tenant, snapshot, wish, watch=bar.advance_to)
        with open_bar("Restoring", "documents") as bar:
            return await service.snapshots.restore(service.tenant, snapshot, wish, service.at(), watch=bar.advance_to)

    found = with_service(work)
    from api.cli import snapshot_views
    from api.schemas.snapshots import to_restore

    emit(
        as_json,
        lambda: to_restore(found, dry_run=only_told),
        lambda console: snapshot_views.render_restored(console, found, dry_run=only_told),
    )


@app.command(epilog=examples("lattice gems snapshot verify 7a60c1d2-…"))
def verify(snapshot: SnapshotArgument, as_json: JsonOption = False) -> None:
    """Make every digest of a snapshot again, and tell what is damaged; ends with exit code 1 if something is."""

    async def work(service: "Service") -> "Verification":
        with open_bar("Verifying", "passages") as bar:
            return await service.snapshots.verify(service.tenant, snapshot, watch=bar.advance_to)

    found = with_service(work)
    from api.cli import snapshot_views
    from api.schemas.snapshots import to_verification

    emit(
        as_json,
        lambda: to_verification(found),
        lambda console: snapshot_views.render_verification(console, found),
    )
    if not found.is_sound:
        raise typer.Exit(PARTIAL)


@app.command(epilog=examples("lattice gems snapshot delete 7a60c1d2-… --yes"))
def delete(snapshot: SnapshotArgument, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Delete a snapshot. This cannot be undone."""
    confirm(f"Delete the snapshot {snapshot}? This cannot be undone.", yes=yes)
    freed = with_service(lambda s: s.snapshots.delete(s.tenant, snapshot))
    from api.schemas.snapshots import SnapshotDeletedView

    emit(
        as_json,
        lambda: SnapshotDeletedView(id=snapshot, freed_bytes=freed),
        lambda console: console.print(f"deleted; {counted(freed, 'byte')} freed"),
    )


@app.command(
    epilog=examples(
        "lattice gems snapshot prune --keep-last 3 --keep-daily 7 --keep-monthly 12",
        "lattice gems snapshot prune research --keep-last 3 --yes",
    )
)
def prune(
    gem: Annotated[
        str | None, typer.Argument(metavar="[GEM]", parser=make_storable, help="Whose; absent means all there are.")
    ] = None,
    *,
    keep_last: Keep = 0,
    keep_daily: Keep = 0,
    keep_weekly: Keep = 0,
    keep_monthly: Keep = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell only; this is so unless --yes is given.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete. This cannot be undone.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell which snapshots a policy does not keep, and delete them with --yes: each gem counts by itself."""
    only_told = dry_run or not yes

    async def work(service: "Service") -> "Retention":
        from knowledge.keeping import RetentionPolicy

        policy = RetentionPolicy(keep_last, keep_daily, keep_weekly, keep_monthly)
        gem_id = None if gem is None else await _find(service, gem)
        if only_told:
            return await service.snapshots.plan_retention(service.tenant, gem_id, policy)
        return await service.snapshots.retain(service.tenant, gem_id, policy)

    found = with_service(work)
    from api.cli import snapshot_views
    from api.schemas.snapshots import to_retention

    emit(
        as_json,
        lambda: to_retention(found, dry_run=only_told),
        lambda console: snapshot_views.render_retention(console, found, dry_run=only_told),
    )


def _check_choice(gem: str | None, *, lattice: bool) -> None:
    if (gem is None) != lattice:
        raise typer.BadParameter("give either a GEM or --lattice")


async def _find(service: "Service", gem: str) -> UUID:
    """Return the id of a gem; one that was deleted has no other name."""
    try:
        return UUID(gem)
    except ValueError:
        return (await service.gems.resolve(service.tenant, gem, service.at())).gem_id


def _show_snapshot(found: "Snapshot", *, as_json: bool) -> None:
    from api.cli import snapshot_views
    from api.schemas.snapshots import to_snapshot

    emit(as_json, lambda: to_snapshot(found), lambda console: snapshot_views.render_snapshot(console, found))

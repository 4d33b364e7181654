"""`lattice gems merge|split|operations|undo`: moving documents between gems, and taking it back."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from api.cli.options import GemArgument, JsonOption, MetadataOption, YesOption, examples, parse_metadata
from api.cli.output import counted, emit
from api.cli.session import with_service

if TYPE_CHECKING:
    from rich.console import Console

    from api.service import Service
    from gems import Operation
    from knowledge.moving import Moved

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Tell only; this is so unless --yes is given.")]


def add_to(app: typer.Typer) -> None:
    """Give the program the commands."""
    app.command(epilog=examples("lattice gems merge research papers", "lattice gems merge research papers --yes"))(
        merge
    )
    app.command(
        epilog=examples(
            "lattice gems split research --name letters --source mail",
            "lattice gems split research --name letters --source mail --yes",
        )
    )(split)
    app.command(epilog=examples("lattice gems operations", "lattice gems operations --limit 5 --json"))(operations)
    app.command(epilog=examples("lattice gems undo 6f0c2a1e-1f0e-4f43-9d56-0d3a6a1f2b11"))(undo)


def merge(
    gem: GemArgument,
    sources: Annotated[list[str], typer.Argument(metavar="FROM...", help="Gems that go into it, by id or name.")],
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Move the documents of other gems into GEM and archive those; passages keep their states and logs.

    Without --yes it tells only what would move. It can be undone.
    """
    does = yes and not dry_run

    async def work(service: "Service") -> "Moved":
        at = service.at()
        target = await service.gems.resolve(service.tenant, gem, at)
        found = [(await service.gems.resolve(service.tenant, each, at)).gem_id for each in sources]
        act = service.moves.merge if does else service.moves.plan_merge
        return await act(service.tenant, target.gem_id, found, at)

    _show(with_service(work), does=does, as_json=as_json)


def split(
    gem: GemArgument,
    name: Annotated[str, typer.Option(help="Of the new gem; new to the lattice.")],
    *,
    documents: Annotated[
        list[UUID] | None, typer.Option("--document", help="A document that goes; repeatable.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Those from this source go.")] = None,
    thread: Annotated[str | None, typer.Option(help="Those of this thread go.")] = None,
    metadata: MetadataOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Move documents of GEM into a new gem: those that are all of what is given.

    Without --yes it tells only what would move. It can be undone.
    """
    does = yes and not dry_run
    facts = parse_metadata(metadata)

    async def work(service: "Service") -> "Moved":
        from knowledge.moving import SplitWish

        at = service.at()
        found = await service.gems.resolve(service.tenant, gem, at)
        wish = SplitWish(name, None if documents is None else tuple(documents), source, thread, facts)
        act = service.moves.split if does else service.moves.plan_split
        return await act(service.tenant, found.gem_id, wish, at)

    _show(with_service(work), does=does, as_json=as_json)


def operations(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List what was archived, restored, merged and split, the last operation first."""

    async def work(service: "Service") -> "list[Operation]":
        return await service.moves.list_page(service.tenant, limit=limit)

    found = with_service(work)
    from api.schemas.operations import to_operation

    emit(as_json, lambda: [to_operation(each) for each in found], lambda console: _list(console, found))


def undo(
    operation: Annotated[UUID, typer.Argument(metavar="OPERATION", help="Its id, as `operations` lists it.")],
    as_json: JsonOption = False,
) -> None:
    """Undo a merge, a split, an archiving or its undoing; refused if what happened since forbids it."""

    async def work(service: "Service") -> "Operation":
        return await service.moves.undo(service.tenant, operation, service.at())

    undone = with_service(work)
    from api.schemas.operations import to_operation

    emit(
        as_json,
        lambda: to_operation(undone),
        lambda console: console.print(f"undone: {_tell(undone)}", soft_wrap=True),
    )


def _show(moved: "Moved", *, does: bool, as_json: bool) -> None:
    from api.schemas.operations import to_move

    emit(as_json, lambda: to_move(moved, dry_run=not does), lambda console: _render(console, moved, does=does))


def _render(console: "Console", moved: "Moved", *, does: bool) -> None:
    amount = moved.amount
    verb = "moved" if does else "would move"
    console.print(f"{verb} {counted(amount.documents, 'document')} with {counted(amount.passages, 'passage')}")
    console.print(f"they name {amount.entities:,} entities and claim {amount.relations:,} relations")
    if amount.repeated:
        console.print(f"{counted(amount.repeated, 'document')} stayed: the other gem has them as they are")
    for each in amount.differing[:20]:
        console.print(f"stays: {each}, since the other gem has another text of that id", soft_wrap=True)
    if does:
        console.print(f"undo with: lattice gems undo {moved.operation_id}", soft_wrap=True)
    else:
        console.print("nothing was changed; --yes does it, and it can be undone")


def _list(console: "Console", found: "list[Operation]") -> None:
    if not found:
        console.print("nothing was archived, restored, merged or split yet")
    for each in found:
        state = "" if each.undone_at is None else f", undone {each.undone_at:%Y-%m-%d %H:%M}"
        console.print(f"{each.operation_id}  {each.made_at:%Y-%m-%d %H:%M}  {_tell(each)}{state}", soft_wrap=True)


def _tell(operation: "Operation") -> str:
    facts, kind = operation.facts, operation.kind
    gem, others = facts.get("gem", ""), ", ".join(facts.get("others", ()))
    return {"merge": f"merged {others} into {gem}", "split": f"split {others} off {gem}"}.get(kind, f"{kind}d {gem}")

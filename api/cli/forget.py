"""`lattice forget`: closing what has faded, told beforehand, and undoing it."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from api.cli.options import GemArgument, JsonOption, examples
from api.cli.output import counted, emit
from api.cli.session import with_service

if TYPE_CHECKING:
    from rich.console import Console

    from api.service import Service
    from knowledge.keeping import ForgettingPlan, ForgettingRun

SHOWN = 20
UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = (
        "lattice forget diary --below 0.05 --for 180d",
        "lattice forget diary --below 0.05 --for 180d --yes",
        "lattice forget diary --undo",
    )
    app.command("forget", epilog=examples(*lines))(forget)


def forget(
    gem: GemArgument,
    *,
    below: Annotated[float, typer.Option(help="Coherence below which every passage must have fallen.")] = 0.05,
    for_at_least: Annotated[
        str, typer.Option("--for", metavar="TIME", help="And stayed there: 36h, 180d, 26w.")
    ] = "180d",
    share: Annotated[float, typer.Option(help="Of the open documents, how much one run may close.")] = 0.5,
    used: Annotated[bool, typer.Option("--used", help="Also what an answer has ever cited.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell only; this is so unless --yes is given.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Close them.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Open what the last run closed, or that of --run.")] = False,
    run_id: Annotated[UUID | None, typer.Option("--run", metavar="RUN_ID", help="Which run to undo.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell which documents have stayed incoherent for long, and with --yes close them.

    A closed document is kept, and recalled no more but as of a moment before. Nothing is deleted.
    """
    if undo:
        _undo(gem, run_id, as_json=as_json)
        return
    time = parse_span(for_at_least, "--for")

    async def work(service: "Service") -> "tuple[ForgettingPlan, ForgettingRun | None]":
        from knowledge.keeping import ForgettingPolicy

        policy = ForgettingPolicy(below, time, keep_used=not used, most_share=share)
        at = service.at()
        found = await service.gems.resolve(service.tenant, gem, at)
        if yes and not dry_run:
            return await service.forgetting.carry_out(service.tenant, found.gem_id, policy, at)
        return await service.forgetting.plan(service.tenant, found.gem_id, policy, at), None

    plan, run = with_service(work)
    from api.schemas.keeping import to_forgetting

    emit(as_json, lambda: to_forgetting(plan, run), lambda console: _render(console, plan, run, gem))


def parse_span(text: str, option: str) -> timedelta:
    """Read a length of time such as 36h, 180d or 26w.

    Raises:
        typer.BadParameter: it is none.
    """
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)([hdw])", text.strip())
    if found is None:
        raise typer.BadParameter(f"must be a number with h, d or w, such as 180d, not {text!r}", param_hint=option)
    return timedelta(**{UNITS[found[2]]: float(found[1])})


def _undo(gem: str, run_id: UUID | None, *, as_json: bool) -> None:
    async def work(service: "Service") -> "ForgettingRun":
        at = service.at()
        found = await service.gems.resolve(service.tenant, gem, at)
        return await service.forgetting.undo(service.tenant, found.gem_id, run_id, at)

    run = with_service(work)
    from api.schemas.keeping import to_undone

    told = f"{counted(run.documents, 'document')} of the run {run.run_id} hold again"
    emit(as_json, lambda: to_undone(run), lambda console: console.print(told, soft_wrap=True))


def _render(console: "Console", plan: "ForgettingPlan", run: "ForgettingRun | None", gem: str) -> None:
    from rich.table import Table

    if plan.documents:
        table = Table("document", "passages", "coherence", "faded", box=None, header_style="bold", pad_edge=False)
        for each in plan.documents[:SHOWN]:
            name = each.external_id or each.title or str(each.document_id)
            table.add_row(name, f"{each.passages:,}", f"{each.coherence:.4f}", f"{each.faded_at:%Y-%m-%d}")
        console.print(table)
    if len(plan.documents) > SHOWN:
        console.print(f"… and {len(plan.documents) - SHOWN:,} more; --json lists up to 1,000")
    of_all = f"{len(plan.documents):,} of {counted(plan.open, 'open document')}"
    later = f"; {plan.faded - len(plan.documents):,} more have faded, for later runs" * (
        plan.faded > len(plan.documents)
    )
    if run is None:
        console.print(f"{of_all} would be closed{later}; nothing is changed without --yes", soft_wrap=True)
    elif run.run_id is None:
        console.print("nothing has faded so far")
    else:
        told = f"closed {of_all}{later}. Undo: lattice forget {gem!r} --undo --run {run.run_id}"
        console.print(told, soft_wrap=True)

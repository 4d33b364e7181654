"""`lattice gems replay`: does every state follow from the log."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, examples
from api.cli.output import emit
from api.cli.session import with_service

if TYPE_CHECKING:
    from rich.console import Console

    from api.service import Service
    from gems import Replay


def add_to(app: typer.Typer) -> None:
    """Give the program the command."""
    app.command(epilog=examples("lattice gems replay", "lattice gems replay research"))(replay)


def replay(
    gem: Annotated[str | None, typer.Argument(metavar="[GEM]", help="Id or name; absent means every gem.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make every entry of the log again from the one before it, and compare each bit with what is stored.

    Ends with exit code 1 if log and states differ.
    """

    async def work(service: "Service") -> "Replay":
        at = service.at()
        gem_id = None if gem is None else (await service.gems.resolve(service.tenant, gem, at)).gem_id
        return await service.gems.replay(service.tenant, at, gem_id)

    found = with_service(work)
    from api.schemas.replays import to_replay

    emit(as_json, lambda: to_replay(found), lambda console: _render(console, found))
    if not found.agrees:
        raise typer.Exit(PARTIAL)


def _render(console: "Console", found: "Replay") -> None:
    what = f"{found.steps:,} entries of {found.subjects:,} gems and passages"
    if found.agrees:
        console.print(
            f"agrees: {what} were made again, and every state is what they say", style="green", soft_wrap=True
        )
        return
    console.print(f"differs: {found.faults:,} faults in {what}", style="red", soft_wrap=True)
    for fault in found.shown:
        whose = f"gem {fault.gem_id}" if fault.passage_id is None else f"passage {fault.passage_id}"
        entry = "" if fault.measurement_id is None else f", entry {fault.measurement_id} ({fault.cause})"
        console.print(f"  {fault.kind}: {whose}{entry}", soft_wrap=True)

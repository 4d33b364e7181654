"""`lattice ingestions …`: what is taken in in the background, or was stopped, and what became of it."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, examples
from api.cli.output import emit, note, open_bar
from api.cli.session import with_service

if TYPE_CHECKING:
    from rich.console import Console

    from api.cli.carrying import Carried
    from api.service import Service
    from knowledge.jobs import IngestionProblem, IngestionRecord

LOOK_S = 0.5
PROBLEMS_SHOWN = 1_000

IngestionArgument = Annotated[UUID, typer.Argument(metavar="INGESTION_ID", help="As `list` shows it.")]

app = typer.Typer(help="List, show, watch, cancel, resume and retry ingestions.", no_args_is_help=True)


@app.command("list", epilog=examples("lattice ingestions list --state failed"))
def list_ingestions(
    state: Annotated[
        Literal["queued", "running", "done", "failed", "cancelled"] | None,
        typer.Option(help="Only those in this state."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List ingestions, newest first."""

    async def work(service: "Service") -> "list[IngestionRecord]":
        await service.ingestions.settle_abandoned(service.tenant)
        return await service.ingestions.list_page(service.tenant, state=state, before=None, limit=limit)

    found = with_service(work)
    from api.cli.ingestion_view import render_ingestions
    from api.schemas.ingestions import to_ingestion

    emit(as_json, lambda: [to_ingestion(each) for each in found], lambda console: render_ingestions(console, found))


@app.command(epilog=examples("lattice ingestions show 6f0c2a1e-…"))
def show(ingestion_id: IngestionArgument, as_json: JsonOption = False) -> None:
    """Show how far an ingestion has come, and what could not be stored."""

    async def work(service: "Service") -> "tuple[IngestionRecord, list[IngestionProblem]]":
        await service.ingestions.settle_abandoned(service.tenant)
        record = await service.ingestions.get(service.tenant, ingestion_id)
        problems = await service.ingestions.list_problems(service.tenant, ingestion_id, limit=PROBLEMS_SHOWN)
        return record, problems

    record, problems = with_service(work)
    from api.cli.ingestion_view import render_ingestion
    from api.schemas.ingestions import to_ingestion

    emit(as_json, lambda: to_ingestion(record, problems), lambda console: render_ingestion(console, record, problems))


@app.command(epilog=examples("lattice ingestions cancel 6f0c2a1e-…"))
def cancel(ingestion_id: IngestionArgument, as_json: JsonOption = False) -> None:
    """Cancel an ingestion; one that is running ends within a few seconds. What was stored stays."""
    record = with_service(lambda service: service.ingestions.cancel(service.tenant, ingestion_id))
    _show_one(record, as_json=as_json)


@app.command(epilog=examples("lattice ingestions resume 6f0c2a1e-…"))
def resume(ingestion_id: IngestionArgument, as_json: JsonOption = False) -> None:
    """Go on with an ingestion that failed or was cancelled, where it stands: here if it was begun here."""
    _go_on(ingestion_id, retrying=False, as_json=as_json)


@app.command(epilog=examples("lattice ingestions retry 6f0c2a1e-…"))
def retry(ingestion_id: IngestionArgument, as_json: JsonOption = False) -> None:
    """Take up the rows again that could not be stored, and those that the ingestion did not come to."""
    _go_on(ingestion_id, retrying=True, as_json=as_json)


@app.command(epilog=examples("lattice ingestions watch 6f0c2a1e-…"))
def watch(ingestion_id: IngestionArgument, as_json: JsonOption = False) -> None:
    """Watch an ingestion until it has ended; the exit code is 1 unless all of it was stored."""

    async def work(service: "Service") -> "IngestionRecord":
        from api.cli.ingestion_view import show_record

        with open_bar("Ingesting", "documents") as bar:
            while True:
                await service.ingestions.settle_abandoned(service.tenant)
                record = await service.ingestions.get(service.tenant, ingestion_id)
                show_record(bar, record)
                if record.has_ended:
                    return record
                await asyncio.sleep(LOOK_S)

    record = with_service(work)
    _show_one(record, as_json=as_json)
    if record.state != "done" or record.counts.failed:
        raise typer.Exit(PARTIAL)


def _go_on(ingestion_id: UUID, *, retrying: bool, as_json: bool) -> None:
    async def work(service: "Service") -> "Carried | IngestionRecord":
        from api.cli.carrying import carry_out, name_host

        ingestions, host = service.ingestions, name_host()
        await ingestions.settle_abandoned(service.tenant)
        again = ingestions.retry if retrying else ingestions.resume
        record = await again(service.tenant, ingestion_id, host=host)
        if record.host is None:
            note(f"queued for a worker; lattice ingestions watch {ingestion_id} shows how far it comes")
            return record
        with open_bar("Ingesting", "documents") as bar:
            return await carry_out(service, ingestion_id, bar)

    done = with_service(work)
    from api.cli.carrying import Carried
    from api.cli.ingest import show_carried

    if isinstance(done, Carried):
        show_carried(done, as_json=as_json)
    else:
        _show_one(done, as_json=as_json)


def _show_one(record: "IngestionRecord", *, as_json: bool) -> None:
    from api.cli.ingestion_view import render_ingestion
    from api.schemas.ingestions import to_ingestion

    def render(console: "Console") -> None:
        render_ingestion(console, record, [])

    emit(as_json, lambda: to_ingestion(record), render)

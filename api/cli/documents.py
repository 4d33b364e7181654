"""`lattice documents …`: what a gem was given, and taking it out again."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from api.cli.options import JsonOption, YesOption, confirm, examples
from api.cli.output import counted, emit
from api.cli.session import with_service
from core.text import make_storable

if TYPE_CHECKING:
    from api.service import Service
    from knowledge import DocumentSummary

GemOption = Annotated[str, typer.Option("--gem", metavar="GEM", parser=make_storable, help="Name or id of the gem.")]

app = typer.Typer(help="List and delete the documents of a gem.", no_args_is_help=True)


@app.command("list", epilog=examples("lattice documents list --gem research --limit 10"))
def list_documents(
    gem: GemOption,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the documents of a gem, newest first."""

    async def work(service: "Service") -> "list[DocumentSummary]":
        at = service.at()
        found = await service.gems.resolve(service.tenant, gem, at)
        return await service.ingestion.list_page(service.tenant, found.gem_id, at, before=None, limit=limit)

    documents = with_service(work)
    from api.cli import views
    from api.schemas.documents import to_document

    emit(
        as_json,
        lambda: [to_document(each) for each in documents],
        lambda console: views.render_documents(console, documents),
    )


@app.command(epilog=examples("lattice documents delete 6f0c2a1e-… --gem research --yes"))
def delete(
    document_ids: Annotated[list[UUID], typer.Argument(metavar="DOCUMENT_ID...", help="As `list` shows them.")],
    gem: GemOption,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete documents with their passages. This cannot be undone."""
    confirm(f"Delete {counted(len(document_ids), 'document')} from the gem {gem!r}?", yes=yes)

    async def work(service: "Service") -> None:
        at = service.at()
        found = await service.gems.resolve(service.tenant, gem, at)
        await service.ingestion.delete(service.tenant, found.gem_id, document_ids, at)

    with_service(work)
    emit(
        as_json,
        lambda: {"deleted": [str(each) for each in document_ids]},
        lambda console: console.print(f"deleted {counted(len(document_ids), 'document')}"),
    )

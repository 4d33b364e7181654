"""`lattice db …`: the schema of the database."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exit_codes import PARTIAL
from api.cli.options import JsonOption, YesOption, confirm, examples
from api.cli.output import emit
from api.cli.session import load_settings, run

if TYPE_CHECKING:
    from api.settings import EmbeddingSettings, Settings
    from migrations import SchemaStatus

app = typer.Typer(help="The schema of the database: where it stands, up and down.", no_args_is_help=True)


@app.command(epilog=examples("lattice db upgrade"))
def upgrade(as_json: JsonOption = False) -> None:
    """Bring the schema up to date, and make the index for the embedding model that is set."""
    settings = load_settings()
    dimension = _other_dimension(settings.embedding)

    async def work(url: str) -> "SchemaStatus":
        import migrations

        upgraded = await migrations.upgrade(url)
        if dimension is not None:
            await migrations.ensure_embedding_index(url, dimension)
        return upgraded

    _show(_on_database(settings, work), as_json=as_json)


@app.command(epilog=examples("lattice db status", "lattice db status --json"))
def status(as_json: JsonOption = False) -> None:
    """Say where the schema stands; the exit code is 1 if it must be upgraded."""
    from migrations import read_status

    found = _on_database(load_settings(), read_status)
    _show(found, as_json=as_json)
    if not found.is_current:
        raise typer.Exit(PARTIAL)


@app.command(epilog=examples("lattice db downgrade 0001 --yes", "lattice db downgrade base --yes"))
def downgrade(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="Where to; `base` is no schema at all.")],
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take the schema down to a revision. What the dropped tables held is lost."""
    confirm(f"Take the schema down to {revision}? What is dropped is lost.", yes=yes)

    async def work(url: str) -> "SchemaStatus":
        import migrations

        return await migrations.downgrade(url, revision)

    _show(_on_database(load_settings(), work), as_json=as_json)


def _other_dimension(embedding: "EmbeddingSettings") -> int | None:
    """Return the dimension of the embedding model that is set; None for the one whose index every schema has."""
    if embedding.provider == "local":
        return None
    if embedding.provider == "fastembed":
        from knowledge import load_fastembed

        return load_fastembed(embedding.model).dimension
    return embedding.dimension


def _on_database(settings: "Settings", work: "Callable[[str], Awaitable[SchemaStatus]]") -> "SchemaStatus":
    async def opened() -> "SchemaStatus":
        from api.database_place import open_place, require_fit

        async with open_place(settings) as place:
            await require_fit(place.url)
            return await work(place.url)

    return run(opened())


def _show(status: "SchemaStatus", *, as_json: bool) -> None:
    state = "up to date" if status.is_current else f"{len(status.pending)} behind: lattice db upgrade"
    emit(
        as_json,
        lambda: {
            "current": status.current,
            "head": status.head,
            "pending": status.pending,
            "is_current": status.is_current,
        },
        lambda console: console.print(f"schema {status.current or 'none'}, needed {status.head}: {state}"),
    )

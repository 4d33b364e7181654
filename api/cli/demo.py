"""`lattice demo`: the whole way once, on the project's own documentation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import JsonOption, examples
from api.cli.output import emit
from api.cli.session import load_settings, with_service
from core.errors import ConfigurationError

if TYPE_CHECKING:
    from api.cli.tour import Tour
    from api.service import Service

PACKAGE = Path(__file__).parents[1]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog=examples("lattice demo", "lattice demo ~/notes"))(demo)


def demo(
    folder: Annotated[
        Path | None, typer.Argument(exists=True, help="What to ingest instead of the project's documentation.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ingest the project's documentation, ask it three questions, and show why it answers so.

    Works in a lattice of its own beside yours; a second run finds everything stored and is quicker.
    """
    sources = [folder] if folder else find_documentation()
    settings = load_settings()
    own = settings.model_copy(update={"data_dir": settings.data_dir / "demo", "database_url": None})

    async def work(service: "Service") -> "Tour":
        from api.cli.tour import take_tour

        return await take_tour(service, sources)

    tour = with_service(work, own)
    from api.cli import tour_view

    emit(as_json, tour.as_json, lambda console: tour_view.render_tour(console, tour))


def find_documentation() -> list[Path]:
    """Return where the project's documentation is: in the installed package, or in the repository.

    Raises:
        ConfigurationError: it is in neither.
    """
    for folder in (PACKAGE / "docs", PACKAGE.parent / "docs"):
        if folder.is_dir():
            return [folder]
    raise ConfigurationError("this installation has no documentation: name a folder, lattice demo FOLDER")

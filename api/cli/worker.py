"""`lattice worker`: carries out jobs, for a service that has more of them than its own process can bear."""

from typing import Annotated

import typer

from api.cli.options import examples
from api.cli.output import note
from api.cli.session import run


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = ("lattice worker", "lattice worker --concurrency 2", "lattice worker --until-idle")
    app.command("worker", epilog=examples(*lines))(worker)


def worker(
    *,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Jobs at a time.")] = 1,
    until_idle: Annotated[
        bool, typer.Option("--until-idle/--wait", help="End as soon as there is nothing left to do, or wait for more.")
    ] = False,
) -> None:
    """Carry out ingestions and other jobs until Ctrl-C or SIGTERM; what is under way is then left to another worker.

    Any number of workers may run, on any machine that reaches the database.
    """
    from api.service import open_service
    from api.settings import read_settings
    from core.log import configure_logging

    settings = read_settings()
    configure_logging(settings.log_level, json=settings.log_json)

    async def work() -> None:
        async with open_service(settings) as service:
            await service.load_model()
            note("waits for jobs (Ctrl-C stops it)")
            await service.workers().run(concurrency, until_idle=until_idle)

    run(work())

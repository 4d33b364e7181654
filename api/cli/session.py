"""One run of a command: settings read, logs set, the service opened and closed again, however it ends."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from api.cli.exit_codes import TERMINATED

if TYPE_CHECKING:
    from api.service import Service
    from api.settings import Settings

T = TypeVar("T")


def load_settings() -> "Settings":
    """Read the settings, and set the logs of a command that runs once: quiet unless debugging is asked for.

    Raises:
        ConfigurationError: naming all that is wrong.
    """
    from api.extensions import use_extensions
    from api.settings import read_settings
    from core.log import configure_logging

    settings = read_settings()
    level = "warning" if settings.log_level == "info" else settings.log_level
    configure_logging(level)
    use_extensions(settings)
    return settings


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work. Ctrl-C and SIGTERM cancel it, so that all it opened is closed in order."""

    async def carry_out() -> T:
        task = asyncio.current_task()
        if task is not None:
            with suppress(NotImplementedError, RuntimeError):  # Windows has no such signals, nor has a second thread
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(carry_out())
    except asyncio.CancelledError:
        raise typer.Exit(TERMINATED) from None


def with_service(work: Callable[["Service"], Awaitable[T]], settings: "Settings | None" = None) -> T:
    """Run work on the service that the settings name."""
    settings = settings or load_settings()

    async def opened() -> T:
        from api.service import open_service

        async with open_service(settings) as service:
            return await work(service)

    return run(opened())

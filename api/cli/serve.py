"""`lattice serve`: the REST API."""

import asyncio
import logging
import signal
import socket
from contextlib import asynccontextmanager, nullcontext, suppress
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.cassette import insert_cassette, read_choice
from api.cli.options import examples
from api.cli.output import note
from api.cli.session import run
from core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from api.service import Service
    from api.settings import Settings

BACKLOG = 2048


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = ("lattice serve", "lattice serve --port 9000 --migrate", "LATTICE_API_TOKEN=… lattice serve --host 0.0.0.0")
    offline = ("lattice serve --cassette monday.yaml --record", "lattice serve --cassette monday.yaml --replay")
    app.command("serve", epilog=examples(*lines, *offline))(serve)


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of LATTICE_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Instead of LATTICE_PORT; 0 takes a free one.")
    ] = None,
    migrate: Annotated[bool, typer.Option("--migrate", help="Bring the schema up to date first.")] = False,
    cassette: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Recording of LLM traffic, to be made or played.")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Add what LLMs answer to the cassette.")] = False,
    replay: Annotated[bool, typer.Option("--replay", help="Play the cassette; no LLM is asked.")] = False,
) -> None:
    """Serve the REST API until Ctrl-C or SIGTERM; requests under way are answered first."""
    from api.settings import read_settings
    from core.log import configure_logging

    choice = read_choice(cassette, record=record, replay=replay)
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = read_settings().model_copy(update=given)
    configure_logging(settings.log_level, json=settings.log_json)
    require_token(settings)
    with insert_cassette(choice, settings) as environment:
        run(_serve(settings, environment, migrate=migrate))


def require_token(settings: "Settings") -> None:
    """Check that a service that others can reach asks for a token.

    Raises:
        ConfigurationError: it does not.
    """
    if settings.api_token is None and not is_loopback(settings.host):
        raise ConfigurationError(
            f"on {settings.host} others could reach the service without a token: set LATTICE_API_TOKEN, "
            "or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(settings: "Settings", environment: "Mapping[str, str]", *, migrate: bool) -> None:
    import uvicorn

    from api.app import create_app
    from api.service import open_service

    class Server(uvicorn.Server):
        """Says where it listens as soon as it does; who watches the lattice is let go first when it ends."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and sockets:
                note(f"Crystal Lattice serves {_url(sockets[0])} (API description: /schema; Ctrl-C stops it)")

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            if "live" in app.state:  # whoever watches it never leaves by themselves
                app.state.live.close()
            await super().shutdown(sockets)

    with _listen(settings.host, settings.port) as listener:
        # opened here and not by the application, so that an unfit database or setting is told in one line
        async with open_service(settings, migrate=migrate, environment=environment) as service:
            await service.load_model()
            app = create_app(settings, lambda _: nullcontext(service))
            # a caller who never ends must not keep the service from ending
            patience_s = ceil(service.llm.router.config.deadline_s)
            server = Server(
                uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=patience_s)
            )
            _leave_signals_to_server()
            async with _working(service, settings.workers):
                await server.serve([listener])
    if not server.started:
        raise ConfigurationError("the service could not start; its log says why")


@asynccontextmanager
async def _working(service: "Service", workers: int) -> "AsyncIterator[None]":
    """Carry out jobs beside the requests; one that is under way at the end is left to another worker."""
    if workers == 0:
        yield
        return
    working = asyncio.create_task(service.workers().run(workers))
    try:
        yield
    finally:
        working.cancel()
        await asyncio.wait([working])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as e:
        raise ConfigurationError(
            f"cannot listen on {host}, port {port} ({e.strerror or e}): choose another by --host and --port"
        ) from e
    # asyncio would do this, but does not know a socket made so for one of TCP; without it each answer waits 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _leave_signals_to_server() -> None:
    """Let a signal that the server has obeyed end there: it raises it again, which would look like a failure."""
    with suppress(NotImplementedError):
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: logging.getLogger(__name__).debug("signal_received: %s", number))

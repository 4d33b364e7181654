"""The whole service behind a real port, with its workers, in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import uvicorn

from api.app import create_app
from api.service import open_service
from api.settings import Settings

STARTS_WITHIN_S = 60


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve, and yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = _Running(settings, listener)
        thread = threading.Thread(target=running.run, name="dashboard-service")
        thread.start()
        try:
            running.wait()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            running.stop()
            thread.join()


class _Running:
    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings, self._listener = settings, listener
        self._ready = threading.Event()
        self._server: uvicorn.Server | None = None
        self._fault: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as e:  # noqa: BLE001 - raised again in the thread that waits
            self._fault = e
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        async with open_service(self._settings, environment={}) as service:
            app = create_app(self._settings, lambda _: nullcontext(service))
            config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
            server = self._server = uvicorn.Server(config)
            working = asyncio.create_task(service.workers().run(1))
            serving = asyncio.create_task(server.serve([self._listener]))
            try:
                while not (server.started or serving.done()):  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.02)
                self._ready.set()
                await serving
            finally:
                working.cancel()
                await asyncio.wait([working])

    def wait(self) -> None:
        """Wait until it answers."""
        assert self._ready.wait(STARTS_WITHIN_S), "the service did not start"
        if self._fault is not None:
            raise self._fault

    def stop(self) -> None:
        """Let it end."""
        if self._server is not None:
            self._server.should_exit = True

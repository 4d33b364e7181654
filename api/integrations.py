"""Telling integrations what happened: each in a thread of its own, so that no caller waits or feels a fault."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from queue import Full, Queue
from threading import Thread

import msgspec
import structlog

from core.errors import ConfigurationError
from core.extensions import Integration, Kind
from core.registry import Registry
from reflection.simulations import Answered

MOST_WAITING = 1_000  # happenings that wait for a slow integration; later ones are lost to it
CLOSE_WITHIN_S = 5.0

INTEGRATIONS: Registry[Integration] = Registry(Kind.INTEGRATION.group, Kind.INTEGRATION.noun, Integration)

_log = structlog.get_logger(__name__)


class Integrations:
    """The integrations that are told; `tell` is all that use cases need.

    Args:
        names: which; each is loaded in its own thread, when there is first something to tell.
    """

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self._lines = [_Line(name) for name in names]

    @property
    def are_there(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._lines)

    def tell(self, happening: str, /, **facts: object) -> None:
        """Tell all of them what happened, at once and without waiting.

        Args:
            happening: its kind, such as "simulation_finished".
            facts: JSON values about it.
        """
        if self._lines:
            told = msgspec.json.encode({"happening": happening, **facts})  # small, and each makes its own copy of it
            for line in self._lines:
                line.put(told)

    def close(self) -> None:
        """Let each deliver what waits, for a few seconds all together."""
        until = time.monotonic() + CLOSE_WITHIN_S
        for line in self._lines:
            line.end()
        for line in self._lines:
            line.wait(until)
        self._lines = []


def tell_simulation(integrations: Integrations, answered: Answered) -> None:
    """Tell that a simulation has finished, if it was this request that ran it."""
    if answered.origin != "miss" or not integrations.are_there:
        return
    head = answered.simulation.head
    stopped = head.outcome.stopped
    integrations.tell(
        "simulation_finished",
        id=str(head.simulation_id),
        name=head.scenario["name"],
        steps=head.outcome.steps,
        last_step=head.outcome.last_step,
        stopped=None if stopped is None else stopped.to_dict(),
        summary=head.outcome.summaries,
        events=[event.to_dict() for event in answered.simulation.events],
        events_total=head.outcome.events_total,
    )


@asynccontextmanager
async def open_integrations() -> AsyncIterator[Integrations]:
    """Yield what tells all integrations that are installed, or in the folder of extensions, and switched on."""
    integrations = Integrations(tuple(INTEGRATIONS.names()))
    try:
        yield integrations
    finally:
        await asyncio.to_thread(integrations.close)


class _Line:
    """The thread of one integration, and what waits for it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: Queue[bytes | None] = Queue(MOST_WAITING)
        self._open = True
        # a daemon, so that one that hangs does not keep the process from ending
        work = copy_context().run  # the folder of extensions is a matter of context
        self._thread = Thread(target=work, args=(self._work,), name=f"integration-{name}", daemon=True)
        self._thread.start()

    def put(self, happening: bytes) -> None:
        if not self._open:
            return
        try:
            self._waiting.put_nowait(happening)
        except Full:
            _log.warning("integration_overrun", integration=self._name, waiting=MOST_WAITING)

    def end(self) -> None:
        with suppress(Full):  # it is far behind: `wait` ends it
            self._waiting.put_nowait(None)

    def wait(self, until: float) -> None:
        self._thread.join(max(0.0, until - time.monotonic()))
        self._open = False
        if self._thread.is_alive():
            _log.warning("integration_left_behind", integration=self._name, waiting=self._waiting.qsize())

    def _work(self) -> None:
        happening = self._waiting.get()
        if happening is None:
            return
        try:
            integration = INTEGRATIONS.get(self._name)
        except ConfigurationError as e:
            self._open = False
            _log.warning("integration_unusable", integration=self._name, problem=e.message)
            return
        while happening is not None and self._open:
            try:
                integration.deliver(msgspec.json.decode(happening))
            except (Exception, SystemExit):  # noqa: BLE001 - it is somebody else's code, and may fail in any way
                _log.warning("integration_failed", integration=self._name, exc_info=True)
            happening = self._waiting.get()

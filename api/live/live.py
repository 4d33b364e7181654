"""What runs beside the requests: the publisher of the stream, the watch over alerts, and the courier of webhooks."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from api.alerts.courier import Courier
from api.alerts.messages import Sender
from api.alerts.rules import Severity
from api.alerts.watch import AlertWatch, Look
from api.alerts.webhooks import Webhooks
from api.live.broadcast import Broadcast, Viewer, encode_telling, read_mark
from api.live.metrics import LiveMetrics
from api.live.reading import Pulse, Reading, Surroundings
from api.schemas.alerts import to_alert
from api.schemas.stream import to_snapshot
from api.service import Service
from core.clock import utc_now
from core.errors import LatticeError
from gems import FieldSummary

RESTS = (
    3.0  # times as long as a reading takes is waited before the next, so that a large lattice is not read all the time
)
MARGIN = timedelta(seconds=10)  # looked back further than a mark of another process, whose clock may differ
OLDEST = timedelta(days=1)  # that a mark may be; whoever was away for longer looks at the list of alerts

CANCEL_AGAIN_S = 0.2

_log = structlog.get_logger(__name__)


class Live:
    """The live side of a service: one reading for all viewers.

    Attributes:
        broadcast: tells viewers.
        webhooks: of the lattice.
    """

    def __init__(self, service: Service, sender: Sender) -> None:
        settings = service.settings
        self.broadcast = Broadcast(time.time)
        self.webhooks = Webhooks(service.database, sender)
        self._interval_s = settings.stream.interval_s
        self._pulse = Pulse(service)
        self._courier = Courier(service.database, service.tenant, sender)
        self._watch = AlertWatch(service.database, service.tenant, self._read, service.at, settings.alerts.interval_s)
        self._field: FieldSummary | None = None
        self._surroundings: Surroundings | None = None
        self._look = Look()

    def wake(self) -> None:
        """Let what was changed here be seen at once: alerts, rules, silences."""
        self._watch.wake()
        self._courier.wake()

    async def watch(self, mark: str | None) -> Viewer:
        """Return a new viewer.

        Args:
            mark: of what it saw last, as it was told; alerts since then are told first.

        Raises:
            LatticeError: the database could not be asked for them.
        """
        seen = read_mark(mark)
        if seen is None or self.broadcast.remembers(seen):
            return self.broadcast.watch(seen)
        after = self.broadcast.mark  # what changes from here on is told anyway
        missed = await self._watch.list_since(max(seen.moment - MARGIN, utc_now() - OLDEST))
        # until the last of them has come, whoever breaks off comes back with the mark of the other process
        marks = [*[seen] * (len(missed) - 1), after]
        before = [encode_telling("alert", mark, to_alert(alert)) for mark, alert in zip(marks, missed, strict=False)]
        return self.broadcast.watch(after, before)

    async def publish(self) -> None:
        """Tell viewers what the lattice is like, again and again while there are any, until it is cancelled."""
        while True:
            await self.broadcast.wait_for_viewer()
            started, is_read = time.monotonic(), False
            try:
                is_read = await self._publish_once()
            except Exception:  # noqa: BLE001 - the outermost loop: one failed tick must not be the last
                _log.exception("snapshot_failed")
            await asyncio.sleep(plan_rest(self._interval_s, time.monotonic() - started, is_read=is_read))

    async def judge(self) -> None:
        """Judge alerts until it is cancelled."""
        await self._watch.run(self._heed)

    async def deliver(self) -> None:
        """Deliver what webhooks are to be told, until it is cancelled."""
        await self._courier.run()

    def count_firing(self) -> Mapping[Severity, int]:
        """Return how many alerts were open at the last look, by severity."""
        return self._look.firing

    def close(self) -> None:
        """Let all viewers go: the service ends."""
        self.broadcast.close()

    async def _publish_once(self) -> bool:
        """Tell viewers what the lattice is like now; return whether the database answered."""
        try:
            self._field = await self._pulse.read_field()
        except LatticeError as e:
            self._field = None  # viewers are told that nobody knows
            _log.warning("field_unread", code=e.code, reason=e.message)
        mark = self.broadcast.advance()
        snapshot = to_snapshot(
            mark.sequence,
            utc_now(),
            field=self._field,
            surroundings=self._surroundings,
            vitals=self._pulse.read_vitals(),
            targets=self._pulse.list_targets(),
            firing=self._look.firing,
        )
        self.broadcast.tell("snapshot", mark, snapshot)
        return self._field is not None

    async def _read(self) -> Reading:
        """Return what alerts are judged by; the field as viewers were told it just now, if there are any."""
        fresh_s = 2 * self._interval_s
        field = self._field
        if field is None or utc_now() - field.at > timedelta(seconds=fresh_s):
            field = await self._pulse.read_field()
        self._surroundings = await self._pulse.read_surroundings()
        return Reading(field, self._surroundings, self._pulse.read_vitals(), self._pulse.list_targets())

    def _heed(self, look: Look) -> None:
        self._look = look
        for alert in look.changed:
            self.broadcast.tell("alert", self.broadcast.advance(), to_alert(alert))
        if look.messages:
            self._courier.wake()


def plan_rest(interval_s: float, took_s: float, *, is_read: bool) -> float:
    """Return how long to wait before the next reading; one that the database did not answer cost it nothing."""
    return max(interval_s - took_s, RESTS * took_s if is_read else 0.0)


@asynccontextmanager
async def open_live(service: Service) -> AsyncIterator[Live]:
    """Start the live side of a service, and stop it again."""
    async with Sender(allow_private=service.settings.alerts.allow_private_webhooks) as sender:
        live = Live(service, sender)
        metrics = LiveMetrics(live.broadcast, live.count_firing)
        service.metrics_registry.register(metrics)
        tasks: Sequence[asyncio.Task[None]] = [
            asyncio.create_task(work, name=name)
            for name, work in (("publish", live.publish()), ("judge", live.judge()), ("deliver", live.deliver()))
        ]
        try:
            yield live
        finally:
            service.metrics_registry.unregister(metrics)
            live.close()
            await _stop({*tasks})


async def _stop(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: Python 3.11 may lose a cancellation that meets the answer of the database."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=CANCEL_AGAIN_S)

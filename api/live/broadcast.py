"""One speaker, many viewers: each gets the newest snapshot when it is ready for it, and every alert in order.

Nothing is queued for a viewer: a snapshot that it has not taken yet is replaced by the next. Each thing told is encoded
once, however many watch. All of one event loop.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec

MOST_ALERTS = 256  # that are remembered for viewers who come back, or who are slow

Told = Literal["snapshot", "alert"]


@dataclass(frozen=True, slots=True)
class Telling:
    """Something told, encoded for both ways of watching.

    Attributes:
        event: as a server-sent event.
        message: as a message over WebSocket.
    """

    event: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """What a viewer saw last.

    Attributes:
        sequence: its number: milliseconds since 1970, or a little ahead of them.
        tag: of the process that told it.
    """

    sequence: int
    tag: str

    @property
    def moment(self) -> datetime:
        """About when it was told."""
        return datetime.fromtimestamp(self.sequence / 1e3, UTC)

    def __str__(self) -> str:
        return f"{self.sequence}-{self.tag}"


def read_mark(text: str | None) -> Mark | None:
    """Return the mark that a viewer came back with; None if it is none, so that it starts anew."""
    number, _, tag = (text or "").partition("-")
    if not (tag and number.isdecimal() and number.isascii() and len(number) <= 14):
        return None
    return Mark(int(number), tag)


def encode_telling(told: Told, mark: Mark, view: object) -> Telling:
    """Return the bytes of a view for both ways of watching."""
    data, name = msgspec.json.encode(view), told.encode()
    head = msgspec.json.encode({"id": str(mark), "event": told})[:-1]
    event = b"id: %b\nevent: %b\ndata: %b\n\n" % (str(mark).encode(), name, data)
    return Telling(event, b'%b,"data":%b}' % (head, data))


class Broadcast:
    """Tells viewers what happens.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tag = secrets.token_hex(4)
        self._sequence = round(clock() * 1e3)
        self._snapshot: tuple[int, Telling] | None = None
        self._alerts: deque[tuple[int, Telling]] = deque(maxlen=MOST_ALERTS)
        self._viewers: set[Viewer] = set()
        self._arrived = asyncio.Event()
        self.is_closed = False

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    @property
    def mark(self) -> Mark:
        """Of what was told last."""
        return Mark(self._sequence, self._tag)

    def advance(self) -> Mark:
        """Return the mark of what is told next."""
        self._sequence = max(self._sequence + 1, round(self._clock() * 1e3))
        return self.mark

    def tell(self, told: Told, mark: Mark, view: object) -> None:
        """Tell all viewers; of two snapshots one may see the newer only, of alerts each.

        Args:
            told: what it is.
            mark: of `advance`.
            view: is encoded as JSON.
        """
        telling = (mark.sequence, encode_telling(told, mark, view))
        if told == "snapshot":
            self._snapshot = telling
        else:
            self._alerts.append(telling)
        self._wake()

    def remembers(self, mark: Mark) -> bool:
        """Tell whether all alerts after a mark are remembered here."""
        oldest = self._alerts[0][0] if len(self._alerts) == MOST_ALERTS else 0
        return mark.tag == self._tag and mark.sequence >= oldest - 1

    def watch(self, after: Mark | None = None, before: Sequence[Telling] = ()) -> "Viewer":
        """Return a new viewer.

        Args:
            after: what it saw last, of this broadcast; None for one that comes new.
            before: what it is told first.
        """
        return Viewer(self, after, before)

    def arrive(self, viewer: "Viewer") -> None:
        """Wake this viewer from now on."""
        self._viewers.add(viewer)
        self._arrived.set()

    def leave(self, viewer: "Viewer") -> None:
        """Wake this viewer no more."""
        self._viewers.discard(viewer)
        if not self._viewers:
            self._arrived.clear()

    async def wait_for_viewer(self) -> None:
        """Wait until somebody watches."""
        await self._arrived.wait()

    def close(self) -> None:
        """Let all viewers go, and those who still come at once."""
        self.is_closed = True
        self._wake()

    def find_alert(self, after: int) -> tuple[int, Telling] | None:
        """Return the first alert that is remembered and was told after another."""
        if not self._alerts or self._alerts[-1][0] <= after:
            return None
        return next(each for each in self._alerts if each[0] > after)

    def find_snapshot(self, after: int) -> tuple[int, Telling] | None:
        """Return the newest snapshot, if it was told after something else."""
        return self._snapshot if self._snapshot is not None and self._snapshot[0] > after else None

    def _wake(self) -> None:
        for viewer in self._viewers:
            viewer.wake()


class Viewer:
    """One who watches, and takes what there is when it is ready."""

    def __init__(self, broadcast: Broadcast, after: Mark | None, before: Sequence[Telling]) -> None:
        self._broadcast, self._before = broadcast, before
        self._seen = -1 if after is None else after.sequence  # the highest number it was told
        self._alerts_after = broadcast.mark.sequence if after is None else after.sequence
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look again whether there is something to take."""
        self._woken.set()

    async def follow(self, silence_s: float) -> AsyncGenerator[Telling | None]:
        """Yield what is told, and None after each so long silence, until the broadcast is closed."""
        self._broadcast.arrive(self)
        self._woken.set()  # there may be something already
        try:
            for telling in self._before:
                yield telling
            while not self._broadcast.is_closed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(silence_s):
                        await self._woken.wait()
                if not self._woken.is_set():
                    yield None
                    continue
                self._woken.clear()
                while not self._broadcast.is_closed and (taken := self._take()) is not None:
                    yield taken
        finally:
            self._broadcast.leave(self)

    def _take(self) -> Telling | None:
        """Return the next alert, or if there is none the newest snapshot; numbers only rise, so that marks do."""
        if (alert := self._broadcast.find_alert(self._alerts_after)) is not None:
            self._alerts_after, telling = alert
            self._seen = max(self._seen, self._alerts_after)
            return telling
        if (snapshot := self._broadcast.find_snapshot(self._seen)) is not None:
            self._seen, telling = snapshot
            return telling
        return None

"""A loop for tests, whose time stands still while the machine is busy elsewhere."""

import asyncio
import selectors
import time


class IdleSelector(selectors.DefaultSelector):
    """Counts the seconds in which there was nothing to do, and of a wait no more than it was to take.

    Attributes:
        idle_s: so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.idle_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        began_s = time.monotonic()
        ready = super().select(timeout)
        waited_s = time.monotonic() - began_s
        if timeout is not None:  # half of it at most if something came: that is dealt with before a timer fires
            waited_s = min(waited_s, max(timeout, 0.0) / (2 if ready else 1))
        self.idle_s += waited_s
        return ready


class IdleClockLoop(asyncio.SelectorEventLoop):
    """The loop that tests run on: its timers count only the time in which nothing was to be done.

    So they fire in the same order, and after the same work, on a crowded machine as on an idle one.
    """

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._idle = IdleSelector()
        super().__init__(self._idle)

    def time(self) -> float:
        """Return seconds that pass only while the loop waits, never ahead of the monotonic clock's."""
        return self._began_s + self._idle.idle_s

"""Calls counted over a window of time that slides, in bounded memory."""

from dataclasses import dataclass

BUCKETS = 10
"""The window slides by a tenth of its length."""

_NARROWEST_S = 1e-6


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """Whole calls of a window, and how many of them failed."""

    calls: int
    failures: int


class CallWindow:
    """Calls and failures of at most the last `window_s`, and of at least nine tenths of it.

    Moments are monotonic seconds, never before the one of the call before.
    """

    __slots__ = ("_calls", "_calls_at", "_failures", "_failures_at", "_slot", "_width_s")

    def __init__(self, window_s: float) -> None:
        self._width_s = max(window_s / BUCKETS, _NARROWEST_S)
        self._slot = 0
        self.clear()

    def add(self, now_s: float, *, failed: bool) -> None:
        """Count a call that has ended."""
        self._slide(now_s)
        bucket = self._slot % BUCKETS
        self._calls += 1
        self._calls_at[bucket] += 1
        if failed:
            self._failures += 1
            self._failures_at[bucket] += 1

    def count(self, now_s: float) -> WindowCounts:
        """Return what is in the window."""
        self._slide(now_s)
        return WindowCounts(self._calls, self._failures)

    def clear(self) -> None:
        """Forget all calls."""
        self._calls = self._failures = 0
        self._calls_at, self._failures_at = [0] * BUCKETS, [0] * BUCKETS

    def _slide(self, now_s: float) -> None:
        slot = int(now_s / self._width_s)
        if slot <= self._slot:
            return
        for old in range(max(self._slot + 1, slot - BUCKETS + 1), slot + 1):
            bucket = old % BUCKETS
            self._calls -= self._calls_at[bucket]
            self._failures -= self._failures_at[bucket]
            self._calls_at[bucket] = self._failures_at[bucket] = 0
        self._slot = slot

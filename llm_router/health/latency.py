"""How long a target takes, as percentiles of its recent answers."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

SAMPLES = 128
"""Answers remembered at most."""

MAX_AGE_S = 300.0
"""Older answers say nothing about now."""


@dataclass(frozen=True, slots=True)
class _Sample:
    at_s: float
    latency_s: float


class LatencyWindow:
    """Latencies of recent whole answers; errors, cache hits and cancelled calls must not be added.

    The latency of an answer is the time to its first token where that is known, so that long answers do not make a
    target look slow, and else the time that the whole answer took.

    Args:
        clock: monotonic seconds.
        size: answers remembered at most.
        max_age_s: answers older than this are forgotten.
    """

    __slots__ = ("_clock", "_max_age_s", "_samples", "_sorted_s")

    def __init__(self, clock: Callable[[], float], *, size: int = SAMPLES, max_age_s: float = MAX_AGE_S) -> None:
        self._clock = clock
        self._max_age_s = max_age_s
        self._samples: deque[_Sample] = deque(maxlen=size)
        self._sorted_s: list[float] | None = None

    def add(self, seconds: float, first_token_s: float | None = None) -> None:
        """Remember a whole answer: how long it took in all, and until its first token."""
        self._samples.append(_Sample(self._clock(), seconds if first_token_s is None else first_token_s))
        self._sorted_s = None

    @property
    def count(self) -> int:
        """Answers that percentiles are made of."""
        self._drop_old()
        return len(self._samples)

    def percentile(self, q: float) -> float | None:
        """Return the latency in seconds that the share q of answers does not pass, or None if there are none.

        Args:
            q: in [0, 1]; 0.5 is the median. Between two answers the latency is interpolated.
        """
        self._drop_old()
        if not self._samples:
            return None
        if self._sorted_s is None:
            self._sorted_s = sorted(sample.latency_s for sample in self._samples)
        rank = q * (len(self._sorted_s) - 1)
        low = int(rank)
        below, above = self._sorted_s[low], self._sorted_s[min(low + 1, len(self._sorted_s) - 1)]
        return below + (above - below) * (rank - low)

    def _drop_old(self) -> None:
        oldest_s = self._clock() - self._max_age_s
        while self._samples and self._samples[0].at_s < oldest_s:
            self._samples.popleft()
            self._sorted_s = None

"""The service's pulse: what happened in the last minutes, in plain numbers, for whoever watches it live.

Metrics are for a server that scrapes and keeps them; these are for the dashboard and for alerts, which ask in process.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

RATE_WINDOW_S = 60  # rates are of the last minute
LATENCY_WINDOW_S = 300.0  # percentiles are of the last five minutes: few things happen in one
MOST_LATENCIES = 2_048  # of the newest that percentiles are taken of: what is kept is bounded, whatever the load

Counted = Literal["requests", "errors", "reflections", "recalls", "passages"]
Timed = Literal["reflections", "recalls"]


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """What the service did of late; one process's share of it.

    Attributes:
        requests_per_minute: answered over HTTP.
        errors_per_minute: of these, those that were the service's fault: a status from 500 on, or a stream that broke.
        reflections_per_minute: that were answered and stored.
        recalls_per_minute: of callers; those within reflections are not counted again.
        ingested_passages_per_minute: that were stored.
        reflection_p50_s: median of the seconds that reflections of the last five minutes took; None for none.
        reflection_p95_s: their 95th percentile.
        recall_p50_s: the same of recalls, those within reflections included.
        recall_p95_s: the same of recalls.
    """

    requests_per_minute: float
    errors_per_minute: float
    reflections_per_minute: float
    recalls_per_minute: float
    ingested_passages_per_minute: float
    reflection_p50_s: float | None
    reflection_p95_s: float | None
    recall_p50_s: float | None
    recall_p95_s: float | None


class Vitals:
    """Remembers the last minutes in a bounded space; seeing something costs an addition.

    Times are seconds of one monotonic clock, `time.monotonic()`; each caller says what it is. All of one event loop.
    """

    def __init__(self) -> None:
        self._counts = {name: _Minute() for name in get_args(Counted)}
        self._latencies: dict[Timed, deque[tuple[float, float]]] = {
            name: deque(maxlen=MOST_LATENCIES) for name in get_args(Timed)
        }

    def count(self, what: Counted, now: float, number: int = 1) -> None:
        """See that something happened so many times."""
        self._counts[what].add(now, number)

    def time(self, what: Timed, now: float, seconds: float) -> None:
        """See how long something took."""
        self._latencies[what].append((now, seconds))

    def read(self, now: float) -> VitalSigns:
        """Return what happened until now.

        Args:
            now: `time.monotonic()`.
        """
        reflections, recalls = self._recent("reflections", now), self._recent("recalls", now)
        per_minute = {name: minute.total(now) * 60.0 / RATE_WINDOW_S for name, minute in self._counts.items()}
        return VitalSigns(
            requests_per_minute=per_minute["requests"],
            errors_per_minute=per_minute["errors"],
            reflections_per_minute=per_minute["reflections"],
            recalls_per_minute=per_minute["recalls"],
            ingested_passages_per_minute=per_minute["passages"],
            reflection_p50_s=quantile(reflections, 0.5),
            reflection_p95_s=quantile(reflections, 0.95),
            recall_p50_s=quantile(recalls, 0.5),
            recall_p95_s=quantile(recalls, 0.95),
        )

    def _recent(self, what: Timed, now: float) -> list[float]:
        return sorted(seconds for seen, seconds in self._latencies[what] if now - seen < LATENCY_WINDOW_S)


class _Minute:
    """Counts of the last minute, one for each second; a second that comes round again begins at zero."""

    __slots__ = ("_counts", "_seconds")

    def __init__(self) -> None:
        self._counts = [0] * RATE_WINDOW_S
        self._seconds = [-RATE_WINDOW_S] * RATE_WINDOW_S  # which second each count is of

    def add(self, now: float, number: int) -> None:
        second = int(now)
        place = second % RATE_WINDOW_S
        if self._seconds[place] != second:
            self._seconds[place], self._counts[place] = second, 0
        self._counts[place] += number

    def total(self, now: float) -> int:
        oldest = int(now) - RATE_WINDOW_S
        return sum(count for count, second in zip(self._counts, self._seconds, strict=True) if second > oldest)


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value that so large a share of the ordered ones is not above (nearest rank); None of none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None

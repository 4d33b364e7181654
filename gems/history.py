"""The past of a gem, exact from its log: between two entries its state was left alone, so it is known at any moment."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate, groupby
from uuid import UUID

from gems.forecast import Point, follow
from gems.state import QuantumState, evolve


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A state that a measurement, a birth or a restore left behind.

    Attributes:
        since: from when on it held.
        state_at: of which moment the state is; before `since` where a restore brought back an older one.
        time_unit: the τ of whoever made the entry, for the time that led up to it.
        via_gem_id: the gem whose use reached this one through an entanglement.
    """

    cause: str
    gain: float
    since: datetime
    state_at: datetime
    state: QuantumState[float]
    time_unit: timedelta
    reflection_id: UUID | None = None
    via_gem_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """An entry on a gem's curve: the states just before and just after it; one and the same at its birth."""

    entry: LogEntry
    before: QuantumState[float]
    after: QuantumState[float]


@dataclass(frozen=True, slots=True)
class Curve:
    """The states of a gem through time, and what made them jump.

    Attributes:
        points: in the order of time; two at the moment of an entry, just before it and just after.
        marks: the entries within the time of the points, in their order.
    """

    points: tuple[Point, ...]
    marks: tuple[Mark, ...]


def open_log(created_at: datetime, log: Sequence[LogEntry], time_unit: timedelta) -> list[LogEntry]:
    """Return a log that begins with the birth of what it is about, whether or not that was written down.

    An entry holds from its own moment or from that of the one before it, if that is later: clocks differ, the order
    counts.
    """
    birth = LogEntry("ingest", 0.0, created_at, created_at, QuantumState.new(), time_unit)
    is_whole = log and (log[0].cause == birth.cause or log[0].since < created_at)
    entries = log if is_whole else [birth, *log]
    starts = accumulate((entry.since for entry in entries), max)
    return [replace(entry, since=since) for entry, since in zip(entries, starts, strict=True)]


def find_span(log: Sequence[LogEntry], moment: datetime, time_unit: timedelta) -> tuple[LogEntry, timedelta] | None:
    """Return the entry that held at a moment, and how long a τ is in the time after it; None if there was nothing yet.

    Args:
        log: not empty, in its order.
        moment: past, present or to come.
        time_unit: the τ of today, for the time since the last entry.
    """
    index = bisect_right([entry.since for entry in log], moment) - 1
    if index < 0:
        return None
    return log[index], log[index + 1].time_unit if index + 1 < len(log) else time_unit


def draw_curve(log: Sequence[LogEntry], moments: Sequence[datetime], time_unit: timedelta) -> Curve:
    """Return the states at moments, with those just before and just after each entry between the first and the last.

    Args:
        log: not empty, in its order, with the entry that held at the first moment; moments before it are left out.
        moments: in the order of time.
        time_unit: the τ of today.
    """
    starts = [entry.since for entry in log]
    points: list[Point] = []
    marks: list[Mark] = []
    held = groupby(moments, lambda moment: bisect_right(starts, moment) - 1)
    by_entry = {index: list(group) for index, group in held if index >= 0}
    for index, entry in enumerate(log):
        unit = log[index + 1].time_unit if index + 1 < len(log) else time_unit
        if moments[0] <= entry.since <= moments[-1]:
            after = _look(entry, entry.since, unit)
            before = _look(log[index - 1], entry.since, entry.time_unit) if index else after
            marks.append(Mark(entry, before, after))
            points.extend([Point(entry.since, before)] if index else [])
            points.append(Point(entry.since, after))
        rest = [moment for moment in by_entry.get(index, ()) if moment > entry.since]
        points.extend(follow(entry.state, entry.state_at, unit, rest) if rest else [])
    return Curve(tuple(points), tuple(marks))


def _look(entry: LogEntry, moment: datetime, time_unit: timedelta) -> QuantumState[float]:
    return evolve(entry.state, max(timedelta(0), moment - entry.state_at) / time_unit)

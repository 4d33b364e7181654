"""Windows of time, and offsets from a day. Pure."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Literal

Unit = Literal["hour", "day", "week", "month", "year"]
Reach = Literal["near", "whole", "within", "beyond"]
Direction = Literal["before", "after"]

# Days outside are clipped to them: any time zone can still be added to their midnights.
_FIRST, _LAST = date(2, 1, 1), date(9998, 1, 1)

# How far from the counted day "two weeks ago" may mean, in days.
_SLACK = {"hour": 0, "day": 0, "week": 3, "month": 15, "year": 183}


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """From `since` until before `until`, both in UTC; None is open."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Offset:
    """How far from a day.

    Attributes:
        least: of the units; "a few" leaves room between least and most.
        most: of the units.
        unit: day, week, month or year; an hour makes the day that it falls on.
        reach: near: about so far away ("two weeks before"); whole: the unit that adjoins ("the week after"); within:
            anything from there to the day; beyond: anything farther away.
    """

    least: int
    most: int
    unit: Unit
    reach: Reach = "near"


@dataclass(frozen=True, slots=True)
class Days:
    """From the day `since` until before the day `until`; None is open."""

    since: date | None
    until: date | None

    @property
    def is_empty(self) -> bool:
        """Whether no day is inside."""
        return self.since is not None and self.until is not None and self.since >= self.until

    def in_zone(self, zone: tzinfo | None) -> TimeWindow:
        """Return the moments from midnight to midnight of a time zone; None means UTC."""
        since, until = (
            None if day is None else datetime.combine(day, time(), zone or UTC).astimezone(UTC)
            for day in (self.since, self.until)
        )
        return TimeWindow(since, until)


def shift(day: date, count: int, unit: Unit) -> date:
    """Return the day so many units later (earlier if negative); the 31st of a shorter month is its last day."""
    if unit in {"month", "year"}:
        months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
        year, month = divmod(months, 12)
        if not _FIRST.year <= year < _LAST.year:
            return _FIRST if count < 0 else _LAST
        return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    days = {"hour": 0, "day": 1, "week": 7}[unit] * count
    return date.fromordinal(min(max(day.toordinal() + days, _FIRST.toordinal()), _LAST.toordinal()))


def offset_days(day: date, offset: Offset | None, direction: Direction) -> Days:
    """Return the days before or after a day, all of them without an offset.

    "After" begins with the day itself: when something happened is known by when it was told, and what came after it
    may be told on the same day.
    """
    day = shift(day, 0, "day")  # clipped
    before, tomorrow = direction == "before", shift(day, 1, "day")
    if offset is None:
        return Days(None, day) if before else Days(day, None)
    sign = -1 if before else 1
    nearest, farthest = (shift(day, sign * count, offset.unit) for count in (offset.least, offset.most))
    match offset.reach:
        case "near":
            slack = _SLACK[offset.unit]
            first, last = sorted((nearest, farthest))
            return Days(shift(first, -slack, "day"), shift(last, slack + 1, "day"))
        case "whole":
            return Days(farthest, day) if before else Days(tomorrow, shift(tomorrow, offset.most, offset.unit))
        case "within":
            return Days(farthest, tomorrow) if before else Days(day, shift(farthest, 1, "day"))
        case "beyond":
            return Days(None, nearest) if before else Days(nearest, None)

"""What the words of a found time mean on the calendar: from a match and now to days. Pure.

Everything is read towards the past, since a memory is asked about what was: "in May" is the latest May that has begun.
Seasons are those of the northern half, from the first of a month.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from knowledge.shaping.windows import Days, Offset, Reach, Unit, offset_days, shift

if TYPE_CHECKING:
    from dateparser.date import DateDataParser

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}  # their first months
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
VAGUE = {"couple": (2, 2), "few": (2, 6), "several": (3, 9)}

Match = re.Match[str]

_UNITS: dict[str, Unit] = {"hour": "hour", "minute": "hour", "week": "week", "month": "month", "year": "year"}
_BEYOND = {"more than", "over", "at least"}
_WITHIN = {"less than", "under", "within"}


def read_offset(number: str, unit: str, modifier: str | None) -> Offset:
    """Return the offset of a number such as "a few", a unit such as "weeks", and perhaps "more than" or the like."""
    words = number.casefold().split()
    least, most = next((VAGUE[word] for word in words if word in VAGUE), (1, 1))
    if words[0] in NUMBERS:
        least = most = NUMBERS.index(words[0]) + 1
    elif words[0].isdecimal():
        least = most = int(words[0])
    how = " ".join((modifier or "").casefold().split())
    reach: Reach = "beyond" if how in _BEYOND else "within" if how in _WITHIN else "near"
    return Offset(least, most, read_unit(unit), reach)


def read_unit(word: str) -> Unit:
    """Return the unit that a word such as "weeks" names; a morning or a night makes its day."""
    return _UNITS.get(word.casefold().rstrip("s"), "day")


def iso_day(match: Match, _: datetime) -> Days | None:
    """Read 2023-05-08."""
    try:
        return _one_day(date.fromisoformat(match[0]))
    except ValueError:
        return None


def numeric_day(match: Match, _: datetime) -> Days | None:
    """Read 25/12/2022 and 12/25/2022; 8/5/2023 is another day in London than in New York, and is read as neither."""
    first, second, year = (int(part) for part in re.findall(r"\d+", match[0]))
    if first <= 12 and second <= 12 and first != second:
        return None
    day, month = (first, second) if second <= 12 else (second, first)
    return _one_day(_read_day(str(day), MONTHS[month - 1], year)) if month <= 12 else None


def written_days(match: Match, now: datetime) -> Days | None:
    """Read "8 May 2023", "3 to 8 May", "May 8th"; without a year the latest of them."""
    groups = match.groupdict()
    first, last = groups.get("first") or match["day"], groups.get("last") or match["day"]
    if not match["year"] and match["month"].islower() and not match["ordinal"]:
        return None  # "the top 10 may win"

    def make(year: int) -> Days | None:
        days = [_read_day(day, match["month"], year) for day in (first, last)]
        return None if days[0] is None or days[1] is None else Days(days[0], shift(days[1], 1, "day"))

    return make(int(match["year"])) if match["year"] else _latest(make, now)


def month(match: Match, now: datetime) -> Days | None:
    """Read "May 2023", and "May" as the latest."""
    if match["year"]:
        return _month(match["month"], int(match["year"]))
    if match["month"].casefold() not in MONTHS:  # "Jan" alone is rather somebody's name
        return None
    return _latest(lambda year: _month(match["month"], year), now)


def month_of_that_year(match: Match, now: datetime) -> Days:
    """Read "May of last year"."""
    return _month(match["month"], now.year - _is_last(match))


def that_month(match: Match, now: datetime) -> Days | None:
    """Read "last May" as the latest that is over, "this May" as this year's."""
    if _is_last(match):
        return _latest(lambda year: _month(match["month"], year), now, over=True)
    return _month(match["month"], now.year)


def season_of_year(match: Match, now: datetime) -> Days:
    """Read "summer of 2022" and "summer of last year"; a year has two winters, and which is meant is not said."""
    year = int(match["year"]) if match["year"] else now.year - _is_last(match)
    days = _season(match["season"], year)
    return Days(date(year - 1, 12, 1), days.until) if match["season"].casefold() == "winter" else days


def that_season(match: Match, now: datetime) -> Days | None:
    """Read "last summer" as the latest that is over, "this summer" as the latest that has begun."""
    return _latest(lambda year: _season(match["season"], year), now, over=bool(_is_last(match)))


def decade(match: Match, _: datetime) -> Days:
    """Read "1990s"; "1800s" as the century."""
    first = int(match["decade"]) * 10
    return Days(date(first, 1, 1), date(first + (100 if first % 100 == 0 else 10), 1, 1))


def whole_year(match: Match, _: datetime) -> Days:
    """Read "2019"."""
    return Days(date(int(match[0]), 1, 1), date(int(match[0]) + 1, 1, 1))


def weekday(match: Match, now: datetime) -> Days | None:
    """Read "Friday" as today at the latest, "last Friday" as yesterday at the latest, "this Friday" as this week's."""
    today, ahead = now.date(), WEEKDAYS.index(match["weekday"].casefold()) - now.weekday()
    if match["which"] and not _is_last(match):
        return _one_day(shift(today, ahead, "day"))
    back = -ahead % 7
    return _one_day(shift(today, -(back or 7 * _is_last(match)), "day"))


def spoken_day(match: Match, now: datetime) -> Days | None:
    """Read "today", "yesterday", "last night" and "the day before yesterday"; a night ends today."""
    said, today = " ".join(match[0].casefold().split()), now.date()
    if said == "today":
        return _one_day(today)
    yesterday = shift(today, -1, "day")
    if said.endswith("night"):
        return Days(yesterday, shift(today, 1, "day"))
    return _one_day(shift(yesterday, -1, "day") if "before" in said else yesterday)


def that_unit(match: Match, now: datetime) -> Days:
    """Read "this week", "last month"; a week begins on Monday."""
    return _unit_back(match["unit"].casefold(), _is_last(match), now)


def unit_before_last(match: Match, now: datetime) -> Days:
    """Read "the year before last"."""
    return _unit_back(match["unit"].casefold(), 2, now)


def ago(match: Match, now: datetime) -> Days:
    """Read "two weeks ago", "more than a year ago", "three hours ago"."""
    offset = read_offset(match["number"], match["unit"], match["modifier"])
    day = (now - timedelta(hours=offset.most)).date() if match["unit"].casefold().startswith("hour") else now.date()
    return offset_days(day, offset, "before")


def rolling(match: Match, now: datetime) -> Days:
    """Read "in the last three weeks"."""
    offset = read_offset(match["number"] or "one", match["unit"], "within")
    return offset_days(now.date(), offset, "before")


@cache
def _parser() -> "DateDataParser":
    from dateparser.date import DateDataParser  # noqa: PLC0415 - it takes a tenth of a second to load

    return DateDataParser(languages=["en"], settings={"REQUIRE_PARTS": ["day", "month", "year"], "DATE_ORDER": "DMY"})


def _read_day(day: str, month_name: str, year: int) -> date | None:
    found: datetime | None = _parser().get_date_data(f"{int(day)} {month_name.rstrip('.')} {year}").date_obj
    return None if found is None else found.date()


def _one_day(day: date | None) -> Days | None:
    return None if day is None else Days(day, shift(day, 1, "day"))


def _latest(make: Callable[[int], Days | None], now: datetime, *, over: bool = False) -> Days | None:
    """Return the latest yearly span that has begun, or that is over; a 29th of February may be eight years back."""
    today = now.date()
    for year in range(today.year, today.year - 9, -1):
        days = make(year)
        if days is not None and (edge := days.until if over else days.since) and edge <= today:
            return days
    return None


def _is_last(match: Match) -> int:
    which = (match["which"] or "").casefold()
    return int(which.startswith("last") or which.endswith("past"))


def _unit_back(unit: str, back: int, now: datetime) -> Days:
    if unit in {"week", "weekend"}:
        monday = shift(shift(now.date(), -now.weekday(), "day"), -back, "week")
        return Days(shift(monday, 5 if unit == "weekend" else 0, "day"), shift(monday, 1, "week"))
    first = now.date().replace(day=1) if unit == "month" else date(now.year, 1, 1)
    since = shift(first, -back, read_unit(unit))
    return Days(since, shift(since, 1, read_unit(unit)))


def _month(name: str, year: int) -> Days:
    number = next(i for i, each in enumerate(MONTHS, 1) if each.startswith(name.casefold()[:3]))
    first = date(year, number, 1)
    return Days(first, shift(first, 1, "month"))


def _season(name: str, year: int) -> Days:
    first = date(year, SEASONS[name.casefold()], 1)
    return Days(first, shift(first, 3, "month"))

"""Spans of time in an English text: found by patterns, kept only where they are meant as times. Pure.

dateparser reads what was found but is not asked to search: its search is slow, and takes "may I" for a month.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from knowledge.shaping import wording
from knowledge.shaping.windows import Days, shift
from knowledge.shaping.wording import MONTHS, NUMBERS, SEASONS, VAGUE, WEEKDAYS

NUMBER = rf"(?:an?\s+couple(?:\s+of)?|a\s+few|an?|{'|'.join([*VAGUE, *NUMBERS])}|\d{{1,3}})"
MODIFIER = r"(?:more\s+than|over|at\s+least|less\s+than|under|within|about|around|roughly|almost|nearly|exactly)"

_MONTH = rf"(?P<month>{'|'.join(MONTHS)}|(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?)"
_YEAR = r"(?:1\d{3}|20\d{2})(?![\w/%-]|[.,]\d)"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_TH = r"(?:st|nd|rd|th)"
_SEASON = "|".join(SEASONS)
# Not "his last year" nor "the last May": those are the last of something.
_WHICH = "".join(f"(?<!{owner} )" for owner in ("the", "his", "her", "my", "our", "its", "their", "your", "'s", "’s"))
_WHICH += r"(?P<which>last|this(?:\s+past)?)"
_THROUGH = r"\s*(?:and|or|to|through|[-–])\s*"
_FREE = r"(?<![\w.,:/])(?<!(?<!mid)-)"  # not within a word or a number
_PART_OF_DAY = r"(?:\s+(?:morning|afternoon|evening|night)\b)?"

# What may follow a word that only its place makes a time: "in May, when"; not "in May's", "on Monday Night Live".
_GOES_ON = re.compile(
    r"\s*(?:$|[,;:?!)—–]|\.(?!\d)|(?:I|and|or|to|through|until|till|when|what|where|who|which|why|how|did|does|do|was"
    r"|were|is|are|has|have|had|with|at|for|about|but|because|that|than|as|if|so|while|then|on|onwards?|in|from|before"
    r"|after|since|during|the|my|we|she|he|they|you|it|our|their|his|her|an?|there|into)\b(?!['’]))"
)
_CLAUSE_START = re.compile(r"(?:^|[.?!:;,(—])\s*$")
_NAME_BEFORE = re.compile(
    r"\b(?!(?:In|On|Since|Before|After|Until|Till|By|During|From|Between|What|Who|When|Where|Which|How|Early|Late|Mid|The"
    r"|Of|And|Or|Around|About|Throughout|As|Last|This|Back|Did|Was|Is)\b)[A-Z][\w'’]*[ ]+$"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time found in a text.

    Attributes:
        start: offset of its first character.
        end: offset behind its last character.
        days: what it means.
        bare: only a preposition before it makes it a time ("in 2019").
        yearless: no year is written.
    """

    start: int
    end: int
    days: Days
    bare: bool
    yearless: bool

    def in_year_of(self, later: "Span") -> Days:
        """Return its days in the last year that puts them before another span: March, in "March and May 2023"."""
        since, until, bound = self.days.since, self.days.until, later.days.since
        if not self.yearless or later.yearless or since is None or until is None or bound is None:
            return self.days
        years = bound.year - since.year
        years -= shift(since, years, "year") > bound
        return Days(shift(since, years, "year"), shift(until, years, "year"))


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str], datetime], Days | None]
    bare: bool = False  # as in Span, if neither a year is written nor which one is meant
    guarded: bool = False  # unless a year is written, only where the sentence goes on as after a time
    titled: bool = False  # capitalised within a clause it is a title: "Last Year", "Yesterday"
    named: bool = False  # behind a name it is one: "Theresa May 2017"


def _rule(pattern: str, read: Callable[[re.Match[str], datetime], Days | None], **traits: bool) -> _Rule:
    return _Rule(re.compile(rf"{_FREE}(?:{pattern})(?!\w)", re.IGNORECASE), read, **traits)


# The first that matches wins.
_RULES = (
    _rule(r"\d{4}-\d{2}-\d{2}", wording.iso_day),
    _rule(r"\d{1,2}([/.])\d{1,2}\1\d{4}", wording.numeric_day),
    _rule(
        rf"(?:(?P<first>{_DAY}){_TH}?{_THROUGH})?(?P<day>{_DAY})(?P<ordinal>{_TH})?\s+(?:of\s+)?{_MONTH}"
        rf"(?:,?\s+(?:of\s+)?(?P<year>{_YEAR}))?",
        wording.written_days,
        guarded=True,
    ),
    _rule(
        rf"{_MONTH}\s+(?:the\s+)?(?P<day>{_DAY})(?P<ordinal>{_TH})?(?:{_THROUGH}(?P<last>{_DAY}){_TH}?(?!\w))?"
        rf"(?:,?\s+(?:of\s+)?(?P<year>{_YEAR}))?",
        wording.written_days,
        guarded=True,
        named=True,
    ),
    _rule(rf"{_MONTH}\s+(?:of\s+)?(?P<which>last|this)\s+year", wording.month_of_that_year, named=True),
    _rule(rf"{_WHICH}\s+(?P<month>{'|'.join(MONTHS)})", wording.that_month, guarded=True),
    _rule(
        rf"(?P<season>{_SEASON})\s+(?:of\s+)?(?:(?P<year>{_YEAR})|(?P<which>last|this)\s+year)",
        wording.season_of_year,
        named=True,
    ),
    _rule(rf"{_WHICH}\s+(?P<season>{_SEASON})", wording.that_season, guarded=True),
    _rule(rf"{_MONTH}(?:,?\s+(?:of\s+|in\s+)?(?P<year>{_YEAR}))?", wording.month, bare=True, guarded=True, named=True),
    _rule(r"(?P<decade>1\d\d|20\d)0['’]?s", wording.decade, bare=True, guarded=True),
    _rule(_YEAR, wording.whole_year, bare=True, guarded=True),
    _rule(
        rf"(?:{_WHICH}\s+)?(?P<weekday>{'|'.join(WEEKDAYS)}){_PART_OF_DAY}",
        wording.weekday,
        bare=True,
        guarded=True,
    ),
    _rule(
        rf"(?:the\s+)?day\s+before\s+yesterday|yesterday{_PART_OF_DAY}|last\s+night|today",
        wording.spoken_day,
        titled=True,
    ),
    _rule(r"the\s+(?P<unit>weekend|week|month|year)\s+before\s+last", wording.unit_before_last),
    _rule(rf"{_WHICH}\s+(?P<unit>weekend|week|month|year)(?!\s+of\b)", wording.that_unit, titled=True),
    _rule(
        rf"(?:(?P<modifier>{MODIFIER})\s+)?(?P<number>{NUMBER})\s+(?P<unit>hour|day|night|weekend|week|month|year)s?\s+ago",
        wording.ago,
    ),
    _rule(
        rf"(?:in|over|during|within|for|throughout)\s+(?:the|these)\s+(?:last|past)\s+(?:(?P<number>{NUMBER})\s+)?"
        r"(?P<unit>day|week|month|year)s?(?!\s+of\b)",
        wording.rolling,
    ),
)


def find_spans(text: str, now: datetime) -> list[Span]:
    """Return the spans of time in a text, in order, those of bare words too."""
    found: list[Span] = []
    taken: list[tuple[int, int]] = []  # by what is no day, too: "31 February 2023" is not "February 2023"
    for rule in _RULES:
        for match in rule.pattern.finditer(text):
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            if not _is_meant(rule, match):
                continue
            taken.append((start, end))
            days = rule.read(match, now)
            if days is not None and not days.is_empty:
                groups = match.groupdict()
                bare = rule.bare and not (groups.get("year") or groups.get("which"))
                found.append(Span(start, end, days, bare, groups.get("year", "") is None))
    return sorted(found, key=lambda span: span.start)


def _is_meant(rule: _Rule, match: re.Match[str]) -> bool:
    text, groups = match.string, match.groupdict()
    before = text[max(0, match.start() - 40) : match.start()]
    surely = groups.get("year") and not (groups.get("month") or "").islower()
    if rule.guarded and not surely:
        end = match.end() + (2 if groups.get("which") and text[match.end() :].startswith(("'s", "’s")) else 0)
        if not (_GOES_ON.match(text, end) or end > match.end()):
            return False
    if rule.named and _NAME_BEFORE.search(before):
        return False
    return not (rule.titled and match[0][0].isupper() and not _CLAUSE_START.search(before))

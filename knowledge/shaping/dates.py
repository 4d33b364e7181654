"""When a question asks about: a window of time out of its words, or an event to count from. Pure.

Only English is read, and only what is surely a time: a question that is not understood is recalled unfiltered, while a
wrong window would hide the answer. For the same reason vague words widen a window ("early May" is all of May), and a
window that has not begun gives none: what is planned for next summer was said before it.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from knowledge.shaping.events import Event, find_event
from knowledge.shaping.spans import MODIFIER, NUMBER, Span, find_spans
from knowledge.shaping.windows import Days, Direction, Offset, TimeWindow, offset_days, shift
from knowledge.shaping.wording import read_offset, read_unit

__all__ = ["TimePhrase", "TimeWindow", "find_time", "resolve"]

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)['‘][^'’]+['’](?!\w)")

# What stands before a span: how far, which way, how exactly. Matched backwards from the span, hence the end.
_LEAD = re.compile(
    rf"(?:\b(?:(?:(?P<modifier>{MODIFIER})\s+)?(?P<number>{NUMBER})\s+(?P<unit>day|week|month|year)s?"
    r"|the\s+(?P<whole>day|week|month|year))\s+(?=before|after|prior))?"
    r"(?:\b(?P<link>in|on|during|throughout|within|over|at|around|about|between|from|of|by|as\s+of|before|prior\s+to"
    r"|until|till|up\s+to|through|since|after|following)\s+)?"
    r"(?:(?:the\s+)?(?P<vague>early|late|mid|(?:very\s+)?(?:beginning|start|middle|end)\s+of|(?:first|second|third|fourth"
    r"|last|other)\s+(?:\w+\s+)?(?:half|part|quarter|days?|weeks?|weekend|months?)\s+(?:of|in)|week(?:end)?\s+of)[\s-]+)?"
    r"(?:(?:the|all\s+of)\s+)?$",
    re.IGNORECASE,
)
_JOINED = re.compile(
    r"\s*,?\s*(?:and|or|to|until|till|through|[-–—])\s*(?:(?:in|on|the|early|mid|late)[\s-]+)*", re.IGNORECASE
)
_GOES_ON_TO = re.compile(r"\s*(?:to|until|till|through|onwards?|on|[-–—])(?!\w)")
_ONWARDS = re.compile(r"\s+(?:on|onwards?)\b")
_DENIED = re.compile(r"\b(?:not|except|besides|excluding|other\s+than|apart\s+from)\s+$", re.IGNORECASE)
_BELIEVED = re.compile(r"\b(?:believ|confid|trust|interest|fell|faith)\w*\s+$", re.IGNORECASE)
_OF_PAST = re.compile(r"\b(?:did|was|were|have|has|had|happened)\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"\s*(?:[?.!,;:]|$)")

_BEFORE = {"before", "prior to"}
_UNTIL = {"until", "till", "up to", "through", "by", "as of"}
_AFTER = {"after", "following"}
_DIRECTED = _BEFORE | _AFTER | {"since"}
_PLAIN = {"", "in", "on", "during", "throughout", "within", "over", "at", "around", "about", "between", "from", "of"}
# What makes a time of a bare "2019", "Friday", "the 1990s", and of "May", which is also a name and a verb.
_MAKES_MONTH = _BEFORE | _AFTER | _UNTIL - {"by"} | {"since", "in", "during", "throughout", "between", "around"}
_MAKES_TIME = _MAKES_MONTH | {"on", "from", "by"}


@dataclass(frozen=True, slots=True)
class TimePhrase:
    """The time that a question asks about.

    Attributes:
        phrase: the words that say it.
        window: the time, if the calendar gives it; else an event does.
        event: what to count from, as words to recall it by.
        direction: whether the time is before or after the event.
        offset: how far from it; None for all that is before or after.
    """

    phrase: str
    window: TimeWindow | None = None
    event: str | None = None
    direction: Direction = "after"
    offset: Offset | None = None


@dataclass(frozen=True, slots=True)
class _Led:
    """A span with what stands before it."""

    span: Span
    start: int
    link: str
    vague: bool
    offset: Offset | None


def find_time(question: str, now: datetime) -> TimePhrase | None:
    """Return the time that a question asks about, None unless there surely is one.

    Args:
        question: in English.
        now: what "yesterday" counts from, such as the present or the end of the thread that is asked; its time zone
            says when a day begins, UTC if it has none.
    """
    text = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), question)
    led = _lead_all(text, find_spans(text, now))
    event = find_event(text)
    if event and all(_belongs_to(each, event) for each in led):
        words = question[event.event_start : event.end].strip()
        return TimePhrase(question[event.start : event.end].strip(), None, words, event.direction, event.offset)
    if not 1 <= len(led) <= 2:
        return None
    first, last = led[0], led[-1]
    days = _days_of_one(text, first) if len(led) == 1 else _days_of_two(text, first, last)
    if days is None or days.is_empty or days == Days(None, None) or (days.since and days.since > now.date()):
        return None
    return TimePhrase(question[first.start : last.span.end].strip(), days.in_zone(now.tzinfo))


def resolve(phrase: TimePhrase, event_at: datetime) -> TimeWindow:
    """Return the window of a phrase whose event was at a moment; of a phrase without an event, its own."""
    if phrase.window is not None:
        return phrase.window
    return offset_days(event_at.date(), phrase.offset, phrase.direction).in_zone(event_at.tzinfo)


def _lead_all(text: str, spans: list[Span]) -> list[_Led]:
    """Return the spans that are times after all, each with what stands before it."""
    found: list[_Led] = []
    for span in spans:
        joined = bool(found) and _JOINED.fullmatch(text, found[-1].span.end, span.start) is not None
        lead = _LEAD.search(text, max(0, span.start - 80), span.start)
        if lead is not None and _is_meant(text, span, lead, joined=joined):
            offset = None
            if lead["number"]:
                offset = read_offset(lead["number"], lead["unit"], lead["modifier"])
            elif lead["whole"]:
                offset = Offset(1, 1, read_unit(lead["whole"]), "whole")
            found.append(_Led(span, lead.start(), _link(lead), bool(lead["vague"]), offset))
    return found


def _link(lead: re.Match[str]) -> str:
    return " ".join((lead["link"] or "").casefold().split())


def _is_meant(text: str, span: Span, lead: re.Match[str], *, joined: bool) -> bool:
    before, link = text[: lead.start()], _link(lead)
    if _DENIED.search(before):
        return False
    if text[span.start : span.end].casefold() == "today":  # else it says how things are
        return bool(_OF_PAST.search(before) and _CLAUSE_END.match(text, span.end))
    if not span.bare or joined or lead["vague"]:
        return True
    if span.yearless:
        ranges = link == "from" and _GOES_ON_TO.match(text, span.end)
        return bool(ranges or link in _MAKES_MONTH) and not _BELIEVED.search(before)
    return link in _MAKES_TIME


def _belongs_to(led: _Led, event: Event) -> bool:
    """Return whether a span only says more of an event: "the trip in May", but not "before May"."""
    return event.event_start <= led.start and led.span.end <= event.end and led.link not in _DIRECTED


def _days_of_one(text: str, led: _Led) -> Days | None:
    days, link = led.span.days, led.link
    direction: Direction = "before" if link in _BEFORE else "after"
    if led.offset is not None:
        edge = days.since if direction == "before" else days.until and shift(days.until, -1, "day")
        return None if edge is None else offset_days(edge, led.offset, direction)
    if link in _BEFORE | _UNTIL:
        return Days(None, days.since if link in _BEFORE and not led.vague else days.until)
    if link in _AFTER:
        return Days(days.since if led.vague else days.until, None)
    if link == "since" or (link == "from" and _ONWARDS.match(text, led.span.end)):
        return Days(days.since, None)
    if led.vague and days.since and days.until == shift(days.since, 1, "day"):  # "the week of 8 May"
        monday = shift(days.since, -days.since.weekday(), "day")
        return Days(monday, shift(monday, 1, "week"))
    return days


def _days_of_two(text: str, first: _Led, last: _Led) -> Days | None:
    between = _JOINED.fullmatch(text, first.span.end, last.span.start)
    if between is None or first.link not in _PLAIN or first.offset or last.offset:
        return None
    days = Days(first.span.in_year_of(last.span).since, last.span.days.until)
    if days.is_empty and days.since and first.span.yearless:  # "between November and February"
        return Days(shift(days.since, -1, "year"), days.until)
    return days

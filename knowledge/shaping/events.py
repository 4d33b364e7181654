"""Events that a question counts from: "two weeks before the trip", "after Ann moved". Pure."""

import re
from dataclasses import dataclass

from knowledge.shaping.spans import MODIFIER, NUMBER
from knowledge.shaping.windows import Direction, Offset
from knowledge.shaping.wording import read_offset, read_unit

_UNIT = r"(?:day|night|morning|evening|weekend|week|month|year)"
_PAST = (
    r"(?:\w+ed|was|were|had|got|went|left|came|began|started|met|bought|sold|took|made|lost|won|found|broke|fell|flew"
    r"|gave|quit|became|saw|told|said|wrote|ran|died|did|drove|ate|built|brought|caught|chose|felt|fought|forgot|grew"
    r"|heard|kept|led|paid|sent|sang|slept|spoke|spent|taught|thought|threw|woke|wore)"
)
_OWNER = r"(?:the|my|our|his|her|their|your|its|[A-Z][\w-]*(?: [A-Z][\w-]*)?['’]s?)"
_SUBJECT = r"(?:I|we|he|she|they|you|it|[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)?)"
_NO_EVENT = (
    r"(?:fact|name|letter|word|number|judge|court|committee|king|queen|mirror|altar|crowd|camera|others?|rest|same|time"
    r"|law|house|door|beginning|start|eyes?|(?:first|last|next|previous)(?=\s+(?:ones?|of|time)\b|\W*$))"
)
_NO_GERUND = r"(?:anything|everything|something|nothing|morning|evening|king|spring|string|being)"
_POINTER = r"(?:that|this|it|them|him|her|me|us|you|those|these|tomorrow|yesterday|today|now|next|last|then|all)"
# An event ends with its clause: at a mark, or where the question itself begins.
_WORDS = r"[^,;:?!()\n]*?(?=[\s.]*(?:[,;:?!()\n]|$)|(?:\s+and)?\s+(?:what|whom?|where|when|why|how|which|did)\b)"

_COUNTED = re.compile(
    rf"\b(?:(?:(?P<modifier>{MODIFIER})\s+)?(?P<number>{NUMBER})\s+(?P<unit>{_UNIT})s?|the\s+(?P<whole>{_UNIT}))"
    rf"\s+(?P<link>before|after|prior\s+to|following)\s+(?P<event>(?!{_POINTER}\b|whom?\b|which\b)[^\W\d_]{_WORDS})",
    re.IGNORECASE,
)
_UNCOUNTED = re.compile(
    r"\b(?P<link>[Bb]efore|[Aa]fter|[Ss]ince|[Pp]rior\s+to|[Ff]ollowing)\s+"
    rf"(?P<event>{_OWNER}\s+(?!{_NO_EVENT}\b)[^\W\d_]{_WORDS}"
    rf"|(?P<clause>{_SUBJECT}\s+(?:(?:first|finally|last|also|just)\s+)?{_PAST}\b{_WORDS})"
    rf"|(?!{_NO_GERUND}\b)[a-z]+ing\b{_WORDS})"
)
# "look after", "named after", "stand before the judge": no times.
_OTHER_SENSE = re.compile(
    r"\b(?:look\w*|named|called|titled|christened|tak(?:e|es|en|ing)|took|ask\w*|runs?|ran|running|chas\w+|comes?|coming"
    r"|model\w+|pattern\w+|appear\w*|stand\w*|stood|kneel\w*|knelt|testif\w+|seek\w*|sought|inquir\w+|rank\w*|listed|put"
    r"|the)\s+$",
    re.IGNORECASE,
)
_CLAUSE_START = re.compile(r"(?:^|[.?!:;,])\s*$")


@dataclass(frozen=True, slots=True)
class Event:
    """An event found in a text, and which time is meant by it.

    Attributes:
        start: offset of the first character of what is said of the time.
        event_start: offset of the first character of the event alone.
        end: offset behind the last character of both.
        direction: whether the time is before or after it.
        offset: how far; None for all that is before or after.
    """

    start: int
    event_start: int
    end: int
    direction: Direction
    offset: Offset | None


def find_event(text: str) -> Event | None:
    """Return the one event that a text counts from; None without one, or with more than one."""
    counted = [_to_event(match) for match in _COUNTED.finditer(text)]
    if counted:
        return counted[0] if len(counted) == 1 else None
    events = [_to_event(match) for match in _UNCOUNTED.finditer(text) if _is_meant(match)]
    return events[0] if len(events) == 1 else None


def _is_meant(match: re.Match[str]) -> bool:
    before = match.string[: match.start()]
    if match["link"].casefold() == "since" and match["clause"] and _CLAUSE_START.search(before):
        return False  # "Since Ann liked tea, what shall I give her?"
    return not _OTHER_SENSE.search(before)


def _to_event(match: re.Match[str]) -> Event:
    groups, offset = match.groupdict(), None
    if number := groups.get("number"):
        offset = read_offset(number, match["unit"], match["modifier"])
    elif unit := groups.get("whole"):
        offset = Offset(1, 1, read_unit(unit), "whole")
    direction: Direction = "before" if match["link"].casefold().startswith(("before", "prior")) else "after"
    return Event(match.start(), match.start("event"), match.end(), direction, offset)

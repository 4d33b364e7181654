"""What is embedded and indexed for a passage: its own words with the context that they need. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from knowledge.headings import find_headings

PATH_SEPARATOR = " > "
PREVIOUS_PASSAGES = 2
KEY_BYTES = 16

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SENTENCE_ENDS = (".", "!", "?", ":", "…", "。", "！", "？")


@dataclass(frozen=True, slots=True)
class Context:
    """What is embedded of a passage: its own text, then what it borrows.

    Attributes:
        own: how many characters, at its beginning, are the passage's own.
    """

    text: str
    own: int

    @property
    def key(self) -> bytes:
        """What equal contexts share and others do not, KEY_BYTES long: with one model, its vector and token states."""
        return hashlib.sha256(f"{self.own} {self.text}".encode()).digest()[:KEY_BYTES]


def own_text(text: str, title: str | None, heading: str | None, speaker: str | None) -> str:
    """Return a passage with who says it, or with the title and the headings it stands under.

    "Ann: text" for a speaker; else "Title. Heading. text". What is said twice is left out: a heading equal to the
    title, and whatever the passage itself begins with.

    Args:
        text: the passage as it is shown.
        title: of its document.
        heading: path of headings, parts joined by PATH_SEPARATOR.
        speaker: of its document; takes the place of title and headings.
    """
    if speaker:
        return f"{speaker}: {text}"
    said = _opening_headings(text)
    parts = []
    for part in (title, *(heading.split(PATH_SEPARATOR) if heading else ())):
        if part and part.casefold() not in said:
            said.add(part.casefold())
            parts.append(part if part.endswith(_SENTENCE_ENDS) else f"{part}.")
    return " ".join((*parts, text))


def context_text(own: str, previous: Sequence[str], occurred_at: datetime | None) -> str:
    """Return a passage's own text, then the passages before it in its thread, then its date.

    The own text leads: an embedder that cuts long input keeps it whole, and its tokens are found by offset.

    Args:
        own: from `own_text`.
        previous: own texts of earlier passages of the thread, nearest last; the last PREVIOUS_PASSAGES are used.
        occurred_at: when it happened; shown as the day in UTC.
    """
    parts = [own, *previous[-PREVIOUS_PASSAGES:]]
    if occurred_at is not None:
        day = occurred_at.astimezone(UTC)
        # Not strftime: the name of the month must not depend on the machine's locale.
        parts.append(f"[{day.day} {_MONTHS[day.month - 1]} {day.year}]")
    return " ".join(parts)


def _opening_headings(text: str) -> set[str]:
    names, end = set[str](), 0
    for heading in find_headings(text):
        if text[end : heading.start].strip():
            break
        names.add(heading.name.casefold())
        end = heading.end
    return names

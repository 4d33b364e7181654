"""What is told of a source that could not be read."""

import re
import time
from dataclasses import dataclass, field

MOST_SECONDS = 300.0  # of reading one file: far more than any honest one takes
MOST_CHARS = 1_000

# What would garble a terminal or a page, or cannot be stored: controls, lone surrogates, marks of writing direction.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


class UnreadableError(Exception):
    """What a reader raises for a file that it cannot turn into text; the message says why, the name is added above."""


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """A file, folder or row that was passed over; what stands beside it is still read.

    Attributes:
        name: of the file or folder, fit to be shown.
        problem: what is wrong, for people; fit to be shown, however odd the source.
        line: of the row, counted from 1; None if the whole source was passed over.
    """

    name: str
    problem: str
    line: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", _showable(self.name))
        object.__setattr__(self, "problem", _showable(self.problem))

    def __str__(self) -> str:
        place = self.name if self.line is None else f"{self.name}, line {self.line}"
        return f"{place}: {self.problem}"


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """Ends the reading of a file that was made to take for ever; it begins when this is made."""

    ends: float = field(default_factory=lambda: time.monotonic() + MOST_SECONDS)

    def check(self) -> None:
        """Go on, or not.

        Raises:
            UnreadableError: the time is over.
        """
        if time.monotonic() > self.ends:
            raise UnreadableError(f"takes longer than {MOST_SECONDS:.0f} s to read; split it")


def _showable(text: str) -> str:
    shown = text[: MOST_CHARS + 1]
    if not shown.isprintable():
        shown = _UNSHOWABLE.sub("\ufffd", shown)
    return shown if len(shown) <= MOST_CHARS else f"{shown[: MOST_CHARS - 1]}…"

"""What is told of a source that could not be read."""

from dataclasses import dataclass


class UnreadableError(Exception):
    """What a reader raises for a file that it cannot turn into text; the message says why, the name is added above."""


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """A file, folder or row that was passed over; what stands beside it is still read.

    Attributes:
        name: of the file or folder.
        problem: what is wrong, for people.
        line: of the row, counted from 1; None if the whole source was passed over.
    """

    name: str
    problem: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.name if self.line is None else f"{self.name}, line {self.line}"
        return f"{place}: {self.problem}"

"""What every contender asks, what it is answered, and what it must be able to do.

Nothing of ours may be imported here: one contender lives in an environment that has none of it.
"""

from dataclasses import dataclass
from typing import Protocol

MODEL = "gpt-bench"
KEY = "none"
SYSTEM = "Answer from the evidence, in one sentence."
QUESTION = (
    "[1] Notes | notes.md\nAda moved to Turin in 2019, after nine years in Genoa.\n\nQuestion: When did Ada move?"
)
MAX_TOKENS = 256

PIECES = (
    "Ada ",
    "moved ",
    "to ",
    "Turin ",
    "in ",
    "2019, ",
    "after ",
    "nine ",
    "years ",
    "in ",
    "the ",
    "port ",
    "of ",
    "Genoa ",
    "[1].",
)
TEXT = "".join(PIECES)
"""The answer, whole and as it is streamed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a contender heard: the whole text, and when it had the first piece of it, by `time.perf_counter`."""

    text: str
    first_at_s: float


class Contender(Protocol):
    """One way to ask, called as its users call it."""

    async def ask(self) -> str:
        """Return the answer."""

    async def stream(self) -> Heard:
        """Read a streamed answer to its end."""

    async def aclose(self) -> None:
        """Close the connections."""

"""The seam: what the router needs of a model, whoever runs it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from llm_router.prompt import Prompt
from llm_router.reply import Answer


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long one attempt may take, in seconds.

    Attributes:
        connect_s: until the connection stands; the adapter keeps it.
        first_token_s: of a stream, until its first sign of work; the router keeps it.
        gap_s: of a stream, between two such signs; the router keeps it.
        total_s: for all of it; the router keeps it, and the adapter passes it on.
    """

    connect_s: float = 5.0
    first_token_s: float = 60.0
    gap_s: float = 30.0
    total_s: float = 60.0


class Target(Protocol):
    """One model behind one address.

    `ask` and `stream` raise `TargetFault` for whatever the other side does wrong, and nothing else for it; neither
    retries.
    """

    @property
    def name(self) -> str:
        """Unique in a router."""

    @property
    def provider(self) -> str:
        """Whose wire it speaks."""

    @property
    def model(self) -> str:
        """As the configuration names it."""

    async def ask(self, prompt: Prompt, clocks: Clocks) -> Answer:
        """Return the whole answer."""

    def stream(self, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
        """Yield the answer's pieces and, last and once, the whole of it.

        An empty piece is a sign of work that no reader sees: thinking, or a piece of a tool call.
        """

    async def aclose(self) -> None:
        """Close the connections."""

"""The seam: what the router needs of a model, whoever runs it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from llm_router.prompt import Prompt
from llm_router.reply import Answer, Prices


class Target(Protocol):
    """One model behind one address.

    Both methods raise `TargetFault` for whatever the other side does wrong, and nothing else for it; neither retries.
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

    async def ask(self, prompt: Prompt, timeout_s: float) -> Answer:
        """Return the whole answer."""

    def stream(self, prompt: Prompt, timeout_s: float) -> AsyncIterator[str | Answer]:
        """Yield the answer's pieces and, last and once, the whole of it."""


@dataclass(frozen=True, slots=True)
class Route:
    """A target and how the router treats it.

    Attributes:
        timeout_s: the longest that one attempt may take.
        prices: None if not known.
        local: needs no network, so it is asked even when the deadline has passed.
    """

    target: Target
    timeout_s: float = 60.0
    prices: Prices | None = None
    local: bool = False

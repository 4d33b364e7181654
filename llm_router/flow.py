"""One streamed attempt, read under a clock that does not run while the reader is busy elsewhere."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from llm_router.faults import TargetFault
from llm_router.ledger import Start
from llm_router.prompt import Prompt
from llm_router.reply import Answer
from llm_router.target import Target


class Flow:
    """An answer as it arrives.

    Attributes:
        start: when it was asked for.
        text: all that has arrived.
        answer: the whole, once it is there.
    """

    def __init__(self, target: Target, prompt: Prompt, timeout_s: float, start: Start) -> None:
        self.start = start
        self._target = target
        self._items = _closable(target.stream(prompt, timeout_s))
        self._ends_at = asyncio.get_running_loop().time() + timeout_s
        self.text = ""
        self.answer: Answer | None = None

    async def read(self) -> str:
        """Return the next piece, or an empty string at the end.

        Raises:
            TargetFault: the target failed, was too slow, or ended without its answer.
        """
        item = await self._next()
        if item is None:
            raise TargetFault(self._target.name, "truncated")
        if isinstance(item, Answer):
            self.answer = item
            item = "" if self.text else item.text
        self.text += item
        return item

    async def read_start(self) -> str:
        """Return the first pieces up to one that says something, or an empty string if nothing ever did.

        Raises:
            TargetFault: as `read` does.
        """
        while not self.text.strip() and self.answer is None:
            await self.read()
        return self.text

    async def aclose(self) -> None:
        """Close the target's stream, and with it the connection."""
        await self._items.aclose()

    async def _next(self) -> str | Answer | None:
        try:
            async with asyncio.timeout_at(self._ends_at):
                return await anext(self._items, None)
        except TimeoutError:
            fault = TargetFault(self._target.name, "timeout")
        raise fault


async def _closable(items: AsyncIterator[str | Answer]) -> AsyncGenerator[str | Answer]:
    """Give any iterator an `aclose`; a generator's own is passed on."""
    if isinstance(items, AsyncGenerator):
        async with aclosing(items):
            async for item in items:
                yield item
    else:
        async for item in items:
            yield item

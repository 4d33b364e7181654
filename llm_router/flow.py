"""One streamed attempt, read under clocks that do not run while the reader is busy elsewhere."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from types import TracebackType
from typing import Self

from llm_router.attempting import Attempting
from llm_router.faults import TargetFault
from llm_router.prompt import Prompt
from llm_router.reply import Answer
from llm_router.route import Route
from llm_router.target import Clocks, Target


class Flow:
    """An answer as it arrives. Leaving it closes the connection and enters how the attempt ended.

    Attributes:
        answer: the whole, once it is there.
    """

    def __init__(self, route: Route, prompt: Prompt, clocks: Clocks, attempt: Attempting) -> None:
        streams = route.limits.streaming
        items = route.target.stream(prompt, clocks) if streams else _in_one_piece(route.target, prompt, clocks)
        self.route = route
        self.answer: Answer | None = None
        self._attempt = attempt
        self._pieces: list[str] = []
        self._items = _closable(items)
        self._left_s = clocks.total_s
        self._wait_s = clocks.first_token_s if streams else clocks.total_s
        self._gap_s = clocks.gap_s
        self._scope = AsyncExitStack()

    @property
    def text(self) -> str:
        """All that has arrived."""
        return "".join(self._pieces)

    async def read(self) -> str:
        """Return the next piece: empty for a sign of work, and at the end.

        Raises:
            TargetFault: the target failed, was too slow, or ended without its answer.
        """
        item = await self._next()
        if item is None:
            raise TargetFault(self.route.name, "truncated")
        if isinstance(item, Answer):
            self.answer = item
            self._attempt.answer(item)
            item = "" if self._attempt.characters else item.text
        if item:
            self._pieces.append(item)
            self._attempt.characters += len(item)
        return item

    async def read_start(self) -> None:
        """Read up to the first piece that says something, or to the end if nothing ever does.

        Raises:
            TargetFault: as `read` does.
        """
        while not self.text.strip() and self.answer is None:
            await self.read()

    def own(self, scope: AsyncExitStack) -> None:
        """Take over what must be left with the flow."""
        self._scope = scope

    async def close_items(self) -> None:
        """Close the target's stream, and with it the connection."""
        await self._items.aclose()

    async def abandon(self) -> None:
        """Leave a flow that nobody reads any more."""
        await self.__aexit__(asyncio.CancelledError, asyncio.CancelledError(), None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._scope.__aexit__(kind, error, trace)

    async def _next(self) -> str | Answer | None:
        clock = asyncio.get_running_loop().time
        begun = clock()
        self._attempt.resume()
        try:
            async with asyncio.timeout(min(self._wait_s, self._left_s)):
                item = await anext(self._items, None)
        except TimeoutError:
            fault = TargetFault(self.route.name, "timeout")
        else:
            self._left_s -= clock() - begun
            self._wait_s = self._gap_s
            self._attempt.mark_first_token()
            return item
        finally:
            self._attempt.pause()
        raise fault


async def _in_one_piece(target: Target, prompt: Prompt, clocks: Clocks) -> AsyncIterator[str | Answer]:
    yield await target.ask(prompt, clocks)


async def _closable(items: AsyncIterator[str | Answer]) -> AsyncGenerator[str | Answer]:
    """Give any iterator an `aclose`; a generator's own is passed on."""
    if isinstance(items, AsyncGenerator):
        async with aclosing(items):
            async for item in items:
                yield item
    else:
        async for item in items:
            yield item

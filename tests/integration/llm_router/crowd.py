"""Many callers at once, some of whom leave; and what they may not leave behind."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

import psutil

from core.errors import AllTargetsFailedError, BudgetExceededError, StreamBrokenError
from llm_router import Caller, Prompt, Reply, ReplyEvent, Router

PATIENCE_S = 5.0


@dataclass(slots=True)
class Outcomes:
    """How the calls ended; `left` counts the callers who did not wait for it."""

    replies: list[Reply] = field(default_factory=list)
    errors: list[AllTargetsFailedError | StreamBrokenError | BudgetExceededError] = field(default_factory=list)
    left: int = 0

    def answers(self) -> Counter[str]:
        """How many answers each target gave."""
        return Counter(reply.target for reply in self.replies)


class Crowd:
    """Callers of a router, each in a task of its own."""

    def __init__(self, router: Router, prompt: Prompt, *, caller: Caller | None = None) -> None:
        self._router = router
        self._prompt = prompt
        self._caller = caller or Caller()
        self._tasks: list[asyncio.Task[None]] = []
        self.outcomes = Outcomes()

    def call(self, model: str, *, streamed: bool, leave_after: int | None = None) -> asyncio.Task[None]:
        """Begin a call; of a stream, leave after so many events."""
        work = self._stream(model, leave_after) if streamed else self._ask(model)
        task = asyncio.create_task(work)
        self._tasks.append(task)
        return task

    async def end(self) -> Outcomes:
        """Wait until all calls have ended, and tell how."""
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, asyncio.CancelledError):
                self.outcomes.left += 1
            elif isinstance(ended, AllTargetsFailedError | StreamBrokenError | BudgetExceededError):
                self.outcomes.errors.append(ended)
            elif isinstance(ended, BaseException):
                raise ended
        return self.outcomes

    async def _ask(self, model: str) -> None:
        self.outcomes.replies.append(await self._router.ask(self._prompt, model=model, caller=self._caller))

    async def _stream(self, model: str, leave_after: int | None) -> None:
        read = 0
        async with aclosing(self._router.stream(self._prompt, model=model, caller=self._caller)) as events:
            async for event in events:
                if isinstance(event, ReplyEvent):
                    self.outcomes.replies.append(event.reply)
                read += 1
                if read == leave_after:
                    self.outcomes.left += 1
                    return


async def cancel_some(tasks: Iterable[asyncio.Task[None]], random: Random, *, share: float, within_s: float) -> None:
    """Cancel a share of the tasks, each at a moment of its own; some of these twice, as an impatient server does."""

    async def cancel(task: asyncio.Task[None], after_s: float, again: bool) -> None:
        await asyncio.sleep(after_s)
        task.cancel()
        if again:
            await asyncio.sleep(0.001)
            task.cancel()

    chosen = [task for task in tasks if random.random() < share]
    await asyncio.gather(*(cancel(task, random.random() * within_s, random.random() < 0.3) for task in chosen))


def count_connections(address: str) -> int:
    """Return how many connections a server on this machine has with this process, as the system knows them."""
    port = urlsplit(address).port
    known = psutil.Process(os.getpid()).net_connections("tcp4")
    return sum(each.laddr.port == port and each.status == psutil.CONN_ESTABLISHED for each in known if each.laddr)


async def wait_until_closed(*addresses: str) -> None:
    """Wait until no connection with these servers is left.

    Raises:
        TimeoutError: one stays open.
    """
    async with asyncio.timeout(PATIENCE_S):
        while any(map(count_connections, addresses)):  # noqa: ASYNC110 - the system tells nobody
            await asyncio.sleep(0.01)


async def wait_for_tasks(before: set[asyncio.Task[object]]) -> set[asyncio.Task[object]]:
    """Return the tasks that were begun since and do not end."""
    left = asyncio.all_tasks() - before
    return (await asyncio.wait(left, timeout=PATIENCE_S))[1] if left else set()

"""Many callers at once, some of whom leave; and what they may not leave behind."""

import asyncio
import os
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

import psutil

from core.errors import AllTargetsFailedError, BudgetExceededError, StreamBrokenError
from llm_router import DEFAULT_MODEL, Prompt, Reply, ReplyEvent, Router

PATIENCE_S = 60.0

Call = asyncio.Task[Reply | None]


@dataclass(slots=True)
class Outcomes:
    """How calls ended; `left` counts the callers who did not wait for it."""

    replies: list[Reply] = field(default_factory=list)
    errors: list[AllTargetsFailedError | StreamBrokenError | BudgetExceededError] = field(default_factory=list)
    left: int = 0


class Crowd:
    """Callers of a router, each in a task of its own."""

    def __init__(self, router: Router, prompt: Prompt, deadline_s: float | None = None) -> None:
        self._router = router
        self._prompt = prompt
        self._deadline_s = deadline_s
        self._calls: list[Call] = []

    def call(self, model: str = DEFAULT_MODEL, *, streamed: bool = False, leave_after: int | None = None) -> Call:
        """Begin a call; the reader of a stream leaves after so many events."""
        work = self._stream(model, leave_after) if streamed else self._ask(model)
        call = asyncio.create_task(work)
        self._calls.append(call)
        return call

    async def end(self) -> Outcomes:
        """Wait until all calls have ended, and tell how; whatever no caller should see is raised."""
        outcomes = Outcomes()
        for ended in await asyncio.gather(*self._calls, return_exceptions=True):
            if isinstance(ended, Reply):
                outcomes.replies.append(ended)
            elif ended is None or isinstance(ended, asyncio.CancelledError):
                outcomes.left += 1
            elif isinstance(ended, AllTargetsFailedError | StreamBrokenError | BudgetExceededError):
                outcomes.errors.append(ended)
            else:
                raise ended
        return outcomes

    async def _ask(self, model: str) -> Reply:
        return await self._router.ask(self._prompt, model=model, deadline_s=self._deadline_s)

    async def _stream(self, model: str, leave_after: int | None) -> Reply | None:
        stream = self._router.stream(self._prompt, model=model, deadline_s=self._deadline_s)
        read = 0
        async with aclosing(stream) as events:
            async for event in events:
                if isinstance(event, ReplyEvent):
                    return event.reply
                read += 1
                if read == leave_after:
                    return None
        raise AssertionError("a stream ended without its reply")


async def cancel_some(tasks: Iterable[Call], random: Random, *, share: float, within_s: float) -> None:
    """Cancel a share of the tasks, each at a moment of its own; some of these twice, as an impatient server does."""

    async def cancel(task: Call, after_s: float, *, again: bool) -> None:
        await asyncio.sleep(after_s)
        task.cancel()
        if again:
            await asyncio.sleep(0.001)
            task.cancel()

    chosen = [task for task in tasks if random.random() < share]
    await asyncio.gather(*(cancel(task, random.random() * within_s, again=random.random() < 0.3) for task in chosen))


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

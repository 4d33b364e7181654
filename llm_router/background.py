"""Work that must end even if whoever began it leaves."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    """Tasks of their own, held until they have ended."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin a piece of work."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """Wait until all of it has ended, also what begins meanwhile."""
        while self._tasks:  # not gathered, which a caller who leaves would cancel
            await asyncio.wait(self._tasks)

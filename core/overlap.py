"""Work that goes on while its owner prepares the next of its kind."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class Overlap:
    """Runs one piece of work after another beside its owner, and ends with the owner.

    As an async context manager: at the end the last piece is waited for, and its error is raised rather than one of
    the owner's, which came after it. Where the owner is cancelled, so is the piece: what it met then is not told.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a piece of work, once the one before it is done.

        Raises:
            Exception: what the one before it raised; `work` is not begun then.
        """
        try:
            await self._settle()
            _heed_cancellation()
        except BaseException:
            work.close()
            raise
        self._task = asyncio.create_task(work)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            await leave(self._task)
        else:
            await self._settle()

    async def _settle(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            await task


async def leave(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task whose outcome is of no use any more, and wait for its end."""
    if task is None:
        return
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # otherwise it would be told of, as never retrieved


def _heed_cancellation() -> None:
    """End here if that was asked for: Python 3.11 may lose a cancellation that meets the answer of the database."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError

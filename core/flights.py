"""Work that several callers wait for and that is done once."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """Work in a task of its own: whoever began it may leave, and it goes on while anybody still waits for it.

    Args:
        work: what is to be done.
        on_end: called once, when nobody may join any more: the work is over, or is given up.
    """

    def __init__(self, work: Coroutine[Any, Any, T], on_end: Callable[["Flight[T]"], None]) -> None:
        self._on_end: Callable[[Flight[T]], None] | None = on_end
        self._waiting = 0
        self.task = asyncio.create_task(work)
        self.task.add_done_callback(self._close)

    def result(self) -> T:
        """Return what the work gave, or raise what it raised."""
        return self.task.result()

    def board(self) -> None:
        """Begin to wait."""
        self._waiting += 1

    def leave(self) -> None:
        """Wait no more; if nobody else does, the work is given up."""
        self._waiting -= 1
        if not self._waiting and not self.task.done():
            self._close(self.task)
            self.task.cancel()

    def _close(self, _: asyncio.Task[T]) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end(self)


async def wait_for(flights: Collection[Flight[T]]) -> None:
    """Wait until all of these are over, however they end; `Flight.result` then tells how.

    A caller that is cancelled meanwhile first sees those to their end that nobody else waits for: they are cancelled
    as if they were its own.
    """
    tasks = [flight.task for flight in flights]
    for flight in flights:
        flight.board()
    try:
        if tasks:
            await asyncio.wait(tasks)
    finally:
        for flight in flights:
            flight.leave()
        given_up = [task for task in tasks if task.cancelling()]
        if given_up:
            await asyncio.wait(given_up)
        for task in tasks:
            if task.done() and not task.cancelled():
                task.exception()  # seen, so that asyncio does not report it where nobody waits for it any more


class Flights:
    """Flights under way, each by its key."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, Flight[Any]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def once(self, key: Hashable, produce: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """Return what `produce` gives, run once for all who ask for the same key at the same time.

        Returns:
            The value, one object for all of them, and whether this caller's `produce` was the one that ran.
        """
        flight: Flight[T] | None = self._flights.get(key)
        led = flight is None
        if flight is None:
            flight = self._flights[key] = Flight(produce(), lambda over: self._remove(key, over))
        await wait_for([flight])
        return flight.result(), led

    def _remove(self, key: Hashable, over: Flight[Any]) -> None:
        if self._flights.get(key) is over:
            del self._flights[key]

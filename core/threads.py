"""Threads for work that may never end: code of others, and what takes so long that its caller may leave."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import NoReturn, TypeVar

T = TypeVar("T")


async def run_aside(work: Callable[[], T]) -> T:
    """Run work in a thread of its own, in a copy of this context.

    Unlike `asyncio.to_thread`: work that hangs takes no thread from others and does not keep the process from ending,
    and work that asks the process to end is only that work's failure. A caller that is cancelled leaves it behind.

    Raises:
        RuntimeError: the work asked the process to end.
        Exception: whatever it raised.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Callable[[], T]] = loop.create_future()

    def settle(outcome: Callable[[], T]) -> None:
        if not ended.done():  # else nobody waits for it any more
            ended.set_result(outcome)

    def carry_out() -> None:
        outcome = _try(work)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, outcome)

    Thread(target=copy_context().run, args=(carry_out,), name="aside", daemon=True).start()
    return (await ended)()


def _try(work: Callable[[], T]) -> Callable[[], T]:
    """Return what gives the work's result, or raises what it raised."""
    try:
        result = work()
    except Exception as e:  # noqa: BLE001 - it is raised where the work is waited for
        error = e
    except BaseException as e:  # noqa: BLE001 - SystemExit and its like, which would end the event loop
        error = RuntimeError(f"the work asked the process to end: {type(e).__name__}: {e}")
        error.__cause__ = e
    else:
        return lambda: result

    def fail() -> NoReturn:
        raise error

    return fail

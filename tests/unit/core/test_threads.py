"""Work in threads of its own: what it gives and raises, what it cannot do to others."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from core.threads import run_aside

WORD = ContextVar("WORD", default="")


async def test_work_gives_its_result_and_sees_the_context() -> None:
    WORD.set("here")
    assert await run_aside(lambda: (WORD.get(), threading.current_thread().daemon)) == ("here", True)


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("x")], ids=repr)
async def test_what_work_raises_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        await run_aside(lambda: _raise(error))
    assert caught.value is error


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), StopIteration(1)], ids=repr)
async def test_work_cannot_end_the_loop(error: BaseException) -> None:
    with pytest.raises(RuntimeError):
        await run_aside(lambda: _raise(error))
    assert await run_aside(lambda: "alive") == "alive"


async def test_a_caller_that_is_cancelled_leaves_the_work_behind() -> None:
    release = threading.Event()
    waiting = asyncio.create_task(run_aside(lambda: release.wait(60)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    release.set()
    assert await run_aside(lambda: "alive") == "alive"


def test_a_loop_does_not_wait_for_work_that_hangs() -> None:
    release, ended = threading.Event(), threading.Event()

    def hang() -> None:
        release.wait(60)
        ended.set()

    async def begin() -> None:
        waiting = asyncio.create_task(run_aside(hang))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(begin())
    assert not ended.is_set()
    release.set()
    assert ended.wait(60)


def _raise(error: BaseException) -> None:
    raise error

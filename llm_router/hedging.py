"""Hedged requests: a second target is asked when the first is slow; whoever answers first wins, the other is closed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from llm_router.call import Call
from llm_router.failover import Field
from llm_router.pursuit import NobodyLeftError, Once, Pace, Pursuit

T = TypeVar("T")


async def pursue(
    call: Call, field: Field, once: Once[T], pace: Pace, dispose: Callable[[T], Awaitable[None]] | None = None
) -> T:
    """Return what the first target gave that answered; `dispose` closes what a loser had already given.

    Raises:
        NobodyLeftError: none did.
    """
    pursuit = Pursuit(call, field, once, pace)
    after_s = call.model_config.config.hedge_after_s
    if after_s is None or len(field.remote) < 2:
        return await pursuit.run()
    try:
        return await _race(pursuit, Pursuit(call, field, once, pace), call, after_s, dispose)
    except NobodyLeftError as nobody:
        return await pursuit.run_local(nobody)


async def _race(
    first: Pursuit[T],
    second: Pursuit[T],
    call: Call,
    after_s: float,
    dispose: Callable[[T], Awaitable[None]] | None,
) -> T:
    runs = [asyncio.create_task(first.run_remote())]
    try:
        done, _ = await asyncio.wait(runs, timeout=after_s)
        if not done and call.snapshot.retry_budget.spend():
            runs.append(asyncio.create_task(second.run_remote()))
        winner = await _first_to_answer(runs)
        await _close([run for run in runs if run is not winner], dispose)
        return winner.result()
    except BaseException:
        await _close(runs, dispose)  # the winner's too: a caller who leaves now will never take it
        raise


async def _first_to_answer(runs: list[asyncio.Task[T]]) -> asyncio.Task[T]:
    """Return the first run that answers; if none does, the first of all, for its error."""
    pending = {*runs}
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for run in runs:  # in order, so that of two that end together the first target's wins
            if run in done and not run.cancelled() and _may_decide(run):
                return run
    return runs[0]


def _may_decide(run: "asyncio.Task[T]") -> bool:
    error = run.exception()
    return error is None or not isinstance(error, NobodyLeftError)  # a fault of ours must not wait for the other run


async def _close(losers: list[asyncio.Task[T]], dispose: Callable[[T], Awaitable[None]] | None) -> None:
    for loser in losers:
        loser.cancel()
    try:
        await asyncio.gather(*losers, return_exceptions=True)
    finally:  # also if the caller leaves meanwhile: what a loser holds is held by nobody else
        for loser in losers:
            if dispose is not None and loser.done() and not loser.cancelled() and loser.exception() is None:
                await dispose(loser.result())

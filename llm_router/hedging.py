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
    except NobodyLeftError:
        return await pursuit.run_local()


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
        await _see_closed(call, [run for run in runs if run is not winner], dispose)
        return winner.result()
    except BaseException:
        await _see_closed(call, runs, dispose)  # the winner's too: a caller who leaves now will never take it
        raise


async def _see_closed(call: Call, runs: list[asyncio.Task[T]], dispose: Callable[[T], Awaitable[None]] | None) -> None:
    """Close runs in a task of its own, so that a caller who leaves meanwhile does not leave half of them open."""
    await asyncio.wait([call.in_background(_close(runs, dispose))])


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


async def _close(runs: list[asyncio.Task[T]], dispose: Callable[[T], Awaitable[None]] | None) -> None:
    for run in runs:
        run.cancel()
    outcomes = await asyncio.gather(*runs, return_exceptions=True)
    if dispose is not None:
        given = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        await asyncio.gather(*map(dispose, given), return_exceptions=True)

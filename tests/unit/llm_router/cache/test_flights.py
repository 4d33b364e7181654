import asyncio
import gc
import random

import pytest

from llm_router.cache import Flights


class Work:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.began = 0
        self.cancelled = 0
        self.may_end = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> str:
        self.began += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            await asyncio.sleep(0)  # a connection is closed
            raise
        if self.error:
            raise self.error
        return "done"


async def begin(flights: Flights, work: Work, count: int = 3) -> list[asyncio.Task[tuple[str, bool]]]:
    tasks = [asyncio.create_task(flights.once("k", work)) for _ in range(count)]
    await asyncio.sleep(0.001)
    return tasks


@pytest.fixture
def flights() -> Flights:
    return Flights()


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_work_is_done_once_for_all_who_ask_at_the_same_time(flights: Flights) -> None:
    work = Work()
    tasks = await begin(flights, work)
    work.may_end.set()
    assert [await task for task in tasks] == [("done", True), ("done", False), ("done", False)]
    assert work.began == 1
    assert (len(flights), others()) == (0, set())


async def test_who_comes_later_begins_anew_and_other_keys_do_not_wait(flights: Flights) -> None:
    work, other = Work(), Work()
    other.may_end.set()
    tasks = await begin(flights, work)
    assert await flights.once("other", other) == ("done", True)
    work.may_end.set()
    await asyncio.gather(*tasks)
    assert await flights.once("k", work) == ("done", True)
    assert work.began == 2


async def test_the_first_may_leave_without_harm_to_the_others(flights: Flights) -> None:
    work = Work()
    first, *rest = await begin(flights, work)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.may_end.set()
    assert [await task for task in rest] == [("done", False)] * 2
    assert (work.began, work.cancelled) == (1, 0)


async def test_work_that_nobody_waits_for_is_cancelled_and_seen_to_its_end(flights: Flights) -> None:
    work = Work()
    for task in (tasks := await begin(flights, work)):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (work.began, work.cancelled) == (1, 1)
    assert (len(flights), others()) == (0, set())


async def test_a_newcomer_never_joins_work_that_is_being_given_up(flights: Flights) -> None:
    work = Work()
    (first,) = await begin(flights, work, 1)
    first.cancel()
    await asyncio.sleep(0)  # the caller has left, the work has not ended
    work.may_end.set()
    assert await flights.once("k", work) == ("done", True)
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (work.began, work.cancelled, len(flights)) == (2, 1, 0)


async def test_a_deadline_of_one_caller_is_its_own(flights: Flights) -> None:
    work = Work()
    tasks = await begin(flights, work, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await flights.once("k", work)
    work.may_end.set()
    assert await tasks[0] == ("done", True)


async def test_an_error_reaches_everybody(flights: Flights) -> None:
    work = Work()
    work.error = LookupError("no")
    tasks = await begin(flights, work)
    work.may_end.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [work.error] * 3
    assert (len(flights), others()) == (0, set())


async def test_an_error_that_nobody_waits_for_is_not_reported_as_lost(
    flights: Flights, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError("while leaving")

    task = asyncio.create_task(flights.once("k", fail))
    await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    gc.collect()
    await asyncio.sleep(0)
    assert caplog.records == []


async def test_work_under_an_eager_loop_is_shared_as_well(flights: Flights) -> None:
    factory = getattr(asyncio, "eager_task_factory", None)
    if factory is None:
        pytest.skip("this Python has no eager tasks")
    asyncio.get_running_loop().set_task_factory(factory)
    work = Work()
    tasks = await begin(flights, work)
    work.may_end.set()
    assert [led for _, led in await asyncio.gather(*tasks)] == [True, False, False]

    async def quick() -> int:
        return 1

    assert await flights.once("k", quick) == (1, True)
    await asyncio.sleep(0)
    assert len(flights) == 0


async def test_many_callers_with_random_cancels_leave_nothing_behind(flights: Flights) -> None:
    chance = random.Random(7)

    async def work() -> str:
        for _ in range(chance.randrange(6)):
            await asyncio.sleep(0)
        return "done"

    async def leave(call: asyncio.Task[tuple[str, bool]]) -> None:
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
        call.cancel()

    outcomes: list[object] = []
    for _ in range(10):
        calls = [asyncio.create_task(flights.once(number % 5, work)) for number in range(200)]
        await asyncio.gather(*(leave(call) for call in calls))
        outcomes += await asyncio.gather(*calls, return_exceptions=True)
        assert (len(flights), others()) == (0, set())
    assert {each if isinstance(each, tuple) else type(each) for each in outcomes} == {
        ("done", True),
        ("done", False),
        asyncio.CancelledError,
    }

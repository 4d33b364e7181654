"""A piece of work beside its owner: in order, its error first, and ended with an owner that is cancelled."""

import asyncio
from contextlib import suppress
from typing import NoReturn

import pytest

from core.overlap import Overlap


async def fail(message: str) -> NoReturn:
    raise ValueError(message)


async def test_pieces_run_one_after_another_and_the_last_is_waited_for() -> None:
    told: list[str] = []

    async def tell(word: str) -> None:
        told.append(f"{word} begins")
        await asyncio.sleep(0)
        told.append(f"{word} ends")

    async with Overlap() as pieces:
        for word in ("one", "two"):
            await pieces.start(tell(word))
            told.append(f"after {word}")
    assert told == ["after one", "one begins", "one ends", "after two", "two begins", "two ends"]


async def test_the_error_of_a_piece_is_raised_and_nothing_is_begun_after_it() -> None:
    async def never() -> None:
        raise AssertionError

    async def own() -> None:
        async with Overlap() as pieces:
            await pieces.start(fail("first"))
            await pieces.start(never())

    with pytest.raises(ValueError, match="first"):
        await own()


async def test_the_error_of_a_piece_goes_before_a_later_one_of_its_owner() -> None:
    async def own() -> None:
        async with Overlap() as pieces:
            await pieces.start(fail("first"))
            raise KeyError("second")

    with pytest.raises(ValueError, match="first"):
        await own()


@pytest.mark.parametrize("ends_badly", [False, True])
async def test_an_owner_that_is_cancelled_does_not_wait_for_its_piece(ends_badly: bool) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            if ends_badly:
                raise ConnectionError("met while it ended")

    async def own() -> None:
        async with Overlap() as pieces:
            await pieces.start(hang())
            await asyncio.Event().wait()

    before = asyncio.all_tasks()
    owner = asyncio.create_task(own())
    await begun.wait()
    owner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert asyncio.all_tasks() == before


async def test_a_cancellation_that_the_owner_lost_is_heeded_before_the_next_piece() -> None:
    async def never() -> None:
        raise AssertionError

    async def own() -> None:
        async with Overlap() as pieces:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await pieces.start(never())

    owner = asyncio.create_task(own())
    await asyncio.sleep(0)
    owner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owner

"""What a viewer gets: the newest snapshot, every alert once, in order, whatever its pace."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st

from api.live.broadcast import MOST_ALERTS, Broadcast, Mark, Telling, Viewer, encode_telling, read_mark

SILENCE_S = 30.0
STEPS = st.lists(st.sampled_from(["snapshot", "alert", "take", "come back"]), max_size=80)


def still() -> float:
    return 1.7e9


def tell(broadcast: Broadcast, told: str) -> int:
    mark = broadcast.advance()
    broadcast.tell("alert" if told == "alert" else "snapshot", mark, mark.sequence)
    return mark.sequence


def read(telling: Telling) -> tuple[str, str, int]:
    message = json.loads(telling.message)
    assert telling.event.decode() == f"id: {message['id']}\nevent: {message['event']}\ndata: {message['data']}\n\n"
    return message["id"], message["event"], message["data"]


async def take(viewer: Viewer) -> list[tuple[str, str, int]]:
    """All that there is for a viewer at this moment."""
    found: list[tuple[str, str, int]] = []
    async with aclosing(viewer.follow(0.001)) as told:
        async for telling in told:
            if telling is None:
                return found
            found.append(read(telling))
    return found


@asynccontextmanager
async def watching(broadcast: Broadcast) -> AsyncIterator[AsyncIterator[Telling | None]]:
    async with aclosing(broadcast.watch().follow(SILENCE_S)) as told:
        yield told


@given(STEPS)
def test_every_alert_comes_once_and_only_the_newest_snapshot(steps: list[str]) -> None:
    async def play() -> None:
        broadcast = Broadcast(still)
        viewer, alerts, got, newest, mark = broadcast.watch(), [], [], None, None
        for step in [*steps, "take"]:
            if step == "take":
                taken = await take(viewer)
                snapshots = [data for _, told, data in taken if told == "snapshot"]
                assert len(snapshots) <= 1
                assert not snapshots or snapshots == [newest]
                assert [int(each.partition("-")[0]) for each, _, _ in taken] == sorted(data for _, _, data in taken)
                got += [data for _, told, data in taken if told == "alert"]
                mark = taken[-1][0] if taken else mark
            elif step == "come back":
                if mark is not None:  # one that never saw anything has nothing to come back to
                    seen = read_mark(mark)
                    assert seen is not None
                    assert broadcast.remembers(seen)
                    viewer = broadcast.watch(seen)
            elif step == "alert":
                alerts.append(tell(broadcast, "alert"))
            else:
                newest = tell(broadcast, "snapshot")
        assert got == alerts

    asyncio.run(play())


async def test_a_viewer_that_comes_new_gets_the_newest_snapshot_and_no_old_alert() -> None:
    broadcast = Broadcast(still)
    tell(broadcast, "alert")
    tell(broadcast, "snapshot")
    newest = tell(broadcast, "snapshot")
    tell(broadcast, "alert")
    assert [(told, data) for _, told, data in await take(broadcast.watch())] == [("snapshot", newest)]


async def test_silence_is_told_as_such() -> None:
    broadcast = Broadcast(still)
    async with aclosing(broadcast.watch().follow(0.001)) as told:
        assert [await anext(told), await anext(told)] == [None, None]


async def test_viewers_are_counted_while_they_follow() -> None:
    broadcast = Broadcast(still)
    waiting = asyncio.create_task(broadcast.wait_for_viewer())
    viewer = broadcast.watch()
    tell(broadcast, "snapshot")
    assert broadcast.viewers == 0
    async with aclosing(viewer.follow(SILENCE_S)) as told:
        await anext(told)
        assert broadcast.viewers == 1
        await waiting
    assert broadcast.viewers == 0


async def test_all_leave_when_it_is_closed() -> None:
    broadcast = Broadcast(still)
    async with watching(broadcast) as told:
        following = asyncio.ensure_future(anext(told, None))
        await asyncio.sleep(0)
        broadcast.close()
        assert await following is None
    assert await take(broadcast.watch()) == []


async def test_an_alert_that_is_forgotten_is_not_remembered() -> None:
    broadcast = Broadcast(still)
    before = broadcast.mark
    assert broadcast.remembers(before)
    for _ in range(MOST_ALERTS + 1):
        tell(broadcast, "alert")
    assert not broadcast.remembers(before)
    assert broadcast.remembers(broadcast.mark)
    assert not broadcast.remembers(Mark(broadcast.mark.sequence, "other"))


async def test_what_is_told_first_comes_first() -> None:
    broadcast = Broadcast(still)
    missed = encode_telling("alert", Mark(1, "other"), 1)
    newest = tell(broadcast, "snapshot")
    viewer = broadcast.watch(None, [missed])
    assert [data for _, _, data in await take(viewer)] == [1, newest]


@given(st.text())
def test_a_mark_is_read_or_is_none(text: str) -> None:
    mark = read_mark(text)
    assert mark is None or mark.moment.year < 6_000


def test_a_mark_is_read_as_it_was_written() -> None:
    mark = Mark(1_767_225_600_000, "0a1b2c3d")
    assert read_mark(str(mark)) == mark
    assert mark.moment.isoformat() == "2026-01-01T00:00:00+00:00"
    assert read_mark(None) is None
    assert read_mark("12") is None

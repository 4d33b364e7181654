"""The watch applies whole configurations, however their file is replaced, and lives on whatever it finds there."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from core.errors import ConfigurationError
from llm_router.config import RouterConfig
from llm_router.config.file import read_config
from llm_router.config.watch import ConfigWatch

GOOD, BETTER, BAD = "deadline_s = 5", "deadline_s = 6", "deadline_s = 0"


class Place:
    """A file, what was applied of it, and the watch between them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.applied: list[float] = []
        self.keys = {"MY_KEY": "one"}
        path.write_text(GOOD)
        self.watch = self.make()

    def make(self, apply: Callable[[RouterConfig], Awaitable[None] | None] | None = None) -> ConfigWatch:
        current = read_config(self.path, self.keys)
        return ConfigWatch(self.path, self.keys, apply or self.apply, 0.001, current=current, settle_s=0)

    def apply(self, config: RouterConfig) -> None:
        self.applied.append(config.deadline_s)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "llm.toml")


def refusals(events: list[EventDict]) -> list[object]:
    return [event["problems"] for event in events if event["event"] == "llm_config_refused"]


async def test_what_is_in_force_is_not_applied_again(place: Place) -> None:
    assert not await place.watch.look()
    place.path.write_text(f"# the same, with a comment\n{GOOD}")
    assert not await place.watch.look()
    assert not place.applied


async def test_a_change_is_applied_once_and_told(place: Place) -> None:
    place.path.write_text(BETTER)
    with capture_logs() as events:
        assert await place.watch.look()
        assert not await place.watch.look()
    assert place.applied == [6.0]
    (event,) = events
    assert (event["event"], event["targets"], event["models"]) == ("llm_config_applied", ["extractive"], ["default"])


async def test_without_a_current_one_the_first_look_applies(place: Place) -> None:
    assert await ConfigWatch(place.path, {}, place.apply, settle_s=0).look()
    assert place.applied == [5.0]


async def test_a_bad_file_is_told_once_and_changes_nothing(place: Place) -> None:
    place.path.write_text(BAD)
    with capture_logs() as events:
        for _ in range(5):
            assert not await place.watch.look()
        place.path.write_text("deadline_s = ")
        for _ in range(5):
            assert not await place.watch.look()
        place.path.write_text(GOOD)
        await place.watch.look()
        place.path.write_text(BAD)
        for _ in range(5):
            assert not await place.watch.look()
    zero = ["deadline_s: must be a positive number"]
    broken = ["is no TOML: Invalid value (at line 1, column 14, the end)"]
    assert refusals(events) == [zero, broken, zero]
    assert not place.applied


async def test_a_file_that_is_missing_for_a_moment_is_waited_for(place: Place) -> None:
    with capture_logs() as events:
        place.path.unlink()
        assert not await place.watch.look()
        place.path.write_text(BETTER)
        assert await place.watch.look()
    assert not refusals(events)
    with capture_logs() as events:
        place.path.unlink()
        for _ in range(5):
            assert not await place.watch.look()
    assert refusals(events) == [["cannot be read: No such file or directory"]]
    place.path.write_text(GOOD)
    assert await place.watch.look()
    assert place.applied == [6.0, 5.0]


async def test_a_file_may_be_replaced_by_renaming(place: Place) -> None:
    other = place.path.with_suffix(".new")
    other.write_text(BETTER)
    other.replace(place.path)
    assert await place.watch.look()
    assert place.applied == [6.0]


async def test_a_link_may_move_as_in_kubernetes(tmp_path: Path) -> None:
    for version, text in (("v1", GOOD), ("v2", BETTER)):
        (tmp_path / version).mkdir()
        (tmp_path / version / "llm.toml").write_text(text)
    data, file = tmp_path / "..data", tmp_path / "llm.toml"
    data.symlink_to("v1")
    file.symlink_to("..data/llm.toml")
    applied: list[float] = []
    current = read_config(file, {})
    watch = ConfigWatch(file, {}, lambda config: applied.append(config.deadline_s), current=current, settle_s=0)
    assert not await watch.look()
    (tmp_path / "..data_tmp").symlink_to("v2")
    (tmp_path / "..data_tmp").replace(data)
    assert await watch.look()
    assert applied == [6.0]


async def test_a_file_that_is_being_written_is_left_alone(place: Place) -> None:
    current = read_config(place.path, {})
    watch = ConfigWatch(place.path, {}, place.apply, current=current, settle_s=0.02)
    place.path.write_text("")  # a configuration as well: that of no targets
    looking = asyncio.create_task(watch.look())
    await asyncio.sleep(0)
    place.path.write_text(BETTER)
    assert not await looking
    assert not place.applied
    assert await watch.look()
    assert place.applied == [6.0]


async def test_a_key_that_changed_counts_as_a_change(tmp_path: Path) -> None:
    path, keys = tmp_path / "llm.toml", {"MY_KEY": "one"}
    path.write_text('[targets.a]\nprovider = "scripted"\napi_key_env = "MY_KEY"')
    seen: list[str] = []
    current = read_config(path, keys)
    watch = ConfigWatch(path, keys, lambda config: seen.append(config.targets[0].api_key), current=current, settle_s=0)
    keys["MY_KEY"] = "two"
    with capture_logs() as events:
        assert await watch.look()
    assert seen == ["two"]
    assert "two" not in str(events)


async def test_one_that_cannot_be_applied_is_told_once_and_tried_again_when_it_returns(place: Place) -> None:
    tried: list[float] = []

    async def refuse(config: RouterConfig) -> None:
        tried.append(config.deadline_s)
        raise ConfigurationError("no such cassette")

    watch = place.make(refuse)
    place.path.write_text(BETTER)
    with capture_logs() as events:
        for _ in range(3):
            assert not await watch.look()
    assert tried == [6.0]
    assert refusals(events) == [["no such cassette"]]
    place.path.write_text(GOOD)
    await watch.look()
    place.path.write_text(BETTER)
    await watch.look()
    assert tried == [6.0, 6.0]


async def test_it_watches_until_it_is_left(place: Place) -> None:
    changed = asyncio.Event()

    async def apply(config: RouterConfig) -> None:
        place.apply(config)
        changed.set()

    async with place.make(apply):
        place.path.write_text(BETTER)
        await asyncio.wait_for(changed.wait(), 10)
    assert place.applied == [6.0]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_fault_in_applying_does_not_end_it(place: Place) -> None:
    changed = asyncio.Event()

    def apply(config: RouterConfig) -> None:
        place.apply(config)
        if len(place.applied) == 1:
            raise RuntimeError("boom")
        changed.set()

    with capture_logs() as events:
        async with place.make(apply):
            place.path.write_text(BETTER)
            await asyncio.wait_for(changed.wait(), 10)
    assert [event["event"] for event in events] == ["llm_config_watch_failed", "llm_config_applied"]


async def test_leaving_it_ends_an_application_under_way(place: Place) -> None:
    begun = asyncio.Event()
    ended: list[str] = []

    async def apply(_: RouterConfig) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async with place.make(apply):
        place.path.write_text(BETTER)
        await asyncio.wait_for(begun.wait(), 10)
    assert ended == ["cancelled"]

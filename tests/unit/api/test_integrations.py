"""Integrations are told in threads of their own; nobody who tells feels what becomes of it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from api.integrations import Integrations, open_integrations
from core.extension_folder import ExtensionFolder, using

Add = Callable[[str, str], None]

BEGIN = """
import json, threading, time
from core.extensions import Integration

class It(Integration):
    name = {name!r}
    def deliver(self, happening, /):
"""
WRITE = """
        with open({path!r}, "a") as file:
            file.write(json.dumps({{**happening, "thread": threading.current_thread().name}}) + "\\n")
"""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is told arrive, however slow the machine is."""
    monkeypatch.setattr("api.integrations.CLOSE_WITHIN_S", 60.0)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ExtensionFolder]:
    (tmp_path / "extensions").mkdir()
    folder = ExtensionFolder(tmp_path / "extensions")
    yield folder
    folder.close()


@pytest.fixture
def add(folder: ExtensionFolder) -> Add:
    def add_integration(name: str, body: str) -> None:
        made = folder.path / name
        made.mkdir()
        manifest = {"name": name, "kind": "integration", "version": "1.0.0", "entry": "it:It"}
        (made / "extension.toml").write_text("\n".join(f'{key} = "{value}"' for key, value in manifest.items()))
        (made / "it.py").write_text(BEGIN.format(name=name) + body)

    return add_integration


def read_lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def test_each_is_told_in_order_in_a_thread_of_its_own(folder: ExtensionFolder, add: Add, tmp_path: Path) -> None:
    for name in ("first", "second"):
        add(name, WRITE.format(path=str(tmp_path / name)))
    with using(folder):
        async with open_integrations() as integrations:
            for number in range(20):
                integrations.tell("simulation_finished", id=str(number))
    for name in ("first", "second"):
        lines = read_lines(tmp_path / name)
        assert [line["id"] for line in lines] == [str(number) for number in range(20)]
        assert {line["happening"] for line in lines} == {"simulation_finished"}
        assert {line["thread"] for line in lines} == {f"integration-{name}"}


async def test_one_that_fails_is_logged_and_told_again_and_the_others_hear_all(
    folder: ExtensionFolder, add: Add, tmp_path: Path
) -> None:
    add("bad", "        raise SystemExit('no')\n")
    add("good", WRITE.format(path=str(tmp_path / "good")))
    with using(folder), capture_logs() as logs:
        async with open_integrations() as integrations:
            integrations.tell("simulation_finished", id="1")
            integrations.tell("simulation_finished", id="2")
    assert [line["id"] for line in read_lines(tmp_path / "good")] == ["1", "2"]
    assert [log["integration"] for log in logs if log["event"] == "integration_failed"] == ["bad", "bad"]


async def test_what_one_does_to_what_it_hears_is_not_felt_by_others(
    folder: ExtensionFolder, add: Add, tmp_path: Path
) -> None:
    spoil = "        happening['events'].clear()\n"
    for name in ("first", "second"):
        add(name, WRITE.format(path=str(tmp_path / name)) + spoil)
    with using(folder):
        async with open_integrations() as integrations:
            integrations.tell("simulation_finished", events=[{"kind": "peak"}])
    for name in ("first", "second"):
        assert [line["events"] for line in read_lines(tmp_path / name)] == [[{"kind": "peak"}]]


async def test_one_that_does_not_load_is_logged_once(folder: ExtensionFolder, add: Add) -> None:
    add("bad", "  def (")
    with using(folder), capture_logs() as logs:
        async with open_integrations() as integrations:
            for number in range(5):
                integrations.tell("simulation_finished", id=str(number))
    assert [log["event"] for log in logs] == ["extension_broken", "integration_unusable"]


async def test_code_runs_only_when_there_is_something_to_tell(
    folder: ExtensionFolder, add: Add, tmp_path: Path
) -> None:
    add("marked", f"        pass\nopen({str(tmp_path / 'ran')!r}, 'w').close()\n")
    with using(folder):
        async with open_integrations():
            pass
    assert not (tmp_path / "ran").exists()


async def test_telling_does_not_wait_and_closing_leaves_behind_what_hangs(
    folder: ExtensionFolder, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.integrations.CLOSE_WITHIN_S", 0.1)
    monkeypatch.setattr("api.integrations.MOST_WAITING", 3)
    release = threading.Event()
    monkeypatch.setattr(time, "wait_for_release", release.wait, raising=False)
    add("slow", "        time.wait_for_release(60)\n")
    with using(folder), capture_logs() as logs:
        async with open_integrations() as integrations:
            for number in range(10):
                integrations.tell("simulation_finished", id=str(number))
    release.set()
    events = [log["event"] for log in logs]
    assert "integration_overrun" in events
    assert events[-1] == "integration_left_behind"


def test_with_none_there_is_nothing_to_do() -> None:
    before = {*threading.enumerate()}
    integrations = Integrations()
    integrations.tell("simulation_finished", id="1")
    assert {*threading.enumerate()} <= before
    integrations.close()

"""Extensions of a folder: known by their manifests, loaded on use, each failing alone."""

import asyncio
import contextvars
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigurationError
from core.extension_folder import ExtensionFolder, using
from core.extensions import Extension, Kind, Plugin
from core.registry import Registry, list_broken_manifests
from tests.unit.core.conftest import CLASS, Add

pytestmark = pytest.mark.usefixtures("only_folders")


def make() -> Registry[Any]:
    return Registry(Kind.UPDATE_RULE.group, "update rule")


def test_what_is_listed_is_not_loaded(root: Path, add: Add) -> None:
    add("bomb", "raise RuntimeError('loaded')", description="It goes off.")
    with using(ExtensionFolder(root)):
        assert make().names() == ["bomb"]
        (listing,) = make().describe()
    assert (listing.kind, listing.version, listing.description) == (Kind.UPDATE_RULE, "1.0.0", "It goes off.")
    assert (listing.origin, listing.state, listing.problem) == ("folder bomb", "ready", "")


def test_it_is_initialised_once_and_closed_with_its_folder(root: Path, add: Add) -> None:
    add("thing")
    folder, registry = ExtensionFolder(root), make()
    with using(folder):
        thing = registry.get("thing")
        assert registry.get("thing") is thing
        assert registry.describe()[0].state == "loaded"
        assert thing.log == ["initialize"]
        folder.close()
        assert thing.log == ["initialize", "close"]
        assert registry.get("thing") is not thing, "a folder that is used again is read anew"
        folder.close()
    assert not [name for name in sys.modules if name.startswith(thing.__module__.partition(".")[0])]


def test_a_folder_counts_in_its_context_alone(root: Path, add: Add) -> None:
    add("thing")
    folder = ExtensionFolder(root)

    async def ask() -> list[str]:
        return await asyncio.to_thread(make().names)

    async def ask_both() -> tuple[list[str], list[str]]:
        with using(folder):
            inside = asyncio.create_task(ask())
        outside = asyncio.create_task(ask())
        return await inside, await outside

    assert asyncio.run(ask_both()) == (["thing"], [])
    assert contextvars.copy_context().run(make().names) == []


def test_two_services_have_code_of_their_own(root: Path, add: Add) -> None:
    add("thing")
    loaded = []
    for folder in (ExtensionFolder(root), ExtensionFolder(root)):
        with using(folder):
            loaded.append(make().get("thing"))
    assert loaded[0] is not loaded[1]


def test_modules_of_one_folder_import_each_other(root: Path, add: Add) -> None:
    made = add("thing", CLASS.format(name="thing") + "from .numbers_of_mine import SEVEN\nThing.seven = SEVEN\n")
    (made / "numbers_of_mine.py").write_text("SEVEN = 7")
    inner = add("inner", name="inner", entry="parts.thing:Thing")
    (inner / "parts").mkdir()
    (inner / "parts" / "thing.py").write_text(CLASS.format(name="inner"))
    with using(ExtensionFolder(root)):
        assert make().get("thing").seven == 7
        assert make().get("inner").name == "inner"
    assert "numbers_of_mine" not in sys.modules


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("raise RuntimeError('no sun')", "update rule 'thing' does not load: RuntimeError: no sun"),
        ("import sys; sys.exit(3)", "update rule 'thing' does not load: SystemExit: 3"),
        ("import not_there_at_all", "update rule 'thing' does not load: ModuleNotFoundError"),
        ("def (", "update rule 'thing' does not load: SyntaxError"),
        ("OTHER = 3", "update rule 'thing' does not load: AttributeError"),
        ("Thing = 3", "update rule 'thing' is no update rule: thing:Thing of folder thing lacks name, version"),
        (
            CLASS.format(name="thing").replace("from_dict = ", ""),
            "update rule 'thing' is no update rule: thing:Thing of folder thing lacks from_dict",
        ),
        (CLASS.format(name="other"), "update rule 'thing' calls itself 'other'"),
        (CLASS.format(name="thing") + "    version = '2.0'", "has version '2.0', its manifest says '1.0.0'"),
        (
            CLASS.format(name="thing").replace("cls.log.append", "cls.nothing_like_it"),
            "update rule 'thing' does not load: AttributeError",
        ),
    ],
)
def test_what_is_broken_is_told_by_its_name_and_the_rest_works(root: Path, add: Add, source: str, problem: str) -> None:
    add("thing", source)
    add("well")
    registry = make()
    with using(ExtensionFolder(root)):
        with pytest.raises(ConfigurationError) as caught:
            registry.get("thing")
        assert problem in caught.value.message
        assert registry.get("well").name == "well"
        assert registry.names() == ["well"]
        assert {each.name: each.state for each in registry.describe()} == {"thing": "broken", "well": "loaded"}


def test_what_failed_once_is_not_run_again(root: Path, add: Add) -> None:
    made = add("thing")
    runs = root / "runs"
    source = f"with open({str(runs)!r}, 'a') as file:\n    file.write('x')\nraise RuntimeError('broken')\n"
    (made / "thing.py").write_text(source)
    registry = make()
    with using(ExtensionFolder(root)):
        for _ in range(3):
            with pytest.raises(ConfigurationError, match="broken"):
                registry.get("thing")
    assert runs.read_text() == "x"


def test_one_that_is_switched_off_is_not_offered(root: Path, add: Add) -> None:
    add("manifest", enabled=False)
    add("itself", CLASS.format(name="itself") + "    enabled = False")
    registry = make()
    with using(ExtensionFolder(root)):
        assert registry.names() == ["itself"]
        for name in ("manifest", "itself"):
            with pytest.raises(ConfigurationError, match=f"update rule '{name}' is switched off"):
                registry.get(name)
        assert [(each.name, each.state) for each in registry.describe()] == [("itself", "off"), ("manifest", "off")]


def test_a_name_that_two_folders_claim_is_refused_for_that_name_alone(root: Path, add: Add) -> None:
    add("first", name="thing")
    add("second", name="thing")
    add("well")
    with using(ExtensionFolder(root)):
        with pytest.raises(ConfigurationError) as caught:
            make().get("thing")
        assert "'thing' is offered twice: thing:Thing of folder first and thing:Thing of folder second" in (
            caught.value.message
        )
        assert make().get("well").name == "well"
        assert [each.state for each in make().describe()] == ["broken", "broken", "loaded"]


def test_one_of_two_namesakes_is_enough_to_be_switched_off(root: Path, add: Add) -> None:
    add("first", name="thing", enabled=False)
    add("second", name="thing")
    with using(ExtensionFolder(root)):
        assert make().get("thing").name == "thing"
        assert [each.state for each in make().describe()] == ["off", "loaded"]


def test_the_same_name_in_another_kind_is_another_extension(root: Path, add: Add) -> None:
    add("rule", name="thing")
    add("detector", name="thing", kind="event_handler")
    with using(ExtensionFolder(root)):
        rule = make().get("thing")
        detector = Registry[Any](Kind.EVENT_HANDLER.group, "event handler").get("thing")
    assert rule is not detector


def test_a_folder_of_an_extension_is_a_folder_of_one(root: Path, add: Add) -> None:
    add("other")
    with using(ExtensionFolder(add("thing"))):
        assert make().names() == ["thing"]


def test_what_is_hidden_or_has_no_manifest_is_passed_over(root: Path, add: Add) -> None:
    add(".hidden", name="hidden")
    (root / "notes").mkdir()
    (root / "README.md").write_text("notes")
    with using(ExtensionFolder(root)):
        assert make().names() == []
        assert list_broken_manifests() == []


def test_a_folder_that_is_none_is_told(root: Path) -> None:
    with using(ExtensionFolder(root / "missing")), pytest.raises(ConfigurationError, match="is no folder of"):
        make().names()


def test_a_close_that_fails_is_told_and_the_others_are_closed(root: Path, add: Add) -> None:
    add("bad", CLASS.format(name="bad").replace('append("close")', "nothing_like_it()"))
    add("good")
    folder, registry = ExtensionFolder(root), make()
    with using(folder):
        registry.get("bad")
        good = registry.get("good")
        assert "does not close: AttributeError" in registry.close("bad")
        folder.close()
    assert good.log == ["initialize", "close"]


def test_a_plugin_is_an_extension_as_a_class() -> None:
    class Thing(Plugin):
        name = "thing"

    assert isinstance(Thing, Extension)
    assert (Thing.enabled, Thing.get_metadata(), Thing.version) == (True, {}, "1.0.0")
    assert Thing.initialize() is None
    assert Thing.close() is None


UNTELLABLE = """
class Fault(Exception):
    def __str__(self):
        raise RuntimeError

raise Fault
"""


def test_a_fault_that_cannot_even_be_told_is_one(root: Path, add: Add) -> None:
    add("thing", UNTELLABLE)
    add("long", "raise RuntimeError('x' * 1_000_000)")
    with using(ExtensionFolder(root)):
        with pytest.raises(ConfigurationError, match="does not load: Fault"):
            make().get("thing")
        with pytest.raises(ConfigurationError, match="does not load: RuntimeError: x") as caught:
            make().get("long")
    assert len(caught.value.message) < 1_000


@pytest.mark.parametrize("stage", ["initialize", "close"])
def test_closing_a_folder_leaves_behind_what_hangs(
    root: Path, add: Add, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    monkeypatch.setattr("core.extension_folder.CLOSE_WITHIN_S", 0.1)
    begun, release = threading.Event(), threading.Event()
    monkeypatch.setattr(threading, "held", (begun, release), raising=False)
    wait = "import threading\n        threading.held[0].set()\n        threading.held[1].wait(60)"
    source = CLASS.format(name="thing").replace(f'cls.log.append("{stage}")', wait)
    add("thing", source)
    folder = ExtensionFolder(root)
    with using(folder):
        using_it = threading.Thread(target=contextvars.copy_context().run, args=(make().get, "thing"))
        using_it.start()
        if stage == "initialize":
            assert begun.wait(60)
        else:
            using_it.join(60)
        folder.close()
        assert begun.wait(60)
        assert not release.is_set()
    release.set()
    using_it.join(60)

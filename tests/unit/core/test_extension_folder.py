"""Manifests: what is wrong in one is told, and its code is never run."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigurationError
from core.extension_folder import ExtensionFolder, using
from core.extensions import Kind
from core.registry import Registry, list_broken_manifests
from tests.unit.core.conftest import Add

pytestmark = pytest.mark.usefixtures("only_folders")


def make() -> Registry[Any]:
    return Registry(Kind.UPDATE_RULE.group, "update rule")


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ({"version": None}, "version is required"),
        ({"colour": "red"}, "colour is not known"),
        ({"name": "Thing!"}, "name must begin with a small letter"),
        ({"kind": "planet"}, "kind must be one of update_rule, event_handler, integration, domain_model, provider"),
        ({"entry": "thing"}, 'entry must be like "module:Object"'),
        ({"entry": "../thing:Thing"}, 'entry must be like "module:Object"'),
        ({"entry": "/etc/thing:Thing"}, 'entry must be like "module:Object"'),
        ({"entry": "..thing:Thing"}, 'entry must be like "module:Object"'),
        ({"entry": "other:Thing"}, "has no other.py, which its entry names"),
        ({"entry": "a.b:Thing"}, "has no a/b.py, which its entry names"),
        ({"enabled": 1}, "enabled must be true or false"),
        ({"version": 1}, "version must be a text"),
        ({"description": ""}, "description must be a text"),
    ],
)
def test_a_manifest_that_is_wrong_says_where_and_is_never_loaded(
    root: Path, add: Add, manifest: dict[str, Any], problem: str
) -> None:
    add("thing", "raise SystemExit('loaded')", **manifest)
    add("well")
    with using(ExtensionFolder(root)):
        assert make().names() == ["well"]
        listed = [*make().describe(), *list_broken_manifests()]
        (broken,) = [each for each in listed if each.state == "broken"]
    assert problem in broken.problem
    assert broken.origin == "folder thing"


def test_a_manifest_that_is_no_toml_is_reported(root: Path, add: Add) -> None:
    (add("thing") / "extension.toml").write_text("name = ")
    (add("latin") / "extension.toml").write_bytes(b'name = "\xff"')
    with using(ExtensionFolder(root)):
        assert [each.name for each in list_broken_manifests()] == ["latin", "thing"]
        assert all("has a broken extension.toml" in each.problem for each in list_broken_manifests())


def test_links_that_leave_the_folder_are_refused(root: Path, add: Add, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "thing.py").write_text("raise SystemExit('loaded')")
    module = add("module")
    (module / "thing.py").unlink()
    (module / "thing.py").symlink_to(outside / "thing.py")
    whole = add("whole")
    whole.rename(outside / "whole")
    (root / "whole").symlink_to(outside / "whole")
    neighbour = add("neighbour")
    (neighbour / "thing.py").unlink()
    add("well")
    (neighbour / "thing.py").symlink_to(root / "well" / "thing.py")
    with using(ExtensionFolder(root)):
        assert make().names() == ["well"]
        for name in ("module", "whole", "neighbour"):
            with pytest.raises(ConfigurationError, match="has an entry that leaves the folder"):
                make().get(name)


def test_a_manifest_nested_without_end_breaks_nothing_else(root: Path, add: Add) -> None:
    (add("deep") / "extension.toml").write_text("name = " + "[" * 100_000)
    add("well")
    with using(ExtensionFolder(root)):
        assert make().names() == ["well"]
        (broken,) = list_broken_manifests()
    assert (broken.name, broken.problem) == ("deep", "has a broken extension.toml: it is nested too deeply")


def test_a_folder_that_cannot_be_looked_into_breaks_nothing_else(
    root: Path, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, is_file = add("locked"), Path.is_file
    add("well")

    def refuse(path: Path) -> bool:
        if path.parent == locked:
            raise PermissionError(13, "Permission denied")
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refuse)
    with using(ExtensionFolder(root)):
        assert make().names() == ["well"]
        (broken,) = list_broken_manifests()
    assert (broken.name, broken.state) == ("locked", "broken")
    assert "Permission denied" in broken.problem


def test_a_name_or_fault_that_is_no_text_can_be_told(root: Path, add: Add) -> None:
    add("thing", "raise RuntimeError('\\udcff')").rename(root / "odd\udcff")
    with using(ExtensionFolder(root)):
        with pytest.raises(ConfigurationError) as caught:
            make().get("thing")
        (listing,) = make().describe()
    assert caught.value.message.encode()
    assert listing.problem.encode()
    assert listing.origin == "folder odd\N{REPLACEMENT CHARACTER}"

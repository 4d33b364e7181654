"""Extensions in a folder of a test's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CLASS = """
from core.extensions import Plugin

class Thing(Plugin):
    name = {name!r}
    log = []

    @classmethod
    def initialize(cls):
        cls.log.append("initialize")

    @classmethod
    def close(cls):
        cls.log.append("close")

    from_dict = to_dict = detect = variables = None
"""

Add = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "extensions").mkdir()
    return tmp_path / "extensions"


@pytest.fixture
def add(root: Path) -> Add:
    def add_extension(folder: str, source: str | None = None, **manifest: Any) -> Path:
        made = root / folder
        made.mkdir()
        name = manifest.get("name", folder)
        told = {"name": name, "kind": "update_rule", "version": "1.0.0", "entry": "thing:Thing", **manifest}
        lines = [f"{key} = {_toml(value)}" for key, value in told.items() if value is not None]
        (made / "extension.toml").write_text("\n".join(lines))
        (made / "thing.py").write_text(CLASS.format(name=name) if source is None else source)
        return made

    return add_extension


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool | int) else repr(value)


@pytest.fixture
def only_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the group of update rules have nothing but what the folder offers."""
    monkeypatch.setattr("core.registry.entry_points", lambda group: ())

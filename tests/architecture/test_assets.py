"""The dashboard's libraries: pinned, checked by hash, brought by npm whoever has it, and part of what is installed."""

import json
import subprocess
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from api.dashboard import NEEDED
from scripts import fetch_assets
from scripts.fetch_assets import ASSETS, ROOT, WANTED, Npm, copy_wanted, find_npm

LOCK = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
PACKAGE = json.loads((ROOT / "package.json").read_text("utf-8"))


def test_the_lock_pins_by_hash_and_says_nothing_of_where_it_is_fetched_from() -> None:
    packages = {name: each for name, each in LOCK["packages"].items() if name}
    assert packages
    assert all(each["integrity"].startswith("sha512-") and "resolved" not in each for each in packages.values())
    asked = PACKAGE["dependencies"] | PACKAGE["devDependencies"]
    assert asked == {name.removeprefix("node_modules/"): each["version"] for name, each in packages.items()}


def test_all_that_the_page_loads_is_brought_with_its_licence() -> None:
    assert set(NEEDED) == {name for name in WANTED.values() if not name.startswith("licences/")}
    of_packages = {source.rpartition("node_modules/")[2].split("/")[0 if source[0] != "@" else 1] for source in WANTED}
    assert {Path(name).stem for name in WANTED.values() if name.startswith("licences/")} == of_packages


@pytest.mark.skipif(not ASSETS.exists(), reason="the dashboard's libraries are not here")
def test_the_wheel_holds_the_page_and_its_libraries_and_no_modules_of_npm() -> None:
    shipped = {str(each.distribution_path) for each in WheelBuilder(str(ROOT)).recurse_included_files()}
    wanted = {f"api/dashboard/assets/{name}" for name in WANTED.values()}
    assert wanted | {"api/dashboard/page.html", "api/dashboard/js/app.js", "api/dashboard/css/base.css"} <= shipped
    assert not [name for name in shipped if "node_modules" in name or name.startswith("package")]


def test_what_was_fetched_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    modules, assets = tmp_path / "node_modules", tmp_path / "assets"
    for source in WANTED:
        (modules / source).parent.mkdir(parents=True, exist_ok=True)
        (modules / source).write_text(source, "utf-8")
    assets.mkdir()
    (assets / "old.js").touch()
    copy_wanted(modules, assets)
    assert {path.relative_to(assets).as_posix() for path in assets.rglob("*.*")} == set(WANTED.values())
    (modules / next(iter(WANTED))).unlink()
    with pytest.raises(OSError, match="No such file"):
        copy_wanted(modules, assets)
    assert (assets / "pico.min.css").exists(), "what was there stays"


def test_without_npm_the_one_of_the_locked_package_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(fetch_assets, "_run", lambda command, *_: asked.append([*command]))
    with find_npm() as npm:
        npm.install(ROOT)
    pip, install = asked
    assert "--require-hashes" in pip
    assert pip[-1] == str(ROOT / "requirements-node.txt")
    assert Path(install[0]).name.startswith("node")
    assert install[1].endswith("npm-cli.js")
    assert install[2] == "ci"
    assert npm.environment["PATH"].startswith(str(Path(install[0]).parent))


def test_a_failure_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: Npm, __: Path) -> None:
        raise subprocess.TimeoutExpired("npm", 1)

    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr(Npm, "install", fail)
    assert fetch_assets.main() == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "make setup" in said

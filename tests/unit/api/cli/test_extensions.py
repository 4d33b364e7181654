"""`lattice extensions …`, in process: it needs no database."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from api.cli.program import run_program

ROOT = Path(__file__).parents[4]
KINDS = ["update_rule", "event_handler", "integration", "domain_model"]

Command = Callable[..., tuple[int, Any]]

RULE = """
from dataclasses import dataclass
from typing import ClassVar
from axiom.simulation import Rule, number
from core.extensions import Plugin

@dataclass(frozen=True, slots=True)
class Thing(Plugin, Rule):
    kind: ClassVar[str] = "thing"
    name: ClassVar[str] = "thing"
    rate: float = number()

    def __call__(self, state, step, /):
        return {value}
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.delenv("LATTICE_TEST_POSTGRES", raising=False)
    monkeypatch.setenv("LATTICE_EXTENSIONS_DIR", str(tmp_path / "extensions"))
    (tmp_path / "extensions").mkdir()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lattice(capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, Any]:
        code = run_program(["extensions", *arguments, "--json"])
        shown = capsys.readouterr()
        return code, json.loads(shown.out or shown.err)

    return run


def write_rule(folder: Path, value: str) -> Path:
    made = folder / "thing"
    made.mkdir(parents=True)
    manifest = 'name = "thing"\nkind = "update_rule"\nversion = "1.0.0"\nentry = "thing:Thing"\n'
    (made / "extension.toml").write_text(manifest)
    (made / "thing.py").write_text(RULE.format(value=value))
    return made


@pytest.mark.parametrize("page", ["list", "check", "new"])
def test_help_has_examples(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(["extensions", page, "--help"]) == 0
    assert f"lattice extensions {page}" in capsys.readouterr().out.partition("Examples")[2]


def test_the_list_has_every_kind_that_is_built_in(lattice: Command) -> None:
    code, found = lattice("list")
    assert code == 0
    names = {(each["kind"], each["name"]) for each in found["items"]}
    assert names >= {("update_rule", "linear"), ("event_handler", "threshold"), ("provider", "extractive")}
    assert {each["state"] for each in found["items"]} <= {"ready", "loaded"}
    assert {each["origin"].partition(" ")[0] for each in found["items"]} == {"crystal-lattice"}


def test_the_list_shows_a_folder_and_what_is_wrong_in_it(
    lattice: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rule(tmp_path / "extensions", "0.0")
    (tmp_path / "extensions" / "torn").mkdir()
    (tmp_path / "extensions" / "torn" / "extension.toml").write_text("name = ")
    _, found = lattice("list")
    thing = next(each for each in found["items"] if each["name"] == "thing")
    assert (thing["kind"], thing["origin"], thing["state"]) == ("update_rule", "folder thing", "ready")
    assert found["items"][-1]["name"] == "torn"
    assert found["items"][-1]["problem"].startswith("has a broken extension.toml")
    _, found = lattice("list", "--kind", "provider")
    assert {each["kind"] for each in found["items"]} == {"provider"}
    assert run_program(["extensions", "list"]) == 0
    assert "folder thing" in capsys.readouterr().out


def test_a_name_of_a_built_in_rule_is_a_clash_that_is_told(lattice: Command, tmp_path: Path) -> None:
    made = write_rule(tmp_path / "extensions", "0.0")
    (made / "extension.toml").write_text((made / "extension.toml").read_text().replace('"thing"', '"linear"', 1))
    _, found = lattice("list", "--kind", "update_rule")
    linear = [each for each in found["items"] if each["name"] == "linear"]
    assert [each["state"] for each in linear] == ["broken", "broken"]
    assert "axiom.simulation:Linear and thing:Thing of folder thing" in linear[0]["problem"]


def test_everything_built_in_passes_its_check(lattice: Command) -> None:
    code, trials = lattice("check")
    assert [trial for trial in trials if trial["status"] != "OK"] == []
    assert code == 0


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("1 / 0", "stops at step 1"),
        ("None", "stops at step 1"),
        ("float('nan')", "stops at step 1"),
        ("state.own if state.own > 0.2 else 0.0", "stops at step 1"),  # no array code
        ("__import__('random').random()", "a second run differs"),
        ("state.nothing", "stops at step 1"),
        ("exit(0)", "its rule failed: SystemExit"),
    ],
)
def test_a_rule_that_does_not_work_fails_its_check(lattice: Command, tmp_path: Path, value: str, problem: str) -> None:
    made = write_rule(tmp_path / "elsewhere", value)
    code, (trial,) = lattice("check", str(made))
    assert (code, trial["status"]) == (1, "FAIL")
    assert problem in trial["message"]


def test_a_rule_that_works_passes_and_one_that_is_off_is_passed_over(lattice: Command, tmp_path: Path) -> None:
    made = write_rule(tmp_path / "extensions", "state.own + self.rate * state.normal()")
    code, (trial,) = lattice("check", "thing")
    assert (code, trial["status"], trial["kind"]) == (0, "OK", "update_rule")
    with (made / "extension.toml").open("a") as manifest:
        manifest.write("enabled = false\n")
    code, (trial,) = lattice("check", "thing")
    assert (code, trial["status"]) == (0, "OFF")


def test_an_unknown_one_is_a_usage_error(lattice: Command) -> None:
    code, told = lattice("check", "nothing")
    assert code == 2
    assert "'nothing' is no extension" in told["message"]


def test_a_setting_that_names_no_folder_is_told(
    lattice: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LATTICE_EXTENSIONS_DIR", str(tmp_path / "missing"))
    code, told = lattice("list")
    assert (code, told["code"]) == (6, "configuration_invalid")
    assert told["message"].startswith("LATTICE_EXTENSIONS_DIR: ")


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_one_works_as_it_is(
    kind: str, lattice: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"my_{kind}"
    assert run_program(["extensions", "new", kind, name]) == 0
    made = tmp_path / "extensions" / name
    assert capsys.readouterr().out == f"{made}\n"
    assert sorted(each.name for each in made.iterdir()) == ["extension.toml", f"{name}.py", f"test_{name}.py"]
    code, trials = lattice("check", name)
    assert (code, [trial["status"] for trial in trials]) == (0, ["OK"])


def test_the_tests_of_new_ones_pass(tmp_path: Path) -> None:
    for kind in KINDS:
        assert run_program(["extensions", "new", kind, f"my_{kind}", "--folder", str(tmp_path / "new")]) == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    plain = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # they need none, and ours take a second to load
    done = subprocess.run(command, cwd=tmp_path / "new", env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_new_ones_keep_to_the_style_of_the_project(tmp_path: Path) -> None:
    for kind in KINDS:
        assert run_program(["extensions", "new", kind, f"my_{kind}", "--folder", str(tmp_path / "tests")]) == 0
    for command in ("check --ignore D103,S101", "format --check"):  # the project's tests may assert without docstrings
        arguments = [*command.split(), "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
        done = subprocess.run([sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["Momentum", "a-b", "class", "_x", "1a", "a/b", "..", "ü", "a" * 65])
def test_a_name_that_is_no_module_is_refused(name: str, tmp_path: Path) -> None:
    assert run_program(["extensions", "new", "update_rule", name]) == 2
    assert list((tmp_path / "extensions").iterdir()) == []


def test_what_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = write_rule(tmp_path / "extensions", "0.0")
    before = (made / "thing.py").read_text()
    assert run_program(["extensions", "new", "update_rule", "thing"]) == 3
    assert "is there already" in capsys.readouterr().err
    assert (made / "thing.py").read_text() == before


def test_a_name_that_a_package_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(["extensions", "new", "update_rule", "decay", "--json"]) == 2
    assert "update rule 'decay' is there already, in crystal-lattice" in capsys.readouterr().err
    assert list((tmp_path / "extensions").iterdir()) == []
    assert run_program(["extensions", "new", "event_handler", "decay"]) == 0, "another kind has names of its own"


def test_where_a_new_one_is_found_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "elsewhere"
    assert run_program(["extensions", "new", "update_rule", "drift", "--folder", str(folder)]) == 0
    told = capsys.readouterr().err
    assert f"lattice extensions check {folder / 'drift'}" in told
    assert f"LATTICE_EXTENSIONS_DIR={folder}" in told


def test_without_a_folder_one_must_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LATTICE_EXTENSIONS_DIR")
    assert run_program(["extensions", "new", "update_rule", "thing"]) == 2
    assert "is required where LATTICE_EXTENSIONS_DIR" in capsys.readouterr().err


def test_show_tells_what_a_rule_takes(lattice: Command, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = lattice("show", "decay")
    assert code == 0
    (found,) = told["items"]
    about = found["extension"]
    assert (about["kind"], about["state"]) == ("update_rule", "loaded")
    assert about["description"] == "floor + (v − floor)·exp(−rate) at each step."
    assert [(each["name"], each["required"], each["default"]) for each in found["parameters"]] == [
        ("rate", True, None),
        ("floor", False, 0.0),
    ]
    assert run_program(["extensions", "show", "threshold"]) == 0
    shown = capsys.readouterr().out
    assert "event handler" in shown
    assert "direction" in shown
    assert "one of both, up, down" in shown


def test_show_says_why_one_does_not_load(lattice: Command, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "extensions" / "bad"
    folder.mkdir()
    (folder / "bad.py").write_text("1 / 0")
    manifest = 'name = "bad"\nkind = "update_rule"\nversion = "1"\nentry = "bad:Bad"\n'
    (folder / "extension.toml").write_text(manifest)
    assert run_program(["extensions", "show", "bad"]) == 0
    assert "does not load: ZeroDivisionError" in capsys.readouterr().out
    code, problem = lattice("show", "none_such")
    assert (code, problem["code"]) == (4, "extension_not_found")

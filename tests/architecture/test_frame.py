"""The frame that developers and CI work in."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TARGETS = [
    "help",
    "setup",
    "demo",
    "serve",
    "test",
    "check",
    "bench",
    "faults",
    "screenshots",
    "format",
    "lock",
    "clean",
]


def make(*arguments: str) -> str:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_make_alone_lists_every_target() -> None:
    assert [line.split()[1] for line in make().splitlines()] == TARGETS


def test_check_runs_every_gate() -> None:
    recipe = make("--dry-run", "check")
    gates = ["ruff format --check", "ruff check", "scripts.check_size", "lint-imports", "scripts.check_docs", "mypy"]
    assert [gate for gate in gates if gate not in recipe] == []


def test_ci_is_check_and_test() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    commands = [line for line in script.read_text("utf-8").splitlines() if not re.match(r"#|set |cd ", line)]
    assert commands == ["make check", "make test"]


def test_hooks_call_tools_of_the_environment_and_fetch_nothing() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repo["repo"] for repo in hooks["repos"]] == ["local"]
    entries = [hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]]
    assert all(entry.startswith(".venv/bin/") for entry in entries)


def test_every_lint_exception_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    codes = {*lint["ignore"], *(code for ignored in lint["per-file-ignores"].values() for code in ignored)}
    config = text[text.index("\nignore = [") : text.index("[tool.ruff.lint.pydocstyle]")]
    lines = [line for line in config.splitlines() if any(f'"{code}"' in line for code in codes)]
    assert lines
    assert [line for line in lines if "#" not in line] == []

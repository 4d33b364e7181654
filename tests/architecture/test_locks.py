"""The locks hold what pyproject.toml asks for, by hash, and say nothing of where it is fetched from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME: list[str] = PROJECT["project"]["dependencies"]
DEVELOPMENT: list[str] = PROJECT["dependency-groups"]["dev"]
BUILD: list[str] = PROJECT["build-system"]["requires"]
ENTRY = re.compile(
    r"^([\w.-]+)==(\S+)(?: ; [^\\\n]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def read_lock(name: str) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for package, version, _ in ENTRY.findall((ROOT / name).read_text(encoding="utf-8")):
        pins.setdefault(canonicalize_name(package), set()).add(version)
    return pins


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_line_is_a_pin_or_a_hash(name: str) -> None:
    assert ENTRY.sub("", (ROOT / name).read_text(encoding="utf-8")) == ""


@pytest.mark.parametrize(
    ("name", "asked"),
    [("requirements.txt", RUNTIME), ("requirements-dev.txt", RUNTIME + DEVELOPMENT + BUILD)],
    ids=["runtime", "development"],
)
def test_lock_is_up_to_date(name: str, asked: list[str]) -> None:
    pins = read_lock(name)
    stale = [
        line
        for line in asked
        if (wanted := Requirement(line)) and not pins_fit(wanted, pins.get(canonicalize_name(wanted.name), set()))
    ]
    assert not stale, "run `make lock`"


def pins_fit(wanted: Requirement, versions: set[str]) -> bool:
    return bool(versions) and all(wanted.specifier.contains(version, prereleases=True) for version in versions)


def test_both_locks_agree() -> None:
    development = read_lock("requirements-dev.txt")
    assert {
        name: versions for name, versions in read_lock("requirements.txt").items() if development[name] != versions
    } == {}

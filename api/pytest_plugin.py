"""The pytest plug-in `crystal_lattice`: LLM traffic of a test, recorded once and played again ever after.

It is loaded at the start of every pytest run where this package is installed, so it imports nothing until it is used.
"""

import hashlib
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from llm_router import Cassette, CassetteMode

MODES = ("none", "once", "new", "all")
NAME = "lattice_cassette"
LONGEST_NAME = 120
"""Characters of a cassette's name; file systems allow some 255 bytes."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a test's marker asks for.

    Attributes:
        name: of its cassette; empty for that of the test.
        allow_unplayed: it may leave recorded answers unplayed.
    """

    name: str = ""
    allow_unplayed: bool = False


@dataclass(frozen=True, slots=True)
class InUse:
    """A cassette and the test that it is for."""

    cassette: "Cassette"
    file: Path
    wish: Wish


IN_USE = pytest.StashKey[InUse]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("crystal lattice").addoption(
        "--lattice-record",
        choices=MODES,
        default="none",
        help="LLM traffic of tests with the fixture lattice_cassette: none plays what is recorded and sends nothing; "
        "once records where there is no cassette; new adds what is missing; all records everything anew",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tell of the marker."""
    config.addinivalue_line(
        "markers",
        f"{NAME}(name='', allow_unplayed=False): play or record the test's LLM traffic, from a cassette of this name; "
        "let recorded answers stay unplayed",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give the fixture to a test that has only the marker."""
    names = getattr(item, "fixturenames", None)
    if names is not None and item.get_closest_marker(NAME) is not None and NAME not in names:
        names.insert(0, NAME)


@pytest.fixture
def lattice_cassette(request: pytest.FixtureRequest) -> Iterator["Cassette"]:
    """LLM traffic of this test, from the cassette beside it; `--lattice-record` says whether it may be recorded."""
    from llm_router import use_cassette

    item = cast("pytest.Item", request.node)
    wish = read_wish(item)
    file = request.path.parent / "cassettes" / request.path.stem / f"{name_file(wish.name or name_test(request))}.yaml"
    mode = cast("CassetteMode", request.config.getoption("lattice_record"))
    with use_cassette(file, mode) as cassette:
        item.stash[IN_USE] = InUse(cassette, file, wish)
        yield cassette


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail a test that went well by itself, but not as it was recorded."""
    used = item.stash.get(IN_USE, None)
    try:
        yield
    except Exception:
        if used is not None and used.cassette.misses:
            item.add_report_section("call", NAME, describe_problem(used))
        raise
    problem = describe_problem(used) if used is not None else ""
    if problem:
        pytest.fail(problem, pytrace=False)


def read_wish(item: pytest.Item) -> Wish:
    """Return what a test's marker asks for.

    Raises:
        pytest.UsageError: the marker has arguments that it does not know.
    """
    marker = item.get_closest_marker(NAME)
    if marker is None:
        return Wish()
    try:
        return Wish(*marker.args, **marker.kwargs)
    except TypeError:
        raise pytest.UsageError(f"{item.nodeid}: {NAME} takes name and allow_unplayed") from None


def name_test(request: pytest.FixtureRequest) -> str:
    """Return a test's name in its module, with that of its class."""
    owner = f"{request.cls.__name__}." if request.cls else ""
    return f"{owner}{request.node.name}"


def name_file(name: str) -> str:
    """Return a name as that of a file: on every system, and different for different names."""
    plain = re.sub(r"[^\w.\[\]-]", "-", name)[:LONGEST_NAME]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def describe_problem(used: InUse) -> str:
    """Return what a test did otherwise than it was recorded; empty for nothing."""
    if used.cassette.misses:
        again = "record what is missing by --lattice-record=new, or everything by --lattice-record=all"
        return "\n".join([*(miss.message for miss in used.cassette.misses), again])
    unplayed = [] if used.wish.allow_unplayed else used.cassette.list_unplayed()
    if unplayed:
        lines = (f"  {each}" for each in unplayed)
        again = "record it anew by --lattice-record=all, or allow it by the marker: allow_unplayed=True"
        return "\n".join([f"of the cassette {used.file} this was not played:", *lines, again])
    return ""

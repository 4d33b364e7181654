"""Extensions come from packages that are installed: here, from some that a test puts on the path."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.registry import Registry

GROUP = "lattice.test_clocks"

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    def install_package(package: str, source: str = "", **offers: str) -> None:
        folder = tmp_path / package
        info = folder / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{package}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in offers.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines]))
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, package, raising=False)

    return install_package


def make() -> Registry[int]:
    return Registry(GROUP, "clock", int)


def test_extensions_are_listed_unloaded_and_loaded_once(install: Install) -> None:
    install("sundials", "raise RuntimeError('loaded')", sundial="sundials:CLOCK")
    install("hourglasses", "CLOCK = 3", hourglass="hourglasses:CLOCK")
    registry = make()
    assert registry.names() == ["hourglass", "sundial"]
    assert registry.get("hourglass") == 3
    assert registry.get("hourglass") is registry.get("hourglass")


def test_an_unknown_name_lists_the_known(install: Install) -> None:
    with pytest.raises(ConfigurationError, match="clock 'sundial' is unknown; known are none"):
        make().get("sundial")
    install("hourglasses", "CLOCK = 3", hourglass="hourglasses:CLOCK")
    with pytest.raises(ConfigurationError, match="clock 'sundial' is unknown; known are hourglass"):
        make().get("sundial")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("raise RuntimeError('no sun')", "clock 'sundial' does not load: RuntimeError: no sun"),
        ("import not_there", "clock 'sundial' does not load: ModuleNotFoundError"),
        ("def (", "clock 'sundial' does not load: SyntaxError"),
        ("OTHER = 3", "clock 'sundial' does not load: AttributeError"),
        ("CLOCK = 'noon'", "clock 'sundial' is no int: sundials:CLOCK"),
    ],
)
def test_what_does_not_load_is_told_by_its_name(install: Install, source: str, problem: str) -> None:
    install("sundials", source, sundial="sundials:CLOCK")
    with pytest.raises(ConfigurationError) as caught:
        make().get("sundial")
    assert problem in caught.value.message


def test_a_name_that_two_packages_claim_is_refused_and_the_others_work(install: Install) -> None:
    install("sundials", "CLOCK = 1", sundial="sundials:CLOCK", garden="sundials:CLOCK")
    install("moondials", "CLOCK = 2", sundial="moondials:CLOCK")
    registry = make()
    with pytest.raises(ConfigurationError, match="two packages: moondials:CLOCK and sundials:CLOCK"):
        registry.get("sundial")
    assert registry.get("garden") == 1


def test_a_package_that_is_found_twice_is_one(install: Install) -> None:
    install("sundials", "CLOCK = 1", sundial="sundials:CLOCK")
    install("sundials_again", sundial="sundials:CLOCK")
    assert make().get("sundial") == 1

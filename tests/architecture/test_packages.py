"""The packages are those that were declared, and each is entered by its one door."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINTER = PROJECT["tool"]["importlinter"]
PACKAGES: list[str] = LINTER["root_packages"]
BESIDES = {"benchmarks", "docs", "examples", "scripts", "tests"}
WITHOUT_PROTECTION = {
    "api",
    "core",
    "migrations",
}  # nothing stands above api, core has no door, migrations has no layer
SDK_HOMES = {
    "anthropic": {"llm_router"},
    "fastembed": {"knowledge"},
    "onnxruntime": {"knowledge"},
    "openai": {"knowledge", "llm_router"},
}
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
DOORS = [path for path in SOURCES if path.name == "__init__.py"]


def imported_roots(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_packages_on_disk_are_the_declared_ones() -> None:
    on_disk = {entry.name for entry in ROOT.iterdir() if entry.is_dir() and any(entry.rglob("*.py"))}
    assert {name for name in on_disk - BESIDES if not name.startswith(".")} == set(PACKAGES)


def test_every_tool_knows_the_same_packages() -> None:
    assert sorted(PACKAGES) == PACKAGES
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == PACKAGES
    assert set(PROJECT["tool"]["mypy"]["packages"]) == {*PACKAGES, *BESIDES} - {"docs"}


def test_each_package_is_in_the_layers_and_protected() -> None:
    layers = next(contract["layers"] for contract in LINTER["contracts"] if contract["type"] == "layers")
    assert sorted(name.strip() for row in layers for name in row.split("|")) == sorted({*PACKAGES} - {"migrations"})
    protected = {c["protected_modules"][0] for c in LINTER["contracts"] if c["type"] == "protected"}
    assert protected == {f"{name}.**" for name in {*PACKAGES} - WITHOUT_PROTECTION}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_has_a_door_that_says_what_it_is(package: str) -> None:
    door = ROOT / package / "__init__.py"
    docstring = ast.get_docstring(ast.parse(door.read_text(encoding="utf-8")))
    assert docstring is not None
    assert len(docstring.splitlines()) <= 3


@pytest.mark.parametrize("door", DOORS, ids=named)
def test_door_holds_imports_and_offers_them(door: Path) -> None:
    # ruff (RUF022) keeps the names sorted
    module = ast.parse(door.read_text(encoding="utf-8"))
    body = module.body[1:] if ast.get_docstring(module) is not None else module.body
    offered: list[str] = []
    imported: set[str] = set()
    for statement in body:
        match statement:
            case ast.ImportFrom(module="importlib" | "typing"):
                continue
            case ast.Import() | ast.ImportFrom():
                imported |= names_of(statement)
            case ast.If(test=ast.Name("TYPE_CHECKING"), body=late):  # what is loaded when it is first asked for
                assert ast.unparse(module.body[-2]).startswith("LATE = ")
                assert ast.unparse(module.body[-1]).startswith("def __getattr__(")
                imported |= {name for each in late for name in names_of(each)}
            case ast.Assign(targets=[ast.Name("__all__")]):
                offered = ast.literal_eval(statement.value)
            case ast.Assign(targets=[ast.Name("LATE")]) | ast.FunctionDef(name="__getattr__"):
                continue
            case _:
                pytest.fail(f"line {statement.lineno}: a door only imports")
    assert "*" not in imported
    assert len(offered) == len(set(offered))
    assert set(offered) == imported


def names_of(statement: ast.stmt) -> set[str]:
    assert isinstance(statement, ast.Import | ast.ImportFrom)
    return {alias.asname or alias.name for alias in statement.names}


def test_core_has_no_door() -> None:
    assert len(ast.parse((ROOT / "core/__init__.py").read_text(encoding="utf-8")).body) == 1


@pytest.mark.parametrize("sdk", SDK_HOMES)
def test_sdk_is_imported_in_its_home_and_never_by_a_door(sdk: str) -> None:
    importers = [path for path in SOURCES if sdk in imported_roots(path)]
    assert {path.relative_to(ROOT).parts[0] for path in importers} <= SDK_HOMES[sdk]
    assert not [named(path) for path in importers if path.name == "__init__.py"]

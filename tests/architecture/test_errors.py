"""One error tree: drawn as it is, each leaf with its own code, each code documented with its status."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import core.errors
from api.errors import status_of
from core.errors import LatticeError

ROOT = Path(__file__).resolve().parents[2]
DRAWN = re.compile(r"^([│├└─ ]*)(\w+Error)(?: +([a-z_]+)\b)?", re.MULTILINE)
DOCUMENTED = dict(
    re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", (ROOT / "docs/errors.md").read_text("utf-8"), re.MULTILINE)
)


def walk(error: type[LatticeError], depth: int = 0) -> Iterator[tuple[int, type[LatticeError]]]:
    yield depth, error
    for child in error.__subclasses__():
        yield from walk(child, depth + 1)


TREE = list(walk(LatticeError))
WITH_CODE = [error for _, error in TREE if error.code]


def test_the_drawing_is_the_tree() -> None:
    assert core.errors.__doc__ is not None
    drawn = [(len(indent) // 4, name, code) for indent, name, code in DRAWN.findall(core.errors.__doc__)]
    assert drawn == [(depth, error.__name__, vars(error).get("code", "")) for depth, error in TREE]


def test_every_error_is_in_the_one_module() -> None:
    ours = {error.__name__ for _, error in TREE}
    strays = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}"
        for top in ROOT.iterdir()
        if top.is_dir() and not top.name.startswith(".") and top.name != "tests"
        for path in top.rglob("*.py")
        if path != ROOT / "core/errors.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and ours & {ast.unparse(parent).rpartition(".")[2] for parent in node.bases}
    ]
    assert not strays


def test_every_leaf_has_a_code_of_its_own() -> None:
    leaves = [error for _, error in TREE if not error.__subclasses__()]
    assert all("code" in vars(error) and re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code) for error in leaves)
    codes = [error.code for error in WITH_CODE]
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("error", WITH_CODE, ids=lambda error: error.code)
def test_status_is_the_documented_one(error: type[LatticeError]) -> None:
    assert str(status_of(error)) == DOCUMENTED[error.code]

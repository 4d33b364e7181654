"""The docs check: each setting, key of the router's file, error code and route is documented, and none that is gone.

Run as `python -m scripts.check_docs`. What exists is read from the program itself: the settings model, the shape of the
router's file, the error tree and the OpenAPI paths of the wired application; what is documented, from docs/settings.md,
docs/errors.md, docs/api.md.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Any, get_args

from pydantic import BaseModel

from core.errors import LatticeError

ROOT = Path(__file__).resolve().parents[1]
SETTING = re.compile(r"\bLATTICE_[A-Z0-9_]+\b")
KEY_CHAPTER = "\n## The router's file\n"
KEY_SECTION = re.compile(r"^### .*?\[+([\w.]+)\]")
CODE_ROW = re.compile(r"^\| `([a-z_]+)`", re.MULTILINE)


def setting_names(model: type[BaseModel], prefix: str = "LATTICE_") -> Iterator[str]:
    """List the environment variables that a settings model reads; a nested model's follow after `__`."""
    for name, field in model.model_fields.items():
        variable = field.validation_alias if isinstance(field.validation_alias, str) else prefix + name.upper()
        nested = _model_in(field.annotation)
        if nested is None:
            yield variable
        else:
            yield from setting_names(nested, f"{variable}__")


def error_types(tree: type[LatticeError] = LatticeError) -> Iterator[type[LatticeError]]:
    """List the errors of a tree that have a code of their own, parents first."""
    if "code" in vars(tree) and tree.code:
        yield tree
    for child in tree.__subclasses__():
        yield from error_types(child)


def routes(openapi_paths: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """List (method, path) of OpenAPI's paths."""
    for path, item in openapi_paths.items():
        for method in ("get", "post", "put", "patch", "delete"):
            if item.get(method):
                yield method.upper(), path


def is_documented(method: str, path: str, page: str) -> bool:
    """Tell whether a page has a line with this method and this whole path."""
    whole = re.compile(rf"(?<![\w/}}]){re.escape(path)}(?![\w/{{])")
    verb = re.compile(rf"\b{method}\b")
    return any(verb.search(line) and whole.search(line) for line in page.splitlines())


def setting_problems(names: Iterable[str], page: str, elsewhere: str) -> list[str]:
    """Say which settings the page lacks, and which of its names nothing reads, `elsewhere` included."""
    names = set(names)
    documented = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", page))
    stale = set(SETTING.findall(page)) - names - set(SETTING.findall(elsewhere))
    return [f"docs/settings.md: no word of {name}" for name in sorted(names - documented)] + [
        f"docs/settings.md: {name} is no setting" for name in sorted(stale)
    ]


def documented_keys(page: str) -> Iterator[str]:
    """List the keys of the router's file that the page's tables have, each after the section that its heading names."""
    section = ""
    for line in page.partition(KEY_CHAPTER)[2].partition("\n## ")[0].splitlines():
        if line.startswith("### "):
            named = KEY_SECTION.match(line)
            section = f"{named[1]}." if named else ""
        elif line.startswith("| `"):
            yield from (section + key for key in re.findall(r"`(\w+)`", line.split("|")[1]))


def key_problems(keys: Iterable[str], page: str) -> list[str]:
    """Say which keys of the router's file the page lacks, and which of its rows are of none."""
    keys, documented = set(keys), set(documented_keys(page))
    return [f"docs/settings.md: no row for {key}" for key in sorted(keys - documented)] + [
        f"docs/settings.md: {key} is no key" for key in sorted(documented - keys)
    ]


def error_problems(codes: Iterable[str], page: str) -> list[str]:
    """Say which error codes the page's table lacks, and which of its rows are of no error."""
    codes, documented = set(codes), set(CODE_ROW.findall(page))
    return [f"docs/errors.md: no row for `{code}`" for code in sorted(codes - documented)] + [
        f"docs/errors.md: `{code}` is no error code" for code in sorted(documented - codes)
    ]


def route_problems(openapi_paths: dict[str, Any], page: str) -> list[str]:
    """Say which routes the page lacks."""
    return [
        f"docs/api.md: no line with {method} {path}"
        for method, path in routes(openapi_paths)
        if not is_documented(method, path, page)
    ]


def openapi_paths() -> dict[str, Any]:
    """Return the paths of the application as wired with the default settings; nothing is opened."""
    app = import_module("api.app").create_app(import_module("api.settings").Settings())
    paths: dict[str, Any] = app.openapi_schema.to_schema()["paths"]
    return paths


def _model_in(annotation: object) -> type[BaseModel] | None:
    options = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)  # a list is one variable
    found = (a for a in options if isinstance(a, type) and issubclass(a, BaseModel))
    return next(found, None)


def _page(name: str) -> str:
    path = ROOT / "docs" / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def main() -> int:
    """Print what the docs lack; return the exit code."""
    names = list(setting_names(import_module("api.settings").Settings))
    keys = list(import_module("llm_router.config.shape").list_keys())
    codes = [error.code for error in error_types()]
    paths = openapi_paths()
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    problems = [
        *setting_problems(names, _page("settings.md"), elsewhere=compose),
        *key_problems(keys, _page("settings.md")),
        *error_problems(codes, _page("errors.md")),
        *route_problems(paths, _page("api.md")),
    ]
    print(*problems, sep="\n", end="\n" if problems else "")
    counts = f"{len(names)} settings, {len(keys)} keys, {len(codes)} error codes, {len(list(routes(paths)))} routes"
    print(f"docs check: {counts}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

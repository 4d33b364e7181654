"""Named queries from SQL files."""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString, cast

_BLOCK = re.compile(r"^-- name: (\w+)[ \t]*\n", re.MULTILINE)


def load_queries(package: str, file: str) -> Mapping[str, LiteralString]:
    """Read the queries of a file of `-- name: x` blocks."""
    text = files(package).joinpath(file).read_text(encoding="utf-8")
    parts = _BLOCK.split(text)
    queries: dict[str, LiteralString] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        if name in queries:
            raise ValueError(f"{file}: two queries are named {name}")
        queries[name] = cast("LiteralString", body.strip().rstrip(";"))
    return MappingProxyType(queries)

"""Named queries: `.sql` files of blocks that begin with `-- name: x`, each explained by a comment."""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString

_NAME = re.compile(r"^-- name:[ \t]*(\S*)[ \t]*$", re.MULTILINE)
_PLACE = re.compile(r"\{\w*\}")
_EXPLAINED = re.compile(r"\A(?:--[^\n]*\n)*--[ \t]*\w")

_names: dict[str, str] = {}  # of all queries that were loaded, by their text


def load_queries(package: str, file: str) -> Mapping[str, LiteralString]:
    """Return the queries of a file in a package by name; meant to be called at import, so that a fault shows at once.

    Raises:
        ValueError: text before the first name, a name that is repeated or no word, a query without a comment or empty.
    """
    queries = parse_queries((files(package) / file).read_text(encoding="utf-8"), f"{package}/{file}")
    for name, query in queries.items():
        _names[query] = _names[_fill(query)] = f"{file.removesuffix('.sql')}.{name}"
    return queries


def name_query(text: str) -> str | None:
    """Return what a query that was loaded is called, as `gems.get_gems`; None for any other text.

    Args:
        text: as it was loaded, or with `{}` at each place that was filled in.
    """
    return _names.get(text)


def _fill(query: str) -> str:
    """Return a query as psycopg formats it, but with `{}` for whatever it fills in."""
    return _PLACE.sub("{}", query).replace("{{", "{").replace("}}", "}")


def parse_queries(text: str, source: str) -> Mapping[str, LiteralString]:
    """Return the queries of a text by name, without their comments at the head.

    Raises:
        ValueError: as `load_queries`; `source` is named in the message.
    """
    preamble, *blocks = _NAME.split(text)
    if preamble.strip():
        raise ValueError(f"{source}: text before the first `-- name:`")
    queries: dict[str, LiteralString] = {}
    for name, block in zip(blocks[::2], blocks[1::2], strict=True):
        if not name.isidentifier():
            raise ValueError(f"{source}: {name!r} is no name for a query")
        if name in queries:
            raise ValueError(f"{source}: the name {name} is repeated")
        body = block.strip()
        if not _EXPLAINED.match(body):
            raise ValueError(f"{source}: {name} has no comment that explains it")
        query = re.sub(r"\A(?:--[^\n]*(?:\n|\Z))+", "", body).strip()
        if not query:
            raise ValueError(f"{source}: {name} is empty")
        queries[name] = query  # a literal in psycopg's sense: the files are part of the program
    return MappingProxyType(queries)

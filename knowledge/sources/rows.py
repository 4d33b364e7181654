"""JSONL and CSV: one document a row, read row by row however long the file."""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader, TextIOWrapper
from typing import TypeAlias

from core.errors import InvalidInputError
from knowledge.documents import FIELDS, MAX_TEXT_CHARS, SourceDocument, parse_document
from knowledge.sources.problem import SourceProblem, UnreadableError
from knowledge.sources.text import detect_encoding

Rows: TypeAlias = Iterator[SourceDocument | SourceProblem]

# A text of the greatest length with some escapes, and its other fields.
MAX_ROW_CHARS = 2 * MAX_TEXT_CHARS
_SAMPLE = 65_536
_JSON_COLUMNS = ("metadata", "entities", "relations")
_UNDECODED = re.compile("[\udc80-\udcff]")
_DELIMITERS = (",", ";", "\t")


def read_jsonl(stream: BufferedReader, source: str) -> Rows:
    """Read one JSON object a line; blank lines are passed over.

    Args:
        stream: read on from where it stands, never whole, and left open.
        source: names problems, and is the source of rows that give none.

    Raises:
        UnreadableError: the bytes are no text.
    """
    with _text(stream, "\n", unicode_only=True) as lines:  # as JSON is by its standard
        number = 0
        while line := lines.readline(MAX_ROW_CHARS):
            number += 1
            if len(line) == MAX_ROW_CHARS and not line.endswith("\n"):
                while (rest := lines.readline(MAX_ROW_CHARS)) and not rest.endswith("\n"):
                    pass
                yield SourceProblem(source, f"is longer than {MAX_ROW_CHARS:,} characters", number)
            elif not line.isspace():
                yield _parse_line(line, source, number)


def read_csv(stream: BufferedReader, source: str) -> Rows:
    """Read a table whose first row names the fields of a document; commas, semicolons or tabs part its columns.

    Empty cells are absent; metadata, entities and relations are JSON. A problem's line is the last of its row.

    Args:
        stream: read on from where it stands, never whole, and left open.
        source: names problems, and is the source of rows that give none.

    Raises:
        UnreadableError: the bytes are no text, or the first row does not name the fields.
    """
    # One setting for the process: the default of 131,072 is less than a document may have.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_TEXT_CHARS + 1))
    with _text(stream, "") as lines:
        head = lines.readline(_SAMPLE)
        delimiter = max(_DELIMITERS, key=lambda mark: "text" in _columns(head, mark))
        columns = _columns(head, delimiter)
        _check_columns(columns)
        reader = csv.reader(iter(partial(lines.readline, MAX_ROW_CHARS), ""), delimiter=delimiter, strict=True)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:  # the reader goes on with the next line
                yield SourceProblem(source, f"is not CSV: {error}", reader.line_num + 1)
                continue
            if any(cells):
                yield _parse_cells(columns, cells, source, reader.line_num + 1)


@contextmanager
def _text(stream: BufferedReader, newline: str, *, unicode_only: bool = False) -> Iterator[TextIOWrapper]:
    """Show bytes as text; a byte that is none becomes a lone surrogate, so that it spoils one row and no other."""
    encoding = detect_encoding(stream.peek(_SAMPLE)[:_SAMPLE])
    if unicode_only and not encoding.startswith("utf"):
        encoding = "utf-8"
    lines = TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline=newline)
    try:
        yield lines
    except UnicodeDecodeError as error:
        raise UnreadableError(f"is not {error.encoding} throughout; the rest of it was passed over") from error
    finally:
        lines.detach()  # else its end would close a stream that is not ours


def _parse_line(line: str, source: str, number: int) -> SourceDocument | SourceProblem:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        return SourceProblem(source, f"is not JSON: {error.msg} at column {error.colno}", number)
    except (ValueError, RecursionError):
        return SourceProblem(source, "is not JSON that can be read: too deep, or a number too long", number)
    if not isinstance(row, dict):
        return SourceProblem(source, "is not a JSON object", number)
    return _parse_row(line, row, source, number)


def _parse_cells(columns: list[str], cells: list[str], source: str, number: int) -> SourceDocument | SourceProblem:
    if any(cells[len(columns) :]):
        return SourceProblem(source, f"has {len(cells)} cells under {len(columns)} columns", number)
    row: dict[str, object] = {name: cell for name, cell in zip(columns, cells, strict=False) if name and cell.strip()}
    for name in _JSON_COLUMNS:
        if name in row:
            try:
                row[name] = json.loads(str(row[name]))
            except (ValueError, RecursionError):
                return SourceProblem(source, f"{name}: is not JSON", number)
    return _parse_row("".join(cells), row, source, number)


def _parse_row(raw: str, row: dict[str, object], source: str, number: int) -> SourceDocument | SourceProblem:
    if _UNDECODED.search(raw):
        return SourceProblem(source, "holds bytes that are no text", number)
    try:
        return parse_document({**row, "source": row.get("source") or source})
    except InvalidInputError as error:
        return SourceProblem(source, error.message, number)


def _columns(head: str, delimiter: str) -> list[str]:
    return [name.strip().casefold() for name in next(csv.reader([head], delimiter=delimiter), [])]


def _check_columns(columns: list[str]) -> None:
    named = [name for name in columns if name]
    known = ", ".join(FIELDS)
    if "text" not in named:
        raise UnreadableError(f"has no column 'text'; columns are named as the fields of a document: {known}")
    if unknown := [name for name in named if name not in FIELDS]:
        raise UnreadableError(f"has columns that are no fields: {', '.join(unknown)[:200]}; known are {known}")
    if len(set(named)) < len(named):
        raise UnreadableError("has two columns of one name")

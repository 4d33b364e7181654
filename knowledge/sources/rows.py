"""JSONL and CSV: one document a row, read row by row however long the file."""

import codecs
import csv
import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from typing import TypeAlias

from core.errors import InvalidInputError
from core.text import name_kind
from knowledge.documents import FIELDS, MAX_TEXT_CHARS, RowPlace, SourceDocument, parse_document
from knowledge.sources.problem import SourceProblem, UnreadableError
from knowledge.sources.text import detect_encoding

Rows: TypeAlias = Iterator[SourceDocument | SourceProblem]

# A text of the greatest length with some escapes, and its other fields.
MAX_ROW_CHARS = 2 * MAX_TEXT_CHARS
MAX_ROW_LINES = 100_000  # of one row of CSV, which are kept until it is whole
MOST_READ_AGAIN = 10 * MAX_ROW_LINES  # lines of one table: one that was made for it would take the square of its size
_SAMPLE = 65_536
_JSON_COLUMNS = ("metadata", "entities", "relations")
_UNDECODED = re.compile("[\udc80-\udcff]")
_DELIMITERS = (",", ";", "\t")
MARKED = "lattice-marked"  # as surrogateescape, for encodings whose units have more than a byte


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

    Empty cells are absent; metadata, entities and relations are JSON. A problem's line is the last of its row. A quote
    that is never closed spoils the line it stands in: those after it are read again, as rows that must be whole.

    Args:
        stream: read on from where it stands, never whole, and left open.
        source: names problems, and is the source of rows that give none.

    Raises:
        UnreadableError: the bytes are no text, or the first row does not name the fields.
    """
    # One setting for the process: the default of 131,072 is less than a document may have.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_TEXT_CHARS + 1))
    with _text(stream, "") as text:
        lines = _RowLines(text)
        head = text.readline(_SAMPLE)
        delimiter = max(_DELIMITERS, key=lambda mark: "text" in _columns(head, mark))
        columns = _columns(head, delimiter)
        _check_columns(columns)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:  # the reader goes on with the next line
                place = lines.read_again()
                yield SourceProblem(source, f"is not CSV: {_explain(error)}", place)
                continue
            if lines.is_again and len(cells) != len(columns) and any(cells):
                problem = f"has {len(cells)} cells under {len(columns)} columns, after a quote that is never closed"
                yield SourceProblem(source, problem, lines.number)
            elif any(cells):
                yield _parse_cells(columns, cells, source, lines.number)


class _RowLines:
    """The lines below the head of a table; those of a row that cannot be read are read again, one by one.

    Attributes:
        number: of the line that was read last.
        is_again: whether the row at hand begins with a line that was given back.
    """

    def __init__(self, text: TextIOWrapper) -> None:
        self.number = 1
        self.is_again = False
        self._text = text
        self._row: list[str] = []
        self._again = deque[str]()
        self._left = MOST_READ_AGAIN

    def __iter__(self) -> "_RowLines":
        return self

    def __next__(self) -> str:
        if len(self._row) >= MAX_ROW_LINES:
            raise csv.Error(f"a row of more than {MAX_ROW_LINES:,} lines; is a quote left open?")
        line = self._again.popleft() if self._again else self._text.readline(MAX_ROW_CHARS)
        if not line:
            raise StopIteration
        self._row.append(line)
        self.number += 1
        return line

    def begin_row(self) -> None:
        self._row.clear()
        self.is_again = bool(self._again)

    def read_again(self) -> int:
        """Give back all lines of the row but its first, and return the number of that."""
        rest = self._row[1:]
        place = self.number - len(rest)
        if len(rest) <= self._left:
            self._left -= len(rest)
            self._again.extendleft(reversed(rest))
            self.number = place
        return place


@contextmanager
def _text(stream: BufferedReader, newline: str, *, unicode_only: bool = False) -> Iterator[TextIOWrapper]:
    """Show bytes as text; a byte that is none becomes a lone surrogate, so that it spoils one row and no other."""
    encoding = detect_encoding(stream.peek(_SAMPLE)[:_SAMPLE], by_line=True)
    if unicode_only and not encoding.startswith("utf"):
        encoding = "utf-8"
    errors = MARKED if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    lines = TextIOWrapper(stream, encoding=encoding, errors=errors, newline=newline)
    try:
        yield lines
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
        problem = f"is {name_kind(row)}, not an object; each line must be one JSON object"
        return SourceProblem(source, problem, number)
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
        return SourceProblem(source, "holds bytes that are no text; save the file as UTF-8", number)
    try:
        return parse_document({**row, "source": row.get("source") or source}, place=RowPlace(source, number))
    except InvalidInputError as error:
        return SourceProblem(source, error.message, number)


def _explain(error: csv.Error) -> str:
    return "a quote is opened and never closed" if "end of data" in str(error) else str(error)


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


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error(MARKED, _mark)

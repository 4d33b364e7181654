"""Paths in, documents and problems out, in a stable order."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

from core.errors import InvalidInputError
from knowledge.documents import SourceDocument, parse_document
from knowledge.sources.problem import SourceProblem, UnreadableError
from knowledge.sources.rows import Rows, read_csv, read_jsonl
from knowledge.sources.text import Content

STANDARD_INPUT = "-"
MAX_FILE_BYTES = 100_000_000
BUFFER_BYTES = 65_536

# A module for each format that is read whole, with one function read(data: bytes) -> Content. It is imported when the
# first such file is met: the parsers behind them are slow to load.
_WHOLE = {
    ".txt": "text",
    ".md": "markdown",
    ".html": "markup",
    ".htm": "markup",
    ".pdf": "pdf",
    ".docx": "docx",
}
_ROWS: dict[str, Callable[[BufferedReader, str], Rows]] = {".jsonl": read_jsonl, ".csv": read_csv}

FORMATS = tuple(sorted((*_WHOLE, *_ROWS)))
WORDLESS = {  # pictures, sounds and fonts, as they stand among documents
    *(".avif", ".bmp", ".gif", ".heic", ".ico", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff", ".webp"),
    *(".m4a", ".mov", ".mp3", ".mp4", ".ogg", ".wav", ".webm", ".otf", ".ttf", ".woff", ".woff2"),
}


def read_sources(
    paths: Iterable[str | Path],
    *,
    recursive: bool = True,
    input_format: str = ".txt",
    standard_input: BinaryIO | None = None,
    within: Path | None = None,
) -> Rows:
    """Read files, folders and standard input, lazily and in a stable order.

    A file becomes one document, a row of JSONL or CSV another. What cannot be read is a SourceProblem, and the rest
    goes on. Within a folder, what is hidden is passed over without a word, as are pictures, sounds and fonts, which
    hold none. The external id and the source of a file are its folder's name and the path below: "notes/2024/may.md"
    for ../notes, and "notes/a.md" for the file ../notes/a.md, whatever the working folder.

    Args:
        paths: of files and folders; "-" is standard input.
        recursive: go into folders within folders.
        input_format: how standard input is read, one of FORMATS.
        standard_input: stands in for the process's own.
        within: a folder, without links in its own path, that no file may lie outside of, wherever links lead.

    Raises:
        InvalidInputError: `input_format` is not known.
    """
    if input_format not in FORMATS:
        raise InvalidInputError("input_format", f"must be one of {', '.join(FORMATS)}, not {input_format}")
    return _read_all(paths, recursive, input_format, standard_input, within)


def read_upload(stream: BinaryIO, name: str, input_format: str, *, external_id: str | None = None) -> Rows:
    """Read one body, lazily.

    Args:
        stream: read on from where it stands, and left open.
        name: names problems, and is the source of documents that give none.
        input_format: one of FORMATS.
        external_id: of the document, where the format makes one of the whole body.
    """
    yield from _read_stream(_peekable(stream), name, input_format, external_id)


def estimate_rows(paths: Iterable[str | Path]) -> int:
    """Return how many rows sources hold, nearly: JSONL and CSV have one a line, any other file is one itself."""
    rows = 0
    for path in paths:
        for found in _find_files(Path(path), recursive=True):
            if isinstance(found, SourceProblem) or found[0].suffix.lower() not in _ROWS or not found[0].is_file():
                rows += 1
            else:
                rows += _count_lines(found[0])
    return rows


def _count_lines(file: Path) -> int:
    lines, last = 0, b"\n"
    with suppress(OSError), file.open("rb") as stream:
        while block := stream.read(1_000_000):
            lines, last = lines + block.count(b"\n"), block[-1:]
    return max(0, lines + (last != b"\n") - (file.suffix.lower() == ".csv"))


def _read_all(
    paths: Iterable[str | Path],
    recursive: bool,
    input_format: str,
    standard_input: BinaryIO | None,
    within: Path | None,
) -> Rows:
    seen: dict[str, Path] = {}
    for path in paths:
        if str(path) == STANDARD_INPUT:
            stream = standard_input or sys.stdin.buffer
            yield from _read_stream(_peekable(stream), "standard input", input_format, external_id=None)
            continue
        for found in _find_files(Path(path), recursive):
            place = found if isinstance(found, SourceProblem) else _admit(*found, seen, within)
            if isinstance(place, SourceProblem):
                yield place
            elif place is not None:
                yield from read_file(*place)


def find_files(paths: Iterable[str | Path]) -> Iterator[tuple[Path, str] | SourceProblem]:
    """Find the files that `read_sources` would read, each with the name it goes by; `read_file` reads one."""
    seen: dict[str, Path] = {}
    for path in paths:
        for found in _find_files(Path(path), recursive=True):
            place = found if isinstance(found, SourceProblem) else _admit(*found, seen, None)
            if place is not None:
                yield place


def _admit(
    file: Path, name: str, seen: dict[str, Path], within: Path | None
) -> tuple[Path, str] | SourceProblem | None:
    """Return a file that is to be read, why it is not, or None if it was seen before."""
    try:
        if within is not None and not file.resolve().is_relative_to(within):
            return SourceProblem(name, "leads out of the folder that may be read")
        first = seen.setdefault(name, file)
        if first is file:
            return file, name
        if first.resolve() != file.resolve():
            return SourceProblem(name, f"{file} would replace {first}, which has the same name; read them apart")
    except (OSError, RuntimeError) as error:  # a loop of links
        return SourceProblem(name, _reason(error))
    return None


def _find_files(path: Path, recursive: bool) -> Iterator[tuple[Path, str] | SourceProblem]:
    """Find the files under a path, each with the name it goes by."""
    try:
        root = path.parent.resolve() / path.name if path.is_file() else path.resolve()
        is_folder = root.is_dir()
        if not is_folder and not root.exists():
            yield SourceProblem(str(path), "does not exist")
            return
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
        yield SourceProblem(str(path), _reason(error))
        return
    if not is_folder:
        yield path, _name(root, root.parent)
        return
    problems: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=problems.append):
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if recursive else []
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() not in WORDLESS:
                yield Path(folder, name), _name(Path(folder, name), root)
    yield from (SourceProblem(str(error.filename), _reason(error)) for error in problems)


def _name(file: Path, root: Path) -> str:
    # A name that is not in the file system's encoding holds lone surrogates, which cannot be printed.
    return file.relative_to(root.parent).as_posix().encode("utf-8", "replace").decode()


def read_file(file: Path, name: str) -> Rows:
    """Read one file by the name that it goes by."""
    suffix = file.suffix.lower()
    if suffix not in FORMATS:
        yield SourceProblem(name, f"is of no known format; known are {', '.join(FORMATS)}")
        return
    try:
        if not file.is_file():  # reading a pipe or a device may never end
            yield SourceProblem(name, "is not a regular file")
            return
        with file.open("rb", buffering=BUFFER_BYTES) as stream:
            yield from _read_stream(_peekable(stream), name, suffix, external_id=name)
    except OSError as error:
        yield SourceProblem(name, _reason(error))


def _read_stream(stream: BufferedReader, name: str, suffix: str, external_id: str | None) -> Rows:
    try:
        if read_rows := _ROWS.get(suffix):
            yield from read_rows(stream, name)
        else:
            yield _read_whole(stream, name, suffix, external_id)
    except UnreadableError as error:
        yield SourceProblem(name, str(error))
    except InvalidInputError as error:
        yield SourceProblem(name, error.message)


def _read_whole(stream: BufferedReader, name: str, suffix: str, external_id: str | None) -> SourceDocument:
    data = stream.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableError(f"has more than {MAX_FILE_BYTES:,} bytes; split it")
    read: Callable[[bytes], Content] = import_module(f"knowledge.sources.{_WHOLE[suffix]}").read
    content = read(data)
    if not content.text or content.text.isspace():
        raise UnreadableError("holds no text")
    return parse_document({"text": content.text, "title": content.title, "id": external_id, "source": name})


def _peekable(stream: BinaryIO) -> BufferedReader:
    return stream if isinstance(stream, BufferedReader) else BufferedReader(cast("RawIOBase", stream))


def _reason(error: Exception) -> str:
    return f"cannot be read: {(error.strerror if isinstance(error, OSError) else None) or error}"

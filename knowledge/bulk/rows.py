"""Rows of JSON with their embeddings, read by the block: by msgspec where it can, else as any other row.

Whatever the quick way cannot take, or takes for wrong, `read_jsonl` reads again and judges alone: so both say the same.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BufferedReader, BytesIO, RawIOBase
from itertools import groupby
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInputError
from knowledge.documents import RowPlace, SourceDocument, parse_document
from knowledge.given_vectors import MAX_DIMENSION, scale_to_units
from knowledge.sources.problem import SourceProblem, UnreadableError
from knowledge.sources.rows import MAX_ROW_CHARS, read_jsonl

BLOCK_BYTES = 8_000_000  # one transaction: about 1,000 rows with vectors in digits, 3,500 with packed ones
SUFFIX = ".jsonl"
_ABSENT = msgspec.Raw(b"null")


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The fields of a document whose types need no second look; a row that has others is read the slow way."""

    text: str
    embedding: bytes | list[float]
    id: str | int | None = None
    title: str | None = None
    source: str | None = None
    occurred_at: str | None = None
    metadata: msgspec.Raw = _ABSENT
    gem: str | None = None
    speaker: str | None = None
    entities: list[str] | None = None


_DECODER = msgspec.json.Decoder(_Row)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file.

    Attributes:
        source: names problems, and is the source of rows that give none.
        start: offset of the first byte.
        size: in bytes.
    """

    path: Path
    source: str
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """What a block holds.

    Attributes:
        documents: in the order of their lines, each with its embedding if it has one.
        problems: of the other lines; numbered from the first line of the block.
        lines: how many it has.
    """

    documents: list[SourceDocument]
    problems: list[SourceProblem]
    lines: int


def is_precomputed(path: Path) -> bool:
    """Tell whether a file is JSONL in UTF-8 whose first row brings its embedding and belongs to no thread."""
    if path.suffix.lower() != SUFFIX or not path.is_file():
        return False
    with path.open("rb") as stream:
        while (line := stream.readline(MAX_ROW_CHARS)) and line.isspace():
            pass
    try:
        row = msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return isinstance(row, dict) and row.get("embedding") is not None and row.get("thread") is None


def cut_blocks(path: Path, source: str, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Cut a file into blocks of whole lines, of about `size` bytes, without reading it."""
    with path.open("rb") as stream:
        start, end = 0, stream.seek(0, 2)
        while start < end:
            stream.seek(min(start + size, end) - 1)
            stream.readline()
            yield Block(path, source, start, stream.tell() - start)
            start = stream.tell()


def read_block(block: Block) -> ReadBlock:
    """Read the rows of a block."""
    with block.path.open("rb") as stream:
        stream.seek(block.start)
        data = stream.read(block.size)
    if block.start == 0:
        data = data.removeprefix(b"\xef\xbb\xbf")
    return read_lines(data, block.source)


@np.errstate(over="ignore")  # what is too great for 4 bytes is infinite there, and refused as such
def read_lines(data: bytes, source: str) -> ReadBlock:
    """Read the rows of some lines; blank ones are passed over."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    found: dict[int, SourceDocument | SourceProblem | None] = {}
    vectors: dict[int, NDArray[np.float32]] = {}
    for number, line in enumerate(lines):
        if not line or line.isspace():
            continue
        try:
            row = _DECODER.decode(line)
            vector = _to_vector(row.embedding)
            found[number], vectors[number] = _to_document(row, RowPlace(source, number + 1)), vector
        except (msgspec.MsgspecError, InvalidInputError, ValueError, RecursionError):
            found[number] = _read_again(line, source, number)
    _add_vectors(found, vectors, lines, source)
    rows = list(found.values())
    return ReadBlock(
        documents=[row for row in rows if isinstance(row, SourceDocument)],
        problems=[row for row in rows if isinstance(row, SourceProblem)],
        lines=len(lines),
    )


def _to_document(row: _Row, place: RowPlace) -> SourceDocument:
    fields: dict[str, object] = {"text": row.text, "source": row.source or place.name}
    for name in ("id", "title", "occurred_at", "gem", "speaker", "entities"):
        if (value := getattr(row, name)) is not None:
            fields[name] = value
    if (metadata := bytes(row.metadata)) != b"null":
        fields["metadata"] = json.loads(metadata)
    return parse_document(fields, place=place)


def _to_vector(embedding: bytes | list[float]) -> NDArray[np.float32]:
    return np.frombuffer(embedding, "<f4") if isinstance(embedding, bytes) else np.array(embedding, "<f4")


def _add_vectors(
    found: dict[int, SourceDocument | SourceProblem | None],
    vectors: dict[int, NDArray[np.float32]],
    lines: list[bytes],
    source: str,
) -> None:
    """Give documents their vectors, scaled together where equally long; what cannot be scaled is read again."""
    for length, group in groupby(sorted(vectors, key=lambda n: len(vectors[n])), key=lambda n: len(vectors[n])):
        numbers = list(group)
        units, usable = scale_to_units(np.stack([vectors[number] for number in numbers]))
        usable &= 1 <= length <= MAX_DIMENSION
        for number, unit, fits in zip(numbers, units, usable.tolist(), strict=True):
            document = found[number]
            if fits and isinstance(document, SourceDocument):
                found[number] = replace(document, embedding=unit.tobytes())
            else:
                found[number] = _read_again(lines[number], source, number)


def _read_again(line: bytes, source: str, number: int) -> SourceDocument | SourceProblem | None:
    """Read a line as `read_jsonl` does; None if it is blank to it."""
    try:
        row = next(read_jsonl(BufferedReader(cast("RawIOBase", BytesIO(line + b"\n"))), source), None)
    except UnreadableError as error:  # bytes that are no text
        return SourceProblem(source, str(error), number + 1)
    if isinstance(row, SourceDocument):
        return replace(row, place=RowPlace(source, number + 1))
    return replace(row, line=number + 1) if row is not None else None

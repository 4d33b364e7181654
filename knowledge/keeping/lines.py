"""The file of an export: lines of JSON, packed by gzip, the last of which proves that none before it is missing.

{"format": "crystal-lattice", "version": 2, "exported_at": …, "model": …, "dimension": …}
{"table": "gem", "counts": {"document": …, …}, …}     then the rows of its tables, then the next gem
{"table": "entanglement", "other_id": …, …}           the last rows of a gem, with gems before it in the file
{"end": true, "lines": …, "sha256": …}                of all before it, the header without `exported_at`
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, cast

import msgspec
from pgvector import HalfVector

from core.errors import BodyTooLargeError, UnreadableSourceError

FORMAT = "crystal-lattice"
VERSION = 2
READABLE = (1, VERSION)  # files of version 1 tell of no entanglements
LONGEST_LINE = 256_000_000  # bytes; a document of the largest text, escaped, has less
GZIP_MAGIC = b"\x1f\x8b"
PACKED_BYTES = 64_000  # that are sent at a time
_GZIP_WINDOW = 31  # zlib's word for a gzip stream; its header then holds no time

Row = dict[str, msgspec.Raw]


@dataclass(frozen=True, slots=True)
class ExportHeader:
    """The first line of an export.

    Attributes:
        model: that made the vectors; None if the lattice held none.
    """

    exported_at: datetime
    model: str | None
    dimension: int | None


class LinePacker:
    """Makes lines and packs them; what comes out is sent on as it comes."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder(enc_hook=_encode_vector)
        self._packing = zlib.compressobj(level=6, wbits=_GZIP_WINDOW)
        self._digest = hashlib.sha256()
        self._lines = 0

    def open(self, header: ExportHeader) -> bytes:
        """Pack the header."""
        stated = {"format": FORMAT, "version": VERSION}
        told = {"model": header.model, "dimension": header.dimension}
        self._digest.update(self._encode(stated | told))
        return self._pack(self._encode(stated | {"exported_at": header.exported_at} | told))

    def add(self, rows: Iterable[Mapping[str, Any]]) -> bytes:
        """Pack rows, each one line; may return nothing yet."""
        lines = b"".join(self._encode_each(rows))
        self._digest.update(lines)
        return self._pack(lines)

    def close(self) -> bytes:
        """Pack the last line and return all that is left."""
        end = {"end": True, "lines": self._lines, "sha256": self._digest.hexdigest()}
        return self._pack(self._encode(end)) + self._packing.flush()

    def _encode_each(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
        for row in rows:
            self._lines += 1
            yield self._encode(row)

    def _encode(self, row: Mapping[str, Any]) -> bytes:
        return self._encoder.encode(row) + b"\n"

    def _pack(self, lines: bytes) -> bytes:
        return self._packing.compress(lines)


class LineReader:
    """Reads the lines of an export, packed or not, from its beginning to its last row."""

    def __init__(self, stream: BinaryIO, name: str, most_bytes: int | None = None) -> None:
        """Read `stream`, which can seek; `name` is what errors call it, `most_bytes` how many it may unpack to."""
        self._name = name
        self._lines = _unpack(stream, name, most_bytes)
        self.number = 0

    def read_row(self) -> Row:
        """Return the fields of the next line, none of them decoded; errors name its number.

        Raises:
            UnreadableSourceError: there is none, or it is no object of JSON.
        """
        return self.decode(self.read_line())

    def decode(self, line: bytes) -> Row:
        """Return the fields of the line read last, none of them decoded.

        Raises:
            UnreadableSourceError: it is no object of JSON.
        """
        try:
            return msgspec.json.decode(line, type=Row)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
            raise self.problem("is no object of JSON") from e

    def read_line(self) -> bytes:
        """Return the next line.

        Raises:
            UnreadableSourceError: there is none.
        """
        line = next(self._lines, b"")
        self.number += 1
        if not line.endswith(b"\n"):
            raise UnreadableSourceError(self._name, "is cut off: its last line is missing")
        return line

    def problem(self, text: str) -> UnreadableSourceError:
        """Return the error that says this of the line read last."""
        return UnreadableSourceError(self._name, f"line {self.number:,} {text}")


def _unpack(stream: BinaryIO, name: str, most_bytes: int | None) -> Iterator[bytes]:
    unpacked = 0
    stream.seek(0)
    is_packed = stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    stream.seek(0)
    lines = cast("BinaryIO", gzip.GzipFile(fileobj=stream)) if is_packed else stream
    try:
        while line := lines.readline(LONGEST_LINE):
            unpacked += len(line)
            if most_bytes is not None and unpacked > most_bytes:
                raise BodyTooLargeError("body", f"unpacks to more than {most_bytes:,} bytes")
            yield line
    except (OSError, EOFError, zlib.error) as e:
        raise UnreadableSourceError(name, f"is broken or cut off: {e}") from e


def _encode_vector(value: object) -> object:
    if isinstance(value, HalfVector):
        return value.to_numpy().astype("<f2").tobytes()  # which then becomes base64
    raise NotImplementedError(type(value))

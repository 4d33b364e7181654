"""Contents: told by their SHA-256, packed, cut where equal rows stay together. Pure.

A content of rows is JSON as Postgres writes it. One of vectors is binary, record after record: the ordinal, the vector
and the token states of a passage, each of the two behind its length, −1 for none; numbers are big-endian.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from pgvector import HalfVector

LEVEL = 6
CUT = 128  # rows of a chunk on average
MOST_ROWS = 1_000
MOST_BYTES = 1_000_000
NOBODY = UUID(int=0)  # the key of what is told of the gem as a whole

_SEPARATOR = ",\n"
_HEAD = struct.Struct(">ii")
_SIZE = struct.Struct(">i")
_VECTOR_HEAD = 4  # bytes before the numbers: how many there are, and two that are unused


@dataclass(frozen=True, slots=True)
class Part:
    """One content of a gem.

    Attributes:
        kind: `gem`, `document`, `states`, `vectors` or a table's name.
        key: the document that it is about; NOBODY if it is about none.
        part: where it comes among those of the same kind and key.
        size: bytes of the content.
        content: None where it is stored already.
    """

    kind: str
    key: UUID
    part: int
    sha256: bytes
    size: int
    content: bytes | None


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """What models made of one passage."""

    ordinal: int
    vector: HalfVector | None
    states: bytes | None


def make_part(kind: str, part: int, content: bytes) -> Part:
    """Return a content that is about the gem as a whole."""
    return Part(kind, NOBODY, part, hashlib.sha256(content).digest(), len(content), content)


def list_of(rows: Iterable[str]) -> bytes:
    """Return the content of rows that are JSON."""
    return f"[{_SEPARATOR.join(rows)}]".encode()


def pack(content: bytes) -> bytes:
    """Return a content as it is stored: compressed where that makes it smaller."""
    packed = zlib.compress(content, LEVEL)
    return packed if len(packed) < len(content) else content


def unpack(packed: bytes, size: int, sha256: bytes) -> bytes | None:
    """Return a content; None if it is not the one of this digest."""
    try:
        content = packed if len(packed) == size else zlib.decompress(packed)
    except zlib.error:
        return None
    return content if hashlib.sha256(content).digest() == sha256 else None


def cut_rows(rows: Iterable[str]) -> Iterator[list[str]]:
    """Cut rows where their own text says so: around one that came, went or changed, all chunks stay what they were."""
    chunk: list[str] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += len(row)
        if zlib.crc32(row.encode()) % CUT == 0 or len(chunk) >= MOST_ROWS or size >= MOST_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def read_vectors(content: bytes) -> Iterator[StoredVectors]:
    """Return what a content of vectors holds."""
    at = 0
    while at < len(content):
        ordinal, size = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        vector = None
        if size >= 0:
            vector = HalfVector(np.frombuffer(content, ">f2", (size - _VECTOR_HEAD) // 2, at + _VECTOR_HEAD))
            at += size
        (size,) = _SIZE.unpack_from(content, at)
        at += _SIZE.size
        states = content[at : at + size] if size >= 0 else None
        at += max(0, size)
        yield StoredVectors(ordinal, vector, states)

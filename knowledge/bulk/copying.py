"""Rows as Postgres takes them fastest: a batch is one message of binary COPY, its numbers laid by numpy. Pure.

The order of the fields is that of the table `bulk_row` in sql/bulk.sql.
"""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import SourceDocument

SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)  # no flags, no extension
TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
FIELDS = 16


@dataclass(frozen=True, slots=True)
class BulkRow:
    """A document that is one passage.

    Attributes:
        start: offset of the first character of its text that is not blank; the passage begins there.
        end: offset behind the last one.
        tokens: of the passage.
    """

    document: SourceDocument
    content_hash: bytes
    start: int
    end: int
    tokens: int


def pack_rows(rows: Sequence[BulkRow], dimension: int) -> bytes:
    """Return the whole COPY of some rows, numbered from 0; each has an embedding of this dimension."""
    fixed = _lay_out_numbers(rows, dimension)
    size, numbers = fixed.itemsize, memoryview(fixed.tobytes())
    parts: list[bytes | memoryview] = [SIGNATURE]
    for i, row in enumerate(rows):
        document = row.document
        parts += (
            numbers[i * size : (i + 1) * size],
            _text(document.external_id),
            _text(document.title),
            _text(document.source),
            _text(document.speaker),
            _moment(document.occurred_at),
            _json(document.metadata),
            _json(document.entities),
            _text(document.text),
        )
    return b"".join((*parts, TRAILER))


def make_ids(count: int) -> NDArray[np.void]:
    """Return distinct UUIDs of version 7, rising: what is written together lies together in an index of them."""
    made = np.frombuffer(os.urandom(16 * count), np.uint8).reshape(count, 16).copy()
    # a millisecond in 6 bytes, then 12 bits that count within it: rising, whatever the rest of the random bits
    ticks = (int(time.time() * 1000) << 12) + np.arange(count, dtype=np.int64)
    made[:, :6] = (ticks >> 12).astype(">i8").view(np.uint8).reshape(count, 8)[:, 2:]
    made[:, 6] = 0x70 | (ticks >> 8 & 0x0F)
    made[:, 7] = ticks & 0xFF
    made[:, 8] = 0x80 | (made[:, 8] & 0x3F)
    return np.ascontiguousarray(made).view("V16").reshape(count)


def _lay_out_numbers(rows: Sequence[BulkRow], dimension: int) -> NDArray[np.void]:
    """Return what is equally long in every row, as it is sent: each field behind its length."""
    columns: list[tuple[str, str | int | NDArray[np.generic], str]] = [
        ("n", np.arange(len(rows)), ">i4"),
        ("document_id", make_ids(len(rows)), "V16"),
        ("passage_id", make_ids(len(rows)), "V16"),
        ("content_hash", np.frombuffer(b"".join(row.content_hash for row in rows), "V32"), "V32"),
        ("start_char", np.array([row.start for row in rows]), ">i4"),
        ("end_char", np.array([row.end for row in rows]), ">i4"),
        ("tokens", np.array([row.tokens for row in rows]), ">i4"),
    ]
    vector = np.dtype([("dimension", ">i2"), ("unused", ">i2"), ("values", ">f2", (dimension,))])
    types = [("fields", ">i2")]
    for name, _, kind in columns:
        types += [(f"{name} size", ">i4"), (name, kind)]
    packed = np.zeros(len(rows), np.dtype([*types, ("embedding size", ">i4"), ("embedding", vector)]))
    packed["fields"] = FIELDS
    for name, values, kind in columns:
        packed[f"{name} size"] = np.dtype(kind).itemsize
        packed[name] = values
    packed["embedding size"] = vector.itemsize
    packed["embedding"]["dimension"] = dimension
    given = np.frombuffer(b"".join(row.document.embedding or b"" for row in rows), "<f4")
    packed["embedding"]["values"] = given.reshape(len(rows), dimension)
    return packed


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    data = value.encode()
    return len(data).to_bytes(4, "big") + data


def _moment(value: datetime | None) -> bytes:
    if value is None:
        return _NULL
    return b"\x00\x00\x00\x08" + ((value - _EPOCH) // _MICROSECOND).to_bytes(8, "big", signed=True)


def _json(value: object) -> bytes:
    if not value:
        data = b"{}" if isinstance(value, dict) else b"[]"
    else:
        data = json.dumps(value, ensure_ascii=False).encode()
    return (len(data) + 1).to_bytes(4, "big") + b"\x01" + data

"""Rows of an export as Postgres takes them: each field decoded by the type of its column."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID, uuid5

import msgspec
import numpy as np
from pgvector import HalfVector

from knowledge.keeping.lines import LineReader, Row
from knowledge.keeping.tables import GEM, VECTOR, TableLayout

BESIDE = frozenset({"table", "counts"})  # what a line says beside its row
HALF = 2  # bytes of half a float

Renew: TypeAlias = Callable[[UUID], UUID]
# Postgres reads NaN and infinity where they are sent as text, and nothing here reckons with them
STRICT: Mapping[str, Any] = {
    "double precision": float,
    "real": float,
    "timestamp with time zone": Annotated[datetime, msgspec.Meta(tz=True)],
}


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Rows of one table that have the same fields."""

    table: str
    names: tuple[str, ...]
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RowDecoder:
    """Decodes the rows of one gem.

    Attributes:
        reader: of the file; errors name its line.
        layouts: what of each table there is here.
        gem_id: that the rows belong to from now on.
        is_copy: whether all ids are renewed, each always to the same new one.
        vector_bytes: how long a passage's vector must be.
        left_out: tables whose rows are passed over.
        drops_entity_vectors: whether the vectors of names are of a foreign model.
    """

    reader: LineReader
    layouts: Mapping[str, TableLayout]
    gem_id: UUID
    is_copy: bool
    vector_bytes: int
    left_out: frozenset[str]
    drops_entity_vectors: bool

    def read(self, count: int) -> list[StoredRows]:
        """Read the next rows of the file, and put together those that are stored alike.

        Raises:
            UnreadableSourceError: one of them is no row of this gem.
        """
        found: list[StoredRows] = []
        for _ in range(count):
            line = self.reader.read_row()
            name = self._decode(line.get("table"), str)
            layout = self.layouts.get(name)
            if layout is None or name == GEM.name:
                raise self.reader.problem(f"is of a table that has no place here: {name}")
            if name in self.left_out:
                continue
            row = self.decode(line, layout)
            names = tuple(row)
            if not found or (found[-1].table, found[-1].names) != (name, names):
                found.append(StoredRows(name, names, []))
            found[-1].rows.append(row)
        return found

    def decode(self, line: Row, layout: TableLayout) -> dict[str, Any]:
        """Return one row as it is stored, its fields by their columns.

        Raises:
            UnreadableSourceError: it has a field that is not known, or a value that is none of its column.
        """
        if unknown := sorted(line.keys() - layout.columns.keys() - BESIDE):
            raise self.reader.problem(f"has a field that this version does not know: {unknown[0]}")
        row = {name: self._convert(line[name], kind) for name, kind in layout.columns.items() if name in line}
        if layout.table.under is None:
            row["gem_id"] = self.gem_id
        if layout.table.name == "passage" and len(row.get(VECTOR) or b"") != self.vector_bytes:
            raise self.reader.problem("has a vector of another length than the header says")
        if layout.table.name == "entity" and self.drops_entity_vectors:
            row[VECTOR] = None
        return {
            name: self._to_vector(name, value) if layout.columns.get(name) == "halfvec" else value
            for name, value in row.items()
        }

    def _convert(self, raw: msgspec.Raw, kind: str) -> Any:  # noqa: ANN401 - rows are of many types
        if bytes(raw) == b"null":
            return None
        match kind:
            case "jsonb":
                return bytes(raw).decode(errors="replace")
            case "bytea" | "halfvec":
                return self._unpack(raw, HALF if kind == "halfvec" else 1)
            case "uuid":
                return self._renew(self._decode(raw, UUID))
            case "uuid[]":
                return [self._renew(each) for each in self._decode(raw, list[UUID])]
            case _:
                return self._decode(raw, STRICT.get(kind, bool | int | float | str | list[int | str]))

    def _renew(self, old: UUID) -> UUID:
        return uuid5(self.gem_id, str(old)) if self.is_copy else old

    def _unpack(self, raw: msgspec.Raw, step: int) -> bytes:
        try:
            packed = base64.b64decode(self._decode(raw, str), validate=True)
        except (binascii.Error, ValueError) as e:
            raise self.reader.problem("holds bytes that are no base64") from e
        if len(packed) % step:
            raise self.reader.problem("holds a vector that is cut short")
        return packed

    def _decode(self, raw: msgspec.Raw | None, type_: Any) -> Any:  # noqa: ANN401 - as asked for
        try:
            value = msgspec.json.decode(raw or b"null", type=type_)
            return value.astimezone(UTC) if isinstance(value, datetime) else value
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as e:  # 9999 has an end in UTC
            raise self.reader.problem(f"holds a value of another kind: {e}") from e

    def _to_vector(self, name: str, packed: bytes | None) -> HalfVector | None:
        if packed is None:
            return None
        vector = np.frombuffer(packed, "<f2")
        if not (vector.any() and np.isfinite(vector).all()):
            raise self.reader.problem(f"has a vector that is all zeros or not finite: {name}")
        return HalfVector(vector)

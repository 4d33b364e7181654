"""Exporting gems: everything that was stored in them, in one snapshot, as a stream."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg.rows import dict_row

from core.errors import GemNotFoundError
from core.pg import Connection, Database
from core.sql import load_queries
from gems import EntanglementCount, Moment, count_entanglements
from knowledge.keeping.entangled import list_entangled
from knowledge.keeping.lines import ExportHeader, LinePacker
from knowledge.keeping.tables import (
    GEM,
    KNOWLEDGE_TABLES,
    VECTOR,
    TableLayout,
    TravellingTable,
    read_layouts,
    slot_columns,
)
from knowledge.keeping.vectors import fetch

ROWS = 500  # read and packed at a time

_SQL = load_queries("knowledge.sql", "transfer.sql")


@dataclass(frozen=True, slots=True)
class Exports:
    """Writes gems into files that another lattice can take in.

    Attributes:
        tables: that travel beside those of knowledge.
    """

    database: Database
    tables: Sequence[TravellingTable] = ()

    async def stream(
        self,
        tenant: UUID,
        gem_ids: Sequence[UUID] | None,
        at: Moment,
        notify: Callable[[EntanglementCount], None] = lambda count: None,
    ) -> AsyncGenerator[bytes]:
        """Yield the bytes of an export, as they are made; equal lattices give equal bytes but for the time.

        Args:
            tenant: whose lattice.
            gem_ids: which gems; None means all, archived ones included.
            at: the time of the export.
            notify: called before the first bytes: how many entanglements the file holds, those among its gems, and
                how many are left out, since they lead out of it.

        Raises:
            GemNotFoundError: a gem is not in the lattice; nothing was yielded.
        """
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            await conn.execute(_SQL["be_patient"])
            models = await fetch(conn, _SQL["find_model"], {})
            model: dict[str, Any] = models[0] if models else {"model": None, "dimension": None, "column": VECTOR}
            gems = await fetch(conn, _SQL["list_gems"], {"gem_ids": None if gem_ids is None else list(gem_ids)})
            _check_found(gem_ids, [gem["gem_id"] for gem in gems])
            notify(await count_entanglements(conn, gem_ids))
            layouts = await read_layouts(conn, (GEM, *KNOWLEDGE_TABLES, *self.tables))
            packer = LinePacker()
            yield packer.open(ExportHeader(at.now, model["model"], model["dimension"]))
            before = set[UUID]()
            for gem in gems:
                reading = _GemReading(conn, gem["gem_id"], model["column"], layouts, before)
                async with aclosing(reading.read()) as batches:
                    async for rows in batches:
                        if packed := await asyncio.to_thread(packer.add, rows):
                            yield packed
                before.add(gem["gem_id"])
            yield packer.close()


@dataclass(frozen=True, slots=True)
class _GemReading:
    """Reads one gem within the snapshot of a transaction.

    Attributes:
        before: the gems before it in the file.
    """

    conn: Connection
    gem_id: UUID
    vector_column: str
    layouts: Mapping[str, TableLayout]
    before: Collection[UUID]

    async def read(self) -> AsyncGenerator[list[dict[str, Any]]]:
        """Yield the rows of its lines, some at a time: the gem's own first, then its tables one after another."""
        key = {"gem_id": self.gem_id}
        below = {name: layout for name, layout in self.layouts.items() if name != GEM.name}
        counts = {name: (await fetch(self.conn, layout.count(), key))[0]["rows"] for name, layout in below.items()}
        entangled = await list_entangled(self.conn, self.gem_id, self.before)
        counts["entanglement"] = len(entangled)
        (gem,) = await fetch(self.conn, self.layouts[GEM.name].read(self.vector_column), key)
        yield [{"table": GEM.name, "counts": counts} | _to_line(gem, self.layouts[GEM.name])]
        (row,) = await fetch(self.conn, _SQL["list_slots"], key)
        slots = np.frombuffer(row["slots"], ">i4")
        for name, layout in below.items():
            numbered = list(slot_columns(layout.columns))
            cursor = self.conn.cursor(f"export_{uuid4().hex}", row_factory=dict_row)
            async with cursor:
                await cursor.execute(layout.read(self.vector_column), key, binary=True)
                while rows := await cursor.fetchmany(ROWS):
                    for column in numbered:
                        _renumber(rows, column, slots)
                    yield [{"table": name} | _to_line(row, layout) for row in rows]
        yield [msgspec.structs.asdict(line) for line in entangled]


def _to_line(row: Mapping[str, Any], layout: TableLayout) -> dict[str, Any]:
    return {
        name: msgspec.Raw(row[name].encode()) if kind == "jsonb" and row[name] is not None else row[name]
        for name, kind in layout.columns.items()
    }


def _renumber(rows: Sequence[dict[str, Any]], column: str, slots: NDArray[np.int32]) -> None:
    """Turn slots into places among those in use; −1, or null for a single one, stands for what is there no more."""
    told: list[list[int]] = [
        each if isinstance(each, list) else [-1 if each is None else each] for each in (row[column] for row in rows)
    ]
    wanted = np.array([slot for each in told for slot in each], np.int64)
    places = np.searchsorted(slots, wanted)
    inside = np.minimum(places, max(0, len(slots) - 1))
    known = slots[inside] == wanted if len(slots) else np.zeros(len(wanted), np.bool_)
    numbers = iter(np.where(known, places, -1).tolist())
    for row, each in zip(rows, told, strict=True):
        renumbered = [next(numbers) for _ in each]
        if isinstance(row[column], list):
            row[column] = renumbered
        else:
            row[column] = renumbered[0] if renumbered[0] >= 0 else None


def _check_found(wanted: Sequence[UUID] | None, found: Sequence[UUID]) -> None:
    if missing := [str(each) for each in wanted or () if each not in found]:
        raise GemNotFoundError(f"no gem with id {', '.join(missing)}", gem_ids=missing)

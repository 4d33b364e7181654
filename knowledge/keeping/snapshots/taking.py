"""Taking: one moment of some gems, read part by part and laid on a shelf, each content that is not there yet once."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from core.pg import Connection
from core.sql import load_queries
from knowledge.keeping.snapshots.content import Part, cut_rows, list_of, make_part, pack
from knowledge.keeping.snapshots.layout import OF_DOCUMENTS, Layout, StoredTable, pick
from knowledge.keeping.tables import GEM
from knowledge.keeping.vectors import fetch

PASSAGES = 512  # read at a time, with their vectors
DOCUMENTS = 256
ROWS = 2_000  # of other tables
ORDINALS = 256  # passages of one part of a document's vectors

_SQL = load_queries("knowledge.sql", "snapshots.sql")

Watch = Callable[[int, int], None]  # passages that are done, and of how many


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where snapshots are laid: for good, or beside one for as long as a transaction lasts."""

    prefix: str

    @property
    def names(self) -> dict[str, sql.Identifier]:
        """The tables by what queries call them."""
        return {name: sql.Identifier(f"{self.prefix}_{name}") for name in ("gem", "item", "member")}

    def fit(self, query: str) -> sql.Composed:
        """Return a query about this shelf."""
        return sql.SQL(_SQL[query]).format(**self.names)


STORED = Shelf("snapshot")
LIVE = Shelf("live")  # knows the digests of vectors, and not these themselves


@dataclass(frozen=True, slots=True)
class Sitting:
    """A gem that is about to be taken.

    Attributes:
        is_unsealed: whether a bulk load left passages that are not indexed yet.
    """

    gem_id: UUID
    name: str
    passages: int
    is_unsealed: bool = False


@dataclass(slots=True)
class Taken:
    """How much was laid on the shelf.

    Attributes:
        size_bytes: of all contents, unpacked.
        added_bytes: of those that are new, as they are stored.
        passages: read so far.
    """

    size_bytes: int = 0
    added_bytes: int = 0
    passages: int = 0


@dataclass(frozen=True, slots=True)
class Taking:
    """Takes gems as a connection sees them, and writes by another one; both may be the same.

    Attributes:
        reading: all that it reads must be of one moment.
        column: where the lattice's vectors are.
    """

    reading: Connection
    writing: Connection
    shelf: Shelf
    snapshot_id: UUID
    layout: Layout
    column: str

    async def take(self, gems: Sequence[Sitting], watch: Watch = lambda done, total: None) -> Taken:
        """Lay some gems on the shelf."""
        taken, total = Taken(), sum(gem.passages for gem in gems)
        for gem in gems:
            key = {"snapshot_id": self.snapshot_id, "gem_id": gem.gem_id}
            await self.writing.execute(self.shelf.fit("insert_gem"), key | {"name": gem.name})
            counts: Counter[str] = Counter()
            async with aclosing(self._read(gem.gem_id, counts)) as batches:
                before = taken.passages
                async for parts in batches:
                    await self._put(gem.gem_id, parts, taken)
                    taken.passages = before + counts["passage"]
                    watch(taken.passages, total)
            await self.writing.execute(self.shelf.fit("seal_gem"), key | {"counts": Jsonb(dict(+counts))})
        return taken

    async def _read(self, gem_id: UUID, counts: Counter[str]) -> AsyncGenerator[Sequence[Part]]:
        """Yield the contents of a gem, some at a time, and count its rows."""
        for kind, table in ((GEM.name, self.layout.tables[GEM.name]), *((t.name, t) for t in self.layout.chunked)):
            number = 0
            async with aclosing(self._read_rows(table, gem_id)) as batches:
                async for chunks in batches:
                    counts[kind] += sum(map(len, chunks))
                    yield [make_part(kind, number + i, list_of(chunk)) for i, chunk in enumerate(chunks)]
                    number += len(chunks)
        async with aclosing(self._list_documents(gem_id)) as batches:
            async for document_ids in batches:
                yield await self._read_documents(document_ids, counts)

    async def _read_rows(self, table: StoredTable, gem_id: UUID) -> AsyncGenerator[list[list[str]]]:
        """Yield the rows of a table in chunks; the last one of each batch goes on in the next."""
        rest: list[str] = []
        async with self.reading.cursor(f"rows_{uuid4().hex}") as cursor:
            await cursor.execute(table.read(), {"gem_id": gem_id})
            while rows := await cursor.fetchmany(ROWS):
                *chunks, rest = cut_rows([*rest, *(row[0] for row in rows)])
                if chunks:
                    yield chunks
        if rest:
            yield [rest]

    async def _list_documents(self, gem_id: UUID) -> AsyncGenerator[list[UUID]]:
        """Yield the documents of a gem by as many as have PASSAGES passages, at the most DOCUMENTS, at least one."""
        batch: list[UUID] = []
        passages = 0
        async with self.reading.cursor(f"documents_{uuid4().hex}") as cursor:
            await cursor.execute(_SQL["list_documents"], {"gem_id": gem_id})
            while rows := await cursor.fetchmany(ROWS):
                for document_id, size in rows:
                    if batch and (passages + size > PASSAGES or len(batch) >= DOCUMENTS):
                        yield batch
                        batch, passages = [], 0
                    batch.append(document_id)
                    passages += size
        if batch:
            yield batch

    async def _read_documents(self, document_ids: list[UUID], counts: Counter[str]) -> list[Part]:
        columns = {name: pick(self.layout.told(name)) for name in OF_DOCUMENTS}
        vectors = sql.SQL(_SQL["read_vectors"]).format(embedding=sql.Identifier(self.column))
        values = {"document_ids": document_ids, "ordinals": ORDINALS, "whole": self.shelf == STORED}
        found = []
        for query in (sql.SQL(_SQL["read_documents"]).format(**columns), sql.SQL(_SQL["read_states"]), vectors):
            async with self.reading.cursor(binary=True, row_factory=dict_row) as cursor:
                await cursor.execute(query, values)
                found += await cursor.fetchall()
        for row in found:
            counts.update({name: rows for name, rows in row.pop("counts", {}).items() if rows})
        return [Part(**row) for row in found]

    async def _put(self, gem_id: UUID, parts: Sequence[Part], taken: Taken) -> None:
        """Store the contents that are new, and who holds them all."""
        taken.size_bytes += sum(part.size for part in parts)
        fresh = {part.sha256: part for part in parts if part.content is not None}
        known = await fetch(self.writing, _SQL["find_stored"], {"digests": list(fresh)})
        for row in known:
            del fresh[bytes(row["sha256"])]
        packed = await asyncio.to_thread(_pack, fresh.values())
        taken.added_bytes += sum(map(len, packed))
        values = {"digests": list(fresh), "sizes": [part.size for part in fresh.values()], "packed": packed}
        if fresh:
            await self.writing.execute(self.shelf.fit("insert_items"), values, binary=True)
        await self.writing.execute(
            self.shelf.fit("insert_members"),
            {
                "snapshot_id": self.snapshot_id,
                "gem_id": gem_id,
                "kinds": [part.kind for part in parts],
                "keys": [part.key for part in parts],
                "parts": [part.part for part in parts],
                "digests": [part.sha256 for part in parts],
            },
        )


def _pack(parts: Iterable[Part]) -> list[bytes]:
    # vectors and token states would lose 7% of their size, at 65 MB a second
    return [(part.content or b"") if part.kind == "vectors" else pack(part.content or b"") for part in parts]


async def list_sitting(conn: Connection, gem_ids: Sequence[UUID] | None) -> list[Sitting]:
    """Return the gems of these ids that are there, or all, in the order in which rows are locked."""
    rows = await fetch(conn, _SQL["list_gems"], {"gem_ids": None if gem_ids is None else list(gem_ids)})
    return [Sitting(**row) for row in rows]


async def find_model(conn: Connection) -> Mapping[str, Any]:
    """Return what the lattice's vectors are made by, and the column that holds them."""
    rows = await fetch(conn, _SQL["find_model"], {})
    return rows[0] if rows else {"model": None, "dimension": None, "column": "embedding"}

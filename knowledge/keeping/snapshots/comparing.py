"""Comparing two sides, snapshots both or one of them the present: what has the same digest is the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import msgspec
from psycopg import sql
from psycopg.rows import dict_row

from core.errors import SnapshotDamagedError
from core.pg import Connection
from core.sql import load_queries
from knowledge.keeping.snapshots.content import unpack
from knowledge.keeping.snapshots.difference import (
    SHOWN,
    Change,
    DocumentsDifference,
    GemDifference,
    RowsDifference,
    compare_document,
    compare_gems,
    compare_rows,
    compare_states,
    tell_row,
)
from knowledge.keeping.snapshots.layout import Layout
from knowledge.keeping.snapshots.taking import LIVE, STORED, Shelf, Taking, Watch, find_model, list_sitting
from knowledge.keeping.tables import GEM
from knowledge.keeping.vectors import fetch

DOCUMENTS = 256  # compared at a time
CHUNKS = 64  # of other tables

_SQL = load_queries("knowledge.sql", "snapshots.sql")


@dataclass(frozen=True, slots=True)
class Side:
    """One moment of some gems."""

    shelf: Shelf
    snapshot_id: UUID


async def lay_live(
    conn: Connection, gem_ids: Sequence[UUID] | None, layout: Layout, watch: Watch = lambda done, total: None
) -> Side:
    """Lay the present of some gems beside the snapshots, for as long as the transaction lasts; nothing of it is kept.

    The transaction must be one that sees a single moment.
    """
    await conn.execute(_SQL["make_live"])
    side = Side(LIVE, uuid4())
    model = await find_model(conn)
    taking = Taking(conn, conn, LIVE, side.snapshot_id, layout, model["column"])
    await taking.take(await list_sitting(conn, gem_ids), watch)
    return side


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents by their digests."""

    conn: Connection

    async def get(self, digests: Iterable[bytes], shelf: Shelf = STORED) -> dict[bytes, bytes]:
        """Return contents.

        Raises:
            SnapshotDamagedError: one of them is gone, or is not the one that was stored.
        """
        wanted, found = set(digests), dict[bytes, bytes]()
        for each in dict.fromkeys((STORED, shelf)):
            rows = await fetch(self.conn, each.fit("get_items"), {"digests": list(wanted - found.keys())})
            for row in rows:
                content = unpack(bytes(row["packed"]), row["size"], bytes(row["sha256"]))
                if content is not None:
                    found[bytes(row["sha256"])] = content
        if missing := wanted - found.keys():
            raise SnapshotDamagedError(
                f"the snapshot is damaged: {len(missing):,} of its contents are gone or changed; verify it",
                sha256=sorted(each.hex() for each in missing)[:SHOWN],
            )
        return found

    async def of_documents(
        self, side: Side, gem_id: UUID, kind: str, keys: Sequence[UUID]
    ) -> dict[UUID, dict[int, bytes]]:
        """Return the contents of a kind that a side holds of some documents, by part."""
        values = {"snapshot_id": side.snapshot_id, "gem_id": gem_id, "kinds": [kind], "keys": list(keys)}
        members = await fetch(self.conn, side.shelf.fit("list_members"), values)
        contents = await self.get((bytes(row["sha256"]) for row in members), side.shelf)
        found: dict[UUID, dict[int, bytes]] = {}
        for row in members:
            found.setdefault(row["key"], {})[row["part"]] = contents[bytes(row["sha256"])]
        return found


@dataclass(frozen=True, slots=True)
class Comparing:
    """Compares two sides."""

    conn: Connection
    before: Side
    after: Side
    layout: Layout

    async def compare(self, gem_ids: Sequence[UUID] | None) -> list[GemDifference]:
        """Return what differs in some gems, or in all of both sides; gems without a difference are left out.

        Raises:
            SnapshotDamagedError: what is needed to tell is not there.
        """
        rows = await fetch(
            self.conn,
            self._fit("list_sides", "gem"),
            self._ids() | {"gem_ids": None if gem_ids is None else [*gem_ids]},
        )
        found = [await self._compare_gem(row["gem_id"], row["name"]) for row in rows]
        return [each for each in found if not each.is_none]

    async def _compare_gem(self, gem_id: UUID, name: str) -> GemDifference:
        key = self._ids() | {"gem_id": gem_id}
        chunks = await fetch(self.conn, self._fit("compare_chunks", "member"), key)
        kinds = {row["kind"] for row in chunks}
        gems = [next(iter(await self._rows(chunks, GEM.name, was)), None) for was in (True, False)]
        change: Change | None = None
        if GEM.name in kinds and None in gems:
            change = "added" if gems[0] is None else "removed"
        tables: dict[str, RowsDifference] = {}
        for table in self.layout.chunked:
            if table.name in kinds:
                was, after = [await self._rows(chunks, table.name, was) for was in (True, False)]
                rows = compare_rows(was, after, table.table.order)
                tables |= {table.name: rows} if rows.total else {}
        return GemDifference(
            gem_id=gem_id,
            name=name,
            change=change,
            fields=compare_gems(*gems),
            documents=await self._compare_documents(gem_id),
            tables=tables,
        )

    async def _rows(self, chunks: Sequence[Mapping[str, Any]], kind: str, was_there: bool) -> list[Any]:
        digests = [bytes(row["sha256"]) for row in chunks if row["kind"] == kind and row["was_there"] == was_there]
        side = self.before if was_there else self.after
        rows: list[Any] = []
        for first in range(0, len(digests), CHUNKS):
            contents = await Contents(self.conn).get(digests[first : first + CHUNKS], side.shelf)
            rows += (tell_row(row) for content in contents.values() for row in msgspec.json.decode(content))
        return rows

    async def _compare_documents(self, gem_id: UUID) -> DocumentsDifference:
        found = DocumentsDifference()
        query = self._fit("compare_documents", "member")
        async with self.conn.cursor(f"documents_{uuid4().hex}", row_factory=dict_row) as cursor:
            await cursor.execute(query, self._ids() | {"gem_id": gem_id})
            while rows := await cursor.fetchmany(DOCUMENTS):
                found = await self._add(gem_id, rows, found)
        return found

    async def _add(
        self, gem_id: UUID, rows: Sequence[Mapping[str, Any]], found: DocumentsDifference
    ) -> DocumentsDifference:
        """Add some documents that differ to what was found so far."""
        both = [row for row in rows if row["was_there"] and row["is_there"]]
        other = [row for row in rows if not (row["was_there"] and row["is_there"])]
        changed = [row for row in both if row["texts"] or row["vectors"]]
        told = [*other, *changed][: SHOWN - len(found.shown)]
        texts = await self._contents(gem_id, "document", [row["document_id"] for row in told])
        states = await self._contents(gem_id, "states", [row["document_id"] for row in both if row["states"]])
        moved = [compare_states(was[key], after[key]) for was, after in [states] for key in was.keys() & after.keys()]
        shown = [
            compare_document(key, texts[0].get(key), texts[1].get(key), vectors=row["vectors"])
            for row in told
            for key in [row["document_id"]]
        ]
        return replace(
            found,
            added=found.added + sum(row["is_there"] for row in other),
            removed=found.removed + sum(row["was_there"] for row in other),
            changed=found.changed + len(changed),
            states=found.states + sum(each.states for each in moved),
            places=found.places + sum(each.places for each in moved),
            shown=(*found.shown, *shown),
        )

    async def _contents(self, gem_id: UUID, kind: str, keys: Sequence[UUID]) -> tuple[dict[UUID, Any], dict[UUID, Any]]:
        """Return what both sides hold of some documents, decoded."""
        contents = Contents(self.conn)
        sides = [await contents.of_documents(side, gem_id, kind, keys) for side in (self.before, self.after)]
        before, after = [{key: msgspec.json.decode(parts[0]) for key, parts in side.items()} for side in sides]
        return before, after

    def _ids(self) -> dict[str, Any]:
        return {"before_id": self.before.snapshot_id, "after_id": self.after.snapshot_id}

    def _fit(self, query: str, table: str) -> sql.Composed:
        return sql.SQL(_SQL[query]).format(before=self.before.shelf.names[table], after=self.after.shelf.names[table])

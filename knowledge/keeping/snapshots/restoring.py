"""Restoring: what differs is made as it was, in one transaction; what is alike already is not touched.

Rows go and come in the order in which they need each other, over all gems at once, so that documents which went from
one gem of a snapshot to another find their way back. History (the log, reflections) is added to, never taken away; what
of it is of a passage or a document follows that into its gem.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from psycopg import sql
from psycopg.rows import dict_row

from core.pg import Connection
from core.sql import load_queries
from gems import Moment
from knowledge.embedding import Embedder, TokenEmbedder
from knowledge.keeping.passages import read_placed
from knowledge.keeping.snapshots.comparing import Contents, Side
from knowledge.keeping.snapshots.content import read_vectors
from knowledge.keeping.snapshots.elsewhere import take_out
from knowledge.keeping.snapshots.indexing import make_index
from knowledge.keeping.snapshots.layout import OF_DOCUMENTS, TOKENS, Layout
from knowledge.keeping.snapshots.sums import mend_sums
from knowledge.keeping.snapshots.taking import Watch
from knowledge.keeping.snapshots.wanted import Wanted, open_wanted, split_order
from knowledge.keeping.tables import GEM
from knowledge.keeping.vectors import fetch, read_contexts, write_readings
from knowledge.passages import COLUMNS

DOCUMENTS = 128  # made as they were at a time
BYTES = 8_000_000  # of their contents, and at least one of them
PARTS = 64  # of vectors
CHUNKS = 16  # of other tables
TEXTS = 128  # embedded at a time

_SQL = load_queries("knowledge.sql", "snapshot_restores.sql")
_SNAPSHOTS = load_queries("knowledge.sql", "snapshots.sql")


@dataclass(frozen=True, slots=True)
class Restoring:
    """Makes some gems as a snapshot holds them, within a transaction that holds them and all their passages.

    Attributes:
        before: how the gems are now.
        after: how they are to be.
        giving: gems that are not of them, held too, which give back documents of theirs.
        column: where the lattice's vectors are.
        is_foreign: whether the snapshot's are of another model, so that passages which come are embedded anew.
    """

    conn: Connection
    embedder: Embedder
    layout: Layout
    before: Side
    after: Side
    gem_ids: Sequence[UUID]
    giving: Sequence[UUID]
    column: str
    is_foreign: bool
    at: Moment
    watch: Watch
    came: dict[UUID, int] = field(default_factory=dict)  # the lowest slot of passages that came, by gem

    async def carry_out(self) -> None:
        """Make the gems as they are to be.

        Raises:
            SnapshotDamagedError: something that is needed is gone or changed.
        """
        # first: whatever else a statement changes, triggers add to these sums, and take from them
        await mend_sums(self.conn, [*self.gem_ids, *self.giving])
        wanted = await open_wanted(self.conn, self.layout)
        changed = {gem_id: await self._stage(gem_id, wanted) for gem_id in self.gem_ids}
        await self._remove(wanted, changed)
        await self._add(wanted)
        await self.conn.execute(_SQL["put_operations"])
        await self.conn.execute(_SQL["follow_passages"])
        for table in self.layout.citing:
            await wanted[table.name].follow_documents()
        for gem_id in self.gem_ids:
            await self._settle(gem_id)

    async def _stage(self, gem_id: UUID, wanted: Mapping[str, Wanted]) -> set[str]:
        """Lay down what a gem is to be, as far as it is not so; return the tables in which rows differ."""
        key = {"before_id": self.before.snapshot_id, "after_id": self.after.snapshot_id, "gem_id": gem_id}
        chunks = await fetch(self.conn, self._fit("compare_chunks"), key)
        kinds = {row["kind"] for row in chunks} & (wanted.keys() - {GEM.name})
        for kind in (GEM.name, *kinds):
            # of history only what is missing; of other tables all, since all else is to go
            only = {bytes(row["sha256"]) for row in chunks if row["kind"] == kind and not row["was_there"]}
            missing = only if wanted[kind].table.is_history else None
            async for content in self._read(gem_id, kind, missing):
                await wanted[kind].stage(content)
            if kind == "entity" and self.is_foreign:
                await self.conn.execute(_SQL["forget_vectors"])
        staged = sql.SQL(_SQL["stage_documents"]).format(compared=self._fit("compare_documents"))
        await self.conn.execute(staged, key)
        return kinds

    async def _remove(self, wanted: Mapping[str, Wanted], changed: Mapping[UUID, set[str]]) -> None:
        """Take away what is not to be there."""
        async for gem_id, rows in self._list_changed():
            keys = [row["document_id"] for row in rows if row["texts"] or row["states"]]
            await self._stage_items(gem_id, "states", keys)
            await self.conn.execute(_SQL["stage_places"], {"gem_id": gem_id})
            await self.conn.execute(_SQL["clear_items"])
        await self.conn.execute(_SQL["index_places"])
        for table in self.layout.citing:
            await wanted[table.name].keep_cited()
        await self.conn.execute(_SQL["keep_operations"])
        await take_out(self.conn, self.embedder, self.column, self.gem_ids, self.at)
        await self.conn.execute(_SQL["drop_documents"])
        await self.conn.execute(_SQL["drop_passages"])
        await self.conn.execute(_SQL["want_vectors"], {"is_foreign": self.is_foreign})
        for gem_id, kinds in changed.items():
            for name in reversed(list(wanted)):
                if name in kinds and not wanted[name].table.is_history:
                    await wanted[name].drop(gem_id)

    async def _add(self, wanted: Mapping[str, Wanted]) -> None:
        """Add what is missing, and change what is otherwise."""
        await self.conn.execute(sql.SQL(_SQL["free_names"]).format(wanted=wanted[GEM.name].name))
        await wanted[GEM.name].update(("version", "next_slot", "sealed_slot"))
        await wanted[GEM.name].insert()
        earlier, later = split_order(self.layout)
        for name in earlier:
            await self._make_alike(wanted[name])
        total = (await fetch(self.conn, _SQL["count_changed"], {}))[0]["documents"]
        done = 0
        async for gem_id, rows in self._list_changed():
            await self._make_documents(gem_id, rows, wanted)
            done += len(rows)
            self.watch(done, total)
        for name in later:
            await self._make_alike(wanted[name])

    async def _make_alike(self, wanted: Wanted) -> None:
        if not wanted.table.is_history:
            await wanted.update()
        await wanted.insert()

    async def _make_documents(
        self, gem_id: UUID, rows: Sequence[Mapping[str, Any]], wanted: Mapping[str, Wanted]
    ) -> None:
        """Make some documents of a gem as they are to be."""
        keys = [row["document_id"] for row in rows]
        await self._stage_items(gem_id, "document", keys)
        await self._stage_items(gem_id, "states", keys)
        await self._stage_vectors(gem_id, [row["document_id"] for row in rows if row["vectors"]])
        here = _other(self.column) if self.is_foreign else self.column
        await wanted["document"].stage_of_documents()
        await wanted["passage"].stage_passages(here)
        for name in OF_DOCUMENTS:
            if name not in {"document", "passage"}:
                await wanted[name].stage_of_documents()
        await wanted["document"].update()
        await wanted["document"].insert()
        await wanted["passage"].update(COLUMNS)
        if not self.is_foreign:
            await self._execute("put_vectors", embedding=sql.Identifier(here))
        await self._insert_passages(wanted["passage"])
        for name in OF_DOCUMENTS:
            if name not in {"document", "passage"}:
                await wanted[name].drop_of_documents()
                await self._make_alike(wanted[name])
        if not self.is_foreign:
            await self._make_tokens(wanted[TOKENS])
        for name in (*OF_DOCUMENTS, TOKENS):
            await wanted[name].clear()
        await self.conn.execute(_SQL["clear_items"])

    async def _insert_passages(self, wanted: Wanted) -> None:
        columns = sql.SQL(", ").join(map(sql.Identifier, wanted.table.columns))
        rows = await fetch(self.conn, sql.SQL(_SQL["insert_passages"]).format(columns=columns), {})
        for row in rows:
            self.came[row["gem_id"]] = min(row["slot"], self.came.get(row["gem_id"], row["slot"]))
        if not self.is_foreign:
            return
        passage_ids = [row["passage_id"] for row in rows]
        for first in range(0, len(passage_ids), TEXTS):
            placed = await read_placed(self.conn, passage_ids[first : first + TEXTS])
            readings = await read_contexts(self.embedder, [each.context for each in placed])
            await write_readings(self.conn, placed, readings, self.column)
        other = sql.Identifier(_other(self.column))
        await self._execute("drop_foreign", {"passage_ids": passage_ids}, other=other)

    async def _make_tokens(self, wanted: Wanted) -> None:
        if isinstance(self.embedder, TokenEmbedder):
            await self.conn.execute(_SQL["stage_tokens"])
            await self.conn.execute(_SQL["drop_tokens"])
            await self._make_alike(wanted)

    async def _settle(self, gem_id: UUID) -> None:
        """Index a gem anew, and log the states that were set."""
        (row,) = await fetch(self.conn, _SQL["begin_index"], {"gem_id": gem_id})
        await self.conn.execute(_SQL["drop_index"], {"gem_id": gem_id})
        version = await make_index(self.conn, gem_id, row["version"], row["end"])
        await self.conn.execute(_SQL["settle_gem"], {"gem_id": gem_id, "version": version})
        await self.conn.execute(_SQL["log_states"], {"gem_id": gem_id, "now": self.at.now, "tau_s": self.at.tau_s})
        if gem_id in self.came:
            await self.conn.execute(_SQL["link_again"], {"gem_id": gem_id, "slot": self.came[gem_id]})

    async def _list_changed(self) -> AsyncGenerator[tuple[UUID, list[dict[str, Any]]]]:
        """Yield the documents that are to be there and are not so, some of one gem at a time."""
        batch: list[dict[str, Any]] = []
        async with self.conn.cursor(f"changed_{uuid4().hex}", row_factory=dict_row) as cursor:
            await cursor.execute(_SQL["list_changed"], {"snapshot_id": self.after.snapshot_id})
            while rows := await cursor.fetchmany(DOCUMENTS):
                for row in rows:
                    full = len(batch) >= DOCUMENTS or sum(each["size"] for each in batch) + row["size"] > BYTES
                    if batch and (full or batch[0]["gem_id"] != row["gem_id"]):
                        yield batch[0]["gem_id"], batch
                        batch = []
                    batch.append(row)
        if batch:
            yield batch[0]["gem_id"], batch

    async def _read(self, gem_id: UUID, kind: str, only: set[bytes] | None) -> AsyncGenerator[bytes]:
        """Yield the contents of a kind that the gem is to have, some of them read at a time."""
        values = {"snapshot_id": self.after.snapshot_id, "gem_id": gem_id, "kinds": [kind], "keys": None}
        members = await fetch(self.conn, self.after.shelf.fit("list_members"), values)
        digests = [bytes(row["sha256"]) for row in members]
        digests = [each for each in digests if only is None or each in only]
        for first in range(0, len(digests), CHUNKS):
            for content in (await Contents(self.conn).get(digests[first : first + CHUNKS])).values():
                yield content

    async def _stage_items(self, gem_id: UUID, kind: str, keys: Sequence[UUID]) -> None:
        found = await Contents(self.conn).of_documents(self.after, gem_id, kind, keys)
        contents = [parts[0].decode() for parts in found.values()]
        values = {"document_ids": list(found), "kinds": [kind] * len(found), "contents": contents}
        await self.conn.execute(_SQL["stage_items"], values)

    async def _stage_vectors(self, gem_id: UUID, keys: Sequence[UUID]) -> None:
        values = {"snapshot_id": self.after.snapshot_id, "gem_id": gem_id, "kinds": ["vectors"], "keys": list(keys)}
        members = await fetch(self.conn, self.after.shelf.fit("list_members"), values)
        for first in range(0, len(members), PARTS):
            some = [(row["key"], bytes(row["sha256"])) for row in members[first : first + PARTS]]
            contents = await Contents(self.conn).get(sha256 for _, sha256 in some)
            rows = await asyncio.to_thread(_to_rows, [(key, contents[sha256]) for key, sha256 in some])
            async with self.conn.cursor() as cursor:
                await cursor.executemany(_SQL["stage_vector"], rows)

    async def _execute(self, query: str, values: Mapping[str, Any] | None = None, **names: sql.Identifier) -> None:
        await self.conn.execute(sql.SQL(_SQL[query]).format(**names), values)

    def _fit(self, query: str) -> sql.Composed:
        names = {"before": self.before.shelf.names["member"], "after": self.after.shelf.names["member"]}
        return sql.SQL(_SNAPSHOTS[query]).format(**names)


def _other(column: str) -> str:
    return COLUMNS[1 - COLUMNS.index(column)]


def _to_rows(parts: Sequence[tuple[UUID, bytes]]) -> list[dict[str, Any]]:
    return [
        {"document_id": key, "ordinal": each.ordinal, "vector": each.vector, "states": each.states}
        for key, content in parts
        for each in read_vectors(content)
    ]

"""Stored passages with what their indexes are made of, recomputed exactly as ingestion does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from psycopg.rows import class_row

from core.sql import load_queries
from knowledge.context import PREVIOUS_PASSAGES, Context, context_text
from knowledge.lexical import Entry, count_terms, weigh_terms
from knowledge.store import Connection, read_stored
from knowledge.threads import WINDOW, ThreadPassage, find_neighbours, slots_of

_SQL = load_queries("knowledge.sql", "reembed.sql")


@dataclass(frozen=True, slots=True)
class PlacedPassage:
    """A stored passage among the passages of its thread; alone without one.

    Attributes:
        context_hash: as it was when this was read.
        near: a window of its thread, in order, that holds whatever the passage borrows from.
        index: its place in `near`.
    """

    gem_id: UUID
    context_hash: bytes | None
    near: Sequence[ThreadPassage]
    index: int

    @property
    def passage(self) -> ThreadPassage:
        """The passage itself."""
        return self.near[self.index]

    @property
    def context(self) -> Context:
        """What is embedded of it."""
        passage = self.passage
        before = [each.own for each in self.near[max(0, self.index - PREVIOUS_PASSAGES) : self.index]]
        return Context(context_text(passage.own, before, passage.occurred_at), len(passage.own))

    @property
    def around(self) -> list[int]:
        """The slots of the passages before and after it; empty without a thread."""
        return slots_of(find_neighbours(self.near, self.index), {})


@dataclass(frozen=True, slots=True)
class _Row:
    """A passage as it is stored."""

    passage_id: UUID
    gem_id: UUID
    document_id: UUID
    ordinal: int
    slot: int
    heading: str | None
    body: str
    context_hash: bytes | None
    title: str | None
    speaker: str | None
    occurred_at: datetime | None
    thread: str | None
    position: int


async def read_placed(conn: Connection, passage_ids: Sequence[UUID]) -> list[PlacedPassage]:
    """Return passages in the order of gems and slots; those that are gone are left out."""
    async with conn.cursor(row_factory=class_row(_Row)) as cursor:
        await cursor.execute(_SQL["get_texts"], {"passage_ids": list(passage_ids)})
        rows = await cursor.fetchall()
    placed = []
    for gem_id, found in groupby(rows, key=lambda row: row.gem_id):
        group = list(found)
        anchors = sorted({(row.thread, row.position) for row in group if row.thread is not None})
        threads: dict[str | None, list[ThreadPassage]] = {}
        for passage in await read_stored(conn, gem_id, anchors, ()) if anchors else ():
            threads.setdefault(passage.thread, []).append(passage)
        places = {
            passage.passage_id: (sequence, index)
            for sequence in threads.values()
            for index, passage in enumerate(sequence)
        }
        for row in group:
            near, index = places.get(row.passage_id) or ([_alone(row)], 0)
            placed.append(PlacedPassage(gem_id, row.context_hash, near, index))
    return placed


def index_placed(placed: Sequence[PlacedPassage]) -> list[Entry]:
    """Return the terms of passages; neighbours that several of them share are read once."""
    counted: dict[UUID, Counter[str]] = {}

    def count(passage: ThreadPassage) -> Counter[str]:
        if passage.passage_id not in counted:
            counted[passage.passage_id] = count_terms(passage.own, passage.title)
        return counted[passage.passage_id]

    entries = []
    for each in placed:
        first = max(0, each.index - WINDOW)
        near = [count(passage) for passage in each.near[first : each.index + WINDOW + 1]]
        here = each.index - first
        entries.append(Entry(each.passage.slot or 0, near[here], weigh_terms(near, here)))
    return entries


def _alone(row: _Row) -> ThreadPassage:
    return ThreadPassage(
        passage_id=row.passage_id,
        document_id=row.document_id,
        thread=row.thread,
        position=row.position,
        ordinal=row.ordinal,
        slot=row.slot,
        body=row.body,
        title=row.title,
        heading=row.heading,
        speaker=row.speaker,
        occurred_at=row.occurred_at,
    )

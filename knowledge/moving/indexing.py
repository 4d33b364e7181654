"""The lexical indexes of two gems of which one gave passages to the other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.sql import load_queries
from gems import advance_gem
from knowledge.keeping.passages import index_placed, read_placed
from knowledge.keeping.vectors import fetch
from knowledge.lexical import Entry, Segment, count_segments, seal, weighted_length
from knowledge.lexical.postings import LARGEST_SEGMENT
from knowledge.moving.edges import EdgeChanges
from knowledge.moving.way import SQL, Way
from knowledge.store import Connection
from knowledge.unsealed import PackedPassages, UnsealedPassage, pack_passages

PASSAGES = 2_048  # in threads, indexed at a time

_LEXICAL = load_queries("knowledge.sql", "lexical.sql")


@dataclass(frozen=True, slots=True)
class Load:
    """How much goes.

    Attributes:
        loose: passages without a thread; they get the first slots.
        threaded: the others.
        speakers: who speaks in the threads.
        is_emptied: whether nothing stays in the old gem.
    """

    loose: int
    threaded: int
    speakers: Sequence[str]
    is_emptied: bool

    @property
    def passages(self) -> int:
        """How many there are."""
        return self.loose + self.threaded


@dataclass(frozen=True, slots=True)
class Berth:
    """Where passages go in the new gem: slots from `first` on, segments of the index from `segment` on."""

    first: int
    segment: int


async def make_room(conn: Connection, way: Way, load: Load, again: Sequence[Entry]) -> Berth:
    """Take slots and versions for what comes; `again` are passages of the new gem that are to be indexed anew."""
    segments = -(-load.loose // LARGEST_SEGMENT) + -(-load.threaded // PASSAGES)
    segments += count_segments(0, len(again)) if again else 0
    version, first = await advance_gem(
        conn,
        way.target,
        versions=max(1, segments),
        slots=load.passages,
        speakers=load.speakers,
        now=way.at.now,
    )
    return Berth(first, version - max(1, segments) + 1)


async def index_arrived(conn: Connection, way: Way, load: Load, berth: Berth, changes: EdgeChanges) -> int:
    """Index what came, and anew what stands beside it; return the sum of the weighted lengths of what came."""
    segment, tokens = berth.segment, 0
    end = berth.first + load.loose
    for first in range(berth.first, end, LARGEST_SEGMENT):
        packed = await _index_loose(conn, way.target, segment, first, min(first + LARGEST_SEGMENT, end))
        segment, tokens = segment + 1, tokens + packed.tokens
    last = berth.first + load.passages
    for first in range(end, last, PASSAGES):
        part = {"gem_id": way.target, "first": first, "end": min(first + PASSAGES, last)}
        rows = await fetch(conn, SQL["list_passages"], part)
        placed = await read_placed(conn, [row["passage_id"] for row in rows])
        entries = await asyncio.to_thread(index_placed, placed)
        await seal(conn, Segment(way.target, segment, first, 0, 0, 0), entries, ())
        segment, tokens = segment + 1, tokens + sum(map(weighted_length, entries))
    if again := changes.staying.get(way.target, ()):
        number = segment + count_segments(0, len(again)) - 1
        await seal(conn, Segment(way.target, number, last, 0, 0, changes.tokens[way.target]), (), again)
    return tokens


async def index_left(conn: Connection, way: Way, load: Load, tokens: int, changes: EdgeChanges) -> None:
    """Take what went out of the old gem's index, and index anew what stood beside it.

    Args:
        conn: with both gems locked.
        way: that they went.
        load: how much.
        tokens: the sum of the weighted lengths of what went, as they are now.
        changes: of the passages beside.
    """
    again = changes.staying.get(way.source, ())
    versions = count_segments(0, len(again))
    version, last = await advance_gem(conn, way.source, versions=versions, slots=0, speakers=(), now=way.at.now)
    if load.is_emptied:
        await conn.execute(SQL["drop_index"], {"gem_id": way.source})
        return
    (row,) = await fetch(conn, SQL["list_slots"], {})
    left = changes.tokens.get(way.source, 0) - tokens - changes.gone
    await seal(conn, Segment(way.source, version, last, 0, 0, left, tombstones=tuple(row["slots"] or ())), (), again)


async def _index_loose(conn: Connection, gem_id: UUID, segment: int, first: int, end: int) -> PackedPassages:
    rows = await fetch(conn, SQL["read_loose"], {"gem_id": gem_id, "first": first, "end": end})
    passages = [UnsealedPassage(entities=tuple(row.pop("entities")), **row) for row in rows]
    packed = await asyncio.to_thread(pack_passages, first, passages)
    key: dict[str, Any] = {"gem_id": gem_id, "segment_id": segment}
    counts = {"base": first, "span": end - first, "size": packed.size, "tokens": packed.tokens}
    terms = {"terms": sorted(packed.lists), "overrides": [], "tombstones": []}
    await conn.execute(_LEXICAL["insert_segment"], key | counts | terms)
    if packed.lists:
        lists = {"terms": list(packed.lists), "data": list(packed.lists.values())}
        await conn.execute(_LEXICAL["insert_postings"], key | lists, binary=True)
    return packed

"""The lexical index in Postgres. The caller owns the transaction and holds the gem's row lock while it writes."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from core.sql import load_queries
from knowledge.lexical.merging import merge, plan_merge
from knowledge.lexical.postings import Entry, Lists, Segment, cut_segments, pack

_SQL = load_queries("knowledge.sql", "lexical.sql")


async def seal(conn: AsyncConnection[DictRow], write: Segment, fresh: Sequence[Entry], again: Sequence[Entry]) -> None:
    """Index what a write changed, in `count_segments` new segments, then merge what has become due.

    Args:
        conn: a connection in the transaction that stores the passages.
        write: the last of the new segments' ids, the first new slot, and what the write does to older slots: its
            tombstones, and the change of their tokens.
        fresh: the new passages, in the order of their slots.
        again: older passages that must be read anew.
    """
    for segment, entries in cut_segments(write, fresh, again):
        overrides, lists = await asyncio.to_thread(pack, segment.base, segment.span, entries)
        await _insert(conn, segment, overrides, lists)
    await _merge_due(conn, write.gem_id)


async def fetch_lists(conn: AsyncConnection[DictRow], gem_ids: Sequence[UUID], terms: Sequence[str]) -> Lists:
    """Fetch the segments of some gems and the posting lists of some terms, in one round trip."""
    async with conn.cursor(binary=True, row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["fetch_lists"], {"gem_ids": list(gem_ids), "terms": list(terms)})
        segments: list[Segment] = []
        lists: dict[str, list[tuple[UUID, int, bytes]]] = {}
        for row in await cursor.fetchall():
            if row["term"] is None:
                segments.append(_to_segment(row))
            else:
                lists.setdefault(row["term"], []).append((row["gem_id"], row["segment_id"], row["data"]))
    return Lists(segments, lists)


async def _merge_due(conn: AsyncConnection[DictRow], gem_id: UUID) -> None:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["list_segments"], {"gem_id": gem_id})
        segments = [_to_segment(row) for row in await cursor.fetchall()]
    while run := plan_merge(segments):
        key = {"gem_id": gem_id, "segment_ids": [s.segment_id for s in run]}
        async with conn.cursor(binary=True, row_factory=dict_row) as cursor:
            await cursor.execute(_SQL["get_postings"], key)
            rows = [(row["term"], row["segment_id"], row["data"]) for row in await cursor.fetchall()]
        await conn.execute(_SQL["drop_segments"], key)
        merged, lists = await asyncio.to_thread(merge, run, rows)
        await _insert(conn, merged, merged.overrides, lists)
        segments = [s for s in segments if s not in run] + [merged]


async def _insert(
    conn: AsyncConnection[DictRow], segment: Segment, overrides: Sequence[int], lists: Mapping[str, bytes]
) -> None:
    key = {"gem_id": segment.gem_id, "segment_id": segment.segment_id}
    await conn.execute(
        _SQL["insert_segment"],
        key
        | {"base": segment.base, "span": segment.span, "size": segment.size, "tokens": segment.tokens}
        | {"terms": sorted(lists), "overrides": list(overrides), "tombstones": list(segment.tombstones)},
    )
    if lists:
        await conn.execute(
            _SQL["insert_postings"], key | {"terms": list(lists), "data": list(lists.values())}, binary=True
        )


def _to_segment(row: Mapping[str, Any]) -> Segment:
    return Segment(
        gem_id=row["gem_id"],
        segment_id=row["segment_id"],
        base=row["base"],
        span=row["span"],
        size=row["size"],
        tokens=row["tokens"],
        overrides=tuple(row["overrides"]),
        tombstones=tuple(row["tombstones"]),
    )

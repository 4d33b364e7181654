"""The lexical index in Postgres. Segments are written in the transaction of their passages, and merged in others."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from core.pg import Database
from core.sql import load_queries
from knowledge.lexical.merging import merge, plan_merge
from knowledge.lexical.postings import LARGEST_SEGMENT, Entry, Lists, Segment, cut_segments, pack

MOST_WAITING = 64  # segments beyond the full ones: no more are left for `merge_due`, for where nobody calls it

_SQL = load_queries("knowledge.sql", "lexical.sql")


async def seal(conn: AsyncConnection[DictRow], write: Segment, fresh: Sequence[Entry], again: Sequence[Entry]) -> None:
    """Index what a write changed, in `count_segments` new segments; merge some if very many wait for that.

    Args:
        conn: a connection in the transaction that stores the passages and holds the gem's row lock.
        write: the last of the new segments' ids, the first new slot, and what the write does to older slots: its
            tombstones, and the change of their tokens.
        fresh: the new passages, in the order of their slots.
        again: older passages that must be read anew.
    """
    for segment, entries in cut_segments(write, fresh, again):
        overrides, lists = await asyncio.to_thread(pack, segment.base, segment.span, entries)
        await _insert(conn, segment, overrides, lists)
    if await _count_waiting(conn, write.gem_id) > MOST_WAITING:
        segments = await _list_segments(conn, write.gem_id)
        while run := plan_merge(segments):
            merged = await _replace(conn, run, *await _merge(conn, run))
            segments = [s for s in segments if s not in run] + [merged]


async def merge_due(database: Database, tenant: UUID, gem_id: UUID) -> int:
    """Merge the segments of a gem that have become due; return how many merges that took.

    Segments never change, so each run is read and merged without a lock; only putting the result in their place holds
    the gem's row lock. What somebody else merged meanwhile, or a gem that is gone, is left alone.
    """
    merges = 0
    while True:
        async with database.transaction(tenant, read_only=True, snapshot=True) as conn:
            run = plan_merge(await _list_segments(conn, gem_id))
            if not run:
                return merges
            merged = await _merge(conn, run)
        async with database.transaction(tenant) as conn:
            await conn.execute(_SQL["hold_gem"], {"gem_id": gem_id})
            held = {segment.segment_id for segment in await _list_segments(conn, gem_id)}
            if all(segment.segment_id in held for segment in run):
                await _replace(conn, run, *merged)
                merges += 1


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


async def _count_waiting(conn: AsyncConnection[DictRow], gem_id: UUID) -> int:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["count_waiting"], {"gem_id": gem_id, "full": LARGEST_SEGMENT})
        return sum(row["waiting"] for row in await cursor.fetchall())


async def _list_segments(conn: AsyncConnection[DictRow], gem_id: UUID) -> list[Segment]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["list_segments"], {"gem_id": gem_id})
        return [_to_segment(row) for row in await cursor.fetchall()]


async def _merge(conn: AsyncConnection[DictRow], run: Sequence[Segment]) -> tuple[Segment, dict[str, bytes]]:
    async with conn.cursor(binary=True, row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["get_postings"], _key_of(run))
        rows = [(row["term"], row["segment_id"], row["data"]) for row in await cursor.fetchall()]
    return await asyncio.to_thread(merge, run, rows)


async def _replace(
    conn: AsyncConnection[DictRow], run: Sequence[Segment], merged: Segment, lists: Mapping[str, bytes]
) -> Segment:
    await conn.execute(_SQL["drop_segments"], _key_of(run))
    await _insert(conn, merged, merged.overrides, lists)
    return merged


def _key_of(run: Sequence[Segment]) -> dict[str, Any]:
    return {"gem_id": run[0].gem_id, "segment_ids": [segment.segment_id for segment in run]}


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

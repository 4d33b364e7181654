"""The lexical index of a gem, made anew as ingestion makes it; slots may have gaps."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from core.pg import Connection
from core.sql import load_queries
from knowledge.keeping.passages import PlacedPassage, index_placed, read_placed
from knowledge.keeping.vectors import fetch
from knowledge.lexical.postings import pack, weighted_length

SLOTS = 4_096  # of a segment

_LEXICAL = load_queries("knowledge.sql", "lexical.sql")
_TRANSFER = load_queries("knowledge.sql", "transfer.sql")


async def make_index(conn: Connection, gem_id: UUID, version: int, end: int) -> int:
    """Index the slots of a gem before `end`, which no segment covers.

    Args:
        conn: in a transaction that holds the gem.
        gem_id: of the gem.
        version: after which the ids of segments count.
        end: the first slot that is left alone.

    Returns:
        The gem's new version, at least one higher.
    """
    for first in range(0, end, SLOTS):
        version += 1
        span = min(SLOTS, end - first)
        rows = await fetch(conn, _TRANSFER["list_passages"], {"gem_id": gem_id, "first": first, "count": span})
        placed = await read_placed(conn, [row["passage_id"] for row in rows])
        overrides, lists, tokens = await asyncio.to_thread(_pack, first, span, placed)
        key = {"gem_id": gem_id, "segment_id": version}
        counts = {"base": first, "span": span, "size": len(placed), "tokens": tokens}
        told = {"terms": sorted(lists), "overrides": list(overrides), "tombstones": []}
        await conn.execute(_LEXICAL["insert_segment"], key | counts | told)
        if lists:
            data = {"terms": list(lists), "data": list(lists.values())}
            await conn.execute(_LEXICAL["insert_postings"], key | data, binary=True)
    return version if end else version + 1


def _pack(first: int, span: int, placed: Sequence[PlacedPassage]) -> tuple[tuple[int, ...], dict[str, bytes], int]:
    entries = index_placed(placed)
    overrides, lists = pack(first, span, entries)
    return overrides, lists, sum(map(weighted_length, entries))

"""Giving a bulk load its words: segments of the lexical index and mentions, a step at a time.

A step reads and packs without a lock, and writes under the gem's: if another sealed meanwhile, it is dropped. Whoever
changes a gem in the ordinary way seals the rest first, so that nothing else can have happened to what was read.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from core.pg import Connection, Database
from core.sql import load_queries
from knowledge.graph.mentions import WrittenPassage, write_mentions
from knowledge.lexical.postings import LARGEST_SEGMENT
from knowledge.unsealed import PackedPassages, UnsealedPassage, pack_passages

_SQL = load_queries("knowledge.sql", "bulk.sql")
_LEXICAL = load_queries("knowledge.sql", "lexical.sql")
MENTION_BATCH = 2_048  # passages whose names are looked for at a time


@dataclass(frozen=True, slots=True)
class _Rest:
    """What of a gem is not sealed: slots from `first` to before `end`."""

    first: int
    end: int

    @property
    def step_end(self) -> int:
        """Where the next step ends."""
        return min(self.first + LARGEST_SEGMENT, self.end)


async def seal_rest(
    database: Database,
    tenant: UUID,
    gem_id: UUID,
    *,
    executor: Executor | None = None,
    progress: Callable[[int], None] = lambda passages: None,
) -> int:
    """Seal what a bulk load left unsealed in a gem, in short transactions; what is sealed stays so, if it breaks off.

    Args:
        database: of the gem.
        tenant: whose lattice.
        gem_id: of the gem; one that is gone has nothing to be sealed.
        executor: where words are counted; a worker thread of the event loop by default.
        progress: called after each step with the number of passages sealed so far.

    Returns:
        The number of passages sealed.
    """
    sealed = 0
    while rest := await database.retrying(tenant, lambda conn: _find_rest(conn, "get_sealing", gem_id), read_only=True):
        sealed += await _seal_step(database, tenant, gem_id, rest, executor)
        progress(sealed)
    return sealed


async def seal_within(conn: Connection, gem_id: UUID) -> int:
    """Seal the rest of a gem within a transaction that holds its lock, before it changes the gem in the ordinary way.

    It finds nothing to do where `seal_rest` went before, unless a bulk load wrote in between.

    Returns:
        The number of passages sealed.
    """
    sealed = 0
    while rest := await _find_rest(conn, "get_sealing", gem_id):
        passages = await _read(conn, gem_id, rest)
        await _write(conn, gem_id, rest, passages, await asyncio.to_thread(pack_passages, rest.first, passages))
        sealed += len(passages)
    return sealed


async def _seal_step(database: Database, tenant: UUID, gem_id: UUID, rest: _Rest, executor: Executor | None) -> int:
    passages = await database.retrying(tenant, lambda conn: _read(conn, gem_id, rest), read_only=True)
    packed = await asyncio.get_running_loop().run_in_executor(executor, pack_passages, rest.first, passages)

    async def write(conn: Connection) -> int:
        found = await _find_rest(conn, "lock_sealing", gem_id)
        if found is None or found.first != rest.first:  # sealed by another meanwhile
            return 0
        await _write(conn, gem_id, rest, passages, packed)
        return len(passages)

    return await database.retrying(tenant, write)


async def _write(
    conn: Connection, gem_id: UUID, rest: _Rest, passages: Sequence[UnsealedPassage], packed: PackedPassages
) -> None:
    (moved,) = await _all(conn, "move_sealing", {"gem_id": gem_id, "end": rest.step_end})
    key = {"gem_id": gem_id, "segment_id": moved["version"]}
    counts = {"base": rest.first, "span": rest.step_end - rest.first, "size": packed.size, "tokens": packed.tokens}
    terms = {"terms": sorted(packed.lists), "overrides": [], "tombstones": []}
    await conn.execute(_LEXICAL["insert_segment"], key | counts | terms)
    if packed.lists:
        lists = {"terms": list(packed.lists), "data": list(packed.lists.values())}
        await conn.execute(_LEXICAL["insert_postings"], key | lists, binary=True)
    for start in range(0, len(passages), MENTION_BATCH):
        await write_mentions(conn, gem_id, [_to_written(each) for each in passages[start : start + MENTION_BATCH]])


async def _find_rest(conn: Connection, query: str, gem_id: UUID) -> _Rest | None:
    rows = await _all(conn, query, {"gem_id": gem_id})
    if not rows or rows[0]["sealed_slot"] is None:
        return None
    return _Rest(rows[0]["sealed_slot"], rows[0]["next_slot"])


async def _read(conn: Connection, gem_id: UUID, rest: _Rest) -> list[UnsealedPassage]:
    rows = await _all(conn, "read_unsealed", {"gem_id": gem_id, "first": rest.first, "end": rest.step_end})
    return [UnsealedPassage(entities=tuple(row.pop("entities")), **row) for row in rows]


def _to_written(passage: UnsealedPassage) -> WrittenPassage:
    return WrittenPassage(
        slot=passage.slot,
        text=passage.body,
        title=passage.title,
        heading=passage.heading,
        speaker=passage.speaker,
        thread=None,
        entities=passage.entities,
    )


async def _all(conn: Connection, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()

"""Links between passages that are alike: the nearest of other documents, made in batches and kept as passages come.

New passages are compared with all before them, block by block; each block is written in one transaction that also says
up to where the gem is linked. Whatever ends it, it goes on from there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import sql
from psycopg.rows import dict_row

from core.errors import InvalidInputError
from core.pg import Connection, Database
from gems import Moment, get_gems, lock_gem
from knowledge.graph.likeness import Block, Likeness, find_nearest
from knowledge.graph.rows import fetch, load
from knowledge.jobs.queue import Kind, defer

LINK = "link"
LIMIT_S = 12 * 3600.0
THRESHOLD = 0.8
MOST = 5
NEW = 1_000  # passages that are linked at a time
PAGE = 8_000  # passages that they are compared with at a time

_SQL = load("resonance.sql")


@dataclass(frozen=True, slots=True)
class LinkingWish:
    """Which passages are linked.

    Attributes:
        threshold: the least cosine, in (0, 1].
        most: links that one passage has to others, 1 to 50.

    Raises:
        InvalidInputError: one of them is out of its bounds.
    """

    threshold: float = THRESHOLD
    most: int = MOST

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise InvalidInputError("threshold", "must be above 0 and at most 1")
        if not 1 <= self.most <= 50:
            raise InvalidInputError("most", "must be from 1 to 50")


@dataclass(frozen=True, slots=True)
class Linking:
    """How far a gem's passages are linked.

    Attributes:
        wish: how they are; None if they are not.
        pending: passages that came since.
        links: that there are, each from a passage to one of its nearest.
        linked_at: when the last of them were made.
    """

    wish: LinkingWish | None
    pending: int
    links: int
    linked_at: datetime | None


@dataclass(frozen=True, slots=True)
class _State:
    """Up to where a gem is linked, and how vectors are read."""

    wish: LinkingWish | None
    model: str | None
    next_slot: int
    linked_at: datetime | None
    lattice_model: str | None
    column: str
    dimension: int

    @property
    def is_stale(self) -> bool:
        """Whether the links are of vectors of another model."""
        return self.model != self.lattice_model


Watch = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Resonances:
    """The links of a lattice between passages that are alike."""

    database: Database
    at: Callable[[], Moment]

    async def get(self, tenant: UUID, gem_id: UUID) -> Linking:
        """Say how far a gem's passages are linked.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            await get_gems(conn, [gem_id], self.at())
            return await _describe(conn, gem_id, await _find(conn, gem_id))

    async def enqueue(self, tenant: UUID, gem_id: UUID, wish: LinkingWish) -> Linking:
        """Have a worker link what is not linked yet, or all if it is to be linked in another way.

        Raises:
            GemNotFoundError, GemArchivedError: nothing can be stored there.
        """

        async def ask(conn: Connection) -> Linking:
            await lock_gem(conn, gem_id, self.at())
            wanted = {"gem": str(gem_id), "threshold": str(wish.threshold), "most": str(wish.most)}
            await defer(conn, tenant, LINK, wanted, lock=f"link {gem_id}")
            return await _describe(conn, gem_id, await _find(conn, gem_id))

        return await self.database.retrying(tenant, ask)

    def list_kinds(self) -> tuple[Kind, ...]:
        """Return what workers must know to link passages."""

        async def link(tenant: UUID, arguments: Mapping[str, Any]) -> None:
            wish = LinkingWish(float(arguments["threshold"]), int(arguments["most"]))
            await self.carry_out(tenant, UUID(arguments["gem"]), wish)

        return (Kind(LINK, link, LIMIT_S),)

    async def carry_out(
        self,
        tenant: UUID,
        gem_id: UUID,
        wish: LinkingWish,
        *,
        anew: bool = False,
        watch: Watch = lambda done: None,
    ) -> Linking:
        """Link the passages of a gem that are not linked yet; all, if they are linked in another way so far.

        Args:
            tenant: whose lattice.
            gem_id: the gem.
            wish: how they are linked.
            anew: link all of them again in any case.
            watch: told how many are linked, after each step.

        Raises:
            GemNotFoundError, GemArchivedError: nothing can be stored there.
        """
        await self.database.retrying(tenant, lambda conn: self._begin(conn, gem_id, wish, anew=anew))
        done = 0
        while linked := await self._link_block(tenant, gem_id, wish):
            done += linked
            watch(done)
        return await self.get(tenant, gem_id)

    async def _begin(self, conn: Connection, gem_id: UUID, wish: LinkingWish, *, anew: bool) -> None:
        at = self.at()
        await lock_gem(conn, gem_id, at)
        state = await _find(conn, gem_id)
        if anew or state.is_stale or state.wish != wish:
            await conn.execute(_SQL["drop_links"], {"gem_id": gem_id})
            await _put(conn, gem_id, wish, model=state.lattice_model, next_slot=0, at=at)

    async def _link_block(self, tenant: UUID, gem_id: UUID, wish: LinkingWish) -> int:
        """Link the next block; return how many passages that were."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            state = await _find(conn, gem_id)
            new = await _read(conn, gem_id, state, first=state.next_slot, end=2**31 - 1, limit=NEW)
        if not len(new) or state.wish != wish:
            return 0
        end = int(new.slots[-1]) + 1
        found = await asyncio.to_thread(find_nearest, new, new, wish.threshold, wish.most)
        async for old in self._read_before(tenant, gem_id, state):
            found += await asyncio.to_thread(find_nearest, new, old, wish.threshold, wish.most)
            found += await asyncio.to_thread(find_nearest, old, new, wish.threshold, wish.most)
        is_written = await self.database.retrying(tenant, lambda conn: self._write(conn, gem_id, state, found, end))
        return len(new) if is_written else 0

    async def _read_before(self, tenant: UUID, gem_id: UUID, state: _State) -> AsyncIterator[Block]:
        """Yield what is linked already, a page at a time, none of it held longer."""
        first = 0
        while first < state.next_slot:
            async with self.database.transaction(tenant, read_only=True) as conn:
                page = await _read(conn, gem_id, state, first=first, end=state.next_slot, limit=PAGE)
            if not len(page):
                return
            first = int(page.slots[-1]) + 1
            yield page

    async def _write(self, conn: Connection, gem_id: UUID, state: _State, found: Sequence[Likeness], end: int) -> bool:
        at = self.at()
        await lock_gem(conn, gem_id, at)
        now = await _find(conn, gem_id)
        if state.wish is None or (now.next_slot, now.wish, now.is_stale) != (state.next_slot, state.wish, False):
            return False  # somebody else is at it, or the lattice has another model by now
        values = {
            "gem_id": gem_id,
            "slots": [each.slot for each in found],
            "targets": [each.target for each in found],
            "cosines": [each.cosine for each in found],
        }
        await conn.execute(_SQL["add_links"], values)
        touched = {"slots": sorted({each.slot for each in found}), "most": state.wish.most, "gem_id": gem_id}
        await conn.execute(_SQL["keep_nearest"], touched)
        await _put(conn, gem_id, state.wish, model=state.lattice_model, next_slot=end, at=at)
        return True


async def _find(conn: Connection, gem_id: UUID) -> _State:
    rows = await fetch(conn, _SQL["find_linking"], {"gem_id": gem_id})
    if not rows:  # nothing was ever written
        return _State(None, None, 0, None, None, "embedding", 0)
    (row,) = rows
    wish = None if row["threshold"] is None else LinkingWish(row["threshold"], row["most"])
    return _State(
        wish=wish,
        model=row["model"],
        next_slot=row["next_slot"] or 0,
        linked_at=row["linked_at"],
        lattice_model=row["embedding_model"],
        column=row["embedding_column"],
        dimension=row["embedding_dimension"] or 0,
    )


async def _put(
    conn: Connection, gem_id: UUID, wish: LinkingWish, *, model: str | None, next_slot: int, at: Moment
) -> None:
    values = {"gem_id": gem_id, "threshold": wish.threshold, "most": wish.most, "model": model or ""}
    await conn.execute(_SQL["put_linking"], {**values, "next_slot": next_slot, "now": at.now})


async def _describe(conn: Connection, gem_id: UUID, state: _State) -> Linking:
    values = {"gem_id": gem_id, "next_slot": 0 if state.is_stale else state.next_slot}
    (row,) = await fetch(conn, _SQL["count_links"], values)
    return Linking(state.wish, row["pending"], row["links"], state.linked_at)


async def _read(conn: Connection, gem_id: UUID, state: _State, *, first: int, end: int, limit: int) -> Block:
    query = sql.SQL(_SQL["read_vectors"]).format(embedding=sql.Identifier(state.column))
    values = {"gem_id": gem_id, "first": first, "end": end, "limit": limit, "dimension": state.dimension}
    async with conn.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(query, values)
        rows = await cursor.fetchall()
    vectors = np.array([row["vector"].to_numpy() for row in rows], np.float32).reshape(len(rows), state.dimension)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)  # as they are stored, nearly 1
    return Block(
        slots=np.array([row["slot"] for row in rows], np.int64),
        documents=[row["document_id"] for row in rows],
        vectors=vectors / np.maximum(lengths, np.float32(1e-6)),
    )

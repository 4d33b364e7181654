"""Moving a lattice to another embedding model, with old and new side by side until the new one is whole.

The new model's vectors go into the column that is not current, batch by batch; recall and ingestion go on with the old
model until one short transaction switches. How far a move has come is said by the rows alone, so that a process that
was killed at any moment is simply started again. With the model that a lattice has already, what an older version did
not store is added: token states, and the slots around a passage.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from uuid import UUID

from psycopg import sql

from core.overlap import Overlap
from core.pg import Connection, Database
from core.sql import load_queries
from knowledge.embedding import Embedder, TokenEmbedder
from knowledge.keeping.models import LatticeModels, Task, check_models, choose_task, find_models
from knowledge.keeping.passages import PlacedPassage, read_placed
from knowledge.keeping.progress import ReembedPlan, ReembedProgress, Stage
from knowledge.keeping.vectors import (
    FIRST,
    PassageKey,
    fetch,
    fit,
    last_key,
    read_contexts,
    write_around,
    write_readings,
    write_states,
)
from knowledge.passages import Embedded

_SQL = load_queries("knowledge.sql", "reembed.sql")

BATCH = 128  # passages embedded and written at a time; as many may be left when the lattice is locked for the switch
PAGE = 2_000  # rows emptied at a time


class EmbeddingIndexes(Protocol):
    """Makes and drops indexes over embeddings, which takes the owner of the tables."""

    async def ensure(self, column: str, dimension: int) -> None:
        """Make the index over this column and dimension unless it is there, while others read and write."""
        ...

    async def release(self, column: str, dimension: int) -> bool:
        """Drop the index if nobody uses it any more; return whether it was."""
        ...


@dataclass(slots=True)
class _Run:
    tenant: UUID
    models: LatticeModels
    task: Task
    notify: Callable[[ReembedProgress], None]
    progress: ReembedProgress
    started: float = field(default_factory=time.perf_counter)

    def tell(self, stage: Stage, *, done: int = 0, emptied: int = 0) -> None:
        """Tell what is being done, and what was added to it."""
        so_far = self.progress
        self.progress = replace(
            so_far,
            stage=stage,
            done=so_far.done + done,
            emptied=so_far.emptied + emptied,
            seconds=time.perf_counter() - self.started,
        )
        self.notify(self.progress)


@dataclass(frozen=True, slots=True)
class _Left:
    """The next passages to be worked off, and where the last of them stands; None if there are none."""

    passage_ids: Sequence[UUID]
    last: PassageKey | None


@dataclass(frozen=True, slots=True)
class Reembedding:
    """Moves lattices to the model of an embedder."""

    database: Database
    embedder: Embedder
    indexes: EmbeddingIndexes

    async def plan(self, tenant: UUID) -> ReembedPlan:
        """Say what `carry_out` would do, and change nothing.

        Raises:
            ConflictError: the lattice is on its way to yet another model.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            models = await find_models(conn)
            task = choose_task(models, self.embedder.model, self.embedder.dimension)
            if models is None or task == "nothing":
                return ReembedPlan("nothing", None, self.embedder.model, 0, 0)
            texts, tokens = await self._count(conn, models, task)
        return ReembedPlan(task, models.model, self.embedder.model, texts, tokens)

    async def carry_out(
        self, tenant: UUID, notify: Callable[[ReembedProgress], None] = lambda progress: None
    ) -> ReembedProgress:
        """Move a lattice to this model, or complete what it has of it; begun before, it goes on where it stopped.

        Args:
            tenant: whose lattice.
            notify: called after each batch.

        Raises:
            ConflictError: the lattice is on its way to yet another model, or another process ended the move.
            LatticeError: of the embedder or the store; run again, it goes on.
        """
        plan = await self.plan(tenant)
        async with self.database.transaction(tenant, read_only=True) as conn:
            models = await find_models(conn)
        if models is None or plan.task == "nothing":
            return ReembedProgress("switching")
        run = _Run(tenant, models, plan.task, notify, ReembedProgress(total=plan.texts))
        if plan.task == "move":
            await self._begin(run)
            await self._work_off(run)
            run.tell("indexing")
            await self.indexes.ensure(run.models.other, self.embedder.dimension)
            run.tell("switching")
            while not await self._switch(run):  # ingestion outran it meanwhile
                await self._work_off(run)
            run.models = LatticeModels(
                self.embedder.model, self.embedder.dimension, run.models.other, next_model=None, next_dimension=None
            )
        else:
            await self._work_off(run)
        await self._clear(run)
        await self._renew(run)
        return run.progress

    async def abandon(self, tenant: UUID) -> bool:
        """Give up a move: the old model stays, what the new one embedded is dropped. Return whether there was one."""

        async def end(conn: Connection) -> LatticeModels | None:
            models = await find_models(conn, "lock_models")
            if models is None or models.next_model is None:
                return None
            await conn.execute(_SQL["end_move"])
            return models

        models = await self.database.retrying(tenant, end)
        if models is None:
            return False
        stays = replace(models, next_model=None, next_dimension=None)
        await self._empty(_Run(tenant, stays, "move", lambda progress: None, ReembedProgress()))
        return True

    @property
    def _tells_tokens(self) -> bool:
        return isinstance(self.embedder, TokenEmbedder)

    async def _count(self, conn: Connection, models: LatticeModels, task: Task) -> tuple[int, int]:
        await conn.execute(_SQL["be_patient"])
        values = {"states": self._tells_tokens, "begun": models.next_model is not None}
        query = "count_unmoved" if task == "move" else "count_incomplete"
        (row,) = await fetch(conn, fit(query, target=models.other), values)
        return int(row["texts"]), int(row["tokens"])

    async def _begin(self, run: _Run) -> None:
        if run.models.next_model is not None:
            return
        await self._empty(run)  # what is left of an earlier move must not be taken for the new model's
        values = {"model": self.embedder.model, "dimension": self.embedder.dimension}

        async def begin(conn: Connection) -> None:
            check_models(await find_models(conn, "lock_models"), run.models)
            await conn.execute(_SQL["begin_move"], values)

        await self.database.retrying(run.tenant, begin)
        run.models = replace(run.models, next_model=self.embedder.model, next_dimension=self.embedder.dimension)

    async def _work_off(self, run: _Run) -> None:
        """Embed or complete whatever is left, in the order of gems and slots; what comes meanwhile may be left."""
        key: PassageKey | None = FIRST
        async with Overlap() as writing:
            while key is not None:
                placed, key = await self._read_left(run, key)
                needs_model = placed and (run.task == "move" or self._tells_tokens)
                readings = await read_contexts(self.embedder, [each.context for each in placed]) if needs_model else []
                await writing.start(self._write(run, placed, readings))  # it goes on while the next ones are embedded

    async def _read_left(self, run: _Run, key: PassageKey) -> tuple[list[PlacedPassage], PassageKey | None]:
        async with self.database.transaction(run.tenant, read_only=True, snapshot=True) as conn:
            left = await self._find_left(conn, run, key, BATCH)
            return await read_placed(conn, left.passage_ids), left.last

    async def _write(self, run: _Run, placed: Sequence[PlacedPassage], readings: Sequence[Embedded]) -> None:
        async def write(conn: Connection) -> None:
            check_models(await find_models(conn, "hold_models"), run.models)
            if run.task == "move":
                await write_readings(conn, placed, readings, run.models.other)
            elif readings:
                await write_states(conn, placed, readings)
            await write_around(conn, placed)

        if placed:
            await self.database.retrying(run.tenant, write)
            run.tell("embedding", done=len(placed))

    async def _find_left(self, conn: Connection, run: _Run, key: PassageKey, limit: int) -> "_Left":
        await conn.execute(_SQL["be_patient"])
        query = "unmoved_passages" if run.task == "move" else "incomplete_passages"
        values = {"gem_id": key.gem_id, "slot": key.slot, "limit": limit, "states": self._tells_tokens}
        rows = await fetch(conn, fit(query, target=run.models.other), values)
        return _Left([row["passage_id"] for row in rows], last_key(rows))

    async def _switch(self, run: _Run) -> bool:
        """Make the new model the current one if hardly anything is left to embed; else say that more is."""

        async def switch(conn: Connection) -> bool:
            check_models(await find_models(conn, "lock_models"), run.models)  # from here on nobody writes passages
            left = await self._find_left(conn, run, FIRST, BATCH + 1)
            if len(left.passage_ids) > BATCH:
                return False
            placed = await read_placed(conn, left.passage_ids)
            readings = await read_contexts(self.embedder, [each.context for each in placed])
            await write_readings(conn, placed, readings, run.models.other)
            await conn.execute(_SQL["forget_entity_embeddings"])
            await conn.execute(_SQL["switch_models"], {"column": run.models.other})
            return True

        return await self.database.retrying(run.tenant, switch)

    async def _clear(self, run: _Run) -> None:
        """Take away what the old model left behind, whether this run moved the lattice or one that was killed."""
        await self._empty(run)
        if not self._tells_tokens:
            await self._page_through(run, fit("drop_states"))

    async def _renew(self, run: _Run) -> None:
        """Let every gem be searched anew: what was found with the old vectors is not kept."""

        async def renew(conn: Connection) -> None:
            await conn.execute(_SQL["renew_gems"])

        await self.database.retrying(run.tenant, renew)

    async def _empty(self, run: _Run) -> None:
        """Empty the column that is not current, and let go of its index."""
        stale = run.models.other
        async with self.database.transaction(run.tenant, read_only=True) as conn:
            await conn.execute(_SQL["be_patient"])
            found = await fetch(conn, fit("find_stale_dimension", stale=stale), {})
        if found:
            await self._page_through(run, fit("empty_column", stale=stale, current=run.models.column))
            await self.indexes.release(stale, found[0]["dimension"])

    async def _page_through(self, run: _Run, statement: sql.Composed) -> None:
        key: PassageKey | None = FIRST
        while key is not None:
            values = {"gem_id": key.gem_id, "slot": key.slot, "limit": PAGE}

            async def carry_out(conn: Connection, values: Mapping[str, object] = values) -> list[dict[str, Any]]:
                check_models(await find_models(conn, "hold_models"), run.models)
                return await fetch(conn, statement, values)

            rows = await self.database.retrying(run.tenant, carry_out)
            key = last_key(rows)
            run.tell("emptying", emptied=len(rows))

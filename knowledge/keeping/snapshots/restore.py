"""The use case of restoring a snapshot: told beforehand, or done, with a snapshot of what there was taken first."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg

from core.errors import ConflictError, EmbeddingMismatchError, SnapshotDamagedError, SnapshotNotFoundError
from core.observing import tell
from core.pg import Connection, Database
from core.sql import load_queries
from gems import Gem, Moment, StateChanged, get_gems
from knowledge.embedding import Embedder
from knowledge.keeping.snapshots.comparing import Comparing, Side, lay_live
from knowledge.keeping.snapshots.difference import GemDifference
from knowledge.keeping.snapshots.elsewhere import Elsewhere, check_room, find_elsewhere
from knowledge.keeping.snapshots.layout import read_layout
from knowledge.keeping.snapshots.restoring import Restoring
from knowledge.keeping.snapshots.snapshot import Scope, Snapshot
from knowledge.keeping.snapshots.store import Heading, be_patient, get_snapshot, take_snapshot, take_turn
from knowledge.keeping.snapshots.taking import STORED, Sitting, Watch
from knowledge.keeping.tables import TravellingTable
from knowledge.keeping.vectors import fetch
from knowledge.lexical import merge_due
from knowledge.store import check_model

_SQL = load_queries("knowledge.sql", "snapshot_restores.sql")
_SNAPSHOTS = load_queries("knowledge.sql", "snapshots.sql")


@dataclass(frozen=True, slots=True)
class RestoreWish:
    """How a snapshot is restored.

    Attributes:
        gem_id: the one of its gems that is; None restores all.
        reembed: whether to embed passages anew that come back where the snapshot's vectors are of another model.
    """

    gem_id: UUID | None = None
    reembed: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore changed, or would change.

    Attributes:
        safety: of what there was before; None if nothing was there, or nothing was done.
        gems: what changes in each gem; those that are as they were are left out.
        others: gems of the lattice that the snapshot does not hold and nothing was taken from, which stay as they are.
    """

    snapshot: Snapshot
    safety: Snapshot | None
    gems: tuple[GemDifference, ...]
    others: int


@dataclass(frozen=True, slots=True)
class Restore:
    """Restores snapshots.

    Attributes:
        tables: held beside those of knowledge.
    """

    database: Database
    embedder: Embedder
    tables: Sequence[TravellingTable]

    async def plan(self, tenant: UUID, snapshot_id: UUID, wish: RestoreWish, watch: Watch) -> Restored:
        """Say what `carry_out` would change; nothing is.

        Raises:
            LatticeError: as `carry_out`.
        """
        async with self.database.transaction(tenant, snapshot=True) as conn:
            await be_patient(conn)
            snapshot, gem_ids = await self._find(conn, snapshot_id, wish)
            await self._check_model(conn, snapshot, wish)
            giving = await _find_giving(conn, snapshot, gem_ids, wish)
            await check_room(conn, snapshot_id, gem_ids, [each.gem_id for each in giving])
            layout = await read_layout(conn, self.tables)
            before = await lay_live(conn, gem_ids, layout, watch)
            found = await Comparing(conn, before, Side(STORED, snapshot_id), layout).compare(gem_ids)
            changes = (*found, *(each.difference for each in giving))
            return Restored(snapshot, None, changes, await _count_others(conn, gem_ids, giving))

    async def carry_out(self, tenant: UUID, snapshot_id: UUID, wish: RestoreWish, at: Moment, watch: Watch) -> Restored:
        """Make its gems as the snapshot holds them, under their own ids, those too that were deleted since.

        It is one transaction. First a snapshot is taken of what there is, which undoes it all when it is restored.

        Raises:
            SnapshotNotFoundError: it is not in the lattice, or does not hold the gem.
            SnapshotDamagedError: what it holds is not what was put in.
            ConflictError: documents of a gem that is restored alone are in other ones.
            GemNameTakenError: another gem has a name of its gems.
            EmbeddingMismatchError: its vectors are of another model, and `reembed` is not asked for.
            StoreBusyError: another one is being taken or restored, or somebody writes into the gems.
        """

        async def restore(conn: Connection) -> Restored:
            await take_turn(conn, tenant)
            snapshot, gem_ids = await self._find(conn, snapshot_id, wish)
            column = await self._check_model(conn, snapshot, wish, hold=True)
            giving = await _find_giving(conn, snapshot, gem_ids, wish)
            giving_ids = [each.gem_id for each in giving]
            rows = await fetch(conn, _SQL["hold_gems"], {"gem_ids": [*gem_ids, *giving_ids]})
            here = await get_gems(conn, [row["gem_id"] for row in rows if row["gem_id"] in gem_ids], at)
            await check_room(conn, snapshot_id, gem_ids, giving_ids)
            layout = await read_layout(conn, self.tables)
            safety = None
            if rows:
                scope: Scope = "gem" if wish.gem_id else snapshot.scope
                heading = Heading(scope, "safety", f"before the restore of {snapshot_id}", at.now)
                safety = await take_snapshot(conn, conn, heading, [Sitting(**row) for row in rows], layout)
            before = Side(STORED, safety.snapshot_id if safety else uuid4())
            after = Side(STORED, snapshot_id)
            found = await Comparing(conn, before, after, layout).compare(gem_ids)
            restoring = Restoring(
                conn=conn,
                embedder=self.embedder,
                layout=layout,
                before=before,
                after=after,
                gem_ids=gem_ids,
                giving=giving_ids,
                column=column,
                is_foreign=self._is_foreign(snapshot),
                at=at,
                watch=watch,
            )
            try:
                await restoring.carry_out()
            except psycopg.errors.UniqueViolation as e:
                raise ConflictError(
                    f"parts of the snapshot are in other gems now: {e.diag.message_detail or e.diag.message_primary}"
                ) from e
            await _tell_states(conn, here, at)
            changes = (*found, *(each.difference for each in giving))
            return Restored(snapshot, safety, changes, await _count_others(conn, gem_ids, giving))

        restored = await self.database.retrying(tenant, restore)
        for gem in restored.snapshot.gems:
            if wish.gem_id in {None, gem.gem_id}:
                await merge_due(self.database, tenant, gem.gem_id)
        return restored

    async def _find(self, conn: Connection, snapshot_id: UUID, wish: RestoreWish) -> tuple[Snapshot, list[UUID]]:
        """Return the snapshot and which of its gems are meant, once its lists are proved to be whole."""
        snapshot = await get_snapshot(conn, snapshot_id)
        gem_ids = [gem.gem_id for gem in snapshot.gems if wish.gem_id in {None, gem.gem_id}]
        if wish.gem_id is not None and not gem_ids:
            raise SnapshotNotFoundError(
                f"the snapshot {snapshot_id} does not hold the gem {wish.gem_id}", snapshot_id=str(snapshot_id)
            )
        values = {"snapshot_id": snapshot_id, "gem_id": wish.gem_id}
        if await fetch(conn, _SNAPSHOTS["find_broken"], values):
            raise SnapshotDamagedError(
                "the snapshot is damaged: its lists are not those that were written; verify it",
                snapshot_id=str(snapshot_id),
            )
        return snapshot, gem_ids

    async def _check_model(self, conn: Connection, snapshot: Snapshot, wish: RestoreWish, *, hold: bool = False) -> str:
        model, dimension = self.embedder.model, self.embedder.dimension
        column = await check_model(conn, model, dimension, hold=hold)
        if self._is_foreign(snapshot) and not wish.reembed:
            raise EmbeddingMismatchError(
                f"the snapshot was taken while the lattice's embedding model was {snapshot.model} "
                f"({snapshot.dimension} dimensions), and it is {model} ({dimension}) now: vectors of two models cannot "
                "be compared. To embed anew what comes back, restore with `--reembed` (over REST `reembed`)",
                stored=snapshot.model,
                configured=model,
            )
        return column

    def _is_foreign(self, snapshot: Snapshot) -> bool:
        ours = (self.embedder.model, self.embedder.dimension)
        return snapshot.model is not None and (snapshot.model, snapshot.dimension) != ours


async def _find_giving(
    conn: Connection, snapshot: Snapshot, gem_ids: Sequence[UUID], wish: RestoreWish
) -> list[Elsewhere]:
    """Return the gems, made since, that give back documents; none if only a single gem is restored."""
    is_whole = snapshot.scope == "lattice" and wish.gem_id is None
    return await find_elsewhere(conn, snapshot.snapshot_id, gem_ids) if is_whole else []


async def _tell_states(conn: Connection, before: Sequence[Gem], at: Moment) -> None:
    states = {gem.gem_id: gem.state for gem in before}
    for gem in await get_gems(conn, [*states], at):
        tell(conn, StateChanged(gem.gem_id, "restore", states[gem.gem_id], gem.state))


async def _count_others(conn: Connection, gem_ids: Sequence[UUID], giving: Sequence[Elsewhere]) -> int:
    touched = [*gem_ids, *(each.gem_id for each in giving)]
    (row,) = await fetch(conn, _SNAPSHOTS["count_others"], {"gem_ids": touched})
    return int(row["gems"])

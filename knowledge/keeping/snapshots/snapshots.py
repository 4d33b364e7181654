"""The use cases of snapshots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import GemNotFoundError, InvalidInputError
from core.pg import Connection, Database
from core.text import clean_string
from gems import Moment
from knowledge.embedding import Embedder
from knowledge.keeping.snapshots.comparing import Comparing, Side, lay_live
from knowledge.keeping.snapshots.difference import GemDifference
from knowledge.keeping.snapshots.layout import read_layout
from knowledge.keeping.snapshots.restore import Restore, Restored, RestoreWish
from knowledge.keeping.snapshots.retention import Kept, RetentionPolicy, Verdict, plan_retention
from knowledge.keeping.snapshots.snapshot import Scope, Snapshot
from knowledge.keeping.snapshots.store import (
    Heading,
    be_patient,
    delete_snapshots,
    get_snapshot,
    list_snapshots,
    take_snapshot,
    take_turn,
)
from knowledge.keeping.snapshots.taking import STORED, Watch, list_sitting
from knowledge.keeping.snapshots.verifying import Verification, verify
from knowledge.keeping.tables import TravellingTable
from knowledge.sealing import seal_rest

NOTE_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class Retention:
    """What a retention keeps and deletes, or would.

    Attributes:
        verdicts: on every snapshot that is meant.
        freed_bytes: that were deleted, as they were stored.
    """

    verdicts: tuple[Verdict, ...]
    freed_bytes: int


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Takes snapshots, and brings back what they hold.

    Attributes:
        embedder: of the lattice's model.
        tables: held beside those of knowledge.
    """

    database: Database
    embedder: Embedder
    tables: Sequence[TravellingTable] = ()

    async def create(
        self,
        tenant: UUID,
        gem_id: UUID | None,
        at: Moment,
        *,
        note: str = "",
        watch: Watch = lambda done, total: None,
    ) -> Snapshot:
        """Take a snapshot of a gem, or of all gems at one moment, whatever is written meanwhile.

        Args:
            tenant: whose lattice.
            gem_id: the gem; None takes the whole lattice, archived gems included.
            at: the time of the snapshot.
            note: what it is for.
            watch: called as passages are read.

        Raises:
            GemNotFoundError: it is not in the lattice.
            StoreBusyError: another one is being taken or restored.
        """
        note = clean_string(note, "note", NOTE_LENGTH)
        await self._seal(tenant, gem_id)
        scope: Scope = "lattice" if gem_id is None else "gem"
        # two connections: what is read must be of one moment, and what is stored already must be known as of now
        async with self.database.transaction(tenant) as writing:
            await take_turn(writing, tenant)
            async with self.database.transaction(tenant, read_only=True, snapshot=True) as reading:
                await be_patient(reading)
                gems = await list_sitting(reading, None if gem_id is None else [gem_id])
                check_found(gem_id, [gem.gem_id for gem in gems])
                layout = await read_layout(reading, self.tables)
                heading = Heading(scope, "asked", note, at.now)
                return await take_snapshot(reading, writing, heading, gems, layout, watch=watch)

    async def get(self, tenant: UUID, snapshot_id: UUID) -> Snapshot:
        """Return a snapshot.

        Raises:
            SnapshotNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await get_snapshot(conn, snapshot_id)

    async def list_page(
        self,
        tenant: UUID,
        gem_id: UUID | None,
        *,
        before: tuple[datetime, UUID] | None = None,
        limit: int = 50,
    ) -> list[Snapshot]:
        """Return a page of snapshots, newest first: those that hold a gem, or those of the whole lattice."""
        scope: Scope | None = "lattice" if gem_id is None else None
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await list_snapshots(conn, scope=scope, gem_id=gem_id, before=before, limit=limit)

    async def delete(self, tenant: UUID, snapshot_id: UUID) -> int:
        """Delete a snapshot; return how many bytes that freed. This cannot be undone.

        Raises:
            SnapshotNotFoundError: it is not in the lattice.
            StoreBusyError: one is being taken or restored.
        """

        async def drop(conn: Connection) -> int:
            await take_turn(conn, tenant)
            await get_snapshot(conn, snapshot_id)
            return await delete_snapshots(conn, [snapshot_id])

        return await self.database.retrying(tenant, drop)

    async def compare(
        self,
        tenant: UUID,
        snapshot_id: UUID,
        against: UUID | None = None,
        *,
        watch: Watch = lambda done, total: None,
    ) -> list[GemDifference]:
        """Return what changed since a snapshot until another one, or until now; gems that did not are left out.

        Args:
            tenant: whose lattice.
            snapshot_id: the side before.
            against: the side after; None is the present. Where one side is of a single gem, only that is compared.
            watch: called as passages of the present are read.

        Raises:
            SnapshotNotFoundError: one of them is not in the lattice.
            InvalidInputError: they are of two gems.
            SnapshotDamagedError: what is needed to tell is gone or changed.
        """
        async with self.database.transaction(tenant, snapshot=True) as conn:
            await be_patient(conn)
            before = await get_snapshot(conn, snapshot_id)
            layout = await read_layout(conn, self.tables)
            if against is None:
                gem_ids = choose_gems(before, before)
                after = await lay_live(conn, gem_ids, layout, watch)
            else:
                gem_ids = choose_gems(before, await get_snapshot(conn, against))
                after = Side(STORED, against)
            return await Comparing(conn, Side(STORED, snapshot_id), after, layout).compare(gem_ids)

    async def plan_restore(
        self, tenant: UUID, snapshot_id: UUID, wish: RestoreWish, *, watch: Watch = lambda done, total: None
    ) -> Restored:
        """Say what `restore` would change at this moment, and change nothing.

        Raises:
            LatticeError: as `restore`.
        """
        return await Restore(self.database, self.embedder, self.tables).plan(tenant, snapshot_id, wish, watch)

    async def restore(
        self,
        tenant: UUID,
        snapshot_id: UUID,
        wish: RestoreWish,
        at: Moment,
        *,
        watch: Watch = lambda done, total: None,
    ) -> Restored:
        """Bring back what a snapshot holds; see `Restore.carry_out`.

        Args:
            tenant: whose lattice.
            snapshot_id: which.
            wish: what of it.
            at: when, for the log.
            watch: called with documents that are done, and of how many.

        Raises:
            LatticeError: as there; nothing is changed.
        """
        return await Restore(self.database, self.embedder, self.tables).carry_out(tenant, snapshot_id, wish, at, watch)

    async def verify(self, tenant: UUID, snapshot_id: UUID, *, watch: Watch = lambda done, total: None) -> Verification:
        """Make every digest of a snapshot again, and say what is not as it was written; see `SnapshotProblem`.

        Raises:
            SnapshotNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            await be_patient(conn)
            return await verify(conn, await get_snapshot(conn, snapshot_id), watch)

    async def plan_retention(self, tenant: UUID, gem_id: UUID | None, policy: RetentionPolicy) -> Retention:
        """Say which snapshots `retain` would delete at this moment, and delete none.

        Args:
            tenant: whose lattice.
            gem_id: the gem whose snapshots are meant; None means those of every gem, and of the lattice.
            policy: what stays.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            return Retention(await _judge(conn, gem_id, policy), 0)

    async def retain(self, tenant: UUID, gem_id: UUID | None, policy: RetentionPolicy) -> Retention:
        """Delete the snapshots that a policy does not keep. This cannot be undone.

        Raises:
            StoreBusyError: one is being taken or restored.
        """

        async def drop(conn: Connection) -> Retention:
            await take_turn(conn, tenant)
            verdicts = await _judge(conn, gem_id, policy)
            gone = [each.snapshot.snapshot_id for each in verdicts if not each.reasons]
            return Retention(verdicts, await delete_snapshots(conn, gone))

        return await self.database.retrying(tenant, drop)

    async def _seal(self, tenant: UUID, gem_id: UUID | None) -> None:
        """Give what a bulk load left unsealed its mentions, which a snapshot should hold."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            gems = await list_sitting(conn, None if gem_id is None else [gem_id])
        for gem in gems:
            if gem.is_unsealed:
                await seal_rest(self.database, tenant, gem.gem_id)


async def _judge(conn: Connection, gem_id: UUID | None, policy: RetentionPolicy) -> tuple[Verdict, ...]:
    """Judge all snapshots of a gem, or all there are; one of the lattice is none of a gem."""
    found = await list_snapshots(conn, scope=None if gem_id is None else "gem", gem_id=gem_id)
    kept = [
        Kept(each.snapshot_id, None if each.scope == "lattice" else each.gems[0].gem_id, each.taken_at)
        for each in found
    ]
    return tuple(plan_retention(kept, policy))


def choose_gems(before: Snapshot, after: Snapshot) -> list[UUID] | None:
    """Return the gem of which one of two sides is; None compares all.

    Raises:
        InvalidInputError: they are of two gems.
    """
    gems = {each.gem_id for each in (before, after) if each.gem_id is not None}
    if len(gems) > 1:
        raise InvalidInputError("against", "is a snapshot of another gem")
    return [*gems] or None


def check_found(gem_id: UUID | None, found: Sequence[UUID]) -> None:
    """Check that the gem is there.

    Raises:
        GemNotFoundError: it is not.
    """
    if gem_id is not None and gem_id not in found:
        raise GemNotFoundError(f"no gem with id {gem_id}", gem_ids=[str(gem_id)])

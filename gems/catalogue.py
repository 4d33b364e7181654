"""The use cases of gems: each is one transaction."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import GemNameTakenError, GemNotFoundError, InvalidInputError
from core.pg import Database
from gems import store
from gems.gem import Gem, GemChange
from gems.operations import hold_gems, name_operation, record_operation
from gems.replay import Replay, replay
from gems.store import Measurement, Moment


@dataclass(frozen=True, slots=True)
class Gems:
    """Create, find, change, archive, restore and delete gems."""

    database: Database

    async def create(self, tenant: UUID, change: GemChange, at: Moment) -> Gem:
        """Create a gem; its name must be new to the lattice."""
        change = change.checked()
        if change.name is None:
            raise InvalidInputError("name", "is required")
        async with self.database.transaction(tenant) as conn:
            return await store.insert_gem(conn, change, at)

    async def get(self, tenant: UUID, gem_id: UUID, at: Moment) -> Gem:
        """Return a gem as it is at that moment."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            return (await store.get_gems(conn, [gem_id], at))[0]

    async def resolve(self, tenant: UUID, reference: str, at: Moment) -> Gem:
        """Return the gem of this id or, failing that, of this name."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            try:
                return (await store.get_gems(conn, [UUID(reference)], at))[0]
            except (ValueError, GemNotFoundError):
                found = await store.find_gem(conn, reference, at)
        if found is None:
            raise GemNotFoundError(f"no gem with id or name {reference!r}", gem=reference)
        return found

    async def ensure(self, tenant: UUID, name: str, at: Moment) -> Gem:
        """Return the gem of this name, created if it is not there."""
        change = GemChange(name=name).checked()
        try:
            async with self.database.transaction(tenant) as conn:
                found = await store.find_gem(conn, change.name or name, at)
                return found or await store.insert_gem(conn, change, at)
        except GemNameTakenError:  # somebody else created it in between
            return await self.resolve(tenant, change.name or name, at)

    async def list_page(
        self,
        tenant: UUID,
        at: Moment,
        *,
        archived: bool | None = False,
        before: tuple[datetime, UUID] | None = None,
        limit: int = 50,
    ) -> list[Gem]:
        """Return a page of gems, newest first; `archived` None means both kinds."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await store.list_gems(conn, at, archived=archived, before=before, limit=limit)

    async def update(self, tenant: UUID, gem_id: UUID, change: GemChange, at: Moment) -> Gem:
        """Change a gem's name, description or metadata."""
        change = change.checked()
        async with self.database.transaction(tenant) as conn:
            await store.lock_gem(conn, gem_id, at)
            return await store.update_gem(conn, gem_id, change, at)

    async def archive(self, tenant: UUID, gem_id: UUID, at: Moment) -> Gem:
        """Make a gem read only and leave it out of recall over the whole lattice; it is logged, and can be undone."""
        async with self.database.transaction(tenant) as conn:
            held = (await hold_gems(conn, [gem_id]))[gem_id]
            if held.archived_at is None:
                await record_operation(conn, name_operation("archive", gem_id, held.name, at.now))
            return await store.archive_gem(conn, gem_id, at)

    async def restore(self, tenant: UUID, gem_id: UUID, at: Moment) -> Gem:
        """Make an archived gem writable again; it is logged, and can be undone."""
        async with self.database.transaction(tenant) as conn:
            held = (await hold_gems(conn, [gem_id]))[gem_id]
            if held.archived_at is not None:
                undo = {"merged_into": held.merged_into and str(held.merged_into)}
                await record_operation(conn, name_operation("restore", gem_id, held.name, at.now), undo)
            return await store.restore_gem(conn, gem_id, at)

    async def delete(self, tenant: UUID, gem_id: UUID) -> None:
        """Delete a gem with its documents, passages, reflections and log. This cannot be undone."""
        # again after a deadlock: whoever writes below the gem may have locked its own row before the gem's
        await self.database.retrying(tenant, lambda conn: store.delete_gem(conn, gem_id))

    async def list_measurements(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, before: tuple[datetime, int] | None = None, limit: int = 50
    ) -> list[Measurement]:
        """Return a page of a gem's log, newest first, after an entry's moment and id."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            await store.get_gems(conn, [gem_id], at)
            return await store.list_measurements(conn, gem_id, before=before, limit=limit)

    async def replay(self, tenant: UUID, at: Moment, gem_id: UUID | None = None) -> Replay:
        """Replay the log of a gem, or of the whole lattice, and tell where states differ from it.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            if gem_id is not None:
                await store.get_gems(conn, [gem_id], at)
            return await replay(conn, at, gem_id)

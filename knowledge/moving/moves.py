"""Merging and splitting gems, and undoing what was done to gems: the use cases, one transaction each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from core.errors import GemNameTakenError, GemNotFoundError, InvalidInputError, OperationFollowedError
from core.pg import Connection, Database
from gems import (
    GemChange,
    HeldGem,
    LockedOperation,
    Moment,
    Operation,
    archive_gem,
    archive_into,
    delete_gem,
    find_gem,
    get_gems,
    hold_gems,
    insert_gem,
    list_entanglements,
    list_operations,
    lock_operation,
    mark_undone,
    restore_from,
    restore_gem,
)
from knowledge.embedding import Embedder
from knowledge.keeping.tables import GEM, KNOWLEDGE_TABLES, TravellingTable, read_layouts
from knowledge.keeping.vectors import fetch
from knowledge.moving.carrying import Carrier, refuse_archived
from knowledge.moving.choosing import MOST_SOURCES, Amount, Merging, SplitWish, add_up, choose_split, measure
from knowledge.moving.undoing import is_bare, is_merged, list_turns, plan_returns
from knowledge.readings import Readings


@dataclass(frozen=True, slots=True)
class Moved:
    """What a merge or a split did, or would do.

    Attributes:
        gem_id: where the documents are then; None of a gem that a dry run would make.
        operation_id: by which it can be undone; None of a dry run.
    """

    gem_id: UUID | None
    operation_id: UUID | None
    amount: Amount


@dataclass(frozen=True, slots=True)
class Moves:
    """Merges and splits gems, lists what was done to gems, and undoes it.

    Attributes:
        following: tables beside those of knowledge that name the gem of a document and follow it.
        tables: whose rows go with a gem when it is deleted, beside those of knowledge.
    """

    database: Database
    embedder: Embedder
    following: tuple[str, ...] = ()
    tables: tuple[TravellingTable, ...] = ()

    async def plan_merge(self, tenant: UUID, gem_id: UUID, sources: Sequence[UUID], at: Moment) -> Moved:
        """Say what `merge` would do at this moment, and change nothing.

        Raises:
            As `merge`.
        """
        sources = _check_sources(gem_id, sources)
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            refuse_archived(await get_gems(conn, [gem_id, *sources], at))
            merging = Merging()
            amounts = [await measure(conn, each, await merging.choose(conn, each, gem_id)) for each in sources]
        return Moved(gem_id, None, add_up(amounts))

    async def merge(self, tenant: UUID, gem_id: UUID, sources: Sequence[UUID], at: Moment) -> Moved:
        """Move the documents of gems into another one, and archive the gems; what that one has already stays in them.

        Args:
            tenant: whose lattice.
            gem_id: of the gem that they go into.
            sources: the gems, in the order in which they come.
            at: the moment.

        Raises:
            GemNotFoundError, GemArchivedError, EmbeddingMismatchError: nothing is moved.
            InvalidInputError: no gem, too many, or the one that they go into.
        """
        sources = _check_sources(gem_id, sources)

        async def work(conn: Connection, readings: Readings) -> Moved:
            held = await hold_gems(conn, [gem_id, *sources])
            refuse_archived(held)
            haul = await self._carrier.begin(conn, list(held), at, readings)
            merging, amounts = Merging(), []
            for source in sources:
                choice = await merging.choose(conn, source, gem_id)
                amounts.append(await measure(conn, source, choice))
                await haul.move(source, gem_id, choice)
            await archive_into(conn, sources, gem_id, at.now)
            amount = add_up(amounts)
            facts = _facts(held[gem_id].name, [held[each].name for each in sources], amount)
            operation = Operation(uuid4(), "merge", gem_id, sources, facts, at.now)
            await haul.record(operation)
            return Moved(gem_id, operation.operation_id, amount)

        return await self._carrier.run(tenant, [gem_id, *sources], work)

    async def plan_split(self, tenant: UUID, gem_id: UUID, wish: SplitWish, at: Moment) -> Moved:
        """Say what `split` would do at this moment, and change nothing.

        Raises:
            As `split`.
        """
        wish = wish.checked()
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            refuse_archived(await get_gems(conn, [gem_id], at))
            if await find_gem(conn, wish.name, at) is not None:
                raise GemNameTakenError(f"a gem named {wish.name!r} exists already", name=wish.name)
            return Moved(None, None, await measure(conn, gem_id, await choose_split(conn, gem_id, wish)))

    async def split(self, tenant: UUID, gem_id: UUID, wish: SplitWish, at: Moment) -> Moved:
        """Move documents of a gem into a new one.

        Raises:
            GemNotFoundError, GemArchivedError, GemNameTakenError, EmbeddingMismatchError: nothing is moved.
            DocumentNotFoundError: a document that is named is not in the gem.
            InvalidInputError: the wish says nothing, or means no document.
        """
        wish = wish.checked()

        async def work(conn: Connection, readings: Readings) -> Moved:
            held = await hold_gems(conn, [gem_id])
            refuse_archived(held)
            haul = await self._carrier.begin(conn, [gem_id], at, readings)
            choice = await choose_split(conn, gem_id, wish)
            amount = await measure(conn, gem_id, choice)
            new = await insert_gem(conn, GemChange(name=wish.name), at)
            await haul.move(gem_id, new.gem_id, choice)
            facts = _facts(held[gem_id].name, [wish.name], amount)
            operation = Operation(uuid4(), "split", gem_id, (new.gem_id,), facts, at.now)
            await haul.record(operation)
            return Moved(new.gem_id, operation.operation_id, amount)

        return await self._carrier.run(tenant, [gem_id], work)

    async def list_page(
        self, tenant: UUID, *, before: tuple[datetime, UUID] | None = None, limit: int = 50
    ) -> list[Operation]:
        """Return a page of what was done to gems, the last operation first."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await list_operations(conn, before=before, limit=limit)

    async def undo(self, tenant: UUID, operation_id: UUID, at: Moment) -> Operation:
        """Undo an operation: what was moved goes back as it is now, what was archived is restored, and so on.

        What was deleted since stays so. A gem that was split off is deleted if nothing else happened to it; else it is
        archived.

        Raises:
            OperationNotFoundError: there is none of this id.
            OperationFollowedError: it is undone already, or what happened since stands against it.
            GemArchivedError: the gem that holds what was moved is archived.
        """

        async def work(conn: Connection, readings: Readings) -> Operation:
            locked = await lock_operation(conn, operation_id)
            operation = locked.operation
            held = await _hold_all(conn, operation)
            if operation.kind in {"archive", "restore"}:
                await _turn_back(conn, locked, held[operation.subject_id], at)
            else:
                await self._bring_back(conn, locked, held, readings, at)
            return await mark_undone(conn, operation_id, at.now)

        return await self._carrier.run(tenant, (), work)

    async def plan_deletion(self, tenant: UUID, gem_id: UUID, at: Moment) -> Mapping[str, int]:
        """Say what would go if a gem were deleted, which cannot be undone: how many rows of each table, by its name.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            await get_gems(conn, [gem_id], at)
            layouts = await read_layouts(conn, (GEM, *KNOWLEDGE_TABLES, *self.tables))
            counts = {}
            for name, layout in layouts.items():
                (row,) = await fetch(conn, layout.count(), {"gem_id": gem_id})
                counts[name] = int(row["rows"])
            return counts | {"entanglement": len(await list_entanglements(conn, [gem_id]))}

    @property
    def _carrier(self) -> Carrier:
        return Carrier(self.database, self.embedder, self.following)

    async def _bring_back(
        self,
        conn: Connection,
        locked: LockedOperation,
        held: Mapping[UUID, HeldGem],
        readings: Readings,
        at: Moment,
    ) -> None:
        operation = locked.operation
        haul = await self._carrier.begin(conn, list(held), at, readings)
        for each in reversed(await plan_returns(conn, locked, held)):
            await haul.move_back(each.trace, each.documents)
        if operation.kind == "merge":
            await restore_from(conn, operation.others, operation.subject_id, at.now)
            return
        (new,) = operation.others
        if await is_bare(conn, new, [table.name for table in self.tables if table.under is None]):
            await delete_gem(conn, new)
        else:
            await archive_into(conn, [new], operation.subject_id, at.now)


async def _hold_all(conn: Connection, operation: Operation) -> dict[UUID, HeldGem]:
    try:
        return await hold_gems(conn, [operation.subject_id, *operation.others])
    except GemNotFoundError as e:
        raise OperationFollowedError(f"it cannot be undone: a gem of it was deleted since: {e.message}") from e


async def _turn_back(conn: Connection, locked: LockedOperation, gem: HeldGem, at: Moment) -> None:
    """Restore what was archived, or archive what was restored."""
    archives = locked.operation.kind == "restore"
    if await list_turns(conn, gem.gem_id, locked.ordinal) or archives == (gem.archived_at is not None):
        raise OperationFollowedError(
            f"it cannot be undone: the gem {gem.name!r} was archived or restored since", gem_id=str(gem.gem_id)
        )
    if not archives:
        await restore_gem(conn, gem.gem_id, at)
    elif (target := locked.undo.get("merged_into")) and await is_merged(conn, gem.gem_id, UUID(target)):
        await archive_into(conn, [gem.gem_id], UUID(target), at.now)
    else:
        await archive_gem(conn, gem.gem_id, at)


def _check_sources(gem_id: UUID, sources: Sequence[UUID]) -> tuple[UUID, ...]:
    checked = tuple(dict.fromkeys(sources))
    if gem_id in checked:
        raise InvalidInputError("from", "must be other gems than the one that they go into")
    if not 1 <= len(checked) <= MOST_SOURCES:
        raise InvalidInputError("from", f"must be 1 to {MOST_SOURCES} gems, are {len(checked):,}")
    return checked


def _facts(gem: str, others: Sequence[str], amount: Amount) -> dict[str, Any]:
    return {"gem": gem, "others": list(others), "documents": amount.documents, "passages": amount.passages}

"""The log of what was done to whole gems: archived, restored, merged, split. The caller owns the transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID, uuid4

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from core.errors import GemNotFoundError, OperationFollowedError, OperationNotFoundError
from core.pg import Connection
from core.sql import load_queries

OperationKind: TypeAlias = Literal["archive", "restore", "merge", "split"]

_SQL = load_queries("gems.sql", "operations.sql")
_SHOWN = ("operation_id", "kind", "subject_id", "facts", "made_at", "undone_at")


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that was done to gems.

    Attributes:
        subject_id: the gem that was archived, restored or split, or that others were merged into.
        others: those that were merged into it, or the one that was split off.
        facts: the names that these had, and what was moved; JSON values.
        undone_at: None while it stands.
    """

    operation_id: UUID
    kind: OperationKind
    subject_id: UUID
    others: tuple[UUID, ...]
    facts: Mapping[str, Any]
    made_at: datetime
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LockedOperation:
    """An operation that is about to be undone.

    Attributes:
        ordinal: rises with each operation of the lattice.
        undo: what only whoever carried it out understands.
    """

    operation: Operation
    ordinal: int
    undo: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HeldGem:
    """A gem whose row is locked, archived or not."""

    gem_id: UUID
    name: str
    archived_at: datetime | None
    merged_into: UUID | None


async def record_operation(conn: Connection, operation: Operation, undo: Mapping[str, Any] | None = None) -> None:
    """Log what was done, in the transaction that does it."""
    values = {
        "operation_id": operation.operation_id,
        "kind": operation.kind,
        "subject_id": operation.subject_id,
        "others": list(operation.others),
        "facts": Jsonb(dict(operation.facts)),
        "undo": Jsonb(dict(undo or {})),
        "now": operation.made_at,
    }
    await conn.execute(_SQL["insert_operation"], values)


def name_operation(kind: OperationKind, gem_id: UUID, name: str, now: datetime) -> Operation:
    """Return an operation on one gem, to be recorded."""
    return Operation(uuid4(), kind, gem_id, (), {"gem": name}, now)


async def list_operations(conn: Connection, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Operation]:
    """Return a page of operations, the last one first."""
    values = {"before_id": before and before[1], "limit": limit}
    return [_to_operation(row) for row in await _all(conn, "list_operations", values)]


async def get_operation(conn: Connection, operation_id: UUID) -> Operation:
    """Return an operation.

    Raises:
        OperationNotFoundError: there is none of this id.
    """
    rows = await _all(conn, "get_operation", {"operation_id": operation_id})
    if not rows:
        raise _not_found(operation_id)
    return _to_operation(rows[0])


async def lock_operation(conn: Connection, operation_id: UUID) -> LockedOperation:
    """Return an operation that stands, held until the transaction ends.

    Raises:
        OperationNotFoundError: there is none of this id.
        OperationFollowedError: it is undone already.
    """
    rows = await _all(conn, "lock_operation", {"operation_id": operation_id})
    if not rows:
        raise _not_found(operation_id)
    if rows[0]["undone_at"] is not None:
        raise OperationFollowedError(f"the operation {operation_id} is undone already", operation_id=str(operation_id))
    return LockedOperation(_to_operation(rows[0]), rows[0]["ordinal"], rows[0]["undo"])


async def mark_undone(conn: Connection, operation_id: UUID, now: datetime) -> Operation:
    """Say that an operation stands no longer."""
    (row,) = await _all(conn, "mark_undone", {"operation_id": operation_id, "now": now})
    return _to_operation(row)


async def hold_gems(conn: Connection, gem_ids: Sequence[UUID]) -> dict[UUID, HeldGem]:
    """Lock gems in the order of ids, archived or not, so that nobody writes into them until the transaction ends.

    Raises:
        GemNotFoundError: one of them is not in the lattice.
    """
    found = {row["gem_id"]: HeldGem(**row) for row in await _all(conn, "hold_gems", {"gem_ids": list(gem_ids)})}
    if missing := [str(gem_id) for gem_id in gem_ids if gem_id not in found]:
        raise GemNotFoundError(f"no gem with id {', '.join(missing)}", gem_ids=missing)
    return found


async def archive_into(conn: Connection, gem_ids: Sequence[UUID], target: UUID, now: datetime) -> None:
    """Archive gems whose contents went into another one."""
    await conn.execute(_SQL["archive_into"], {"gem_ids": list(gem_ids), "target": target, "now": now})


async def restore_from(conn: Connection, gem_ids: Sequence[UUID], target: UUID, now: datetime) -> None:
    """Restore those of some gems that are archived since their contents went into another one."""
    await conn.execute(_SQL["restore_from"], {"gem_ids": list(gem_ids), "target": target, "now": now})


def _not_found(operation_id: UUID) -> OperationNotFoundError:
    return OperationNotFoundError(f"no operation with id {operation_id}", operation_id=str(operation_id))


def _to_operation(row: Mapping[str, Any]) -> Operation:
    return Operation(others=tuple(row["others"]), **{name: row[name] for name in _SHOWN})


async def _all(conn: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()

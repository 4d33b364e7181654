"""Snapshots in Postgres: made, found, deleted. Every function takes a connection in a transaction of the caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from core.errors import SnapshotNotFoundError
from core.pg import Connection
from core.sql import load_queries
from knowledge.keeping.snapshots.layout import Layout
from knowledge.keeping.snapshots.snapshot import Reason, Scope, Snapshot, to_snapshot
from knowledge.keeping.snapshots.taking import STORED, Sitting, Taking, Watch, find_model
from knowledge.keeping.vectors import fetch

_SQL = load_queries("knowledge.sql", "snapshots.sql")


async def take_turn(conn: Connection, tenant: UUID) -> None:
    """Wait until nobody else takes, restores or deletes a snapshot of this lattice, and keep others from it."""
    await conn.execute(_SQL["take_turn"], {"tenant": str(tenant)})
    await be_patient(conn)


async def be_patient(conn: Connection) -> None:
    """Let the statements of this transaction take their time."""
    await conn.execute(_SQL["be_patient"])


@dataclass(frozen=True, slots=True)
class Heading:
    """What a snapshot that is to be taken says of itself."""

    scope: Scope
    reason: Reason
    note: str
    taken_at: datetime


async def take_snapshot(
    reading: Connection,
    writing: Connection,
    heading: Heading,
    gems: Sequence[Sitting],
    layout: Layout,
    *,
    watch: Watch = lambda done, total: None,
) -> Snapshot:
    """Take a snapshot of some gems as one connection sees them, and store it by another, or the same.

    What is read must be of one moment; who writes must have its turn.
    """
    model = await find_model(reading)
    values = {
        "snapshot_id": uuid4(),
        "scope": heading.scope,
        "reason": heading.reason,
        "note": heading.note,
        "now": heading.taken_at,
        "model": model["model"],
        "dimension": model["dimension"],
    }
    await writing.execute(_SQL["insert_snapshot"], values)
    taking = Taking(reading, writing, STORED, values["snapshot_id"], layout, model["column"])
    taken = await taking.take(gems, watch)
    sizes = {"size_bytes": taken.size_bytes, "added_bytes": taken.added_bytes}
    await writing.execute(_SQL["seal_snapshot"], values | sizes)
    return await get_snapshot(writing, values["snapshot_id"])


async def get_snapshot(conn: Connection, snapshot_id: UUID) -> Snapshot:
    """Return a snapshot with its gems.

    Raises:
        SnapshotNotFoundError: it is not in the lattice.
    """
    rows = await fetch(conn, _SQL["get_snapshot"], {"snapshot_id": snapshot_id})
    if not rows:
        raise SnapshotNotFoundError(f"no snapshot with id {snapshot_id}", snapshot_id=str(snapshot_id))
    return to_snapshot(rows[0], await fetch(conn, _SQL["list_held"], {"snapshot_ids": [snapshot_id]}))


async def list_snapshots(
    conn: Connection,
    *,
    scope: Scope | None,
    gem_id: UUID | None,
    before: tuple[datetime, UUID] | None = None,
    limit: int | None = None,
) -> list[Snapshot]:
    """Return snapshots, newest first: those of a scope, or those that hold a gem, of which their totals then are.

    Those of the lattice come without their gems.
    """
    before_at, before_id = before or (None, None)
    values = {"scope": scope, "gem_id": gem_id, "before_at": before_at, "before_id": before_id, "limit": limit}
    rows = await fetch(conn, _SQL["list_snapshots"], values)
    single = [row["snapshot_id"] for row in rows if row["scope"] == "gem"]
    held = {row["snapshot_id"]: row for row in await fetch(conn, _SQL["list_held"], {"snapshot_ids": single})}
    return [to_snapshot(row, [held[key]] if (key := row["snapshot_id"]) in held else []) for row in rows]


async def delete_snapshots(conn: Connection, snapshot_ids: Sequence[UUID]) -> int:
    """Delete snapshots and what they alone held; return how many bytes that was, as they were stored."""
    (row,) = await fetch(conn, _SQL["delete_snapshots"], {"snapshot_ids": list(snapshot_ids)})
    return int(row["bytes"])

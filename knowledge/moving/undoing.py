"""Taking an operation back: what may stand against it, and the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from core.errors import GemArchivedError, OperationFollowedError
from gems import HeldGem, LockedOperation
from knowledge.keeping.vectors import fetch
from knowledge.moving.way import SQL, TRACES, TakenDocument, Trace
from knowledge.store import Connection

SHOWN = 20  # ids of what stands against an undoing that its error names


@dataclass(frozen=True, slots=True)
class Return:
    """Documents that go back where they came from.

    Attributes:
        trace: of the move that brought them.
    """

    trace: Trace
    documents: tuple[TakenDocument, ...]


async def plan_returns(conn: Connection, locked: LockedOperation, gems: Mapping[UUID, HeldGem]) -> list[Return]:
    """Find out what goes back; all gems of the operation are held.

    Raises:
        OperationFollowedError: what happened since stands against it; says what.
        GemArchivedError: the gem that holds the documents is archived.
    """
    operation = locked.operation
    traces = TRACES.validate_python(locked.undo["moves"])
    await _refuse_followers(conn, operation.operation_id, locked.ordinal)
    rows = await fetch(conn, SQL["list_logged"], {"operation_id": operation.operation_id})
    returns = []
    for trace in traces:
        if (archived := gems[trace.target]).archived_at is not None:
            raise GemArchivedError(
                f"gem {archived.name!r} is archived and read only; restore it first", gem_id=str(trace.target)
            )
        back = [row for row in rows if row["source_id"] == trace.source]
        ids = [row["document_id"] for row in back]
        if away := [str(row["document_id"]) for row in back if row["gem_id"] != trace.target]:
            raise _followed("documents of it are in another gem by now", document_ids=away)
        await _refuse_graph_changes(conn, trace, ids)
        await _refuse_clashes(conn, gems[trace.source], ids)
        documents = tuple(TakenDocument(row["document_id"], row["position"]) for row in back)
        returns.append(Return(trace, documents))
    return returns


async def list_turns(conn: Connection, gem_id: UUID, ordinal: int) -> list[UUID]:
    """Return the operations by which a gem was archived or restored since, as far as they stand; the last one first."""
    rows = await fetch(conn, SQL["list_turns"], {"gem_id": gem_id, "ordinal": ordinal})
    return [row["operation_id"] for row in rows]


async def is_merged(conn: Connection, gem_id: UUID, target: UUID) -> bool:
    """Say whether what a gem held went into another one, by a merge that stands."""
    return bool(await fetch(conn, SQL["find_merge"], {"gem_id": gem_id, "target": target}))


async def is_bare(conn: Connection, gem_id: UUID, tables: Sequence[str]) -> bool:
    """Say whether a gem holds nothing and nothing happened to it but its birth."""
    (row,) = await fetch(conn, SQL["is_bare"], {"gem_id": gem_id})
    if not row["is_bare"]:
        return False
    for table in tables:
        query = sql.SQL(SQL["has_rows"]).format(table=sql.Identifier(table))
        (row,) = await fetch(conn, query, {"gem_id": gem_id})
        if row["found"]:
            return False
    return True


async def _refuse_followers(conn: Connection, operation_id: UUID, ordinal: int) -> None:
    rows = await fetch(conn, SQL["list_followers"], {"operation_id": operation_id, "ordinal": ordinal})
    if later := [str(row["operation_id"]) for row in rows]:
        raise _followed(f"later operations moved the same documents; undo first {later[0]}", operation_ids=later)


async def _refuse_graph_changes(conn: Connection, trace: Trace, document_ids: Sequence[UUID]) -> None:
    values: dict[str, Any] = {"gem_id": trace.target, "document_ids": list(document_ids), "changes": trace.changes}
    rows = await fetch(conn, SQL["list_graph_followers"], values)
    if later := [str(row["change_id"]) for row in rows]:
        raise _followed(
            f"changes of the graph were made since to what its documents name; undo first {later[0]}", change_ids=later
        )


async def _refuse_clashes(conn: Connection, source: HeldGem, document_ids: Sequence[UUID]) -> None:
    values = {"target": source.gem_id, "document_ids": list(document_ids)}
    if taken := [row["name"] for row in await fetch(conn, SQL["list_clashes"], values)]:
        raise _followed(
            f"the gem {source.name!r} has other documents of the same ids by now: delete one of each pair first",
            documents=taken,
        )


def _followed(reason: str, **found: list[str]) -> OperationFollowedError:
    ((name, values),) = found.items()
    shown = ", ".join(values[:SHOWN]) + (f" and {len(values) - SHOWN:,} more" if len(values) > SHOWN else "")
    return OperationFollowedError(f"it cannot be undone: {reason} ({shown})", **{name: values[:SHOWN]})

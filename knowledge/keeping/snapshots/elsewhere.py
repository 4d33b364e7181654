"""What stands where the gems of a snapshot shall come: their names, and their documents in other gems."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.errors import ConflictError, GemNameTakenError
from core.pg import Connection
from core.sql import load_queries
from gems import Moment
from knowledge.embedding import Embedder
from knowledge.keeping.snapshots.difference import DocumentsDifference, GemDifference
from knowledge.keeping.vectors import fetch
from knowledge.readings import Readings, embed_missing
from knowledge.sealing import seal_within
from knowledge.writing import WriteAim, plan_removal, write_plan

_SQL = load_queries("knowledge.sql", "snapshot_restores.sql")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A gem that is not restored and holds documents of a snapshot, so many."""

    gem_id: UUID
    name: str
    documents: int

    @property
    def difference(self) -> GemDifference:
        """What changes in it once they are where they were."""
        return GemDifference(self.gem_id, self.name, documents=DocumentsDifference(removed=self.documents))


async def find_elsewhere(conn: Connection, snapshot_id: UUID, gem_ids: Sequence[UUID]) -> list[Elsewhere]:
    """Return the gems beside these that hold documents which a snapshot holds of these."""
    values = {"snapshot_id": snapshot_id, "gem_ids": list(gem_ids)}
    return [Elsewhere(**row) for row in await fetch(conn, _SQL["find_elsewhere"], values)]


async def check_room(
    conn: Connection, snapshot_id: UUID, gem_ids: Sequence[UUID], giving: Collection[UUID] = ()
) -> None:
    """Check that nothing of other gems stands where those of a snapshot shall come.

    Args:
        conn: in a transaction.
        snapshot_id: of the snapshot.
        gem_ids: those of its gems that are restored.
        giving: other gems, which give back what they hold of it.

    Raises:
        ConflictError: their documents are in other gems meanwhile.
        GemNameTakenError: another gem has a name of theirs.
    """
    if found := [each for each in await find_elsewhere(conn, snapshot_id, gem_ids) if each.gem_id not in giving]:
        told = ", ".join(f"{each.documents:,} in {each.name!r}" for each in found)
        raise ConflictError(
            f"documents of the snapshot are in other gems now ({told}): undo what moved them there, or restore a "
            "snapshot of the whole lattice",
            gems=[each.name for each in found],
        )
    if taken := await fetch(conn, _SQL["find_taken"], {"snapshot_id": snapshot_id, "gem_ids": list(gem_ids)}):
        name = taken[0]["name"]
        raise GemNameTakenError(f"another gem is named {name!r} now: rename that one, then restore", name=name)


async def take_out(conn: Connection, embedder: Embedder, column: str, gem_ids: Sequence[UUID], at: Moment) -> None:
    """Take the documents that are to be in these gems out of others, as if they were deleted there.

    Args:
        conn: in a transaction that holds all these gems and knows which documents change.
        embedder: for what stays near them in threads.
        column: of the lattice's vectors.
        gem_ids: those that are restored.
        at: when.
    """
    for row in await fetch(conn, _SQL["list_elsewhere"], {"gem_ids": list(gem_ids)}):
        await seal_within(conn, row["gem_id"])
        plan = await plan_removal(conn, row["gem_id"], row["document_ids"])
        readings = Readings()
        await embed_missing(embedder, plan.contexts, readings)
        await write_plan(conn, WriteAim(row["gem_id"], column, at), plan, readings.found)

"""Verifying: every digest is made again, from the contents up, and what is not as it was written is told.

What is stored of the present twice and no snapshot holds, the sums of gems' embeddings, is looked at as well.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID, uuid4

import msgspec
from psycopg.rows import dict_row

from core.pg import Connection
from core.sql import load_queries
from knowledge.keeping.snapshots.content import NOBODY, unpack
from knowledge.keeping.snapshots.layout import OF_DOCUMENTS
from knowledge.keeping.snapshots.snapshot import Snapshot
from knowledge.keeping.snapshots.sums import find_wrong_sums
from knowledge.keeping.snapshots.taking import Watch
from knowledge.keeping.vectors import fetch

MEMBERS = 128  # whose contents are read at a time
SHOWN = 1_000
UNCOUNTED = frozenset({"states", "vectors"})

ProblemKind = Literal["snapshot", "list", "counts", "missing", "changed", "embedding"]

_SQL = load_queries("knowledge.sql", "snapshots.sql")


@dataclass(frozen=True, slots=True)
class SnapshotProblem:
    """What of a snapshot, or of its gems as they are now, is not as it was written.

    Attributes:
        kind: `snapshot`: what it says of itself or which gems it holds; `list`: which contents a gem has; `counts`: how
            many rows; `missing`, `changed`: a content; `embedding`: that of a gem as it is now, which is not what its
            passages give, and which a restore makes right.
        content: of a missing or changed content, its kind.
        document_id: the document that the content is of.
        sha256: by which the content is known.
    """

    kind: ProblemKind
    gem_id: UUID | None = None
    name: str | None = None
    content: str | None = None
    document_id: UUID | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found.

    Attributes:
        contents: that were read, each as often as it is needed.
        problems: how many there are.
        shown: the first SHOWN of them.
    """

    contents: int
    problems: int
    shown: tuple[SnapshotProblem, ...]

    @property
    def is_sound(self) -> bool:
        """Whether all is as it was written."""
        return self.problems == 0


@dataclass(slots=True)
class _Findings:
    contents: int = 0
    problems: list[SnapshotProblem] = field(default_factory=list)
    rows: dict[UUID, Counter[str]] = field(default_factory=dict)
    passages: int = 0


async def verify(conn: Connection, snapshot: Snapshot, watch: Watch = lambda done, total: None) -> Verification:
    """Make every digest of a snapshot again, and the sums of embeddings of those of its gems that are there.

    Args:
        conn: in a transaction that sees one moment.
        snapshot: which.
        watch: called with passages read, and of how many.
    """
    found = _Findings()
    names = {gem.gem_id: gem.name for gem in snapshot.gems}
    values = {"snapshot_id": snapshot.snapshot_id}
    for row in await fetch(conn, _SQL["find_broken"], values | {"gem_id": None}):
        found.problems.append(SnapshotProblem(row["problem"], row["gem_id"], row["name"]))
    async with conn.cursor(f"contents_{uuid4().hex}", row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["read_all"], values, binary=True)
        while rows := await cursor.fetchmany(MEMBERS):
            await asyncio.to_thread(_read, rows, names, found)
            watch(found.passages, snapshot.passages)
    unread = {(each.gem_id, each.content) for each in found.problems}
    for gem in snapshot.gems:
        counted = found.rows.get(gem.gem_id, Counter())
        # what could not be read cannot be counted either, and is told already
        excused: tuple[str, ...] = OF_DOCUMENTS if (gem.gem_id, "document") in unread else ()
        if any(
            counted[name] != gem.counts.get(name, 0)
            for name in counted.keys() | gem.counts.keys()
            if name not in excused and (gem.gem_id, name) not in unread
        ):
            found.problems.append(SnapshotProblem("counts", gem.gem_id, gem.name))
    for gem_id in await find_wrong_sums(conn, list(names)):
        found.problems.append(SnapshotProblem("embedding", gem_id, names[gem_id]))
    return Verification(found.contents, len(found.problems), tuple(found.problems[:SHOWN]))


def _read(rows: Sequence[Mapping[str, Any]], names: Mapping[UUID, str], found: _Findings) -> None:
    for row in rows:
        found.contents += 1
        gem_id, kind = row["gem_id"], row["kind"]
        content = None if row["packed"] is None else unpack(row["packed"], row["size"], row["sha256"])
        if content is None or len(content) != row["size"]:
            document_id = None if row["key"] == NOBODY else row["key"]
            problem: ProblemKind = "missing" if row["packed"] is None else "changed"
            found.problems.append(
                SnapshotProblem(problem, gem_id, names.get(gem_id), kind, document_id, row["sha256"].hex())
            )
        else:
            counted = found.rows.setdefault(gem_id, Counter())
            rows_of = _count(kind, content)
            counted.update(rows_of)
            found.passages += rows_of.get("passage", 0)


def _count(kind: str, content: bytes) -> dict[str, int]:
    """Return how many rows of which tables a content holds."""
    if kind == "document":
        told = msgspec.json.decode(content, type=dict[str, list[msgspec.Raw] | None])
        return {name: len(rows) for name, rows in told.items() if rows}
    return {} if kind in UNCOUNTED else {kind: len(msgspec.json.decode(content, type=list[msgspec.Raw]))}

"""Ingestions in Postgres. Every function takes a connection in a transaction that the caller owns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from core.errors import IngestionNotFoundError
from core.sql import load_queries
from core.text import make_storable
from knowledge.jobs.tally import Counts, Tally
from knowledge.sources import SourceProblem

_SQL: Mapping[str, LiteralString] = load_queries("knowledge.sql", "ingestions.sql")

PROBLEMS_KEPT = 10_000
STALLED_S = 15.0  # without a sign of life, after which a run is taken for dead

Connection = AsyncConnection[Any]
ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class IngestionRecord:
    """An ingestion as it stands.

    Attributes:
        state: receiving, queued, running, done, failed or cancelled.
        by_row: whether a row goes to the gem that its field `gem` names, if it names one.
        host: of the process that carries it out; None if workers do.
        input: what it reads, for people.
        total: how many rows there are, nearly until all are read; None before the first run.
        input_bytes: of the input that was sent.
        seconds: of work, all runs together.
        cancelling: whether it is to be cancelled at the next report.
        error_code: why it failed, or why it waits to be repeated; with `error` for people.
    """

    ingestion_id: UUID
    gem_id: UUID
    state: str
    by_row: bool
    host: str | None
    input: str
    total: int | None
    input_bytes: int
    counts: Counts
    seconds: float
    fingerprint: bytes
    retrying: bool
    cancelling: bool
    run_id: UUID | None
    attempts: int
    error_code: str | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat_at: datetime

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in ENDED

    @property
    def rows_per_s(self) -> float | None:
        """How fast it is, over all its runs."""
        return self.counts.read / self.seconds if self.seconds > 0 and self.counts.read else None

    @property
    def passages_per_s(self) -> float | None:
        """How fast it stores, over all its runs."""
        return self.counts.passages / self.seconds if self.seconds > 0 and self.counts.passages else None

    @property
    def seconds_left(self) -> float | None:
        """How long it will still take at this rate; None if nobody can tell."""
        if self.has_ended or self.total is None or self.rows_per_s is None:
            return None
        return max(0, self.total - self.counts.read) / self.rows_per_s


@dataclass(frozen=True, slots=True)
class IngestionProblem:
    """A row or file that could not be stored; `number` counts rows from 0."""

    number: int
    name: str
    line: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class StoredSource:
    """A file or body of an ingestion; without a path, which need be no Unicode, its bytes are stored."""

    source: int
    name: str
    format: str | None
    path: bytes | None


async def change(conn: Connection, query: str, values: Mapping[str, Any]) -> IngestionRecord | None:
    """Run a query that answers with at most one ingestion."""
    rows = await fetch_all(conn, query, values)
    return to_record(rows[0]) if rows else None


async def fetch_all(conn: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that a query answers with."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], {"stalled_s": STALLED_S, **values})
        return await cursor.fetchall() if cursor.description is not None else []


async def get(conn: Connection, ingestion_id: UUID) -> IngestionRecord:
    """Return an ingestion.

    Raises:
        IngestionNotFoundError: it is not in the lattice.
    """
    found = await change(conn, "find", {"ingestion_id": ingestion_id})
    if found is None:
        raise IngestionNotFoundError(f"no ingestion with id {ingestion_id}", ingestion_id=str(ingestion_id))
    return found


async def list_problems(conn: Connection, ingestion_id: UUID, *, after: int, limit: int) -> list[IngestionProblem]:
    """Return what could not be stored, from after a row on."""
    values = {"ingestion_id": ingestion_id, "after": after, "limit": limit}
    return [IngestionProblem(**row) for row in await fetch_all(conn, "list_problems", values)]


async def list_sources(conn: Connection, ingestion_id: UUID) -> list[StoredSource]:
    """Return what an ingestion reads, in order."""
    return [StoredSource(**row) for row in await fetch_all(conn, "list_sources", {"ingestion_id": ingestion_id})]


async def report(
    conn: Connection, record: IngestionRecord, tally: Tally, *, seconds: float, total: int | None
) -> bool | None:
    """Store how far a run has come, with the problems that it met.

    Returns:
        whether it is to stop; None if another run has taken its place, and nothing was stored.
    """
    key = {"ingestion_id": record.ingestion_id}
    values = {name: getattr(tally.counts, name) for name in Counts.__slots__}
    fingerprint = tally.fingerprint.to_bytes(16)
    values |= {"run_id": record.run_id, "seconds": seconds, "total": total, "fingerprint": fingerprint, **key}
    rows = await fetch_all(conn, "report", values)
    if not rows:
        return None
    if tally.mended:
        await conn.execute(_SQL["forget_problems"], {**key, "numbers": tally.mended})
    if tally.problems:
        kept = (await fetch_all(conn, "count_problems", key))[0]["kept"]
        room = [(each.number, each.problem) for each in tally.problems[: max(0, PROBLEMS_KEPT - kept)]]
        async with conn.cursor() as cursor:
            await cursor.executemany(_SQL["put_problem"], [{**key, **_told(*each)} for each in room])
    return bool(rows[0]["cancelling"])


def to_record(row: Mapping[str, Any]) -> IngestionRecord:
    """Return a row of the table as a value."""
    kept = {name: row[name] for name in IngestionRecord.__slots__ if name in row}
    counts = Counts(**{name: row[name] for name in Counts.__slots__})
    return IngestionRecord(**{**kept, "counts": counts, "fingerprint": bytes(row["fingerprint"])})


def _told(number: int, problem: SourceProblem) -> dict[str, Any]:
    words = {"name": make_storable(problem.name), "problem": make_storable(problem.problem)}
    return {"number": number, "line": problem.line, **words}

"""What the queue still holds, kind by kind."""

from dataclasses import dataclass

from psycopg.rows import class_row

from core.pg import Connection
from core.sql import load_queries

_SQL = load_queries("knowledge.sql", "jobs.sql")


@dataclass(frozen=True, slots=True)
class OpenJobs:
    """The open jobs of one kind.

    Attributes:
        kind: the name of their kind.
        waiting: for a worker, those that are to be repeated later included.
        running: that a worker carries out.
        oldest_s: for how many seconds the one has waited that could have been begun first; 0 if none is due.
    """

    kind: str
    waiting: int
    running: int
    oldest_s: float


async def list_open_jobs(conn: Connection) -> list[OpenJobs]:
    """Return the open jobs of the transaction's tenant; kinds without any are left out."""
    async with conn.cursor(row_factory=class_row(OpenJobs)) as cursor:
        await cursor.execute(_SQL["list_open_jobs"])
        return await cursor.fetchall()

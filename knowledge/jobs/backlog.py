"""How much is still to be ingested."""

from dataclasses import dataclass

from core.pg import Connection
from knowledge.jobs import store


@dataclass(frozen=True, slots=True)
class Backlog:
    """Ingestions that have not ended.

    Attributes:
        running: that are being carried out.
        waiting: that wait for a worker.
        lag_s: for how many seconds the one has waited that has waited longest; 0 if none waits.
    """

    running: int
    waiting: int
    lag_s: float


async def measure_backlog(conn: Connection) -> Backlog:
    """Return how much is still to be ingested."""
    (row,) = await store.fetch_all(conn, "measure_backlog", {})
    return Backlog(**row)

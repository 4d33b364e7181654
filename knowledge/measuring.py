"""Measuring passages: what was used is strengthened, and the log says why."""

from collections.abc import Mapping
from uuid import UUID

from core.pg import Connection
from core.sql import load_queries
from gems import Moment

_SQL = load_queries("knowledge.sql", "recall.sql")


async def measure_passages(
    conn: Connection, gains: Mapping[UUID, float], at: Moment, *, cause: str, reflection_id: UUID | None = None
) -> None:
    """Evolve passages to now, measure each with its gain, and log why."""
    values = {"passage_ids": list(gains), "gains": list(gains.values()), "now": at.now, "tau_s": at.tau_s}
    await conn.execute(_SQL["measure_passages"], values | {"cause": cause, "reflection_id": reflection_id})

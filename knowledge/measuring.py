"""Measuring passages: what was used is strengthened, with its gem and what is entangled with it; the log says why."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from psycopg.rows import dict_row

from core.observing import tell
from core.pg import Connection
from core.sql import load_queries
from gems import ALPHA_DEFAULT, LEAST_GAIN, Moment, UsedGem, use_gems
from knowledge.happenings import PassagesMeasured
from knowledge.recalled import RecalledPassage

_SQL = load_queries("knowledge.sql", "recall.sql")


async def measure_passages(
    conn: Connection, gains: Mapping[UUID, float], at: Moment, *, cause: str, reflection_id: UUID | None = None
) -> dict[UUID, float]:
    """Evolve passages to now, measure each with its gain, and log why.

    Those that are gone, or whose gem is archived, are left out.

    Returns:
        The greatest gain by gem.
    """
    values = {"passage_ids": list(gains), "gains": list(gains.values()), "now": at.now, "tau_s": at.tau_s}
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["measure_passages"], values | {"cause": cause, "reflection_id": reflection_id})
        greatest: dict[UUID, float] = defaultdict(float)
        rows = await cursor.fetchall()
        tell(conn, PassagesMeasured(cause, len(rows)))
        for row in rows:
            greatest[row["gem_id"]] = max(greatest[row["gem_id"]], row["gain"])
    return dict(greatest)


async def use_passages(
    conn: Connection,
    gains: Mapping[UUID, float],
    at: Moment,
    *,
    cause: str,
    reflection_id: UUID | None = None,
    gems: Mapping[UUID, float] = MappingProxyType({}),
) -> list[UsedGem]:
    """Measure passages, the gems that hold them, and what is entangled with these; all of one use.

    Args:
        conn: in the transaction of the use.
        gains: α of each passage that was used.
        at: when.
        cause: for the log.
        reflection_id: of the answer that used them.
        gems: α of gems that were used whether or not a passage of theirs was.

    Returns:
        The gems that were measured, in the order of ids; a gem's gain is the greatest of its passages'.
    """
    by_gem = await measure_passages(conn, gains, at, cause=cause, reflection_id=reflection_id) if gains else {}
    used = by_gem | dict(gems)
    return await use_gems(conn, used, at, cause=cause, reflection_id=reflection_id) if used else []


async def use_recalled(conn: Connection, passages: Sequence[RecalledPassage], at: Moment) -> list[UsedGem]:
    """Measure what a recall returned to somebody who will use it.

    Not all of it will matter, so each passage gains α times the probability that it does.
    """
    gains = {each.passage_id: max(LEAST_GAIN, ALPHA_DEFAULT * each.probability) for each in passages}
    return await use_passages(conn, gains, at, cause="recall")

"""Rehearsals: a gem, and passages of it, are used without a question; or what that would change is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import GemArchivedError, InvalidInputError, PassageNotFoundError
from core.pg import Connection, Database
from core.sql import load_queries
from gems import (
    ALPHA_DEFAULT,
    BELOW_DEFAULT,
    LEAST_GAIN,
    Moment,
    UsedGem,
    check_below,
    falls_at,
    get_gems,
    plan_use,
    use_gems,
)
from knowledge.measuring import measure_passages

_SQL = load_queries("knowledge.sql", "passage_states.sql")
MOST_PASSAGES = 1_000
CAUSE = "manual"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal did, or would do.

    Attributes:
        dry_run: whether nothing was changed.
        used: the gem, with its states just before and after.
        falls_at_before: when its coherence would have fallen below the threshold without; None if beyond the year 9999.
        falls_at_after: when it falls with it, if it is left alone then.
        partners: the entangled gems that are strengthened along.
        passages: how many are measured.
    """

    dry_run: bool
    used: UsedGem
    falls_at_before: datetime | None
    falls_at_after: datetime | None
    partners: tuple[UsedGem, ...]
    passages: int


@dataclass(frozen=True, slots=True)
class Rehearsals:
    """Rehearses gems."""

    database: Database

    async def rehearse(
        self,
        tenant: UUID,
        gem_id: UUID,
        at: Moment,
        *,
        gain: float = ALPHA_DEFAULT,
        passage_ids: Sequence[UUID] = (),
        below: float = BELOW_DEFAULT,
        dry_run: bool = True,
    ) -> Rehearsal:
        """Measure a gem, some of its passages and what is entangled with it; or only tell what would become of them.

        Args:
            tenant: who asks.
            gem_id: the gem.
            at: now.
            gain: α in [1e-6, 1], of the gem and of the passages.
            passage_ids: of the gem.
            below: the threshold for when it falls.
            dry_run: change nothing.

        Raises:
            GemNotFoundError: it is not in the lattice.
            GemArchivedError: it is archived.
            PassageNotFoundError: one of the passages is not in the gem.
            InvalidInputError: `gain` or `below` is out of bounds, or there are too many passages.
        """
        check_below(below)
        if not LEAST_GAIN <= gain <= 1:
            raise InvalidInputError("gain", f"must be from {LEAST_GAIN:f} to 1, not {gain}")
        if len(passage_ids) > MOST_PASSAGES:
            raise InvalidInputError("passage_ids", f"must be at most {MOST_PASSAGES:,}, not {len(passage_ids):,}")

        async def work(conn: Connection) -> Rehearsal:
            (gem,) = await get_gems(conn, [gem_id], at)
            gains = dict.fromkeys(passage_ids, gain)
            await _require(conn, gem_id, list(gains))
            if gains and not dry_run:
                await measure_passages(conn, gains, at, cause=CAUSE)
            whole = {gem_id: gain}
            touched = await (plan_use(conn, whole, at) if dry_run else use_gems(conn, whole, at, cause=CAUSE))
            by_id = {each.gem_id: each for each in touched}
            used = by_id.pop(gem_id, None)
            if used is None:
                raise GemArchivedError(
                    f"gem {gem.name!r} is archived and read only; restore it first", gem_id=str(gem_id)
                )
            return Rehearsal(
                dry_run=dry_run,
                used=used,
                falls_at_before=falls_at(used.origin.state, used.origin.at, at.time_unit, below),
                falls_at_after=falls_at(used.after.state, used.after.at, at.time_unit, below),
                partners=tuple(by_id.values()),
                passages=len(gains),
            )

        return await self.database.retrying(tenant, work, read_only=dry_run)


async def _require(conn: Connection, gem_id: UUID, passage_ids: Sequence[UUID]) -> None:
    cursor = await conn.execute(_SQL["find_passages"], {"gem_id": gem_id, "passage_ids": list(passage_ids)})
    found = {passage_id for (passage_id,) in await cursor.fetchall()}
    if missing := [str(each) for each in passage_ids if each not in found]:
        raise PassageNotFoundError(f"the gem has no passage with id {', '.join(missing)}", passage_ids=missing)

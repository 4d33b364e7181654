"""The axiom of a whole gem: its score and terms at a moment, how its reflections scored, and what becomes of it."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from axiom import Sensitivity, TermName, bound_terms, intelligence, log_shares, sensitivity
from axiom.simulation import Scenario
from core.errors import InvalidInputError
from core.pg import Connection, Database
from gems import Gem, Moment, get_gems
from knowledge import (
    RECENT_REFLECTIONS,
    Basis,
    GemTerms,
    PassageGroups,
    PassageSample,
    feed_gem,
    group_passages,
    plan_scenario,
    sample_passages,
)
from reflection.reflection import AxiomScore, ScoredReflection
from reflection.store import list_scores

Position = tuple[datetime, UUID]

LONGEST_STEP_DAYS = 3_650.0


@dataclass(frozen=True, slots=True)
class GemAxiom:
    """What the axiom says of a gem.

    Attributes:
        gem: evolved to the moment.
        at: the moment.
        passages: how many open ones the gem has.
        axiom: the score of the terms, and what each did to it.
        bases: what each term rests on.
        sensitivity: what would raise the score, most promising first.
        history: how its reflections scored, newest first.
    """

    gem: Gem
    at: datetime
    passages: int
    axiom: AxiomScore
    bases: Mapping[TermName, Basis]
    sensitivity: tuple[Sensitivity, ...]
    history: tuple[ScoredReflection, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """What is read of a gem in one transaction."""

    gem: Gem
    passages: PassageGroups
    recent: Sequence[ScoredReflection]
    sample: PassageSample | None
    history: Sequence[ScoredReflection]


@dataclass(frozen=True, slots=True)
class GemAxioms:
    """Scores gems, and foresees how they fare when left alone. Changes nothing."""

    database: Database

    async def score(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, before: Position | None = None, limit: int = 20
    ) -> GemAxiom:
        """Return the score of a gem with its terms, and a page of how its reflections scored.

        Args:
            tenant: who asks.
            gem_id: the gem.
            at: the moment to which the gem and its passages are evolved; now, or later.
            before: where the page of history before this one ended; None for the newest.
            limit: how many reflections of its history at the most.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        read = await self._read(tenant, gem_id, at, before, limit)
        fed = await _feed(read)
        terms = bound_terms(fed.terms)
        return GemAxiom(
            gem=read.gem,
            at=at.now,
            passages=read.passages.count,
            axiom=AxiomScore(intelligence(terms), terms, log_shares(terms)),
            bases=fed.bases,
            sensitivity=sensitivity(terms),
            history=tuple(read.history),
        )

    async def foresee(
        self, tenant: UUID, gem_id: UUID, at: Moment, *, step_days: float = 1.0, steps: int = 365
    ) -> Scenario:
        """Return the simulation that starts from a gem's terms and leaves it alone.

        Raises:
            GemNotFoundError: it is not in the lattice.
            InvalidInputError: a step is no time, or there are too many.
        """
        if not (math.isfinite(step_days) and 0.0 < step_days <= LONGEST_STEP_DAYS):
            raise InvalidInputError(
                "step_days", f"must be above 0 and at most {LONGEST_STEP_DAYS:,.0f}, not {step_days}"
            )
        read = await self._read(tenant, gem_id, at, None, 0)
        terms = bound_terms((await _feed(read)).terms)
        step = step_days * (timedelta(days=1) / at.time_unit)  # a timedelta knows nothing below a microsecond
        return plan_scenario(read.gem.name, terms, read.passages, step, steps)

    async def _read(self, tenant: UUID, gem_id: UUID, at: Moment, before: Position | None, limit: int) -> _Read:
        async def read(conn: Connection) -> _Read:
            (gem,) = await get_gems(conn, [gem_id], at)
            recent = await list_scores(conn, gem_id, before=None, limit=max(RECENT_REFLECTIONS, limit))
            history = recent[:limit] if before is None else await list_scores(conn, gem_id, before=before, limit=limit)
            passages = await group_passages(conn, gem_id, at)
            is_untold = passages.count and not recent
            sample = await sample_passages(conn, gem_id) if is_untold else None
            return _Read(gem, passages, recent[:RECENT_REFLECTIONS], sample, history)

        return await self.database.retrying(tenant, read, read_only=True, snapshot=True)


async def _feed(read: _Read) -> GemTerms:
    told = [each.axiom.terms for each in read.recent]
    if read.sample is None:
        return feed_gem(read.gem, read.passages, told, None)
    return await asyncio.to_thread(feed_gem, read.gem, read.passages, told, read.sample)  # it reads texts

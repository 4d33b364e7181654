"""Forgetting: closing documents that have stayed incoherent for long. Nothing is deleted, and a run can be undone.

A closed document keeps its passages; it is not recalled any more, except as of a moment before it was closed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from psycopg.rows import class_row

from core.errors import ForgettingNotFoundError, InvalidInputError
from core.pg import Connection, Database
from core.sql import load_queries
from gems import Moment, advance_gem, get_gems, lock_gem
from knowledge.graph.relations import close_unsupported
from knowledge.graph.versions import Group, settle
from knowledge.keeping.vectors import fetch
from knowledge.store import close_documents, follow_documents

REASON = "forgotten"
LONGEST = timedelta(days=36_500)

_SQL = load_queries("knowledge.sql", "forgetting.sql")


@dataclass(frozen=True, slots=True)
class ForgettingPolicy:
    """What may be forgotten.

    Attributes:
        below: coherence in (0, 1] that every passage of a document must have fallen below.
        for_at_least: and stayed there.
        keep_used: whether documents stay that an answer ever cited, or that were measured for another reason.
        most_share: how much of a gem's open documents one run may close, in [0, 1]; the longest faded go first.

    Raises:
        InvalidInputError: a value is out of its bounds; names it.
    """

    below: float = 0.05
    for_at_least: timedelta = timedelta(days=180)
    keep_used: bool = True
    most_share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.below <= 1:
            raise InvalidInputError("below", "must be a coherence above 0 and at most 1")
        if not timedelta(0) <= self.for_at_least <= LONGEST:
            raise InvalidInputError("for_at_least", "must be from 0 to 36,500 days")
        if not 0 <= self.most_share <= 1:
            raise InvalidInputError("most_share", "must be from 0 to 1")


@dataclass(frozen=True, slots=True)
class FadedDocument:
    """A document that may be forgotten.

    Attributes:
        coherence: of its most coherent passage, now.
        faded_at: when the last of its passages fell below the policy's coherence.
    """

    document_id: UUID
    external_id: str | None
    title: str | None
    source: str | None
    passages: int
    coherence: float
    faded_at: datetime


@dataclass(frozen=True, slots=True)
class ForgettingPlan:
    """What a run would close, and why.

    Attributes:
        documents: that it closes, longest faded first.
        faded: how many have faded, those included that the share leaves for a later run.
        open: how many documents the gem has that are not closed.
    """

    documents: tuple[FadedDocument, ...]
    faded: int
    open: int


@dataclass(frozen=True, slots=True)
class ForgettingRun:
    """What a run closed, or what undoing it opened.

    Attributes:
        run_id: by which it can be undone; None if there was nothing to close.
    """

    run_id: UUID | None
    documents: int


@dataclass(frozen=True, slots=True)
class _StoredRun:
    run_id: UUID
    closed_at: datetime
    document_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Forgets, and remembers again."""

    database: Database

    async def plan(self, tenant: UUID, gem_id: UUID, policy: ForgettingPolicy, at: Moment) -> ForgettingPlan:
        """Say what `carry_out` would close at this moment, and change nothing.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True, snapshot=True) as conn:
            await get_gems(conn, [gem_id], at)
            return await _plan(conn, gem_id, policy, at)

    async def carry_out(
        self, tenant: UUID, gem_id: UUID, policy: ForgettingPolicy, at: Moment
    ) -> tuple[ForgettingPlan, ForgettingRun]:
        """Close what has faded by this moment, in one transaction.

        Raises:
            GemNotFoundError, GemArchivedError: nothing is closed.
        """

        async def close(conn: Connection) -> tuple[ForgettingPlan, ForgettingRun]:
            await lock_gem(conn, gem_id, at)
            plan = await _plan(conn, gem_id, policy, at)
            if not plan.documents:
                return plan, ForgettingRun(None, 0)
            run = ForgettingRun(uuid4(), len(plan.documents))
            document_ids = [document.document_id for document in plan.documents]
            await close_documents(conn, gem_id, document_ids, at, by=run.run_id, reason=REASON)
            await close_unsupported(conn, gem_id, document_ids, at, REASON)
            await _advance(conn, gem_id, at)
            return plan, run

        return await self.database.retrying(tenant, close)

    async def undo(self, tenant: UUID, gem_id: UUID, run_id: UUID | None, at: Moment) -> ForgettingRun:
        """Open what a run closed, as though it had never been; the last run if none is named.

        What was changed or deleted since is left as it is.

        Raises:
            GemNotFoundError, GemArchivedError: nothing is opened.
            ForgettingNotFoundError: no such run, or nothing of it is closed any more.
        """

        async def reopen(conn: Connection) -> ForgettingRun:
            await lock_gem(conn, gem_id, at)
            run = await _get_run(conn, gem_id, run_id)
            values = {"gem_id": gem_id, "document_ids": run.document_ids, "reason": REASON, "closed_at": run.closed_at}
            await conn.execute(_SQL["reopen_documents"], values)
            await follow_documents(conn, run.document_ids)
            rows = await fetch(conn, _SQL["reopen_relations"], values)
            await settle(conn, gem_id, [Group(**row) for row in rows], at)
            await _advance(conn, gem_id, at)
            return ForgettingRun(run.run_id, len(run.document_ids))

        return await self.database.retrying(tenant, reopen)


async def _plan(conn: Connection, gem_id: UUID, policy: ForgettingPolicy, at: Moment) -> ForgettingPlan:
    values = {
        "gem_id": gem_id,
        "now": at.now,
        "tau_s": at.tau_s,
        "below": policy.below,
        "keep_used": policy.keep_used,
        "faded_before": at.now - policy.for_at_least,
    }
    async with conn.cursor(row_factory=class_row(FadedDocument)) as cursor:
        await cursor.execute(_SQL["find_faded"], values)
        faded: Sequence[FadedDocument] = await cursor.fetchall()
    (row,) = await fetch(conn, _SQL["count_open"], values)
    return ForgettingPlan(
        tuple(faded[: math.floor(policy.most_share * row["documents"] + 1e-9)]), len(faded), row["documents"]
    )


async def _get_run(conn: Connection, gem_id: UUID, run_id: UUID | None) -> _StoredRun:
    async with conn.cursor(row_factory=class_row(_StoredRun)) as cursor:
        await cursor.execute(_SQL["find_run"], {"gem_id": gem_id, "run_id": run_id, "reason": REASON})
        run = await cursor.fetchone()
    if run is None:
        named = "nothing in this gem is forgotten" if run_id is None else f"nothing of a run {run_id} is forgotten here"
        raise ForgettingNotFoundError(f"{named}, so there is nothing to undo")
    return run


async def _advance(conn: Connection, gem_id: UUID, at: Moment) -> None:
    """Raise the gem's version, by which others see that what they remember of it is old."""
    await advance_gem(conn, gem_id, versions=1, slots=0, speakers=(), now=at.now)

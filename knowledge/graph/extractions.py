"""Extractions as users see them: asked for, carried out by workers, watched and cancelled."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import structlog
from psycopg.types.json import Jsonb

from core.errors import ExtractionNotFoundError, GemNotFoundError, LatticeError, UnavailableError
from core.pg import Connection, Database
from gems import Moment, lock_gem
from knowledge.graph.extracting import Extracting, check_prices
from knowledge.graph.extraction import Extractor
from knowledge.graph.extraction_progress import Counts, ExtractionPlan, ExtractionWish
from knowledge.graph.rows import fetch, load
from knowledge.jobs.queue import Kind, defer

EXTRACT = "extract"
INTERRUPTED = "interrupted"
LIMIT_S = 24 * 3600.0
GRACE_S = 60.0  # a run that took too long is given to write that down
MOST_ATTEMPTS = 50  # without any progress

_SQL = load("extraction.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExtractionRun:
    """An extraction as it stands.

    Attributes:
        state: queued, running, done, stopped (by its limit of cost), failed or cancelled.
        model: that is asked.
        most: passages that it deals with at the most.
        claim: of the worker that carries it out.
        attempts: of workers since it last came further.
        error: why it failed, or why it waits to be repeated.
    """

    run_id: UUID
    gem_id: UUID
    state: str
    model: str
    max_usd: Decimal | None
    most: int | None
    counts: Counts
    claim: UUID | None
    attempts: int
    error_code: str | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def wish(self) -> ExtractionWish:
        """What was asked for."""
        return ExtractionWish(self.max_usd, self.most)


@dataclass(frozen=True, slots=True)
class Extractions:
    """The extractions of a lattice.

    Attributes:
        open_extractor: returns the model of this name on a tenant's account; raises LatticeError if there is none that
            can do it.
    """

    database: Database
    at: Callable[[], Moment]
    open_extractor: Callable[[UUID, str], Extractor]

    @property
    def extracting(self) -> Extracting:
        """What carries one out in this process."""
        return Extracting(self.database, self.at)

    async def plan(self, tenant: UUID, gem_id: UUID, model: str, wish: ExtractionWish) -> ExtractionPlan:
        """Say what an extraction would take, and change nothing.

        Raises:
            GemNotFoundError: it is not in the lattice.
            LatticeError: the model cannot be asked.
        """
        return await self.extracting.plan(tenant, gem_id, self.open_extractor(tenant, model), wish)

    async def enqueue(self, tenant: UUID, gem_id: UUID, model: str, wish: ExtractionWish) -> ExtractionRun:
        """Ask for an extraction, which a worker then carries out.

        Raises:
            GemNotFoundError, GemArchivedError: nothing can be stored there.
            InvalidInputError: a cost is limited, and the model's prices are not known.
            LatticeError: the model cannot be asked.
        """
        check_prices(self.open_extractor(tenant, model), wish)
        values = {"gem_id": gem_id, "model": model, "max_usd": wish.max_usd, "most": wish.most}

        async def add(conn: Connection) -> ExtractionRun:
            at, run_id = self.at(), uuid4()
            await lock_gem(conn, gem_id, at)
            (row,) = await fetch(conn, _SQL["add_run"], {**values, "run_id": run_id, "now": at.now})
            # one at a time for each gem: two would ask the same
            await defer(conn, tenant, EXTRACT, {"run": str(run_id)}, lock=f"extract {gem_id}")
            return _to_run(row)

        return await self.database.retrying(tenant, add)

    async def get(self, tenant: UUID, run_id: UUID) -> ExtractionRun:
        """Return an extraction.

        Raises:
            ExtractionNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            return await _get(conn, run_id)

    async def list_newest(self, tenant: UUID, gem_id: UUID, *, limit: int) -> list[ExtractionRun]:
        """Return the newest extractions of a gem."""
        async with self.database.transaction(tenant, read_only=True) as conn:
            return [_to_run(row) for row in await fetch(conn, _SQL["list_runs"], {"gem_id": gem_id, "limit": limit})]

    async def cancel(self, tenant: UUID, run_id: UUID) -> ExtractionRun:
        """Cancel an extraction; what was found stays. One that has ended stays as it is.

        Raises:
            ExtractionNotFoundError: it is not in the lattice.
        """

        async def cancel(conn: Connection) -> ExtractionRun:
            await fetch(conn, _SQL["cancel_run"], {"run_id": run_id})
            return await _get(conn, run_id)

        return await self.database.retrying(tenant, cancel)

    def list_kinds(self) -> tuple[Kind, ...]:
        """Return what workers must know to carry extractions out."""

        async def extract(tenant: UUID, arguments: Mapping[str, Any]) -> None:
            await self.carry_out(tenant, UUID(arguments["run"]))

        return (Kind(EXTRACT, extract, LIMIT_S + GRACE_S),)

    async def carry_out(self, tenant: UUID, run_id: UUID) -> None:
        """Carry out an extraction that is queued, or that a worker left in its middle.

        Raises:
            UnavailableError: something did not answer; it is queued again.
        """
        run = await self._change(tenant, "claim_run", {"run_id": run_id, "claim": uuid4()})
        if run is None:
            return
        try:
            if run.attempts > MOST_ATTEMPTS:
                raise TimeoutError(f"it was begun {run.attempts - 1} times and came no further")  # noqa: TRY301
            await self._work(tenant, run)
        except asyncio.CancelledError:
            with suppress(LatticeError):
                await self._end(tenant, run, "queued", None)
            raise
        except GemNotFoundError:  # and the run went with it
            return
        except UnavailableError as e:
            with suppress(LatticeError):
                await self._end(tenant, run, "queued", e)
            raise
        except Exception as e:  # noqa: BLE001 - told in the run: nobody else is there to hear it
            await self._end(tenant, run, "failed", e)

    async def _work(self, tenant: UUID, run: ExtractionRun) -> None:
        key = {"run_id": run.run_id, "claim": run.claim}

        async def record(conn: Connection, counts: Counts) -> bool:
            return bool(await fetch(conn, _SQL["report_run"], {**key, "counts": Jsonb(counts.as_json())}))

        extractor = self.open_extractor(tenant, run.model)
        async with asyncio.timeout(LIMIT_S):
            ended = await self.extracting.carry_out(
                tenant, run.gem_id, extractor, run.wish, counts=run.counts, record=record
            )
        await self._end(tenant, run, "done" if ended.stop is None else "stopped", None)

    async def _end(self, tenant: UUID, run: ExtractionRun, state: str, error: Exception | None) -> None:
        """Write down how a run ended, unless it was cancelled or is another worker's by now."""
        code, message = (None, None) if error is None else _explain(error)
        values = {"run_id": run.run_id, "claim": run.claim, "state": state, "code": code, "message": message}
        await self._change(tenant, "end_run", values)

    async def _change(self, tenant: UUID, query: str, values: Mapping[str, Any]) -> ExtractionRun | None:
        async def change(conn: Connection) -> ExtractionRun | None:
            rows = await fetch(conn, _SQL[query], values)
            return _to_run(rows[0]) if rows else None

        return await self.database.retrying(tenant, change)


async def _get(conn: Connection, run_id: UUID) -> ExtractionRun:
    rows = await fetch(conn, _SQL["find_run"], {"run_id": run_id})
    if not rows:
        raise ExtractionNotFoundError(f"no extraction with id {run_id}", extraction_id=str(run_id))
    return _to_run(rows[0])


def _to_run(row: Mapping[str, Any]) -> ExtractionRun:
    told = {name: row[name] for name in ExtractionRun.__slots__}
    return ExtractionRun(**{**told, "counts": Counts.from_json(row["counts"])})


def _explain(error: Exception) -> tuple[str, str]:
    if isinstance(error, LatticeError):
        return error.code, error.message
    if isinstance(error, TimeoutError):
        return INTERRUPTED, str(error) or f"it took longer than {LIMIT_S / 3600:.0f} hours; ask for it again"
    _log.exception("extraction_failed", exc_info=error)
    return "internal_error", f"{type(error).__name__}: {error}"

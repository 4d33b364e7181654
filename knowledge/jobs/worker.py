"""Workers: they take jobs from the queue, and see to it that none is ever stuck.

A worker gives a sign of life every few seconds. Whoever finds one without gives its jobs back to the queue, so that a
worker that was killed loses seconds. When Postgres goes away a worker ends what it does and begins anew until it is
back. What the queue says of a job and what the worker knows is compared again and again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import psycopg_pool
import structlog
from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Job
from procrastinate.worker import Worker

from core.errors import LatticeError, UnavailableError
from core.pg import Database
from core.sql import load_queries
from knowledge.jobs.queue import QUEUE, Kind, open_app

MOST_ATTEMPTS = 50
LONGEST_WAIT_S = 60

_SQL = load_queries("knowledge.sql", "jobs.sql")
_log = structlog.get_logger(__name__)

_LOST = (ProcrastinateException, LatticeError, psycopg.Error, psycopg_pool.PoolTimeout, OSError)


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """How often a worker looks, in seconds.

    Attributes:
        poll_s: for jobs that are due to be repeated; of new ones it is notified at once.
        heartbeat_s: between two signs of life.
        stalled_s: without one, after which a worker is taken for dead.
        tend_s: between two looks for jobs that nobody works on.
    """

    poll_s: float = 2.0
    heartbeat_s: float = 3.0
    stalled_s: float = 15.0
    tend_s: float = 3.0


class Workers:
    """Carries out jobs of some kinds, several at a time.

    Args:
        database: with the queue.
        kinds: of jobs that it knows.
        upkeep: awaited for each tenant with jobs at each look after the queue.
        tenants: that are looked after though they may have no job.
    """

    def __init__(
        self,
        database: Database,
        kinds: Sequence[Kind],
        upkeep: Callable[[UUID], Awaitable[None]],
        tenants: Sequence[UUID] = (),
        config: WorkerConfig = WorkerConfig(),
    ) -> None:
        self._database, self._kinds, self._upkeep, self._tenants = database, kinds, upkeep, tenants
        self._config = config
        self._running: set[int] = set()  # jobs that this process works on
        self._unknown: set[int] = set()  # jobs that are ours by the queue's word alone, at the last look
        self._worker: Worker | None = None

    async def run(self, concurrency: int = 1, *, until_idle: bool = False) -> None:
        """Carry out jobs until it is cancelled.

        Jobs under way are then broken off between two steps and given back to the queue.

        Args:
            concurrency: jobs at a time.
            until_idle: end as soon as no job waits or is being carried out, by whomever.
        """
        serving = asyncio.create_task(self._serve_forever(concurrency))
        try:
            if until_idle:
                await self._wait_until_idle(serving)
            else:
                await serving
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving

    async def _serve_forever(self, concurrency: int) -> None:
        wait_s = 1.0
        while True:
            try:
                await self._serve(concurrency)
                wait_s = 1.0
            except _LOST as e:
                _log.warning("worker_lost_queue", reason=str(e.__cause__ or e), again_in_s=wait_s)
            except Exception:  # noqa: BLE001 - the outermost loop: a worker that is gone unseen would be the worst
                _log.exception("worker_failed")
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, 10.0)

    async def _serve(self, concurrency: int) -> None:
        app = open_app(self._database)
        for kind in self._kinds:
            self._register(app, kind)
        async with app.open_async():
            worker = self._worker = Worker(
                app,
                queues=[QUEUE],
                concurrency=concurrency,
                fetch_job_polling_interval=self._config.poll_s,
                shutdown_graceful_timeout=0.0,
                install_signal_handlers=False,
                update_heartbeat_interval=self._config.heartbeat_s,
                stalled_worker_timeout=self._config.stalled_s,
            )
            self._unknown = set()
            tending = asyncio.create_task(self._tend_forever(app, worker))
            try:
                await worker.run()  # type: ignore[no-untyped-call]  # procrastinate's gap
            finally:
                tending.cancel()
                with suppress(asyncio.CancelledError):
                    await tending

    def _register(self, app: App, kind: Kind) -> None:
        async def carry_out(context: JobContext, /, *, tenant: str, **arguments: Any) -> None:  # noqa: ANN401
            number = context.job.id or 0
            self._running.add(number)
            try:
                with self._database.observer.watch(f"job.{kind.name}"):
                    async with asyncio.timeout(kind.limit_s):
                        await kind.carry_out(UUID(tenant), arguments)
            except LatticeError as e:
                _log.warning("job_failed", kind=kind.name, job=number, code=e.code, reason=e.message)
                raise
            finally:
                self._running.discard(number)

        app.task(name=kind.name, queue=QUEUE, retry=_Repetition(), pass_context=True)(carry_out)

    async def _tend_forever(self, app: App, worker: Worker) -> None:
        while True:
            try:
                await self._tend(app, worker)
            except _LOST as e:
                _log.warning("queue_not_tended", reason=str(e.__cause__ or e))
            except Exception:  # noqa: BLE001 - the outermost loop; the next look may be better
                _log.exception("queue_not_tended")
            await asyncio.sleep(self._config.tend_s)

    async def _tend(self, app: App, worker: Worker) -> None:
        queue = app.connector
        stalled = {"stalled_s": self._config.stalled_s}
        own = await queue.execute_query_all_async(_SQL["list_own"], worker_id=worker.worker_id)
        unknown = {row["id"] for row in own} - self._running
        lost, self._unknown = unknown & self._unknown, unknown
        freed = await queue.execute_query_all_async(_SQL["free_jobs"], lost=sorted(lost), **stalled)
        for row in freed:
            _log.warning("job_taken_back", kind=row["task_name"], job=row["id"])
        await queue.execute_query_async(_SQL["forget_workers"], **stalled)
        await queue.execute_query_async(_SQL["forget_jobs"])
        known = await queue.execute_query_all_async(_SQL["list_tenants"])
        for tenant in {*self._tenants, *(UUID(row["tenant"]) for row in known)}:
            await self._upkeep(tenant)

    async def _wait_until_idle(self, serving: "asyncio.Task[None]") -> None:
        while not serving.done():
            await asyncio.sleep(0.2)
            worker = self._worker
            if worker is None or worker.worker_id is None:
                continue
            with suppress(*_LOST):
                row = await worker.app.connector.execute_query_one_async(_SQL["count_open"])
                if row["open"] == 0:
                    return
        await serving


class _Repetition(BaseRetryStrategy):
    """After what passes, a job is repeated, later each time; one that its worker had to leave is free at once."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision()
        if isinstance(exception, UnavailableError) and job.attempts < MOST_ATTEMPTS:
            return RetryDecision(retry_in={"seconds": min(2**job.attempts, LONGEST_WAIT_S)})
        return None

"""Extraction: passages shown to a model, call by call, and what it finds written into the graph.

How far a gem has come is said by its passages alone: whatever ends a run, the next one goes on where it was, and what
was answered and stored is not asked again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

from core.errors import InvalidInputError, LatticeError, StructureInvalidError
from core.pg import Connection, Database
from gems import Moment, get_gems, lock_gem
from knowledge.graph import extraction_store as store
from knowledge.graph.belief import Believed, believe
from knowledge.graph.extraction import Extracted, Extraction, Extractor, plan_batches
from knowledge.graph.extraction_progress import Counts, ExtractionPlan, ExtractionWish
from knowledge.graph.extraction_store import Mark, PendingPassage
from knowledge.graph.purse import NOTHING, Purse

PAGE = 200  # passages that are read at a time
SURVEYED = 2_000  # the same, where they are counted only
CALLS = 4  # under way at a time
FAILED_MOST = 20  # passages without an answer that can be read, before any with one: the model is no good for this
COST_REACHED = "max_usd"
CANCELLED = "cancelled"
NONE_YET = Counts()


# in the transaction that stores what is counted; False ends the run
Record = Callable[[Connection, Counts], Awaitable[bool]]


async def record_nothing(conn: Connection, counts: Counts) -> bool:
    """Leave no word of it."""
    return True


@dataclass(slots=True)
class _Run:
    tenant: UUID
    gem_id: UUID
    extractor: Extractor
    counts: Counts
    purse: Purse
    record: Record
    stop: str | None = None
    error: LatticeError | None = None
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def mark(self) -> Mark:
        return Mark(self.extractor.version, self.extractor.model)

    @property
    def is_over(self) -> bool:
        return self.stop is not None or self.error is not None


@dataclass(frozen=True, slots=True)
class Ended:
    """How an extraction ended; `stop` names what stopped it before its end, if anything did."""

    counts: Counts
    stop: str | None


# the passages of one content, which is asked about once
_Alike = list[PendingPassage]


@dataclass(frozen=True, slots=True)
class Extracting:
    """Extracts what models find in passages."""

    database: Database
    at: Callable[[], Moment]

    async def plan(self, tenant: UUID, gem_id: UUID, extractor: Extractor, wish: ExtractionWish) -> ExtractionPlan:
        """Say what an extraction would take, and change nothing.

        Raises:
            GemNotFoundError: it is not in the lattice.
        """
        async with self.database.transaction(tenant, read_only=True) as conn:
            await get_gems(conn, [gem_id], self.at())
        mark, after, seen = Mark(extractor.version, extractor.model), -1, set[bytes]()
        plan = ExtractionPlan(0, 0, 0, 0, 0, NOTHING, NOTHING)
        while True:
            limit = SURVEYED if wish.most is None else min(SURVEYED, wish.most - plan.passages)
            async with self.database.transaction(tenant, read_only=True) as conn:
                page = await store.list_pending(conn, gem_id, mark, after=after, limit=limit)
                known = await store.list_known(conn, (each.key for each in page), mark) | seen
            if not page:
                return plan
            after = page[-1].slot
            asked = {each.key: each for each in page if each.key not in known}
            seen |= asked.keys()
            plan = await asyncio.to_thread(_add_page, plan, len(page), [*asked.values()], extractor)

    async def carry_out(
        self,
        tenant: UUID,
        gem_id: UUID,
        extractor: Extractor,
        wish: ExtractionWish,
        *,
        counts: Counts = NONE_YET,
        record: Record = record_nothing,
    ) -> Ended:
        """Extract from all passages that nobody of this version and model has looked into.

        Args:
            tenant: whose lattice.
            gem_id: the gem.
            extractor: the model.
            wish: what may be spent and done, by earlier runs that `counts` tells of too.
            counts: of earlier runs of the same extraction.
            record: told of each step in the transaction that stores it.

        Raises:
            InvalidInputError: a cost is limited, and the model's prices are not known.
            GemNotFoundError, GemArchivedError: nothing can be stored there.
            LatticeError: nobody answered; run again, it goes on.
        """
        check_prices(extractor, wish)
        purse = Purse(wish.max_usd, counts.cost_usd, counts.unpriced)
        run = _Run(tenant, gem_id, extractor, counts, purse, record)
        after = -1
        while not run.is_over:
            limit = PAGE if wish.most is None else min(PAGE, wish.most - run.counts.passages - run.counts.failed)
            page: list[PendingPassage] = []
            if limit > 0:
                async with self.database.transaction(tenant, read_only=True) as conn:
                    page = await store.list_pending(conn, gem_id, run.mark, after=after, limit=limit)
            if not page:
                break
            after = page[-1].slot
            await self._work_off(run, page)
        if run.error is not None:
            raise run.error
        async with self.database.transaction(tenant) as conn:
            await store.forget_unused(conn)
        return Ended(run.counts, run.stop)

    async def _work_off(self, run: _Run, page: Sequence[PendingPassage]) -> None:
        async with self.database.transaction(run.tenant, read_only=True) as conn:
            known = await store.find_known(conn, (each.key for each in page), run.mark)
        if known:
            found = [(each, known[each.key]) for each in page if each.key in known]
            await self._store(run, found, {}, lambda counts: counts.add([of for _, of in found], known=len(found)))
        alike: dict[bytes, _Alike] = {}
        for each in page:
            if each.key not in known:
                alike.setdefault(each.key, []).append(each)
        asked = [*alike.values()]
        calls = asyncio.Semaphore(CALLS)

        async def ask(batch: Sequence[_Alike]) -> None:
            async with calls:
                try:
                    await self._ask(run, batch)
                except LatticeError as e:
                    run.error = run.error or e  # what others are asked meanwhile is paid for, and is stored

        async with asyncio.TaskGroup() as group:
            for places in plan_batches([each[0].shown for each in asked]):
                group.create_task(ask([asked[place] for place in places]))

    async def _ask(self, run: _Run, batch: Sequence[_Alike]) -> None:
        """Ask about passages in one call; again in smaller ones where it cannot be read or passes some over."""
        waiting = [batch]
        while waiting and not run.is_over:
            part = waiting.pop()
            shown = [each[0].shown for each in part]
            most_usd = run.extractor.estimate(shown).most_usd
            if not await run.purse.take(most_usd):
                run.stop = run.stop or COST_REACHED
                return
            answer, cost_usd = None, NOTHING if most_usd is not None else None
            try:
                answer = await run.extractor.extract(shown)
                cost_usd = answer.cost_usd
            except StructureInvalidError as e:
                cost_usd = None if most_usd is None else 2 * most_usd  # it was told to mend it
                if run.counts.failed >= FAILED_MOST and not run.counts.calls:
                    run.error = e
            finally:
                await run.purse.settle(most_usd, cost_usd)
            waiting += await (self._pass_over(run, part) if answer is None else self._take(run, part, answer))

    async def _pass_over(self, run: _Run, part: Sequence[_Alike]) -> list[Sequence[_Alike]]:
        """Count what could not be read; return it in halves, as long as there are two."""
        failed = len(part[0]) if len(part) == 1 else 0
        await self._store(run, (), {}, lambda counts: replace(counts, failed=counts.failed + failed))
        return _halve(part)

    async def _take(self, run: _Run, part: Sequence[_Alike], answer: Extraction) -> list[Sequence[_Alike]]:
        """Store what an answer says; return what it passes over."""
        said = answer.found if len(part) > 1 else [answer.found[0] or Extracted()]
        read = [(each, of) for each, of in zip(part, said, strict=True) if of is not None]
        believed = await asyncio.to_thread(lambda: [believe(each[0].shown, of) for each, of in read])
        new = {each[0].key: of for (each, _), of in zip(read, believed, strict=True)}
        found = [(passage, new[passage.key]) for each, _ in read for passage in each]

        def count(counts: Counts) -> Counts:
            return replace(
                counts.add([of for _, of in found], known=0),
                calls=counts.calls + 1,
                input_tokens=counts.input_tokens + answer.input_tokens,
                output_tokens=counts.output_tokens + answer.output_tokens,
            )

        await self._store(run, found, new, count)
        left = [each for each, of in zip(part, said, strict=True) if of is None]
        return [left] if 0 < len(left) < len(part) else _halve(left)

    async def _store(
        self,
        run: _Run,
        found: Sequence[tuple[PendingPassage, Believed]],
        new: Mapping[bytes, Believed],
        count: Callable[[Counts], Counts],
    ) -> None:
        async with run.writing:
            purse = run.purse
            counts = replace(count(run.counts), cost_usd=purse.spent_usd, unpriced=purse.unpriced)

            async def write(conn: Connection) -> bool:
                at = self.at()
                await lock_gem(conn, run.gem_id, at)
                if new:
                    await store.keep_found(conn, new, run.mark, at)
                if found:
                    await store.write_found(conn, run.gem_id, found, run.mark, at)
                return await run.record(conn, counts)

            if not await self.database.retrying(run.tenant, write):
                run.stop = CANCELLED
            run.counts = counts


def check_prices(extractor: Extractor, wish: ExtractionWish) -> None:
    """Check that what is asked for can be kept to.

    Raises:
        InvalidInputError: a cost is limited, and the model's prices are not known.
    """
    if wish.max_usd is not None and extractor.estimate(()).most_usd is None:
        raise InvalidInputError(
            "max_usd", f"cannot be kept to: what the model {extractor.model!r} charges is not known"
        )


def _halve(part: Sequence[_Alike]) -> list[Sequence[_Alike]]:
    half = len(part) // 2
    return [part[half:], part[:half]] if half else []


def _add_page(
    plan: ExtractionPlan, passages: int, asked: Sequence[PendingPassage], extractor: Extractor
) -> ExtractionPlan:
    shown = [each.shown for each in asked]
    calls = [extractor.estimate([shown[place] for place in places]) for places in plan_batches(shown)]
    return ExtractionPlan(
        passages=plan.passages + passages,
        known=plan.known + passages - len(asked),
        calls=plan.calls + len(calls),
        input_tokens=plan.input_tokens + sum(each.input_tokens for each in calls),
        output_tokens=plan.output_tokens + sum(each.output_tokens for each in calls),
        cost_usd=_add([plan.cost_usd, *(each.cost_usd for each in calls)]),
        most_usd=_add([plan.most_usd, *(each.most_usd for each in calls)]),
    )


def _add(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [each for each in amounts if each is not None]
    return sum(known, NOTHING) if len(known) == len(amounts) else None

"""A target that embeds on command, accounts that remember, and a router of both."""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from uuid import UUID, uuid4

import numpy as np

from core.errors import BudgetExceededError
from llm_router.config import TargetConfig
from llm_router.embedding import Embedded, EmbeddingConfig, EmbeddingRouter, EmbeddingTargetConfig
from llm_router.faults import TargetFault
from llm_router.ports import Blind, Caller, Observer
from llm_router.prices import Prices
from llm_router.pursuit import Pace
from llm_router.reply import Attempt, Usage
from llm_router.target import Clocks
from tests.wire.clock import Clock

ADA, BO = Caller(UUID(int=1), "k"), Caller(UUID(int=2), "k")
PRICES = Prices(Decimal(2), Decimal(0))


def vector_of(text: str) -> list[float]:
    angle = (sum(map(ord, text)) % 97) / 97
    return [float(np.cos(angle)), float(np.sin(angle))]


class Scripted:
    """A target that embeds, or does what `respond` raises; it remembers what it was asked."""

    def __init__(self, name: str = "main", respond: Callable[[Sequence[str], int], None] | None = None) -> None:
        self.name = name
        self.asked: list[list[str]] = []
        self.most_at_once = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_open = True
        self._at_once = 0
        self._respond = respond or (lambda _texts, _number: None)

    async def embed(self, texts: Sequence[str], clocks: Clocks) -> Embedded:
        self.asked.append([*texts])
        number = len(self.asked)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await self.may_answer.wait()
            await asyncio.sleep(0)
            self._respond(texts, number)
        finally:
            self._at_once -= 1
        vectors = np.array([vector_of(text) for text in texts], np.float32)
        return Embedded(vectors, "small", Usage(len(texts), 0), {"prompt_tokens": len(texts)})

    async def aclose(self) -> None:
        self.is_open = False

    @property
    def sizes(self) -> list[int]:
        return [len(texts) for texts in self.asked]


class Book:
    """Accounts that remember."""

    def __init__(self, limit: int = 1_000) -> None:
        self.limit = limit
        self.open: set[UUID] = set()
        self.amounts: list[Decimal] = []
        self.settled: list[tuple[Caller, str, Attempt]] = []

    async def reserve(self, caller: Caller, model: str, target: str, amount_usd: Decimal) -> UUID | None:
        if len(self.amounts) >= self.limit:
            raise BudgetExceededError("spent")
        self.amounts.append(amount_usd)
        self.open.add(reservation := uuid4())
        return reservation

    async def settle(self, caller: Caller, model: str, attempt: Attempt, reservation: UUID | None) -> None:
        await asyncio.sleep(0)
        self.settled.append((caller, model, attempt))
        if reservation:
            self.open.remove(reservation)


class Looks(Blind):
    """An observer that counts looks into the cache."""

    def __init__(self) -> None:
        self.hits: list[bool] = []

    def see_lookup(self, cache: str, *, hit: bool) -> None:
        assert cache == "embeddings"
        self.hits.append(hit)


def build(
    *targets: Scripted,
    clock: Clock | None = None,
    accounts: Book | None = None,
    observer: Observer | None = None,
    **settings: object,
) -> EmbeddingRouter:
    clock = clock or Clock()
    configs = tuple(
        EmbeddingTargetConfig(TargetConfig(each.name, "openai", "small", api_key=each.name, prices=PRICES), 2)
        for each in targets
    )
    config = EmbeddingConfig(configs, **settings)  # type: ignore[arg-type]
    pace = Pace(clock.sleep, lambda: 0.5, clock)
    return EmbeddingRouter(config, targets, accounts=accounts, observer=observer, pace=pace)


def fail(kind: str, **facts: object) -> Callable[[Sequence[str], int], None]:
    def respond(texts: Sequence[str], number: int) -> None:
        raise TargetFault("main", kind, **facts)  # type: ignore[arg-type]

    return respond


def words(count: int) -> list[str]:
    return [f"w{n}" for n in range(count)]


async def check(router: EmbeddingRouter, texts: Sequence[str]) -> None:
    np.testing.assert_array_equal(await router.embed(texts), np.array([vector_of(t) for t in texts], np.float32))


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}

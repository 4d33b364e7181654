"""The router of embeddings: each text is sent once, in a batch, and what came back is kept."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from cachetools import LRUCache

from core.errors import EmbedderUnavailableError, InvalidInputError, LatticeError
from llm_router.cache import Flight, wait_for
from llm_router.embedding.batches import Batch, Item, halve, plan_batches
from llm_router.embedding.config import EmbeddingConfig
from llm_router.embedding.engine import Engine, TextsRefusedError
from llm_router.embedding.target import EmbeddingTarget, FloatArray
from llm_router.faults import TargetFault
from llm_router.ledger import Ledger
from llm_router.ports import ANYBODY, Accounts, Blind, Caller, Observer
from llm_router.pursuit import Pace
from llm_router.route import Route

REFUSALS = 3
"""Texts of one batch refused one by one, after which the rest of it is given up: it is not the texts then."""


@dataclass(slots=True)
class _Errand:
    """One call of `embed`: what its batches share.

    Attributes:
        failure: of the first batch that nobody answered; those that have not begun need not try.
    """

    caller: Caller
    slots: asyncio.Semaphore
    failure: LatticeError | None = None


@dataclass(slots=True)
class _Outcome:
    """What became of a batch, by digest: vectors of length d, and what was refused."""

    vectors: dict[bytes, FloatArray] = field(default_factory=dict)
    refused: dict[bytes, TargetFault] = field(default_factory=dict)


class EmbeddingRouter:
    """Embeds texts by any of several targets that serve the same model, as patiently as the router asks for answers.

    A text is sent once, however often it occurs and however many calls of one caller want it at the same time, and not
    at all while its vector is kept. What has been embedded is kept even if another batch of the call fails.

    Args:
        config: the targets, all of one model.
        targets: one for each of the configuration, in order.
        accounts: caps and keeps what is spent; None caps and keeps nothing.
        observer: sees the looks into the cache.
        pace: time and chance.
    """

    def __init__(
        self,
        config: EmbeddingConfig,
        targets: Sequence[EmbeddingTarget],
        *,
        accounts: Accounts | None = None,
        observer: Observer | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._config = config
        self._observer = observer or Blind()
        self._engine = Engine(config, targets, accounts, self._observer, pace or Pace())
        self._salt = f"{config.model}\0{config.dimension}\0".encode()
        self._cache: LRUCache[bytes, FloatArray] = LRUCache(config.cache_size)
        self._flying: dict[tuple[Caller, bytes], Flight[_Outcome]] = {}

    @property
    def model(self) -> str:
        """The model's name, as it is recorded with what was embedded."""
        return self._config.model

    @property
    def dimension(self) -> int:
        """The length d of a vector."""
        return self._config.dimension

    @property
    def routes(self) -> tuple[Route, ...]:
        """The targets with their health."""
        return self._engine.routes

    @property
    def kept(self) -> int:
        """How many vectors are kept."""
        return len(self._cache)

    @property
    def most_kept(self) -> int:
        """How many may be; 0 keeps none."""
        return self._config.cache_size

    async def embed(self, texts: Sequence[str], *, caller: Caller = ANYBODY) -> FloatArray:
        """Embed n texts.

        Args:
            texts: of any length that the model takes.
            caller: on whose account.

        Returns:
            Vectors of shape (n, d), each of length 1.

        Raises:
            InvalidInputError: the model refuses one of the texts even alone; `field` names it by its index.
            BudgetExceededError: what may be spent is spent.
            EmbedderUnavailableError: no target answered, or not with such vectors.
        """
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        digests = self._digest(texts, caller)
        vectors, flights = self._find(dict(zip(digests, texts, strict=True)), caller)
        await wait_for(flights)
        refused: dict[bytes, TargetFault] = {}
        for flight in flights:
            outcome = flight.result()
            vectors.update(outcome.vectors)
            refused.update(outcome.refused)
        for index, digest in enumerate(digests):
            if digest in refused:
                raise InvalidInputError(f"texts[{index}]", f"the embedding model refuses it ({refused[digest]})")
        if not vectors.keys() >= set(digests):
            raise EmbedderUnavailableError("the embedding model refuses one text after another")
        return np.stack([vectors[digest] for digest in digests])

    async def aclose(self) -> None:
        """End what is still being entered, and close the connections."""
        await self._engine.aclose()

    def _digest(self, texts: Sequence[str], caller: Caller) -> list[bytes]:
        """Return what stands for each text; tenants share nothing, not even by how quickly a text is embedded."""
        salt = hashlib.sha256(self._salt + caller.tenant.bytes)
        digests = []
        for text in texts:
            each = salt.copy()
            each.update(text.encode("utf-8", "surrogatepass"))
            digests.append(each.digest())
        return digests

    def _find(
        self, texts: Mapping[bytes, str], caller: Caller
    ) -> tuple[dict[bytes, FloatArray], list[Flight[_Outcome]]]:
        """Return the vectors that are kept, and a flight for each other text: one under way, or a new one."""
        kept: dict[bytes, FloatArray] = {}
        flights: dict[Flight[_Outcome], None] = {}
        missing: list[Item] = []
        for digest, text in texts.items():
            vector = self._cache.get(digest)
            self._observer.see_lookup("embeddings", hit=vector is not None)
            if vector is not None:
                kept[digest] = vector
            elif (caller, digest) in self._flying:
                flights[self._flying[caller, digest]] = None
            else:
                missing.append(Item(digest, text))
        errand = _Errand(caller, asyncio.Semaphore(self._config.batches_at_once))
        for batch in plan_batches(missing, self._config.batch_texts, self._config.batch_tokens):
            flights[self._begin(batch, errand)] = None
        return kept, [*flights]

    def _begin(self, batch: Batch, errand: _Errand) -> Flight[_Outcome]:
        keys = [(errand.caller, item.digest) for item in batch]
        flight = Flight(self._carry_out(batch, errand), lambda over: self._land(keys, over))
        self._flying.update((key, flight) for key in keys)
        return flight

    def _land(self, keys: Sequence[tuple[Caller, bytes]], over: Flight[_Outcome]) -> None:
        for key in keys:
            if self._flying.get(key) is over:
                del self._flying[key]

    async def _carry_out(self, batch: Batch, errand: _Errand) -> _Outcome:
        outcome = _Outcome()
        async with errand.slots:
            if errand.failure is not None:
                raise errand.failure
            try:
                await self._fill(outcome, batch, errand.caller, self._engine.start_ledger())
            except LatticeError as failure:
                errand.failure = failure
                raise
        return outcome

    async def _fill(self, outcome: _Outcome, batch: Batch, caller: Caller, ledger: Ledger) -> None:
        """Embed a batch; one that is refused goes again by halves, until the text is alone that is to blame."""
        try:
            embedded = await self._engine.ask([item.text for item in batch], caller, ledger)
        except TextsRefusedError as refusal:
            if len(batch) == 1:
                outcome.refused[batch[0].digest] = refusal.fault
                return
            for half in halve(batch):
                if len(outcome.refused) < REFUSALS:
                    await self._fill(outcome, half, caller, ledger)
            return
        for item, row in zip(batch, embedded.vectors, strict=True):
            vector = row.copy()  # a view would keep the whole batch in memory
            outcome.vectors[item.digest] = vector
            if self._config.cache_size:
                self._cache[item.digest] = vector

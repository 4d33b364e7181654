"""One attempt, with everything that must be undone or entered however it ends."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog

from core.errors import BudgetExceededError, LatticeError, StoreBusyError, UnavailableError
from llm_router.call import Call
from llm_router.failover import tell_breakers
from llm_router.faults import FaultKind, TargetFault
from llm_router.fitness import estimate_tokens
from llm_router.health.breaker import Permit
from llm_router.ports import Accounts, AttemptWatch
from llm_router.reply import CHARACTERS_A_TOKEN, Answer, Attempt, Usage
from llm_router.route import Route

_log = structlog.get_logger(__name__)

PAID_KINDS: frozenset[FaultKind] = frozenset({"timeout", "truncated"})
"""Faults after which the provider will have charged for what it had begun, also where it said nothing of usage."""

SETTLE_S = 2.0
"""How long an answer waits for its attempt to be entered; after that it is entered in the background."""


class Attempting:
    """Counts a target as busy, sets money aside, and enters how the attempt ended: exactly once, whatever happens.

    Leaving it by an exception enters a failure or, for a cancelled caller, that; `answer` enters success.

    Attributes:
        characters: arrived of a stream, for the usage of one that does not end.
        first_token_s: from the start to the stream's first sign of work.
    """

    def __init__(self, call: Call, route: Route, permit: Permit | None) -> None:
        self._call = call
        self._route = route
        self._permit = permit
        self._answer: Answer | None = None
        self._watch: AttemptWatch | None = None
        self._reservation: UUID | None = None
        self._paused_at_s: float | None = None
        self._lost_s = 0.0
        self.start = call.ledger.start()
        self.characters = 0
        self.first_token_s: float | None = None

    async def __aenter__(self) -> Self:
        target = self._route.config
        try:
            await self._reserve()
            self._watch = self._call.watch.start_attempt(target.name, target.provider, target.model)
        except BaseException as error:
            if self._permit is not None:
                self._route.health.breaker.abandon(self._permit)
            if isinstance(error, BudgetExceededError | UnavailableError):  # what cannot be counted is not spent
                self._call.refusal = self._call.refusal or error
                raise TargetFault(target.name, "over_budget", cause=error.code) from None
            raise
        self._route.health.busy += 1
        self.start = self._call.ledger.start()  # waiting for the accounts is not the target's time
        return self

    def answer(self, answer: Answer) -> None:
        """Take in the whole answer."""
        self._answer = answer

    def mark_first_token(self) -> None:
        """Note that the stream has shown its first sign of work."""
        if self.first_token_s is None:
            self.first_token_s = self._call.ledger.since_s(self.start)

    def pause(self) -> None:
        """Stop the time, for the reader of a stream is busy elsewhere."""
        self._paused_at_s = self._call.ledger.since_s(self.start)

    def resume(self) -> None:
        """Let the time go on."""
        if self._paused_at_s is not None:
            self._lost_s += self._call.ledger.since_s(self.start) - self._paused_at_s
            self._paused_at_s = None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.resume()
        self.start = replace(self.start, monotonic_s=self.start.monotonic_s + self._lost_s)
        self._route.health.busy -= 1
        attempt = self._enter(error)
        # in a task of its own: an attempt must be entered even if its caller is being cancelled
        settling = self._call.in_background(self._settle(attempt)) if self._accounts is not None else None
        if self._watch is not None:
            self._watch.end(attempt)
        if settling is not None:
            await asyncio.wait([settling], timeout=SETTLE_S)

    @property
    def _accounts(self) -> Accounts | None:
        """Who keeps the accounts; nobody those of a local target."""
        return None if self._route.local else self._call.accounts

    def _enter(self, error: BaseException | None) -> Attempt:
        ledger, route = self._call.ledger, self._route
        if self._answer is not None and not isinstance(error, TargetFault):  # whole, even if its reader has left since
            attempt = ledger.enter_answer(route, self.start, self._answer, self.first_token_s)
            if self._permit is not None:
                route.health.breaker.succeed(self._permit)
                route.health.latency.add(attempt.seconds, self.first_token_s)
            return attempt
        if isinstance(error, TargetFault):
            tell_breakers(route, error, self._permit, self._call.snapshot.routes)
            usage = error.usage or (self._estimate() if error.kind in PAID_KINDS else None)
            return ledger.enter_failure(route, self.start, error, usage, self.first_token_s)
        if self._permit is not None:
            route.health.breaker.abandon(self._permit)
        if isinstance(error, Exception):  # a fault of ours, which says nothing of the target
            fault = TargetFault(route.name, "unknown", cause=_code_of(error))
            return ledger.enter_failure(route, self.start, fault, self._estimate(), self.first_token_s)
        return ledger.enter_cancelled(route, self.start, self._estimate(), self.first_token_s)

    def _estimate(self) -> Usage | None:
        if self._route.local:
            return None
        said = -(-self.characters // CHARACTERS_A_TOKEN)
        return Usage(estimate_tokens(self._call.prompt), said, estimated=True)

    async def _reserve(self) -> None:
        prices, prompt = self._route.config.prices, self._call.prompt
        if self._accounts is None or prices is None:
            return
        most = prices.cost(Usage(estimate_tokens(prompt), prompt.max_output_tokens))
        reserving = self._call.in_background(self._set_aside(self._accounts, most))
        try:
            await asyncio.wait([reserving], timeout=self._call.ledger.remaining_s())
        except asyncio.CancelledError:
            self._call.in_background(self._give_back(reserving))
            raise
        if not reserving.done():
            self._call.in_background(self._give_back(reserving))
            raise StoreBusyError("the accounts took longer than the call's deadline allows")
        reserving.result()

    async def _set_aside(self, accounts: Accounts, most: Decimal) -> None:
        self._reservation = await accounts.reserve(self._call.caller, self._call.model, self._route.name, most)

    async def _give_back(self, reserving: asyncio.Task[None]) -> None:
        """Release what was set aside for a caller who did not wait for it."""
        await asyncio.wait([reserving])
        if reserving.cancelled() or reserving.exception() is not None or self._reservation is None:
            return
        await self._settle(self._call.ledger.enter_cancelled(self._route, self.start, None, None))

    async def _settle(self, attempt: Attempt) -> None:
        if self._accounts is None:
            return
        try:
            await self._accounts.settle(self._call.caller, self._call.model, attempt, self._reservation)
        except Exception as error:  # noqa: BLE001 - a task's outermost frame: no answer is thrown away for its receipt
            _log.error("llm_attempt_unsettled", code=_code_of(error), attempt=attempt.as_json())


def _code_of(error: Exception) -> str:
    """Return what may be shown of any error: its text may quote anything."""
    return error.code if isinstance(error, LatticeError) else type(error).__name__

"""One attempt, with everything that must be undone or entered however it ends."""

import asyncio
from decimal import Decimal
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog

from core.errors import BudgetExceededError, UnavailableError
from llm_router.call import Call
from llm_router.failover import tell_breakers
from llm_router.faults import FaultKind, TargetFault
from llm_router.fitness import estimate_tokens
from llm_router.health.breaker import Permit
from llm_router.ports import AttemptWatch
from llm_router.reply import CHARACTERS_A_TOKEN, Answer, Attempt, Usage
from llm_router.route import Route

_log = structlog.get_logger(__name__)

PAID_KINDS: frozenset[FaultKind] = frozenset({"timeout", "truncated"})
"""Faults after which the provider will have charged for what it had begun, also where it said nothing of usage."""

NOTHING_SET_ASIDE = Decimal(0)


class Attempting:
    """Counts a target as busy, sets money aside, and enters how the attempt ended: exactly once, whatever happens.

    Leaving it by an exception enters a failure or, for a cancelled caller, that; `answer` enters success.

    Attributes:
        text: what has arrived of a stream, for the usage of one that does not end.
        first_token_s: from the start to the stream's first sign of work.
    """

    def __init__(self, call: Call, route: Route, permit: Permit | None) -> None:
        self._call = call
        self._route = route
        self._permit = permit
        self._answer: Answer | None = None
        self._watch: AttemptWatch | None = None
        self._reservation: UUID | None = None
        self.start = call.ledger.start()
        self.text = ""
        self.first_token_s: float | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._reserve()
        except BaseException as error:
            if self._permit is not None:
                self._route.health.breaker.abandon(self._permit)
            if isinstance(error, BudgetExceededError):
                self._call.refusal = self._call.refusal or error
                raise TargetFault(self._route.name, "over_budget", cause="over_budget") from None
            raise
        self._route.health.busy += 1
        target = self._route.config
        self._watch = self._call.watch.start_attempt(target.name, target.provider, target.model)
        return self

    def answer(self, answer: Answer) -> None:
        """Take in the whole answer."""
        self._answer = answer

    def mark_first_token(self) -> None:
        """Note that the stream has shown its first sign of work."""
        if self.first_token_s is None:
            self.first_token_s = self._call.ledger.since_s(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._route.health.busy -= 1
        attempt = self._enter(error)
        if self._watch is not None:
            self._watch.end(attempt)
        if self._call.accounts is not None and not self._route.local:
            # in a task of its own: an attempt must be entered even if its caller is being cancelled
            await asyncio.shield(self._call.in_background(self._settle(attempt)))

    def _enter(self, error: BaseException | None) -> Attempt:
        ledger, route = self._call.ledger, self._route
        if self._answer is not None and error is None:
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
        return ledger.enter_cancelled(route, self.start, self._estimate(), self.first_token_s)

    def _estimate(self) -> Usage | None:
        if self._route.local:
            return None
        said = -(-len(self.text) // CHARACTERS_A_TOKEN)
        return Usage(estimate_tokens(self._call.prompt), said, estimated=True)

    async def _reserve(self) -> None:
        accounts = self._call.accounts
        if accounts is None or self._route.local:
            return
        prices, prompt = self._route.config.prices, self._call.prompt
        most = NOTHING_SET_ASIDE
        if prices is not None:
            most = prices.cost(Usage(estimate_tokens(prompt), prompt.max_output_tokens))
        self._reservation = await accounts.reserve(self._call.caller, self._route.name, most)

    async def _settle(self, attempt: Attempt) -> None:
        if self._call.accounts is None:
            return
        try:
            await self._call.accounts.settle(self._call.caller, self._call.model, attempt, self._reservation)
        except UnavailableError as error:  # the answer is there and paid for: it is not thrown away for its receipt
            _log.error("llm_attempt_unsettled", error=error.code, **attempt.as_json())

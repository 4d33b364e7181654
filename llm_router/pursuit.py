"""The pursuit of one answer: which target is asked next, how often, after what wait, until one answers."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from llm_router.call import Call
from llm_router.failover import Field, is_elsewhere
from llm_router.faults import TargetFault
from llm_router.health.breaker import Permit
from llm_router.route import Route

LEAST_WAIT_S = 0.05  # before a closed breaker is looked at again: a probe may be under way

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Pace:
    """Time and chance, for tests to hold still.

    Attributes:
        sleep: waits so many seconds.
        jitter: a random number in [0, 1).
        clock: monotonic seconds.
    """

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic


class Once(Protocol[T_co]):
    """Makes one attempt."""

    async def __call__(self, call: Call, route: Route, permit: Permit | None) -> T_co:
        """Return what the target gave.

        Raises:
            TargetFault: it failed.
        """


class NobodyLeftError(Exception):
    """No target is left that may be asked."""


class Pursuit(Generic[T]):
    """Asks targets in order until one answers.

    All that is not the call's first attempt is extra and paid from the retry budget: retries, fallbacks, hedges. Local
    targets cost nothing and are free.
    """

    def __init__(self, call: Call, field: Field, once: Once[T], pace: Pace) -> None:
        self._call = call
        self._field = field
        self._once = once
        self._pace = pace
        self._config = call.snapshot.config
        self._has_begun = False

    async def run(self) -> T:
        """Return what the first target gave that answered: the remote ones first, then the local ones.

        Raises:
            NobodyLeftError: none did.
        """
        try:
            return await self.run_remote()
        except NobodyLeftError:
            return await self.run_local()

    async def run_remote(self) -> T:
        """Do so with the targets that need the network.

        Raises:
            NobodyLeftError: none answered.
        """
        failed: Route | None = None
        while True:
            has_begun = self._has_begun
            route, permit = await self._choose(failed)
            self._field.take(route)
            try:
                return await self._persist(route, permit)
            except TargetFault as fault:
                self._field.strike(route, fault)
                if fault.kind == "over_budget":  # nothing was sent
                    self._has_begun = has_begun
                else:
                    failed = route

    async def run_local(self) -> T:
        """Do so with the targets that need none.

        Raises:
            NobodyLeftError: none answered.
        """
        for route in self._field.local:
            try:
                return await self._once(self._call, route, None)
            except TargetFault:
                continue
        raise NobodyLeftError

    async def _choose(self, failed: Route | None) -> tuple[Route, Permit | None]:
        """Return the next target with leave to ask it; wait for it if that is all that can be done."""
        while True:
            remaining_s = self._call.ledger.remaining_s()
            remote = self._field.remote
            if remaining_s <= 0 or not remote:
                raise NobodyLeftError
            for alone in (False, True):  # one that is on its way back is spared only while another can be asked
                for route in remote:
                    permit = route.health.breaker.admit(alone=alone)
                    if permit is not None:
                        return await self._pay(route, permit, failed)
            wait_s = max(min(route.health.breaker.reopens_in_s() for route in remote), LEAST_WAIT_S)
            if self._field.local or wait_s >= remaining_s:
                raise NobodyLeftError
            await self._pace.sleep(wait_s)

    async def _pay(self, route: Route, permit: Permit, failed: Route | None) -> tuple[Route, Permit]:
        """Pay for an extra call, and spare an account that has just failed."""
        must_spare = failed is not None and not is_elsewhere(route, failed)
        wait_s = self._pace.jitter() * self._config.backoff_initial_s if must_spare else 0.0
        may_go = wait_s < self._call.ledger.remaining_s()
        if not may_go or (self._has_begun and not self._call.snapshot.retry_budget.spend()):
            route.health.breaker.abandon(permit)
            raise NobodyLeftError
        self._has_begun = True
        if wait_s:
            try:
                await self._pace.sleep(wait_s)
            except BaseException:
                route.health.breaker.abandon(permit)
                raise
        return route, permit

    async def _persist(self, route: Route, permit: Permit | None) -> T:
        """Ask one target, again after a fault that passes."""

        async def ask() -> T:
            nonlocal permit
            leave, permit = permit, None
            return await self._once(self._call, route, leave or await self._be_admitted(route))

        return await self._retrying(route)(ask)

    async def _be_admitted(self, route: Route) -> Permit:
        """Return leave to ask a target again, which others may have found failing meanwhile.

        Raises:
            TargetFault: it is left alone, and there is somebody else to ask or no time to wait.
        """
        breaker = route.health.breaker
        while True:
            permit = breaker.admit(alone=True)
            if permit is not None:
                return permit
            wait_s = max(breaker.reopens_in_s(), LEAST_WAIT_S)
            if self._field.remote or self._field.local or wait_s >= self._call.ledger.remaining_s():
                raise TargetFault(route.name, "overloaded", cause="left_alone", retryable=False)
            await self._pace.sleep(wait_s)

    def _retrying(self, route: Route) -> AsyncRetrying:
        config = self._config

        def wait(state: RetryCallState) -> float:
            ceiling_s = config.backoff_initial_s * 2.0 ** min(state.attempt_number - 1, 60)
            return _floor_s(state) + self._pace.jitter() * min(ceiling_s, config.backoff_max_s)

        def stop(state: RetryCallState) -> bool:
            return (
                state.attempt_number >= config.attempts_per_target
                or state.upcoming_sleep >= self._call.ledger.remaining_s()
                or self._is_better_elsewhere(route, state)
                or not self._call.snapshot.retry_budget.spend()
            )

        return AsyncRetrying(
            sleep=self._pace.sleep, wait=wait, stop=stop, retry=retry_if_exception(_is_retryable), reraise=True
        )

    def _is_better_elsewhere(self, route: Route, state: RetryCallState) -> bool:
        """Say whether to go on to another target rather than wait: one out of its quota will not have it back soon."""
        fault = _fault(state)
        is_scarce = fault is not None and fault.kind == "rate_limited"
        is_long = _floor_s(state) > self._config.backoff_max_s
        if not (is_scarce or is_long):
            return False
        return any(is_elsewhere(other, route) for other in self._field.remote)


def _fault(state: RetryCallState) -> TargetFault | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, TargetFault) else None


def _floor_s(state: RetryCallState) -> float:
    fault = _fault(state)
    return 0.0 if fault is None or fault.retry_after_s is None else fault.retry_after_s


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, TargetFault) and error.retryable

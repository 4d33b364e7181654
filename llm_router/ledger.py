"""One call's account: how much time is left, which attempts were made, what they cost."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import structlog

from core.clock import utc_now
from core.errors import AllTargetsFailedError, StreamBrokenError
from llm_router.faults import TargetFault
from llm_router.reply import NO_USAGE, Answer, Attempt, Reply
from llm_router.target import Route

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Start:
    """When an attempt began, by both clocks."""

    at: datetime
    monotonic_s: float


class Ledger:
    """What one call of the router has spent. Every attempt is entered, answered or failed."""

    def __init__(self, deadline_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_s = clock() + deadline_s
        self._cost_usd: Decimal | None = Decimal(0)
        self.attempts: tuple[Attempt, ...] = ()

    def remaining_s(self) -> float:
        """Return how much of the deadline is left, in seconds; negative when it has passed."""
        return self._ends_s - self._clock()

    def start(self) -> Start:
        """Return the beginning of an attempt."""
        return Start(utc_now(), self._clock())

    def enter_failure(self, route: Route, start: Start, fault: TargetFault) -> None:
        """Enter an attempt that failed."""
        attempt = replace(
            self._attempt(route, start), outcome="failed", error=fault.kind, status=fault.status, usage=fault.usage
        )
        log.warning(
            "llm_attempt_failed",
            target=attempt.target,
            error=attempt.error,
            status=attempt.status,
            cause=fault.cause,
            seconds=attempt.seconds,
        )
        self._enter(route, attempt)

    def enter_answer(self, route: Route, start: Start, answer: Answer) -> None:
        """Enter the attempt that answered."""
        self._enter(route, replace(self._attempt(route, start), model=answer.model, usage=answer.usage))

    def reply(self, route: Route, answer: Answer) -> Reply:
        """Return an answer together with the account."""
        return Reply(
            text=answer.text,
            target=route.target.name,
            provider=route.target.provider,
            model=answer.model,
            finish=answer.finish,
            usage=answer.usage,
            cost_usd=self._cost_usd,
            attempts=self.attempts,
        )

    def exhausted(self) -> AllTargetsFailedError:
        """Return the error for a call that nobody answered."""
        return AllTargetsFailedError(self._account("no LLM target answered"), attempts=self._attempts_json())

    def broken(self, partial_text: str) -> StreamBrokenError:
        """Return the error for a stream that broke after it had begun to answer."""
        message = self._account("the answer broke off")
        return StreamBrokenError(message, partial_text, attempts=self._attempts_json())

    def _account(self, message: str) -> str:
        faults = [f"{attempt.target}: {attempt.error}" for attempt in self.attempts]
        return f"{message} ({', '.join(faults) or 'the deadline left no time to ask'})"

    def _attempts_json(self) -> list[dict[str, object]]:
        return [attempt.as_json() for attempt in self.attempts]

    def _attempt(self, route: Route, start: Start) -> Attempt:
        target = route.target
        return Attempt(
            target=target.name,
            provider=target.provider,
            model=target.model,
            outcome="answered",
            error=None,
            status=None,
            started_at=start.at,
            seconds=self._clock() - start.monotonic_s,
            usage=None,
        )

    def _enter(self, route: Route, attempt: Attempt) -> None:
        self.attempts = (*self.attempts, attempt)
        if attempt.usage is None or attempt.usage == NO_USAGE:
            return
        if route.prices is None or self._cost_usd is None:
            self._cost_usd = None
        else:
            self._cost_usd += route.prices.cost(attempt.usage)

"""One call's account: how much time is left, which attempts were made, what they cost."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import structlog

from core.clock import utc_now
from core.errors import AllTargetsFailedError, StreamBrokenError
from llm_router.faults import FaultKind, TargetFault
from llm_router.reply import Answer, Attempt, Reply, Usage
from llm_router.route import Route

log = structlog.get_logger(__name__)

FREE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Start:
    """When an attempt began, by both clocks."""

    at: datetime
    monotonic_s: float


class Ledger:
    """What one call of the router has spent. Every attempt is entered, however it ended.

    Args:
        deadline_s: for the whole call.
        clock: monotonic seconds.
    """

    def __init__(self, deadline_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_s = clock() + deadline_s
        self._cost_usd: Decimal | None = FREE
        self.attempts: list[Attempt] = []

    def remaining_s(self) -> float:
        """Return how much of the deadline is left, in seconds; negative when it has passed."""
        return self._ends_s - self._clock()

    def start(self) -> Start:
        """Return the beginning of an attempt."""
        return Start(utc_now(), self._clock())

    def since_s(self, start: Start) -> float:
        """Return how long ago an attempt began, in seconds."""
        return self._clock() - start.monotonic_s

    def enter_answer(self, route: Route, start: Start, answer: Answer, first_token_s: float | None) -> Attempt:
        """Enter the attempt that answered."""
        attempt = Attempt(
            target=route.name,
            provider=route.config.provider,
            model=answer.model,
            outcome="answered",
            error=None,
            status=None,
            started_at=start.at,
            seconds=self.since_s(start),
            usage=answer.usage,
            first_token_s=first_token_s,
            raw_usage=answer.raw_usage,
            cost_usd=_cost(route, answer.usage) if answer.cost_usd is None else answer.cost_usd,
            price_version=_price_version(route, answer),
            tier=answer.tier,
        )
        return self._enter(attempt)

    def enter_failure(
        self, route: Route, start: Start, fault: TargetFault, usage: Usage | None, first_token_s: float | None
    ) -> Attempt:
        """Enter an attempt that failed."""
        attempt = self._enter_other(route, start, usage, first_token_s, error=fault.kind, status=fault.status)
        log.warning(
            "llm_attempt_failed",
            target=attempt.target,
            error=attempt.error,
            status=attempt.status,
            cause=fault.cause,
            seconds=attempt.seconds,
        )
        return attempt

    def enter_cancelled(self, route: Route, start: Start, usage: Usage | None, first_token_s: float | None) -> Attempt:
        """Enter an attempt that nobody waited for any more."""
        return self._enter_other(route, start, usage, first_token_s)

    def reply(self, route: Route, answer: Answer, variant: str | None) -> Reply:
        """Return an answer together with the account."""
        return Reply(
            text=answer.text,
            target=route.name,
            provider=route.config.provider,
            model=answer.model,
            finish=answer.finish,
            usage=answer.usage,
            cost_usd=self._cost_usd,
            attempts=tuple(self.attempts),
            tool_calls=answer.tool_calls,
            variant=variant,
        )

    def exhausted(self, retry_after_s: float | None = None) -> AllTargetsFailedError:
        """Return the error for a call that nobody answered.

        Args:
            retry_after_s: when the first target will be asked again; None if one may be at once.
        """
        wait = {} if retry_after_s is None else {"retry_after_s": math.ceil(retry_after_s)}
        return AllTargetsFailedError(self._account("no LLM target answered"), attempts=self._attempts_json(), **wait)

    def broken(self, partial_text: str) -> StreamBrokenError:
        """Return the error for a stream that broke after it had begun to answer."""
        return StreamBrokenError(
            self._account("the answer broke off"), partial_text, self._last_usage(), attempts=self._attempts_json()
        )

    def _account(self, message: str) -> str:
        faults = [f"{attempt.target}: {attempt.error or attempt.outcome}" for attempt in self.attempts]
        return f"{message} ({', '.join(faults) or 'none could be asked'})"

    def _attempts_json(self) -> list[dict[str, object]]:
        return [attempt.as_json() for attempt in self.attempts]

    def _last_usage(self) -> Usage | None:
        return self.attempts[-1].usage if self.attempts else None

    def _enter_other(
        self,
        route: Route,
        start: Start,
        usage: Usage | None,
        first_token_s: float | None,
        *,
        error: FaultKind | None = None,
        status: int | None = None,
    ) -> Attempt:
        attempt = Attempt(
            target=route.name,
            provider=route.config.provider,
            model=route.config.model,
            outcome="failed" if error else "cancelled",
            error=error,
            status=status,
            started_at=start.at,
            seconds=self.since_s(start),
            usage=usage,
            first_token_s=first_token_s,
            cost_usd=_cost(route, usage),
            price_version=_price_version(route, None),
        )
        return self._enter(attempt)

    def _enter(self, attempt: Attempt) -> Attempt:
        self.attempts.append(attempt)
        if self._cost_usd is not None:
            self._cost_usd = None if attempt.cost_usd is None else self._cost_usd + attempt.cost_usd
        return attempt


def _cost(route: Route, usage: Usage | None) -> Decimal | None:
    if usage is None or not usage.total_tokens:
        return FREE
    return None if route.config.prices is None else route.config.prices.cost(usage)


def _price_version(route: Route, answer: Answer | None) -> str | None:
    if route.config.prices is None or (answer is not None and answer.cost_usd is not None):
        return None
    return route.config.prices.version

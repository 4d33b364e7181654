"""The router: targets asked in order until one gives a whole answer."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from llm_router.config import RouterConfig
from llm_router.faults import FaultKind, TargetFault
from llm_router.flow import Flow
from llm_router.ledger import Ledger
from llm_router.prompt import Prompt
from llm_router.reply import Answer, Finish, Reply, ReplyEvent, TokenEvent
from llm_router.target import Route

LOCAL_GRACE_S = 5.0
"""What a local target may take when the deadline has passed."""

_EMPTY: dict[Finish, FaultKind] = {"content_filter": "content_policy", "length": "truncated"}


class Router:
    """Ask targets in order, each with retries, under one deadline.

    A target is left for the next one when it fails in a way that waiting does not mend, when its attempts are used up,
    or when it asks for a longer wait than the deadline leaves.

    Args:
        routes: the targets in the order in which they are asked.
        config: deadline, attempts and backoff; its targets are not looked at.
        closers: called by `aclose`.
        sleep: waits so many seconds.
        jitter: a random number in [0, 1).
        clock: monotonic seconds.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        config: RouterConfig,
        *,
        closers: Sequence[Callable[[], Awaitable[None]]] = (),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._routes = tuple(routes)
        self._config = config
        self._closers = tuple(closers)
        self._sleep = sleep
        self._jitter = jitter
        self._clock = clock

    async def ask(self, prompt: Prompt) -> Reply:
        """Return the first whole answer.

        Raises:
            AllTargetsFailedError: no target gave one; `details["attempts"]` tells what each did.
        """
        ledger = Ledger(self._config.deadline_s, self._clock)
        for route in self._list_routes(ledger):
            try:
                answer: Answer = await self._retrying(ledger)(self._ask_once, route, prompt, ledger)
            except TargetFault:
                continue
            return ledger.reply(route, answer)
        raise ledger.exhausted()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[TokenEvent | ReplyEvent]:
        """Yield the first answer's pieces as they come and, last, the reply.

        Until the first piece that says something the router moves on freely; after it, there is no way back.

        Raises:
            AllTargetsFailedError: no target began to answer.
            StreamBrokenError: a target began and did not end; it carries what had come.
        """
        ledger = Ledger(self._config.deadline_s, self._clock)
        for route in self._list_routes(ledger):
            try:
                flow: Flow = await self._retrying(ledger)(self._open_once, route, prompt, ledger)
            except TargetFault:
                continue
            async with aclosing(flow):
                yield TokenEvent(flow.text)
                while flow.answer is None:
                    if piece := await self._read_on(route, flow, ledger):
                        yield TokenEvent(piece)
            ledger.enter_answer(route, flow.start, flow.answer)
            yield ReplyEvent(ledger.reply(route, flow.answer))
            return
        raise ledger.exhausted()

    async def aclose(self) -> None:
        """Close what the targets hold open."""
        async with AsyncExitStack() as stack:
            for closer in self._closers:
                stack.push_async_callback(closer)

    async def _ask_once(self, route: Route, prompt: Prompt, ledger: Ledger) -> Answer:
        start, budget_s = ledger.start(), self._budget_s(route, ledger)
        try:
            async with asyncio.timeout(budget_s):
                answer = await route.target.ask(prompt, budget_s)
            _require_text(route, answer)
        except TimeoutError:
            fault = TargetFault(route.target.name, "timeout")
        except TargetFault as failed:
            fault = failed
        else:
            ledger.enter_answer(route, start, answer)
            return answer
        ledger.enter_failure(route, start, fault)
        raise fault

    async def _open_once(self, route: Route, prompt: Prompt, ledger: Ledger) -> Flow:
        async with AsyncExitStack() as stack:
            flow = Flow(route.target, prompt, self._budget_s(route, ledger), ledger.start())
            stack.push_async_callback(flow.aclose)
            try:
                await flow.read_start()
                if flow.answer is not None:
                    _require_text(route, flow.answer)
            except TargetFault as fault:
                ledger.enter_failure(route, flow.start, fault)
                raise
            stack.pop_all()
        return flow

    async def _read_on(self, route: Route, flow: Flow, ledger: Ledger) -> str:
        try:
            return await flow.read()
        except TargetFault as failed:
            fault = failed
        ledger.enter_failure(route, flow.start, fault)
        raise ledger.broken(flow.text) from fault

    def _list_routes(self, ledger: Ledger) -> Iterator[Route]:
        """Yield the targets in order; once the deadline has passed, the local ones alone."""
        yield from (route for route in self._routes if route.local or ledger.remaining_s() > 0)

    def _budget_s(self, route: Route, ledger: Ledger) -> float:
        """Return how long one attempt may take, in seconds."""
        left_s = ledger.remaining_s()
        if route.local:
            return min(route.timeout_s, max(left_s, LOCAL_GRACE_S))
        return min(route.timeout_s, left_s)

    def _retrying(self, ledger: Ledger) -> AsyncRetrying:
        def wait(state: RetryCallState) -> float:
            fault = state.outcome.exception() if state.outcome else None
            floor_s = fault.retry_after_s or 0.0 if isinstance(fault, TargetFault) else 0.0
            ceiling_s = self._config.backoff_initial_s * 2.0 ** min(state.attempt_number - 1, 60)
            return float(floor_s + self._jitter() * min(ceiling_s, self._config.backoff_max_s))

        def stop(state: RetryCallState) -> bool:
            spent = state.attempt_number >= self._config.attempts_per_target
            return spent or state.upcoming_sleep >= ledger.remaining_s()

        return AsyncRetrying(
            sleep=self._sleep, wait=wait, stop=stop, retry=retry_if_exception(_is_retryable), reraise=True
        )


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, TargetFault) and error.retryable


def _require_text(route: Route, answer: Answer) -> None:
    """Raise unless the answer says something: no tool was offered, so an empty answer helps nobody.

    It is not retried: the same target would spend the same tokens on the same silence.
    """
    if not answer.text.strip():
        kind = _EMPTY.get(answer.finish, "malformed")
        raise TargetFault(route.target.name, kind, cause="empty_answer", retryable=False, usage=answer.usage)

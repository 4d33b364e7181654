"""One attempt at an answer, whole or streamed, under its clocks."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from llm_router.attempting import Attempting
from llm_router.call import Call
from llm_router.faults import FaultKind, TargetFault
from llm_router.flow import Flow
from llm_router.health.breaker import Permit
from llm_router.reply import Answer, Finish
from llm_router.route import Route
from llm_router.target import Clocks

LOCAL_GRACE_S = 5.0
"""What a local target may take when the deadline has passed."""

_EMPTY: dict[Finish, FaultKind] = {"content_filter": "content_policy", "length": "truncated"}


async def ask_once(call: Call, route: Route, permit: Permit | None) -> tuple[Route, Answer]:
    """Return the target's whole answer.

    Raises:
        TargetFault: it gave none.
    """
    async with Attempting(call, route, permit) as attempt:
        clocks = _clocks(call, route)
        try:
            async with asyncio.timeout(clocks.total_s):
                answer = await route.target.ask(call.prompt, clocks)
        except TimeoutError:
            raise TargetFault(route.name, "timeout") from None
        require_content(route, answer)
        attempt.answer(answer)
    return route, answer


async def open_once(call: Call, route: Route, permit: Permit | None) -> Flow:
    """Return the target's answer as it arrives, read up to the first piece that says something.

    Raises:
        TargetFault: it did not come so far.
    """
    async with AsyncExitStack() as stack:
        attempt = await stack.enter_async_context(Attempting(call, route, permit))
        flow = Flow(route, call.prompt, _clocks(call, route), attempt)
        stack.push_async_callback(flow.close_items)
        await flow.read_start()
        if flow.answer is not None:
            require_content(route, flow.answer)
        flow.own(stack.pop_all())
    return flow


def require_content(route: Route, answer: Answer) -> None:
    """Raise unless the answer says something or calls a tool.

    It is not retried: the same target would spend the same tokens on the same silence.

    Raises:
        TargetFault: it is empty.
    """
    if not (answer.text.strip() or answer.tool_calls):
        kind = _EMPTY.get(answer.finish, "malformed")
        raise TargetFault(route.name, kind, cause="empty_answer", retryable=False, usage=answer.usage)


def _clocks(call: Call, route: Route) -> Clocks:
    """Return the target's clocks, none of which outlasts what is left of the deadline."""
    clocks, left_s = route.config.clocks, call.ledger.remaining_s()
    if route.local:
        left_s = max(left_s, LOCAL_GRACE_S)
    return clocks if clocks.total_s <= left_s else replace(clocks, total_s=left_s)

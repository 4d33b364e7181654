"""One batch sent: to whichever target of the one model answers, as patiently as the router asks for answers."""

import asyncio
import math
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import cast

from core.errors import EmbedderUnavailableError, LatticeError
from llm_router.attempting import Attempting
from llm_router.background import Background
from llm_router.call import Call, watched
from llm_router.embedding.config import EmbeddingConfig
from llm_router.embedding.target import Embedded, EmbeddingTarget
from llm_router.failover import Field, earliest_return_s
from llm_router.faults import TargetFault
from llm_router.health.breaker import Permit
from llm_router.health.health import Health
from llm_router.ledger import Ledger
from llm_router.policies import build_policy
from llm_router.ports import Accounts, Caller, Observer
from llm_router.prompt import Prompt
from llm_router.pursuit import NobodyLeftError, Pace, Pursuit
from llm_router.reply import Answer
from llm_router.route import Route
from llm_router.snapshot import Model, Snapshot
from llm_router.target import Target


class TextsRefusedError(Exception):
    """A target refuses what it was sent; so would the others, which serve the same model."""

    def __init__(self, fault: TargetFault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class Engine:
    """The router's own policies, breakers, retries and accounts, put to use for embeddings.

    Args:
        config: the targets, all of one model.
        targets: one for each of the configuration, in order.
        accounts: caps and keeps what is spent; None caps and keeps nothing.
        observer: of the router.
        pace: time and chance.
    """

    def __init__(
        self,
        config: EmbeddingConfig,
        targets: Sequence[EmbeddingTarget],
        accounts: Accounts | None,
        observer: Observer,
        pace: Pace,
    ) -> None:
        router_config, model_config = config.router_config(), config.model_config()
        routes = [
            # the pursuit reads a route's configuration and health; who is asked for vectors is known by name
            Route(
                cast("Target", target),
                each.target,
                Health(router_config.breaker, pace.clock),
                each.target.capabilities,
            )
            for each, target in zip(config.targets, targets, strict=True)
        ]
        self._targets = {target.name: target for target in targets}
        self._accounts = accounts
        self._observer = observer
        self._pace = pace
        self._snapshot = Snapshot(router_config, routes, pace.jitter)
        self._model = Model(model_config, tuple(routes), build_policy(model_config, pace.jitter))
        self._background = Background()

    @property
    def routes(self) -> tuple[Route, ...]:
        """The targets with their health."""
        return self._snapshot.routes

    def start_ledger(self) -> Ledger:
        """Return the account of one batch, whose deadline begins now."""
        return Ledger(self._snapshot.config.deadline_s, self._pace.clock)

    async def ask(self, texts: Sequence[str], caller: Caller, ledger: Ledger) -> Embedded:
        """Return what the first target gave that answered.

        Raises:
            TextsRefusedError: the texts are at fault.
            BudgetExceededError: what may be spent is spent.
            EmbedderUnavailableError: nobody answered.
        """
        prompt = Prompt("", "".join(texts), (), 0)  # by its length it is estimated what was spent
        call = Call(
            snapshot=self._snapshot,
            model_config=self._model,
            prompt=prompt,
            caller=caller,
            ledger=ledger,
            observer=self._observer,
            streamed=False,
            accounts=self._accounts,
            in_background=self._background.start,
        )
        faults: list[TargetFault] = []

        async def once(call: Call, route: Route, permit: Permit | None) -> Embedded:
            try:
                return await self._ask_once(texts, call, route, permit)
            except TargetFault as fault:
                faults.append(fault)
                if fault.scope == "request":
                    raise TextsRefusedError(fault) from None
                raise

        enabled = [route for route in self.routes if route.health.enabled]
        routes = self._model.policy.order(enabled, prompt)
        with watched(call, "embeddings"):
            try:
                return await Pursuit(call, Field(routes), once, self._pace).run_remote()
            except NobodyLeftError:
                raise _conclude(call, faults, earliest_return_s(routes)) from None

    async def aclose(self) -> None:
        """End what is still being entered, and close the connections."""
        await self._background.end()
        async with AsyncExitStack() as stack:
            for target in self._targets.values():
                stack.push_async_callback(target.aclose)

    async def _ask_once(self, texts: Sequence[str], call: Call, route: Route, permit: Permit | None) -> Embedded:
        async with Attempting(call, route, permit) as attempt:
            clocks = route.config.clocks
            clocks = replace(clocks, total_s=min(clocks.total_s, call.ledger.remaining_s()))
            try:
                async with asyncio.timeout(clocks.total_s):
                    embedded = await self._targets[route.name].embed(texts, clocks)
            except TimeoutError:
                raise TargetFault(route.name, "timeout") from None
            answer = _as_answer(embedded)
            attempt.answer(answer)
        call.reply = call.ledger.reply(route, answer, None)
        return embedded


def _as_answer(embedded: Embedded) -> Answer:
    """Return what the accounts need to know."""
    return Answer("", embedded.model, "stop", embedded.usage, raw_usage=embedded.raw_usage, cost_usd=embedded.cost_usd)


def _conclude(call: Call, faults: Sequence[TargetFault], retry_after_s: float | None) -> LatticeError:
    """Return the error for a batch that nobody answered: that of the accounts, if they alone stood in the way."""
    if call.refusal is not None and all(fault.kind == "over_budget" for fault in faults):
        return call.refusal
    told = "; ".join(str(fault) for fault in faults) or "no target could be asked"
    is_other_model = any(fault.cause == "dimension_mismatch" for fault in faults)
    wait = {} if retry_after_s is None else {"retry_after_s": math.ceil(retry_after_s)}
    return EmbedderUnavailableError(
        f"the embedding model did not answer ({told})" + (": check the model and its dimension" * is_other_model),
        attempts=[attempt.as_json() for attempt in call.ledger.attempts],
        **wait,
    )

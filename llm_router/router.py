"""The router: a prompt goes to the model that was asked for, and one of the model's targets answers it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from core.errors import PromptUnsupportedError
from llm_router.answering import ask_once, open_once
from llm_router.call import Call
from llm_router.config import DEFAULT_MODEL, ExperimentConfig, RouterConfig, Variant
from llm_router.failover import Field
from llm_router.faults import TargetFault
from llm_router.fitness import find_lacks, with_system
from llm_router.flow import Flow
from llm_router.hedging import pursue
from llm_router.ledger import FREE, Ledger
from llm_router.ports import ANYBODY, Accounts, Blind, Caller, Observer, Trials
from llm_router.prompt import Prompt
from llm_router.providers.provider import Materials
from llm_router.pursuit import NobodyLeftError, Pace
from llm_router.reply import Answer, Reply, ReplyEvent, TokenEvent
from llm_router.route import Route
from llm_router.snapshot import Model, Snapshot, build_routes

if TYPE_CHECKING:
    from llm_router.cache import AnswerCache


@dataclass(frozen=True, slots=True)
class Parts:
    """What a router may be given beside its configuration.

    Attributes:
        accounts: caps and keeps what is spent; None caps and keeps nothing.
        trials: chooses between the variants of experiments; None splits the traffic by their shares and learns nothing.
        materials: what targets are made of when the configuration is read anew.
        pace: time and chance.
    """

    accounts: Accounts | None = None
    observer: Observer = field(default_factory=Blind)
    cache: "AnswerCache | None" = None
    trials: Trials | None = None
    materials: Materials = field(default_factory=Materials)
    pace: Pace = field(default_factory=Pace)


class Router:
    """Routes prompts to models.

    Args:
        config: targets, models and patience.
        routes: one for each target of the configuration.
        parts: accounts, cache, observer.
    """

    def __init__(self, config: RouterConfig, routes: Sequence[Route], parts: Parts | None = None) -> None:
        self._parts = parts or Parts()
        self._snapshot = Snapshot(config, routes, self._parts.pace.jitter)
        self._background: set[asyncio.Task[None]] = set()

    @property
    def config(self) -> RouterConfig:
        """The configuration in force."""
        return self._snapshot.config

    @property
    def routes(self) -> tuple[Route, ...]:
        """The targets in force."""
        return self._snapshot.routes

    async def ask(
        self,
        prompt: Prompt,
        *,
        model: str = DEFAULT_MODEL,
        caller: Caller = ANYBODY,
        deadline_s: float | None = None,
    ) -> Reply:
        """Return the first whole answer.

        Args:
            prompt: what is asked.
            model: the logical model's name.
            caller: on whose account.
            deadline_s: for the whole call, instead of the configuration's.

        Raises:
            ModelNotFoundError: there is no such model.
            PromptUnsupportedError: none of its targets can do what the prompt needs; nothing was sent.
            BudgetExceededError: what may be spent is spent.
            AllTargetsFailedError: no target gave an answer; `details["attempts"]` tells what each did.
            CassetteMissError: the recording that answers here has no answer to this.
        """
        call, candidates = await self._prepare(prompt, model, caller, deadline_s, streamed=False)
        cache = self._parts.cache
        if cache is None:
            return (await self._answer(call, candidates))[1]
        keys = _keys(cache, call, candidates)
        if cached := await self._find_cached(cache, keys, call):
            return cached
        flight = "|".join([call.model, call.variant or "", *keys])
        reply, led = await cache.once(flight, lambda: self._answer_and_keep(call, candidates, cache, keys))
        return reply if led else replace(reply, cached=True, cost_usd=FREE, attempts=())

    async def stream(
        self,
        prompt: Prompt,
        *,
        model: str = DEFAULT_MODEL,
        caller: Caller = ANYBODY,
        deadline_s: float | None = None,
    ) -> AsyncGenerator[TokenEvent | ReplyEvent]:
        """Yield the first answer's pieces as they come and, last, the reply.

        Until the first piece that says something the router moves on freely; after it, there is no way back.

        Raises:
            StreamBrokenError: a target began and did not end; it carries what had come.
            LatticeError: as `ask` does, before the first piece.
        """
        call, candidates = await self._prepare(prompt, model, caller, deadline_s, streamed=True)
        cache = self._parts.cache
        keys = {} if cache is None else _keys(cache, call, candidates)
        if cache is not None and (cached := await self._find_cached(cache, keys, call)):
            yield TokenEvent(cached.text)
            yield ReplyEvent(cached)
            return
        async with self._running(call):
            flow = await self._pursue_flow(call, candidates)
            try:
                async with flow:
                    yield TokenEvent(flow.text)
                    while flow.answer is None:
                        if piece := await flow.read():
                            yield TokenEvent(piece)
            except TargetFault as fault:
                raise call.ledger.broken(flow.text) from fault
            call.reply = call.ledger.reply(flow.route, flow.answer, call.variant)
            if cache is not None:
                await _keep(cache, keys, flow.route, flow.answer)
        yield ReplyEvent(call.reply)

    async def reload(self, config: RouterConfig) -> None:
        """Take over a configuration. Calls under way end with the one they began with.

        Raises:
            ConfigurationError: a target cannot be made; the old configuration stays in force.
        """
        before = self._snapshot
        routes = build_routes(config, self._parts.materials, self._parts.pace.clock, before)
        self._snapshot = Snapshot(config, routes, self._parts.pace.jitter, before)
        await before.retire()

    def set_enabled(self, target: str, *, enabled: bool) -> None:
        """Let a target be asked, or not.

        Raises:
            TargetNotFoundError: there is none of this name.
        """
        self._snapshot.get_route(target).health.enabled = enabled

    async def aclose(self) -> None:
        """End what is still being entered, and close what the targets hold open."""
        if self._background:
            await asyncio.gather(*self._background, return_exceptions=True)
        await self._snapshot.retire()

    async def _prepare(
        self, prompt: Prompt, model: str, caller: Caller, deadline_s: float | None, *, streamed: bool
    ) -> tuple[Call, Sequence[Route]]:
        snapshot, parts = self._snapshot, self._parts
        chosen = snapshot.find_model(model)
        routes, variant = chosen.routes, None
        if experiment := chosen.config.experiment:
            arm = await self._choose_variant(experiment, caller)
            variant = f"{experiment.name}/{arm.name}"
            prompt = with_system(prompt, arm.system)
            if arm.targets:
                routes = (*snapshot.named(arm.targets), *(route for route in routes if route.local))
        call = Call(
            snapshot=snapshot,
            model_config=chosen,
            prompt=prompt,
            caller=caller,
            ledger=Ledger(deadline_s or snapshot.config.deadline_s, parts.pace.clock),
            observer=parts.observer,
            streamed=streamed,
            accounts=parts.accounts,
            in_background=self._in_background,
            variant=variant,
        )
        return call, _candidates(chosen, routes, prompt)

    async def _choose_variant(self, experiment: ExperimentConfig, caller: Caller) -> Variant:
        if self._parts.trials is not None:
            return await self._parts.trials.choose(caller.tenant, experiment)
        point = self._parts.pace.jitter() * sum(variant.share for variant in experiment.variants)
        for variant in experiment.variants:
            point -= variant.share
            if point < 0:
                return variant
        return experiment.variants[-1]

    @asynccontextmanager
    async def _running(self, call: Call) -> AsyncIterator[None]:
        """Hold the configuration and let the observer watch as long as a call runs."""
        call.snapshot.enter()
        call.snapshot.retry_budget.earn()
        call.watch = call.observer.start_call(call.model, call.prompt, streamed=call.streamed)
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            call.watch.end(call.reply, error)
            await call.snapshot.leave()

    async def _answer(self, call: Call, candidates: Sequence[Route]) -> tuple[tuple[Route, Answer], Reply]:
        async with self._running(call):
            try:
                route, answer = await pursue(call, Field(candidates), ask_once, self._parts.pace)
            except NobodyLeftError as nobody:
                raise _conclude(call, nobody) from None
            call.reply = call.ledger.reply(route, answer, call.variant)
            return (route, answer), call.reply

    async def _answer_and_keep(
        self, call: Call, candidates: Sequence[Route], cache: "AnswerCache", keys: Mapping[str, Route]
    ) -> Reply:
        (route, answer), reply = await self._answer(call, candidates)
        await _keep(cache, keys, route, answer)
        return reply

    async def _pursue_flow(self, call: Call, candidates: Sequence[Route]) -> Flow:
        try:
            return await pursue(call, Field(candidates), open_once, self._parts.pace, Flow.abandon)
        except NobodyLeftError as nobody:
            raise _conclude(call, nobody) from None

    async def _find_cached(self, cache: "AnswerCache", keys: Mapping[str, Route], call: Call) -> Reply | None:
        found = await cache.find([*keys])
        self._parts.observer.see_lookup("answers", hit=found is not None)
        if found is None:
            return None
        key, answer = found
        return replace(call.ledger.reply(keys[key], answer, call.variant), cached=True)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task


def _candidates(model: Model, routes: Sequence[Route], prompt: Prompt) -> Sequence[Route]:
    """Return the targets that can do what the prompt needs, best first.

    Raises:
        PromptUnsupportedError: there is none.
    """
    lacks = {route.name: find_lacks(prompt, route.limits) for route in routes}
    fit = [route for route in routes if not lacks[route.name]]
    if routes and not fit:
        told = "; ".join(f"{name} lacks {', '.join(names)}" for name, names in lacks.items())
        raise PromptUnsupportedError(
            "prompt", f"no target of the model {model.config.name!r} can do what it needs: {told}", lacks=lacks
        )
    return model.policy.order([route for route in fit if route.health.enabled], prompt)


def _conclude(call: Call, nobody: NobodyLeftError) -> Exception:
    """Return the error for a call that nobody answered: the budget, if that alone stood in the way."""
    if call.refusal is not None and not call.ledger.attempts:
        return call.refusal
    return call.ledger.exhausted(nobody.retry_after_s)


def _keys(cache: "AnswerCache", call: Call, candidates: Sequence[Route]) -> dict[str, Route]:
    digest = cache.digest(call.prompt)
    return {cache.key_of(call.caller.tenant, route.config, digest): route for route in candidates if not route.local}


async def _keep(cache: "AnswerCache", keys: Mapping[str, Route], route: Route, answer: Answer) -> None:
    key = next((key for key, other in keys.items() if other is route), None)
    if key is not None:
        await cache.keep(key, answer)

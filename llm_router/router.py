"""The router: a prompt goes to the model that was asked for, and one of the model's targets answers it."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from llm_router.answering import ask_once, open_once
from llm_router.background import Background
from llm_router.call import Call, watched
from llm_router.config import DEFAULT_MODEL, ExperimentConfig, RouterConfig, Variant
from llm_router.failover import Field, earliest_return_s
from llm_router.faults import TargetFault
from llm_router.fitness import with_system
from llm_router.flow import Flow
from llm_router.hedging import pursue
from llm_router.ledger import FREE, Ledger
from llm_router.ports import ANYBODY, Accounts, Blind, Caller, Observer, Trials
from llm_router.prompt import Prompt
from llm_router.providers.provider import Materials
from llm_router.pursuit import NobodyLeftError, Pace
from llm_router.reply import Answer, Reply, ReplyEvent, TokenEvent
from llm_router.route import Route
from llm_router.snapshot import Snapshot, build_routes

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
        self._background = Background()

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
        keep_if: Callable[[Answer], bool] | None = None,
    ) -> Reply:
        """Return the first whole answer.

        Args:
            prompt: what is asked.
            model: the logical model's name.
            caller: on whose account.
            deadline_s: for the whole call, instead of the configuration's.
            keep_if: says whether an answer that ended well is also good enough to be kept; None takes all.

        Raises:
            ModelNotFoundError: there is no such model.
            PromptUnsupportedError: none of its targets can do what the prompt needs; nothing was sent.
            BudgetExceededError: what may be spent is spent.
            UnavailableError: a cap stands in the way, and whether it is reached cannot be told at the moment.
            AllTargetsFailedError: no target gave an answer; `details["attempts"]` tells what each did.
            CassetteMissError: the recording that answers here has no answer to this.
        """
        with self._holding(self._snapshot) as snapshot:
            call, candidates = await self._prepare(snapshot, prompt, model, caller, deadline_s, streamed=False)
            cache, keys = self._parts.cache, self._keys(call, candidates)
            if cache is None or not keys:
                return (await self._answer(call, candidates))[1]
            if cached := await self._find_cached(cache, keys, call):
                return cached

            async def answer_and_keep() -> Reply:
                (route, answer), reply = await self._answer(call, candidates)
                if route in keys and (keep_if is None or keep_if(answer)):
                    await cache.keep(keys[route], answer)
                return reply

            if prompt.tools:  # what a model asks us to do, it asks of one caller
                return await answer_and_keep()
            # together only those go who would fare alike: by the same deadline, and on the same key's budgets
            flight = (call.model, call.variant, caller.key, deadline_s, frozenset(keys.values()))
            reply, led = await cache.once(flight, answer_and_keep)
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
        with self._holding(self._snapshot) as snapshot:
            call, candidates = await self._prepare(snapshot, prompt, model, caller, deadline_s, streamed=True)
            cache, keys = self._parts.cache, self._keys(call, candidates)
            if cache is not None and keys and (cached := await self._find_cached(cache, keys, call)):
                yield TokenEvent(cached.text)
                yield ReplyEvent(cached)
                return
            with self._running(call):
                flow = await self._pursue_flow(call, candidates)
                try:
                    async with flow:
                        if flow.text:
                            yield TokenEvent(flow.text)
                        while flow.answer is None:
                            if piece := await flow.read():
                                yield TokenEvent(piece)
                except TargetFault as fault:
                    raise call.ledger.broken(flow.text) from fault
                call.reply = call.ledger.reply(flow.route, flow.answer, call.variant)
                if cache is not None and flow.route in keys:
                    await cache.keep(keys[flow.route], flow.answer)
        yield ReplyEvent(call.reply)

    async def reload(self, config: RouterConfig) -> None:
        """Take over a configuration, at once. Calls under way end with the one they began with.

        Raises:
            ConfigurationError: a target cannot be made; the old configuration stays in force.
        """
        before = self._snapshot
        routes = build_routes(config, self._parts.materials, self._parts.pace.clock, before)
        self._snapshot = Snapshot(config, routes, self._parts.pace.jitter, before)
        if before.retire():
            self._background.start(before.close())

    def set_enabled(self, target: str, *, enabled: bool) -> None:
        """Let a target be asked, or not.

        Raises:
            TargetNotFoundError: there is none of this name.
        """
        self._snapshot.get_route(target).health.enabled = enabled

    async def aclose(self) -> None:
        """Close what the targets hold open, and end what is still being entered.

        Calls under way are not waited for; the last of them closes what it used.
        """
        if self._snapshot.retire():
            self._background.start(self._snapshot.close())
        await self._background.end()

    async def _prepare(
        self,
        snapshot: Snapshot,
        prompt: Prompt,
        model: str,
        caller: Caller,
        deadline_s: float | None,
        *,
        streamed: bool,
    ) -> tuple[Call, Sequence[Route]]:
        parts = self._parts
        ledger = Ledger(snapshot.config.deadline_s if deadline_s is None else deadline_s, parts.pace.clock)
        chosen = snapshot.find_model(model)
        routes, variant = chosen.routes, None
        if experiment := chosen.config.experiment:
            arm = await self._choose_variant(experiment, caller)
            variant = f"{experiment.name}/{arm.name}"
            prompt = with_system(prompt, arm.system)
            if arm.targets:
                named = snapshot.named(arm.targets)
                routes = (*named, *(route for route in routes if route.local and route not in named))
        call = Call(
            snapshot=snapshot,
            model_config=chosen,
            prompt=prompt,
            caller=caller,
            ledger=ledger,
            observer=parts.observer,
            streamed=streamed,
            accounts=parts.accounts,
            in_background=self._background.start,
            variant=variant,
        )
        return call, chosen.choose(routes, prompt)

    async def _choose_variant(self, experiment: ExperimentConfig, caller: Caller) -> Variant:
        if self._parts.trials is not None:
            return await self._parts.trials.choose(caller.tenant, experiment)
        point = self._parts.pace.jitter() * sum(variant.share for variant in experiment.variants)
        for variant in experiment.variants:
            point -= variant.share
            if point < 0:
                return variant
        return experiment.variants[-1]

    @contextmanager
    def _holding(self, snapshot: Snapshot) -> Iterator[Snapshot]:
        """Keep a configuration's targets open."""
        snapshot.enter()
        try:
            yield snapshot
        finally:
            if snapshot.leave():
                self._background.start(snapshot.close())

    @contextmanager
    def _running(self, call: Call) -> Iterator[None]:
        """Let the observer watch a call. It holds the configuration too: whoever began it may have left."""
        with self._holding(call.snapshot), watched(call):
            yield

    async def _answer(self, call: Call, candidates: Sequence[Route]) -> tuple[tuple[Route, Answer], Reply]:
        with self._running(call):
            try:
                route, answer = await pursue(call, Field(candidates), ask_once, self._parts.pace)
            except NobodyLeftError:
                raise _conclude(call, candidates) from None
            call.reply = call.ledger.reply(route, answer, call.variant)
            return (route, answer), call.reply

    async def _pursue_flow(self, call: Call, candidates: Sequence[Route]) -> Flow:
        try:
            return await pursue(call, Field(candidates), open_once, self._parts.pace, Flow.abandon)
        except NobodyLeftError:
            raise _conclude(call, candidates) from None

    def _keys(self, call: Call, candidates: Sequence[Route]) -> dict[Route, str]:
        """Return the key of each target's answer in the cache; local ones cost nothing and have none."""
        cache = self._parts.cache
        if cache is None:
            return {}
        digest, tenant = cache.digest(call.prompt), call.caller.tenant
        return {route: cache.key_of(tenant, route.config, digest) for route in candidates if not route.local}

    async def _find_cached(self, cache: "AnswerCache", keys: dict[Route, str], call: Call) -> Reply | None:
        found = await cache.find([*keys.values()])
        self._parts.observer.see_lookup("answers", hit=found is not None)
        if found is None:
            return None
        key, answer = found
        route = next(route for route, each in keys.items() if each == key)
        return replace(call.ledger.reply(route, answer, call.variant), cached=True)


def _conclude(call: Call, candidates: Sequence[Route]) -> Exception:
    """Return the error for a call that nobody answered: that of the accounts, if they alone stood in the way."""
    if call.refusal is not None and not call.ledger.attempts:
        return call.refusal
    return call.ledger.exhausted(earliest_return_s(candidates))

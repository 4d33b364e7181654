"""The configuration as the router runs it: swapped whole, while calls under way keep the one they began with."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from core.errors import ModelNotFoundError, PromptUnsupportedError, TargetNotFoundError
from llm_router.config import REPLAY, ModelConfig, RouterConfig, TargetConfig
from llm_router.fitness import combine, find_lacks
from llm_router.health.breaker import BreakerState
from llm_router.health.health import Health
from llm_router.health.retry_budget import RetryBudget
from llm_router.policies import Policy, build_policy
from llm_router.prompt import Prompt
from llm_router.providers.provider import PROVIDERS, Materials
from llm_router.route import Route

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """A logical model: its targets, and who of them is asked first."""

    config: ModelConfig
    routes: tuple[Route, ...]
    policy: Policy

    def choose(self, routes: Sequence[Route], prompt: Prompt) -> Sequence[Route]:
        """Return those of the routes that can do what the prompt needs and are switched on, best first.

        Raises:
            PromptUnsupportedError: none of them can.
        """
        lacks = {route.name: find_lacks(prompt, route.limits) for route in routes}
        fit = [route for route in routes if not lacks[route.name]]
        if routes and not fit:
            told = "; ".join(f"{name} lacks {', '.join(names)}" for name, names in lacks.items())
            raise PromptUnsupportedError(
                "prompt", f"no target of the model {self.config.name!r} can do what it needs: {told}", lacks=lacks
            )
        return self.policy.order([route for route in fit if route.health.enabled], prompt)


class Snapshot:
    """One configuration, whose targets stay open as long as it is in force or a call uses it.

    Args:
        config: what the router was told.
        routes: a route a target of it.
        random: a number in [0, 1), for the policies.
        before: the configuration that this one follows; targets that both have are shared.
    """

    def __init__(
        self,
        config: RouterConfig,
        routes: Sequence[Route],
        random: Callable[[], float],
        before: "Snapshot | None" = None,
    ) -> None:
        self.config = config
        self.routes = tuple(routes)
        keeps_budget = before is not None and before.config.retry_budget == config.retry_budget
        self.retry_budget: RetryBudget = (
            before.retry_budget if before is not None and keeps_budget else RetryBudget(config.retry_budget)
        )
        self._by_name = {route.name: route for route in self.routes}
        self.models: Mapping[str, Model] = {
            model.name: Model(model, self._routes_of(model), build_policy(model, random)) for model in config.models
        }
        self._calls = 0
        self._is_retired = self._is_closed = False
        self._holders: Counter[int] = before._holders if before is not None else Counter()
        self._holders.update(id(route.target) for route in self.routes)

    def find_model(self, name: str) -> Model:
        """Return the model of this name.

        Raises:
            ModelNotFoundError: there is none.
        """
        model = self.models.get(name)
        if model is None:
            known = sorted(self.models)
            raise ModelNotFoundError(f"no LLM model is named {name!r}; known are {', '.join(known)}", known=known)
        return model

    def get_route(self, name: str) -> Route:
        """Return the target of this name.

        Raises:
            TargetNotFoundError: there is none.
        """
        route = self._by_name.get(name)
        if route is None:
            known = sorted(self._by_name)
            raise TargetNotFoundError(f"no LLM target is named {name!r}; known are {', '.join(known)}", known=known)
        return route

    def named(self, names: Sequence[str]) -> tuple[Route, ...]:
        """Return the targets of these names, which the configuration has."""
        return tuple(self._by_name[name] for name in names)

    def enter(self) -> None:
        """Count a call that uses this configuration."""
        self._calls += 1

    def leave(self) -> bool:
        """Count the call's end; say whether it was the last one of an old configuration, which is then to be closed."""
        self._calls -= 1
        return self._is_retired and not self._calls

    def retire(self) -> bool:
        """Make way for the next configuration, or for none; say whether this one is to be closed now."""
        self._is_retired = True
        return not self._calls

    async def close(self) -> None:
        """Close the targets that no other configuration uses. Those that cannot be closed are told in the log."""
        if self._is_closed:
            return
        self._is_closed = True
        self._holders.subtract(id(route.target) for route in self.routes)
        unused = [route for route in self.routes if not self._holders[id(route.target)]]
        outcomes = await asyncio.gather(*(route.target.aclose() for route in unused), return_exceptions=True)
        for route, outcome in zip(unused, outcomes, strict=True):
            del self._holders[id(route.target)]
            if isinstance(outcome, Exception):
                _log.error("llm_target_not_closed", target=route.name, error=type(outcome).__name__)

    def _routes_of(self, model: ModelConfig) -> tuple[Route, ...]:
        named = [self._by_name[name] for name in model.targets]
        local = [route for route in self.routes if route.local and route.name not in model.targets]
        return (*named, *(local if model.extractive else ()))


def build_routes(
    config: RouterConfig, materials: Materials, clock: Callable[[], float], before: "Snapshot | None" = None
) -> list[Route]:
    """Return a route a target.

    What has not changed keeps its connections, and the same model behind the same key keeps its health.

    Raises:
        ConfigurationError: a target's provider is unknown, or will not make it.
    """
    unchanged = {route.name: route for route in before.routes} if before else {}
    routes: list[Route] = []
    for target in config.targets:
        provider = PROVIDERS.get(target.provider)
        old = unchanged.get(target.name)
        is_same = old is not None and old.config == target
        made = old.target if old is not None and is_same else provider.build(target, materials)
        wire = PROVIDERS.get(target.wire) if target.provider == REPLAY else provider
        routes.append(
            Route(
                target=made,
                config=target,
                health=_keep_health(target, config, clock, before),
                limits=combine(wire.limits, target.capabilities),
                local=provider.local,
            )
        )
    return routes


def _keep_health(
    target: TargetConfig, config: RouterConfig, clock: Callable[[], float], before: Snapshot | None
) -> Health:
    """Return the health of the same model behind the same key, else a new one; a switch stays as it was turned."""
    health = Health(config.breaker, clock, told=partial(_tell_of_breaker, target.name))
    if before is None:
        return health
    old = next((route for route in before.routes if route.name == target.name), None)
    if old is None:
        return health
    if before.config.breaker == config.breaker and _identity(old.config) == _identity(target):
        return old.health
    health.enabled = old.health.enabled
    return health


def _tell_of_breaker(target: str, state: BreakerState, open_s: float) -> None:
    if state == "open":
        _log.warning("llm_breaker_opened", target=target, open_s=round(open_s, 3))
    else:
        _log.info("llm_breaker_closed", target=target)


def _identity(config: TargetConfig) -> tuple[str, ...]:
    return (config.provider, config.model, config.credential)

"""Limits: when a target is left alone, how many extra calls are made, what may be kept and spent."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal
from uuid import UUID

from llm_router.config.checks import dotted, is_positive, is_price, name_all


@dataclass(frozen=True, slots=True)
class BreakerConfig:
    """When a target is left alone, and for how long.

    Attributes:
        window_s: how far back failures count.
        minimum_calls: fewer calls in the window never open it.
        failure_ratio: of the calls in the window; from here up it opens.
        open_s: how long the first opening lasts; each failed probe doubles it.
        open_max_s: where the doubling ends.
        ramp_s: after a good probe, how long it takes until the target has all its traffic back.
    """

    window_s: float = 60.0
    minimum_calls: int = 5
    failure_ratio: float = 0.5
    open_s: float = 10.0
    open_max_s: float = 300.0
    ramp_s: float = 10.0


@dataclass(frozen=True, slots=True)
class RetryBudgetConfig:
    """How many extra calls (retries, fallbacks and hedges alike) the router may make.

    Attributes:
        ratio: extra calls a first call earns.
        burst: extra calls that may be saved up; so many are there at the start.
    """

    ratio: float = 0.2
    burst: float = 20.0


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """Exact answers kept for the same question.

    Attributes:
        size: answers kept at most in this process; 0 switches the cache off.
        ttl_s: how long an answer stays good.
        url: of a Valkey or Redis server that replicas share; None for none. It may hold a password.
    """

    size: int = 0
    ttl_s: float = 3600.0
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BudgetConfig:
    """A cap on what may be spent.

    Attributes:
        name: unique; what errors and reports say.
        limit_usd: in one window.
        window: "hour", "day" and "month" begin with those of UTC; "total" never ends.
        each: whether the cap is for each tenant by itself, each of its API keys, each model or each target; those of
            models and targets are for all tenants together.
        only: the tenant, key, model or target that it is for; None for every one of them, each by itself.
    """

    name: str
    limit_usd: Decimal
    window: Literal["hour", "day", "month", "total"] = "day"
    each: Literal["tenant", "key", "model", "target"] = "tenant"
    only: str | None = None

    @property
    def is_shared(self) -> bool:
        """Whether all tenants are under one cap."""
        return self.each in {"model", "target"}


def list_limit_problems(breaker: BreakerConfig, retries: RetryBudgetConfig, cache: CacheConfig) -> Iterator[str]:
    """Yield what is wrong with these values, each with its place in the configuration."""
    for name in ("window_s", "open_s", "open_max_s"):
        if not is_positive(getattr(breaker, name)):
            yield f"breaker.{name}: must be a positive number"
    if breaker.open_s > breaker.open_max_s:
        yield "breaker.open_s: must be at most open_max_s"
    if breaker.minimum_calls < 1:
        yield "breaker.minimum_calls: must be at least 1"
    if not 0 < breaker.failure_ratio <= 1:
        yield "breaker.failure_ratio: must be above 0 and at most 1"
    spans = {
        "breaker.ramp_s": breaker.ramp_s,
        "retry_budget.ratio": retries.ratio,
        "retry_budget.burst": retries.burst,
        "cache.size": cache.size,
    }
    yield from (f"{place}: must be a number from 0 up" for place, span in spans.items() if not 0 <= span < math.inf)
    if not is_positive(cache.ttl_s):
        yield "cache.ttl_s: must be a positive number"


def list_budget_problems(
    budgets: tuple[BudgetConfig, ...], models: frozenset[str], targets: frozenset[str]
) -> Iterator[str]:
    """Yield what is wrong with these budgets, each with its place, given the names of all models and targets."""
    names = Counter(budget.name for budget in budgets)
    yield from (f"budgets: two are named {name!r}" for name, count in names.items() if count > 1)
    for number, budget in enumerate(budgets):
        where = dotted("budgets", number)
        if not budget.name:
            yield f"{where}.name: is needed"
        if not is_price(budget.limit_usd):
            yield f"{where}.limit_usd: must be a number from 0 to a billion"
        known = {"model": models, "target": targets}.get(budget.each)
        if known is not None and not {budget.only} <= {None, *known}:
            yield f"{where}.only: {budget.only!r} is no {budget.each}; known are {name_all(known)}"
        if budget.each == "tenant" and budget.only is not None and not _is_id(budget.only):
            yield f"{where}.only: must be the id of a tenant"


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text.strip())) == text.strip().lower()
    except ValueError:
        return False

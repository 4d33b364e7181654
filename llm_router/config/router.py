"""The whole of what the router must be told."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.errors import ConfigurationError
from llm_router.config.checks import dotted, is_positive
from llm_router.config.embedding import EmbeddingRouterConfig
from llm_router.config.limits import (
    BreakerConfig,
    BudgetConfig,
    CacheConfig,
    RetryBudgetConfig,
    list_budget_problems,
    list_limit_problems,
)
from llm_router.config.models import DEFAULT_MODEL, ModelConfig
from llm_router.config.targets import EXTRACTIVE, TargetConfig


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """The targets, the models made of them, and how patiently they are asked.

    Attributes:
        targets: an `extractive` one is added where absent.
        models: without any, "default" asks all targets in order, but those that embed.
        deadline_s: for a whole call, all targets, attempts and waits together.
        attempts_per_target: calls of one target at most, retries included.
        backoff_initial_s: upper end of the random wait before the first retry; it doubles with each.
        backoff_max_s: where the doubling ends.
        embedding: None where this router embeds nothing.

    Raises:
        ConfigurationError: with all that is wrong, at once.
    """

    targets: tuple[TargetConfig, ...] = ()
    models: tuple[ModelConfig, ...] = ()
    deadline_s: float = 90.0
    attempts_per_target: int = 3
    backoff_initial_s: float = 0.5
    backoff_max_s: float = 8.0
    breaker: BreakerConfig = field(default_factory=BreakerConfig)
    retry_budget: RetryBudgetConfig = field(default_factory=RetryBudgetConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    budgets: tuple[BudgetConfig, ...] = ()
    embedding: EmbeddingRouterConfig | None = None

    def __post_init__(self) -> None:
        problems = [*self._list_problems()]
        if problems:
            raise ConfigurationError(f"llm: {'; '.join(problems)}", problems=problems)
        if not any(target.provider == EXTRACTIVE for target in self.targets):
            object.__setattr__(self, "targets", (*self.targets, TargetConfig(EXTRACTIVE, EXTRACTIVE)))
        if not self.models:
            elsewhere = self.embedding.targets if self.embedding else ()
            names = [target.name for target in self.targets if target.provider != EXTRACTIVE]
            default = ModelConfig(DEFAULT_MODEL, tuple(name for name in names if name not in elsewhere))
            object.__setattr__(self, "models", (default,))

    def _list_problems(self) -> Iterator[str]:
        for target in self.targets:
            yield from target.list_problems()
        names = [target.name for target in self.targets]
        extractives = [target for target in self.targets if target.provider == EXTRACTIVE]
        if not extractives:
            names.append(EXTRACTIVE)
        yield from (f"{dotted('targets', name)}: two have this name" for name, n in Counter(names).items() if n > 1)
        if len(extractives) > 1:
            yield "targets: one of the provider extractive is enough"
        for model in self.models:
            yield from model.list_problems(frozenset(names))
        counted = Counter(model.name for model in self.models)
        yield from (f"{dotted('models', name)}: two have this name" for name, n in counted.items() if n > 1)
        experiments = Counter(model.experiment.name for model in self.models if model.experiment)
        yield from (f"models: two experiments are named {name!r}" for name, n in experiments.items() if n > 1)
        if self.models and DEFAULT_MODEL not in counted:
            yield f"models: one must be named {DEFAULT_MODEL!r}"
        if self.embedding is not None:
            yield from self.embedding.list_problems(frozenset(names))
        yield from self._list_patience_problems()
        yield from list_limit_problems(self.breaker, self.retry_budget, self.cache)
        embedding = (self.embedding.model,) if self.embedding is not None else ()
        models = frozenset((*counted, *embedding)) if self.models else frozenset((DEFAULT_MODEL, *embedding))
        yield from list_budget_problems(self.budgets, models, frozenset(names))

    def _list_patience_problems(self) -> Iterator[str]:
        if not is_positive(self.deadline_s):
            yield "deadline_s: must be a positive number"
        if self.attempts_per_target < 1:
            yield "attempts_per_target: must be at least 1"
        if not 0 <= self.backoff_initial_s < math.inf:
            yield "backoff.initial_s: must be a number from 0 up"
        if not self.backoff_initial_s <= self.backoff_max_s < math.inf:
            yield "backoff.max_s: must be a number from initial_s up"

"""What the router of embeddings must be told: one model, and all the targets that serve it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from core.errors import ConfigurationError
from llm_router.config import ModelConfig, PolicyName, RouterConfig, TargetConfig


@dataclass(frozen=True, slots=True)
class EmbeddingTargetConfig:
    """A target that embeds.

    Attributes:
        target: its model is the name that this provider has for it.
        dimension: of its vectors.
        serves: the model's common name, where the provider has another for it; empty for the same.
    """

    target: TargetConfig
    dimension: int
    serves: str = ""

    @property
    def model(self) -> str:
        """The model's common name."""
        return self.serves or self.target.model


@dataclass(frozen=True, slots=True)
class EmbeddingConfig:
    """Targets of one model and dimension: vectors of different models cannot be compared.

    Attributes:
        policy: which target is asked first; "difficulty" has no meaning here.
        weights: of targets, for the policy "weighted"; 1 where not given.
        batch_texts: sent at once at most.
        batch_tokens: sent at once at most, by our estimate; a longer text goes alone.
        batches_at_once: of one call, under way together.
        cache_size: vectors kept at most in this process; 0 switches the cache off.
        patience: the deadline of a batch, attempts and backoff, breaker and retry budget; nothing else of it counts.

    Raises:
        ConfigurationError: with all that is wrong, at once.
    """

    targets: tuple[EmbeddingTargetConfig, ...]
    policy: PolicyName = "ordered"
    weights: Mapping[str, float] = field(default_factory=dict)
    batch_texts: int = 256
    batch_tokens: int = 250_000
    batches_at_once: int = 4
    cache_size: int = 4_096
    patience: RouterConfig = field(default_factory=RouterConfig)

    def __post_init__(self) -> None:
        problems = [*self._list_problems()]
        if problems:
            raise ConfigurationError(f"embedding: {'; '.join(problems)}", problems=problems)

    @property
    def model(self) -> str:
        """The common name of the model that all targets serve."""
        return self.targets[0].model

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self.targets[0].dimension

    def model_config(self) -> ModelConfig:
        """Return the model as the router's policies know models."""
        names = tuple(each.target.name for each in self.targets)
        return ModelConfig(self.model, names, self.policy, self.weights, extractive=False)

    def router_config(self) -> RouterConfig:
        """Return the patience together with the targets."""
        return replace(self.patience, targets=tuple(each.target for each in self.targets), models=())

    def _list_problems(self) -> Iterator[str]:
        if not self.targets:
            yield "needs a target"
            return
        for each in self.targets:
            yield from each.target.list_problems()
        served = {(each.model, each.dimension): each.target.name for each in self.targets}
        if len(served) > 1:
            told = ", ".join(f"{name}: {model} of {dimension}" for (model, dimension), name in served.items())
            yield f"all targets must serve the same model and dimension, not {told}"
        if self.dimension < 1:
            yield "dimension must be at least 1"
        for name in ("batch_texts", "batch_tokens", "batches_at_once"):
            if getattr(self, name) < 1:
                yield f"{name} must be at least 1"
        if self.cache_size < 0:
            yield "cache_size must be from 0 up"
        yield from self.model_config().list_problems(frozenset(each.target.name for each in self.targets))

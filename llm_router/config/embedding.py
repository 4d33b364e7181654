"""Embedding by several targets: all serve one model, since vectors of two models cannot be compared."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from llm_router.config.checks import dotted, name_all


@dataclass(frozen=True, slots=True)
class EmbeddingRouterConfig:
    """One embedding model, and who serves it.

    Attributes:
        model: what the lattice records as its model; a target's own `model` is what its provider calls it.
        dimension: of a vector; a target that gives another one has failed.
        targets: names of targets; without models of their own, no other model asks them.
        policy: who is asked first.
        weights: of targets, for the policy "weighted"; 1 where not given.
        batch_texts: texts in one request at most.
        batch_tokens: tokens in one request at most, by our estimate; a longer text goes alone.
        batches_at_once: requests of one call under way together.
        cache_size: vectors kept at most in this process; 0 keeps none.
    """

    model: str
    dimension: int
    targets: tuple[str, ...]
    policy: Literal["ordered", "weighted", "least_cost", "lowest_latency", "least_busy"] = "ordered"
    weights: Mapping[str, float] = field(default_factory=dict)
    batch_texts: int = 256
    batch_tokens: int = 250_000
    batches_at_once: int = 4
    cache_size: int = 4_096

    def list_problems(self, known: frozenset[str]) -> Iterator[str]:
        """Yield what is wrong with these values, each with its place, given the names of all targets."""
        if not self.model:
            yield "embedding.model: is needed"
        if not 1 <= self.dimension <= 4_000:  # the most that an index of half-precision vectors takes
            yield "embedding.dimension: must be from 1 to 4000"
        yield from self._list_target_problems(known)
        for name, least in {"batch_texts": 1, "batch_tokens": 1, "batches_at_once": 1, "cache_size": 0}.items():
            if getattr(self, name) < least:
                yield f"embedding.{name}: must be at least {least}"

    def _list_target_problems(self, known: frozenset[str]) -> Iterator[str]:
        if not self.targets:
            yield "embedding.targets: needs a target"
        for name, count in Counter(self.targets).items():
            if name not in known:
                yield f"embedding.targets: {name!r} is no target; known are {name_all(known)}"
            elif count > 1:
                yield f"embedding.targets: {name!r} is named twice"
        for name, weight in self.weights.items():
            place = dotted("embedding", "weights", name)
            if name not in self.targets:
                yield f"{place}: is none of the targets"
            if not 0 <= weight < math.inf:
                yield f"{place}: must be a number from 0 up"
        if self.policy == "weighted" and not any(self.weights.get(name, 1.0) for name in self.targets):
            yield "embedding.weights: one of them must be above 0"

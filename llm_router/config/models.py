"""Models: what callers ask for, made of targets."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from llm_router.config.checks import dotted, is_positive, name_all

DEFAULT_MODEL = "default"

PolicyName = Literal["ordered", "weighted", "least_cost", "lowest_latency", "least_busy", "difficulty"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One arm of an experiment.

    Attributes:
        name: unique in its experiment.
        targets: asked instead of the model's own; empty means the model's.
        system: added to the prompt's system text.
        share: of the traffic, relative to the others, until the rewards say better.
    """

    name: str
    targets: tuple[str, ...] = ()
    system: str = ""
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class ExperimentConfig:
    """A split of a model's traffic.

    Attributes:
        method: "thompson" shifts traffic to what is rewarded, "split" keeps the shares.
        floor: the least share of each variant under "thompson", so that no variant is forgotten for good.
    """

    name: str
    variants: tuple[Variant, ...]
    method: Literal["thompson", "split"] = "thompson"
    floor: float = 0.02


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A logical model: what callers ask for, made of targets.

    Attributes:
        name: what callers say.
        targets: names of targets, asked in the order that the policy gives them.
        policy: who is asked first.
        weights: of targets, for the policy "weighted"; 1 where not given; 0 is asked only when all others fail.
        strong: for the policy "difficulty": the targets that hard questions go to first.
        threshold: for "difficulty": scores from here up are hard, in [0, 1].
        hedge_after_s: ask a second target when the first has said nothing for so long; None never does.
        extractive: let the extractive answer, which needs no network, be the last resort.
        experiment: None for none.
    """

    name: str
    targets: tuple[str, ...]
    policy: PolicyName = "ordered"
    weights: Mapping[str, float] = field(default_factory=dict)
    strong: tuple[str, ...] = ()
    threshold: float = 0.5
    hedge_after_s: float | None = None
    extractive: bool = True
    experiment: ExperimentConfig | None = None

    def list_problems(self, known: frozenset[str]) -> Iterator[str]:
        """Yield what is wrong with these values, each with its place, given the names of all targets."""
        where = dotted("models", self.name)
        if not self.name:
            yield f"{where}: needs a name"
        yield from self._list_name_problems(where, known)
        weights = [self.weights.get(name, 1.0) for name in self.targets]
        for name, weight in self.weights.items():
            if not 0 <= weight < math.inf:
                yield f"{dotted('models', self.name, 'weights', name)}: must be a number from 0 up"
        if self.policy == "weighted" and self.targets and not any(weights):
            yield f"{where}.weights: one of them must be above 0"
        if self.policy == "difficulty" and not self.strong:
            yield f"{where}.strong: is needed by the policy difficulty: the targets for hard questions"
        if not 0 <= self.threshold <= 1:
            yield f"{where}.threshold: must be from 0 to 1"
        if self.hedge_after_s is not None and not is_positive(self.hedge_after_s):
            yield f"{where}.hedge_after_s: must be a positive number"
        if self.experiment:
            yield from _list_experiment_problems(f"{where}.experiment", self.experiment)

    def _list_name_problems(self, where: str, known: frozenset[str]) -> Iterator[str]:
        variants = {
            f"{where}.experiment.variants[{number}].targets": variant.targets
            for number, variant in enumerate(self.experiment.variants if self.experiment else ())
        }
        for place, names in {f"{where}.targets": self.targets, **variants}.items():
            for name, count in Counter(names).items():
                if name not in known:
                    yield f"{place}: {name!r} is no target; known are {name_all(known)}"
                elif count > 1:
                    yield f"{place}: {name!r} is named twice"
        if not (self.targets or self.extractive):
            yield f"{where}.targets: needs a target"
        members = {*self.targets}.union(*variants.values())
        for key, named in {"weights": self.weights, "strong": self.strong}.items():
            for name in sorted({*named} - members):
                yield f"{where}.{key}: {name!r} is none of the model's targets"


def _list_experiment_problems(where: str, experiment: ExperimentConfig) -> Iterator[str]:
    if not experiment.name:
        yield f"{where}.name: is needed"
    if "/" in experiment.name:  # it parts the experiment from the variant
        yield f"{where}.name: must not hold a slash"
    names = Counter(variant.name for variant in experiment.variants)
    yield from (f"{where}.variants: two are named {name!r}" for name, count in names.items() if count > 1)
    if len(experiment.variants) < 2:
        yield f"{where}.variants: at least two are needed"
    for number, variant in enumerate(experiment.variants):
        if not variant.name:
            yield f"{where}.variants[{number}].name: is needed"
        if not is_positive(variant.share):
            yield f"{where}.variants[{number}].share: must be a positive number"
    if not 0 <= experiment.floor * max(len(experiment.variants), 1) <= 1:
        yield f"{where}.floor: must be from 0 to 1 divided by the number of variants"

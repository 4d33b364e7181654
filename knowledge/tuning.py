"""Fit the fusion weights to labelled questions, and say honestly whether that is worth anything. Pure but for the file.

What the channels say of a question's candidates is gathered once; each trial of weights is then a few array operations.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Self

import numpy as np

from core.errors import ConfigurationError
from knowledge.cases import Case
from knowledge.evaluation import Interval, bootstrap_interval
from knowledge.fusion import CHANNELS, FloatArray, FusionWeights, fuse, order_by_novelty
from knowledge.hop import choose_seeds, follow

MEASURES = ("recall@5", "recall@10", "ndcg@10")
DEPTH = 10  # distinct documents that the measures look at
TUNED = tuple(field.name for field in fields(FusionWeights) if field.name in {*CHANNELS, "gain"})
FACTORS = (2.0, 1.4, 1.2)  # how far a weight is moved up and down: first coarsely, then finely
LEAST_GAIN = 1e-3  # of the objective; near the optimum the weights are flat, and less is chasing noise
SPREAD = 0.5  # standard deviation of the logarithm by which a restart's weights differ from the constants
GREATEST_WEIGHT = 100.0
UNREACHED = 1e6  # below every score

_DISCOUNTS = 1.0 / np.log2(np.arange(2, DEPTH + 2))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure on questions that had no part in the fit: the constants, the tuned weights, and the gain."""

    constants: float
    tuned: float
    gain: Interval


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a fit found, and what it is worth.

    Attributes:
        weights: fitted to all questions.
        measures: by name, on held-out folds: those of MEASURES, and `mean`, their mean, which is what was fitted.
        questions: how many there were.
        folds: into how many parts they were divided.
    """

    weights: FusionWeights
    measures: dict[str, Comparison]
    questions: int
    folds: int

    @property
    def is_better(self) -> bool:
        """Whether the whole 95% interval of the held-out gain lies above 0."""
        return self.measures["mean"].gain.low > 0


def order_case(case: Case, weights: FusionWeights) -> list[int]:
    """Return the places of a case's passages in the order of recall, as far as DEPTH documents may need; all fresh."""
    parts = fuse(case.channels, weights, case.candidates)
    relevance = parts.relevance
    seeds = frozenset(choose_seeds(relevance[: case.candidates], case.threaded))
    followed = [each for each in case.bridges if each.source in seeds] if weights.link or weights.gain else []
    lifted = follow(relevance, case.channels, followed, weights)
    reached = np.arange(len(relevance)) < case.candidates
    reached[[each.target for each in followed]] = True
    # a fresh state lifts all alike: coherence and field are 1
    scores = np.where(reached, (relevance + lifted) * (1 + weights.kappa + weights.lambda_), -UNREACHED)
    order, _ = order_by_novelty(scores, case.channels, weights.novelty, 2 * DEPTH)
    return [place for place in order if reached[place]]


def measure_case(case: Case, weights: FusionWeights) -> FloatArray:
    """Return MEASURES of one question, shape (3,)."""
    order = np.array(order_case(case, weights), np.int64)
    _, first = np.unique(case.documents[order], return_index=True)  # a document stands where its best passage does
    hits = case.relevant[order[np.sort(first)[:DEPTH]]]
    best = float(_DISCOUNTS[: case.evidence].sum())
    return np.array([hits[:5].sum() / case.evidence, hits.sum() / case.evidence, hits @ _DISCOUNTS[: len(hits)] / best])


def fit_weights(
    cases: Sequence[Case], start: FusionWeights, rng: np.random.Generator, restarts: int = 1
) -> FusionWeights:
    """Return the weights with the greatest mean of MEASURES that coordinate ascent finds from the start and restarts.

    A restart's finding must beat the start's by LEAST_GAIN. What the questions do not touch stays as it was.
    """
    touched = {name: [i for i, each in enumerate(cases) if _is_touched(each, name)] for name in TUNED}
    best = _ascend(cases, touched, start)
    for _ in range(restarts):
        scattered = {name: getattr(start, name) * math.exp(rng.normal(0, SPREAD)) for name in TUNED}
        found = _ascend(cases, touched, replace(start, **scattered))
        if found.worth >= best.worth + LEAST_GAIN:
            best = found
    for name in TUNED:  # what goes back at no cost was moved by chance
        kept = best.moved(cases, touched, name, getattr(start, name))
        if kept.worth >= best.worth:
            best = kept
    return best.weights


def tune(
    cases: Sequence[Case],
    constants: FusionWeights,
    *,
    folds: int = 5,
    restarts: int = 1,
    seed: int = 0,
    on_fit: Callable[[int, int], None] = lambda done, total: None,
) -> Tuning:
    """Fit weights to all questions, and compare such a fit with the constants on questions that it has not seen.

    Args:
        cases: at least `folds` of them.
        constants: what must be beaten, and where the search starts; those without tokens if no case has any.
        folds: each question is held out once, with all of its fold.
        restarts: further starts of each search, drawn around the constants.
        seed: of folds, restarts and intervals; the same seed finds the same.
        on_fit: told after each of folds + 1 fits how many are done.
    """
    if not any(case.channels.told.any() for case in cases):
        constants = constants.tokenless()
    rng = np.random.default_rng(seed)
    fold_of = rng.permutation(len(cases)) % folds
    before = np.stack([measure_case(each, constants) for each in cases])
    after = np.zeros_like(before)
    for fold in range(folds):
        seen = [case for case, its in zip(cases, fold_of, strict=True) if its != fold]
        weights = fit_weights(seen, constants, rng, restarts)
        for place in np.flatnonzero(fold_of == fold).tolist():
            after[place] = measure_case(cases[place], weights)
        on_fit(fold + 1, folds + 1)
    weights = fit_weights(cases, constants, rng, restarts)
    on_fit(folds + 1, folds + 1)
    return Tuning(weights, _compare(before, after, seed), len(cases), folds)


def write_weights(path: Path, tuning: Tuning) -> None:
    """Write what `read_weights` reads, with the figures that speak for it."""
    content = {
        "weights": {name: round(value, 6) for name, value in asdict(tuning.weights).items()},
        "held_out": {name: asdict(each) for name, each in tuning.measures.items()},
        "questions": tuning.questions,
        "folds": tuning.folds,
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_weights(path: Path) -> FusionWeights:
    """Read weights from a file of `lattice eval tune`; a weight that is not named keeps its constant.

    Raises:
        ConfigurationError: the file cannot be read or holds no usable weights; says which.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise ConfigurationError(f"the recall weights {path} cannot be read: {e.strerror}", path=str(path)) from e
    except ValueError as e:
        raise ConfigurationError(f"the recall weights {path} are not JSON: {e}", path=str(path)) from e
    given = content.get("weights") if isinstance(content, dict) else None
    if not isinstance(given, dict):
        raise ConfigurationError(f"the recall weights {path} have no object `weights`", path=str(path))
    problem = next(_find_problems(given), None)
    if problem:
        raise ConfigurationError(f"the recall weights {path}: {problem}", path=str(path))
    weights = FusionWeights(**{name: float(value) for name, value in given.items()})
    if not weights.late + weights.dense + weights.lexical > 0:
        raise ConfigurationError(f"the recall weights {path}: one of late, dense, lexical must count", path=str(path))
    return weights


def _find_problems(given: dict[str, object]) -> Iterator[str]:
    known = [field.name for field in fields(FusionWeights)]
    for name, value in given.items():
        if name not in known:
            yield f"{name} is not a weight; known are {', '.join(known)}"
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= GREATEST_WEIGHT:
            yield f"{name} must be a number from 0 to {GREATEST_WEIGHT:g}, not {value!r}"


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """Weights with the measures of each of n cases, shape (n, 3), and their mean."""

    weights: FusionWeights
    measures: FloatArray
    worth: float

    @classmethod
    def of(cls, cases: Sequence[Case], weights: FusionWeights) -> Self:
        measures = np.stack([measure_case(each, weights) for each in cases])
        return cls(weights, measures, float(measures.mean()))

    def moved(self, cases: Sequence[Case], touched: Mapping[str, Sequence[int]], name: str, value: float) -> Self:
        """Return the trial with another value of one weight; only the cases that it touches are measured again."""
        if value == getattr(self.weights, name):
            return self
        weights, measures = replace(self.weights, **{name: value}), self.measures.copy()
        for place in touched[name]:
            measures[place] = measure_case(cases[place], weights)
        return replace(self, weights=weights, measures=measures, worth=float(measures.mean()))


def _is_touched(case: Case, name: str) -> bool:
    """Return whether a case can be ordered otherwise by another value, not 0, of a weight; never falsely no."""
    channels = case.channels
    if name in {"link", "gain"}:
        return bool(case.bridges)
    says = {
        "late": channels.told[: case.candidates],
        "lexical": channels.bm25,
        "speaker": channels.speaks,
        "title": channels.titled,
        "novelty": channels.found > 0,
    }
    return name not in says or bool(says[name].any())


def _ascend(cases: Sequence[Case], touched: Mapping[str, Sequence[int]], start: FusionWeights) -> _Trial:
    best = _Trial.of(cases, start)
    for factor in FACTORS:
        moved = True
        while moved:
            moved = False
            for name, by in product(TUNED, (factor, 1 / factor)):
                tried = best.moved(cases, touched, name, min(GREATEST_WEIGHT, getattr(best.weights, name) * by))
                if tried.worth >= best.worth + LEAST_GAIN:
                    best, moved = tried, True
    return best


def _compare(before: FloatArray, after: FloatArray, seed: int) -> dict[str, Comparison]:
    columns = {name: (before[:, i], after[:, i]) for i, name in enumerate(MEASURES)}
    columns["mean"] = (before.mean(1), after.mean(1))
    return {
        name: Comparison(float(was.mean()), float(now.mean()), bootstrap_interval((now - was).tolist(), seed))
        for name, (was, now) in columns.items()
    }

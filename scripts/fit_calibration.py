"""Fit the coefficients of `knowledge.calibration` to labelled questions, and say how well they hold on unseen ones.

Run as `python -m scripts.fit_calibration DOCUMENTS QUESTIONS [DOCUMENTS QUESTIONS …]`, rows as for `lattice eval
recall`, each corpus a gem. Every question is asked twice: in its own gem, and in the next one, where nothing is
evidence, so that a question without an answer has no probable passage. Prints the constants, the Brier score and log
loss of folds that had no part in the fit (by question, and by corpus), and the share of evidence by probability.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.cli.recall_trial import Trial, find_gems, open_trial, read_trial
from api.settings import read_settings
from knowledge import Case, Coefficients, Recall, RecallQuery, gather_case, list_features

FOLDS = 5
RIDGE = 1e-3  # on standardised features: it only keeps a feature that never varies from having any weight
STEPS = 50
BINS = (0.0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """n passages of all questions.

    Attributes:
        features: shape (n, f).
        labels: 1 where the passage is evidence, shape (n,).
        questions: a number for the question of each, shape (n,).
        corpora: a number for the corpus of the question of each, shape (n,).
    """

    features: FloatArray
    labels: FloatArray
    questions: NDArray[np.int64]
    corpora: NDArray[np.int64]


def fit_logistic(features: FloatArray, labels: FloatArray) -> FloatArray:
    """Return intercept and weights, shape (1 + f,), by Newton's method with a slight ridge.

    Source:
        Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2009, eq. 4.26 (with a penalty).
    """
    centre, spread = features.mean(0), features.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    rows = np.column_stack([np.ones(len(features)), (features - centre) / spread])
    weights = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        fitted = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (labels - fitted) - RIDGE * weights
        curve = (rows * (fitted * (1 - fitted))[:, None]).T @ rows + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-9:
            break
    scaled = weights[1:] / spread
    return np.concatenate([[weights[0] - scaled @ centre], scaled])


def predict(features: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the probability of each row, shape (n,)."""
    return np.asarray(1 / (1 + np.exp(-(weights[0] + features @ weights[1:]))), np.float64)


def predict_unseen(sample: Sample, parts: NDArray[np.int64]) -> FloatArray:
    """Return the probability of each row by a fit to all other parts, shape (n,)."""
    found = np.zeros(len(sample.labels))
    for part in np.unique(parts):
        held = parts == part
        found[held] = predict(sample.features[held], fit_logistic(sample.features[~held], sample.labels[~held]))
    return found


def report(name: str, labels: FloatArray, found: FloatArray) -> None:
    """Print how good probabilities are, beside those of a guess that knows the base rate only."""
    base = np.full(len(labels), labels.mean())
    print(f"  {name}: Brier {_brier(labels, found):.5f} (base rate {_brier(labels, base):.5f}), ", end="")
    print(f"log loss {_log_loss(labels, found):.5f} (base rate {_log_loss(labels, base):.5f})")


def tabulate(labels: FloatArray, found: FloatArray) -> None:
    """Print the reliability table."""
    print("  probability   passages  mean   evidence")
    for low, high in pairwise(BINS):
        held = (found >= low) & ((found < high) | (high == 1.0))
        if held.any():
            print(f"  {low:.2f} to {high:.2f}  {held.sum():>8,}  {found[held].mean():.3f}  {labels[held].mean():.3f}")


@dataclass(frozen=True, slots=True)
class Tokenless:
    """An embedder as most are: it tells no token states."""

    model: str
    dimension: int
    embed: Callable[[Sequence[str]], Coroutine[Any, Any, NDArray[np.float32]]]


async def gather(trials: Sequence[Trial]) -> dict[bool, list[tuple[int, Case]]]:
    """Ask all questions, each in its own gem and in the next, with token states and without.

    Returns:
        The cases with the number of their trial, by whether there were token states.
    """
    documents = tuple(document for trial in trials for document in trial.documents)
    questions = tuple(question for trial in trials for question in trial.questions)
    numbers = [number for number, trial in enumerate(trials) for _ in trial.questions]
    whole = Trial(documents, questions, (10,), apart=True)
    cases: dict[bool, list[tuple[int, Case]]] = {True: [], False: []}
    async with open_trial(read_settings(), whole) as (service, _):
        embedder, gems = service.recall.embedder, await find_gems(service, whole)
        plain = Tokenless(embedder.model, embedder.dimension, embedder.embed)
        recalls = {True: Recall(service.database, embedder), False: Recall(service.database, plain)}
        names = sorted(gems)
        for number, question in zip(numbers, questions, strict=True):
            other = names[(names.index(question.gem) + 1) % len(names)]
            for gem, evidence in ((question.gem, question.evidence), (other, frozenset[str]())):
                query = RecallQuery(question.text, (gems[gem],))
                for with_tokens, recall in recalls.items():
                    case = await gather_case(recall, service.tenant, query, service.at(), evidence)
                    if case is not None:
                        cases[with_tokens].append((number, case))
    return cases


def to_sample(cases: Sequence[tuple[int, Case]], *, with_tokens: bool) -> Sample:
    """Put the passages of all cases into one sample; two cases in a row are of one question."""
    sizes = [len(case.relevant) for _, case in cases]
    return Sample(
        np.concatenate([list_features(c.channels, c.coverage, c.link, with_tokens=with_tokens) for _, c in cases]),
        np.concatenate([case.relevant for _, case in cases]).astype(np.float64),
        np.repeat(np.arange(len(cases)) // 2, sizes),
        np.repeat([number for number, _ in cases], sizes),
    )


def main(arguments: Sequence[str]) -> None:
    """Fit and report, with token states and without."""
    paths = [Path(each) for each in arguments]
    if not paths or len(paths) % 2:
        sys.exit(__doc__)
    pairs = zip(paths[::2], paths[1::2], strict=True)
    cases = asyncio.run(gather([read_trial(documents, questions, (10,), apart=True) for documents, questions in pairs]))
    for name, with_tokens in (("WITH_TOKENS", True), ("WITHOUT_TOKENS", False)):
        sample = to_sample(cases[with_tokens], with_tokens=with_tokens)
        fitted = fit_logistic(sample.features, sample.labels)
        values = zip(Coefficients.__slots__, fitted, strict=True)
        print(f"{name} = Coefficients({', '.join(f'{field}={value:.3f}' for field, value in values)})")
        fold_of = np.random.default_rng(0).permutation(sample.questions.max() + 1) % FOLDS
        found = predict_unseen(sample, fold_of[sample.questions])
        report(f"{FOLDS} folds by question", sample.labels, found)
        tabulate(sample.labels, found)
        if len(paths) > 2:
            report("each corpus by the others", sample.labels, predict_unseen(sample, sample.corpora))


def _brier(labels: FloatArray, found: FloatArray) -> float:
    return float(np.mean((found - labels) ** 2))


def _log_loss(labels: FloatArray, found: FloatArray) -> float:
    held = np.clip(found, 1e-12, 1 - 1e-12)
    return float(-np.mean(labels * np.log(held) + (1 - labels) * np.log(1 - held)))


if __name__ == "__main__":
    main(sys.argv[1:])

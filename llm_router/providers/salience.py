"""Which sentences answer a question: relevance by words and meaning, then diversity. Pure."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llm_router.prompt import Evidence
from llm_router.providers.sentences import split_sentences
from llm_router.providers.words import find_stems

MOST_SENTENCES = 4

CONTEXT_WEIGHT = 0.5
"""What a word of the question counts when not the sentence but its title or passage has it."""

LEAST_RELEVANCE = 0.3
LEAST_RELEVANCE_WITH_MEANING = 0.35
"""Below this the best sentence is no answer.

Measured on 332 questions of HotpotQA, 2WikiMultihopQA, MuSiQue and LoCoMo, the range over the four sets: with the right
evidence among its neighbours 86-98 % pass by words and 91-100 % with meaning, with eight random passages 4-7 % and
4-19 %. Neighbours without the right evidence pass for half or more: relevance tells another matter, not absence.
"""

LEAST_SHARE = 0.6
"""A further sentence must be at least so relevant, as a share of the best one's relevance."""

DIVERSITY = 0.3
"""Maximal marginal relevance: how much likeness to what is already chosen counts against a sentence."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may become part of the answer.

    Attributes:
        text: on one line.
        label: of its passage.
        position: within the whole evidence, passage by passage.
        stems: of its content words.
        context: stems of its passage and title.
        relevance: by words, in [0, 1].
    """

    text: str
    label: int
    position: int
    stems: frozenset[str]
    context: frozenset[str]
    relevance: float = 0.0


def list_candidates(evidence: Sequence[Evidence]) -> list[Candidate]:
    """Return the evidence's sentences in order, each once."""
    seen: set[str] = set()
    candidates: list[Candidate] = []
    for one in evidence:
        context = find_stems(f"{one.title or ''} {one.text}")
        for sentence in split_sentences(one.text):
            if sentence not in seen:
                seen.add(sentence)
                candidates.append(Candidate(sentence, one.label, len(candidates), find_stems(sentence), context))
    return candidates


def rank_by_words(question: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates with their relevance by words, highest first.

    Relevance is the share of the question's content words that the sentence has, rare words counting more; a word that
    only its passage or title has counts `CONTEXT_WEIGHT`. Words that no sentence has count as the rarest, so evidence
    on another matter scores low.
    """
    asked = find_stems(question)
    met = Counter(stem for each in candidates for stem in each.stems & asked)
    weights = {stem: math.log1p((len(candidates) - met[stem] + 0.5) / (met[stem] + 0.5)) for stem in asked}
    whole = sum(weights.values()) or 1.0

    def relevance(each: Candidate) -> float:
        own = sum(weights[stem] for stem in asked & each.stems)
        around = sum(weights[stem] for stem in (asked & each.context) - each.stems)
        return (own + CONTEXT_WEIGHT * around) / whole

    scored = [replace(each, relevance=relevance(each)) for each in candidates]
    return sorted(scored, key=lambda each: (-each.relevance, each.position))


def choose(candidates: Sequence[Candidate], vectors: NDArray[np.float32] | None) -> list[Candidate]:
    """Return the sentences of the answer in reading order; none if the evidence does not answer.

    Args:
        candidates: n of them, with their relevance by words.
        vectors: shape (1 + n, d), unit length, the question first; None leaves it to the words.

    Returns:
        At most `MOST_SENTENCES`: passages in the order of their best sentence, sentences in the order of the passage.
    """
    if not candidates:
        return []
    relevance = np.array([each.relevance for each in candidates])
    least = LEAST_RELEVANCE
    if vectors is None:
        likeness = _overlap(candidates)
    else:
        likeness = np.clip(vectors[1:] @ vectors[1:].T, 0.0, 1.0)
        relevance = (relevance + np.clip(vectors[1:] @ vectors[0], 0.0, 1.0)) / 2
        least = LEAST_RELEVANCE_WITH_MEANING
    if relevance.max() < least:
        return []
    picked = _pick(relevance, likeness)
    return _in_reading_order([candidates[index] for index in picked])


def _pick(relevance: NDArray[np.float64], likeness: NDArray[np.floating]) -> list[int]:
    """Return indices by maximal marginal relevance, the most relevant first."""
    open_ = relevance >= LEAST_SHARE * relevance.max()
    picked: list[int] = []
    nearest = np.zeros(len(relevance))
    while open_.any() and len(picked) < MOST_SENTENCES:
        margin = (1 - DIVERSITY) * relevance - DIVERSITY * nearest
        best = int(np.argmax(np.where(open_, margin, -np.inf)))
        picked.append(best)
        open_[best] = False
        nearest = np.maximum(nearest, likeness[best])
    return picked


def _overlap(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return the cosine of every two sentences' sets of stems, shape (n, n)."""
    vocabulary = {stem: column for column, stem in enumerate(set().union(*(each.stems for each in candidates)))}
    rows = np.zeros((len(candidates), max(len(vocabulary), 1)))
    for row, each in zip(rows, candidates, strict=True):
        row[[vocabulary[stem] for stem in each.stems]] = 1.0
    norms = np.sqrt(np.maximum(rows.sum(axis=1, keepdims=True), 1.0))
    unit = rows / norms
    return np.asarray(unit @ unit.T)


def _in_reading_order(chosen: Sequence[Candidate]) -> list[Candidate]:
    labels = list(dict.fromkeys(each.label for each in chosen))
    return sorted(chosen, key=lambda each: (labels.index(each.label), each.position))

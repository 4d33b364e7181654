"""How hard a prompt is, told part by part, and the policy that sends hard ones to strong targets. Pure.

The score is a noisy or: each part's effect is the chance that this part alone makes the prompt hard, and the score is
the chance that any of them does. No model is asked and nothing is learnt; what a score means for two given models is
found by `calibrate`. The cues are English: in another language only length, evidence, turns and form are judged.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from llm_router.policies import cues
from llm_router.policies.arrangement import arrange
from llm_router.prompt import Evidence, Prompt
from llm_router.providers.words import STOP_WORDS
from llm_router.route import Route

WEIGHTS = {
    "reasoning": 0.45,
    "comparison": 0.30,
    "steps": 0.40,
    "numbers": 0.20,
    "negation": 0.10,
    "time": 0.15,
    "length": 0.25,
    "uncovered": 0.30,
    "spread": 0.15,
    "turns": 0.20,
    "form": 0.15,
}
"""The most that each part can make of the score: its effect at the value 1."""

QUESTION_CHARACTERS = 1_000
PASSAGE_CHARACTERS = 1_000
PASSAGES = 8
CONTENT_WORDS = 16
"""So much is read of a question, half of it at either end, and of its evidence: a book takes no longer than a page."""

_WORD = re.compile(r"[^\W_]+(?:['’.,:][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class DifficultyTerm:
    """One part of a score.

    Attributes:
        name: one of `WEIGHTS`.
        value: how much of it there is, in [0, 1].
        weight: its effect at the value 1.
    """

    name: str
    value: float
    weight: float

    @property
    def effect(self) -> float:
        """The chance that this part alone makes the prompt hard, in [0, 1]."""
        return self.weight * self.value


@dataclass(frozen=True, slots=True)
class DifficultyScore:
    """How hard a prompt is.

    Attributes:
        score: 1 − Π(1 − effect) over the terms, in [0, 1].
        terms: all parts, in the order of `WEIGHTS`.
    """

    score: float
    terms: tuple[DifficultyTerm, ...]


class ByDifficulty:
    """Hard questions go to the strong targets first, easy ones to the others first; within each, as configured."""

    def __init__(self, strong: Sequence[str], threshold: float) -> None:
        self._strong = frozenset(strong)
        self._threshold = threshold

    def order(self, routes: Sequence[Route], prompt: Prompt) -> Sequence[Route]:
        """Return the routes in the order to ask; local ones last."""
        is_hard = explain_difficulty(prompt).score >= self._threshold
        return arrange(routes, lambda route: (route.name in self._strong) != is_hard)


def explain_difficulty(prompt: Prompt) -> DifficultyScore:
    """Return how hard a prompt is, with the parts that make it so; the same prompt always gives the same score."""
    question = _shorten(prompt.question).lower().replace("’", "'")
    words = _WORD.findall(question)
    kinds = set(words)
    values = {
        "reasoning": _judge_reasoning(words, kinds),
        "comparison": float(not kinds.isdisjoint(cues.COMPARISON)),
        "steps": _count_steps(words, question),
        "numbers": _judge_numbers(words, kinds, question),
        "negation": float(not kinds.isdisjoint(cues.NEGATION) or "n't" in question),
        "time": float(not kinds.isdisjoint(cues.TIME)),
        "length": len(words) / (len(words) + 40),
        "uncovered": _measure_uncovered(words, prompt.evidence),
        "spread": _measure_spread(prompt.evidence),
        "turns": len(prompt.turns) / (len(prompt.turns) + 4),
        "form": 1.0 if prompt.tools else 0.5 if prompt.output is not None else 0.0,
    }
    easy = 1.0
    for name, value in values.items():
        easy *= 1.0 - WEIGHTS[name] * value
    return DifficultyScore(1.0 - easy, tuple(DifficultyTerm(name, x, WEIGHTS[name]) for name, x in values.items()))


def _shorten(question: str) -> str:
    half = QUESTION_CHARACTERS // 2
    return question if len(question) <= 2 * half else f"{question[:half]} {question[-half:]}"


def _judge_reasoning(words: Sequence[str], kinds: set[str]) -> float:
    """Return 1 for a question after reasons, ways or judgements; "how many" and its like ask for a fact."""
    if not kinds.isdisjoint(cues.REASONING):
        return 1.0
    return float("how" in kinds and any(a == "how" and b not in cues.MEASURES for a, b in pairwise((*words, ""))))


def _count_steps(words: Sequence[str], question: str) -> float:
    """Return how much a question is made of questions: 0 for one alone, towards 1 the more clauses hang together."""
    joints = sum([word in cues.JOINTS or word.endswith("'s") for word in words]) + question.count(";")
    joints += max(question.count("?") - 1, 0) - 1  # every question has one
    return joints / (joints + 2) if joints > 0 else 0.0


def _judge_numbers(words: Sequence[str], kinds: set[str], question: str) -> float:
    """Return 1 for a question that must be reckoned, half of it for one with several numbers."""
    if not kinds.isdisjoint(cues.RECKONING) or "%" in question:
        return 1.0
    return 0.5 if sum([word[0].isdigit() for word in words]) > 1 else 0.0


def _measure_uncovered(words: Sequence[str], evidence: Sequence[Evidence]) -> float:
    """Return the share of the question's content words that no passage has; 0 without evidence or such words.

    A word without its last three letters is looked for, so that its inflections count as the word.
    """
    heads = dict.fromkeys(each[: max(4, len(each) - 3)] for each in words if len(each) > 2 and each not in STOP_WORDS)
    asked = list(heads)[:CONTENT_WORDS]
    if not evidence or not asked:
        return 0.0
    passages = [f"{one.title or ''}\n{one.text[:PASSAGE_CHARACTERS]}" for one in evidence[:PASSAGES]]
    text = "\n".join(passages).lower()
    return sum([head not in text for head in asked]) / len(asked)


def _measure_spread(evidence: Sequence[Evidence]) -> float:
    """Return how evenly the evidence's scores lie: the chance that two draws by score are of different passages.

    0 when one passage has it all, 1 − 1/n when n passages agree.
    """
    scores = [one.score for one in evidence if one.score > 0]
    whole = sum(scores)
    return max(0.0, 1.0 - sum([(score / whole) ** 2 for score in scores])) if whole else 0.0

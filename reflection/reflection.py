"""A reflection as its users see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from axiom import LogShares, Terms
from gems import QuantumState
from knowledge import Filters, Reach
from llm_router import DEFAULT_MODEL, Attempt, Usage
from reflection.prompt import Grounding


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """A passage as the model was shown it.

    Attributes:
        label: the number by which the answer cites it.
        cited: whether the answer does.
        scores: the recall score taken apart.
        gem_name: of its gem now; None if that gem is gone and its documents were moved.
        entanglement: how strongly its gem was entangled with the one that was asked; None if it was not.
    """

    label: int
    passage_id: UUID
    gem_id: UUID
    document_id: UUID
    external_id: str | None
    title: str | None
    source: str | None
    text: str
    cited: bool
    score: float
    scores: Mapping[str, float]
    gem_name: str | None = None
    entanglement: float | None = None


@dataclass(frozen=True, slots=True)
class AxiomScore:
    """What the axiom says of the evidence.

    Attributes:
        score: the product of all terms.
        shares: of each term in log space; None where a term of 0 makes the score 0.
    """

    score: float
    terms: Terms[float]
    shares: LogShares


@dataclass(frozen=True, slots=True)
class StateChange:
    """What a reflection did to its gem's state."""

    before: QuantumState[float]
    after: QuantumState[float]


@dataclass(frozen=True, slots=True)
class Reflection:
    """A question, its answer, and all that the answer rests on.

    Attributes:
        grounding: whether the answer cites what it was given.
        rating: the user's, in [−1, 1]; None with none.
        change: of the gem's state; None on one that was read from the store.
        variant: of the experiment that the answer was made in; None if it was in none.
        cached: the answer was taken from the cache of exact answers.
    """

    reflection_id: UUID
    gem_id: UUID
    question: str
    answer: str
    grounding: Grounding
    evidence: tuple[CitedPassage, ...]
    axiom: AxiomScore
    target: str
    provider: str
    model: str
    finish: str
    usage: Usage
    cost_usd: Decimal | None
    attempts: tuple[Attempt, ...]
    seconds: float
    rating: float | None
    created_at: datetime
    change: StateChange | None = None
    variant: str | None = None
    cached: bool = False


@dataclass(frozen=True, slots=True)
class ReflectionSummary:
    """A reflection without its evidence and attempts."""

    reflection_id: UUID
    gem_id: UUID
    question: str
    answer: str
    grounding: Grounding
    provider: str
    model: str
    score: float
    rating: float | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ScoredReflection:
    """How the evidence of one reflection scored."""

    reflection_id: UUID
    created_at: datetime
    axiom: AxiomScore


@dataclass(frozen=True, slots=True)
class ReflectionRequest:
    """A question to a gem.

    Attributes:
        k: how many passages the model is shown at the most.
        max_tokens: how many tokens they may have together.
        max_output_tokens: how long the answer may be.
        model: the LLM model that shall answer, by its name in the settings.
        reach: where to look beside the gem, as in RecallQuery.
    """

    gem_id: UUID
    question: str
    k: int = 8
    max_tokens: int = 3_000
    max_output_tokens: int = 1_000
    filters: Filters = field(default_factory=Filters)
    model: str = DEFAULT_MODEL
    reach: Reach = "own"

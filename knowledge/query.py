"""A question to recall, and which documents may answer it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from core.errors import InvalidInputError
from core.text import make_storable

LONGEST_QUESTION = 10_000
MOST_RESULTS = 200

Unit = Literal["section", "document"]
Reach = Literal["own", "entangled", "lattice"]
REACHES: tuple[Reach, ...] = ("own", "entangled", "lattice")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents may be recalled; None lets all pass.

    Attributes:
        sources: documents from one of these.
        since: that occurred then or later.
        until: that occurred before.
        metadata: whose metadata contains all of this.
    """

    sources: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    metadata: Mapping[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return self == Filters()


@dataclass(frozen=True, slots=True)
class RecallQuery:
    """A question and how to answer it.

    Attributes:
        gem_ids: where to look; empty means every gem that is not archived.
        k: how many passages at the most.
        max_tokens: how many tokens their texts may have together.
        as_of: what the lattice held then is recalled; None means now.
        min_score: the least probability, in [0, 1], that a passage matters; None lets all pass.
        fold: whether a passage that says the same as a better one is shown with that one only.
        diversity: how much unlikeness counts against worth, in [0, 1); 0 orders by worth alone.
        expand: the unit that is shown around each passage; None shows passages.
        rerank: whether the cross-encoder orders the best anew; there must be one.
        dates: whether a time that the question names narrows what may be found.
        reach: where to look beside the gems that are named: nowhere, in what is entangled with them, or in every gem
            that is not archived. Where none is named all are asked, and nothing is left to reach.
    """

    question: str
    gem_ids: tuple[UUID, ...] = ()
    k: int = 10
    filters: Filters = field(default_factory=Filters)
    max_tokens: int | None = None
    as_of: datetime | None = None
    min_score: float | None = None
    fold: bool = True
    diversity: float = 0.0
    expand: Unit | None = None
    rerank: bool = False
    dates: bool = False
    reach: Reach = "own"

    def __post_init__(self) -> None:
        # A command line in an unknown encoding has lone surrogates in it, which neither Postgres nor a digest takes.
        object.__setattr__(self, "question", make_storable(self.question))
        if not self.question.strip():
            raise InvalidInputError("question", "must not be empty")
        if len(self.question) > LONGEST_QUESTION:
            raise InvalidInputError("question", f"may have at most {LONGEST_QUESTION:,} characters")
        if not 1 <= self.k <= MOST_RESULTS:
            raise InvalidInputError("k", f"must be from 1 to {MOST_RESULTS}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InvalidInputError("max_tokens", "must be at least 1")
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise InvalidInputError("min_score", "must be from 0 to 1, a probability")
        if not 0 <= self.diversity < 1:
            raise InvalidInputError("diversity", "must be at least 0 and less than 1")
        if self.reach not in REACHES:
            raise InvalidInputError("reach", f"must be one of {', '.join(REACHES)}")

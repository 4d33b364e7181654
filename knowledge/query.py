"""A question to recall, and which documents may answer it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from core.errors import InvalidInputError

LONGEST_QUESTION = 10_000
MOST_RESULTS = 200


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
    """

    question: str
    gem_ids: tuple[UUID, ...] = ()
    k: int = 10
    filters: Filters = field(default_factory=Filters)
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise InvalidInputError("question", "must not be empty")
        if len(self.question) > LONGEST_QUESTION:
            raise InvalidInputError("question", f"may have at most {LONGEST_QUESTION:,} characters")
        if not 1 <= self.k <= MOST_RESULTS:
            raise InvalidInputError("k", f"must be from 1 to {MOST_RESULTS}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InvalidInputError("max_tokens", "must be at least 1")

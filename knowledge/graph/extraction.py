"""What a model is shown of passages, and what it says of them: the port, and how passages share calls."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

BATCH_TOKENS = 2_000  # of passages that are shown together
BATCH_PASSAGES = 16


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """A passage as a model is shown it.

    Attributes:
        text: its beginning, at most LONGEST_TEXT characters.
        tokens: about how many it has.
        title: of its document.
        speaker: of its document.
        occurred_at: when what its document tells happened.
    """

    text: str
    tokens: int
    title: str | None = None
    heading: str | None = None
    speaker: str | None = None
    occurred_at: datetime | None = None

    @property
    def key(self) -> bytes:
        """What equal passages share and others do not: a SHA-256 of all that is shown."""
        when = self.occurred_at and self.occurred_at.astimezone(UTC).isoformat()
        shown = [self.text, self.title, self.heading, self.speaker, when]
        return hashlib.sha256(json.dumps(shown).encode("ascii")).digest()


@dataclass(frozen=True, slots=True)
class NamedEntity:
    """Something that a passage names, and what kind of thing it is."""

    name: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class FoundRelation:
    """A relation as a model tells it.

    Attributes:
        valid_from, valid_to: as it wrote them; None if it told none.
        confidence: in [0, 1], if it keeps to what it was asked.
    """

    subject: str
    predicate: str
    object: str
    valid_from: str | None = None
    valid_to: str | None = None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a model says of one passage; nothing of it is checked."""

    entities: Sequence[NamedEntity] = ()
    relations: Sequence[FoundRelation] = ()


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one call gave.

    Attributes:
        found: of each passage in the order shown; None for one that was passed over.
        cost_usd: of the call, whatever it took to answer it; None if not known.
    """

    found: Sequence[Extracted | None]
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CallEstimate:
    """What a call is likely to take.

    Attributes:
        cost_usd: likely; None if prices are not known.
        most_usd: of a call that is answered at once, at the most; None if prices are not known.
    """

    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    most_usd: Decimal | None


class Extractor(Protocol):
    """A model that finds entities and relations."""

    @property
    def model(self) -> str:
        """The model's name; answers of one are not taken for those of another."""
        ...

    @property
    def version(self) -> str:
        """Of what it is asked; another one asks anew."""
        ...

    def estimate(self, passages: Sequence[ShownPassage]) -> CallEstimate:
        """Return what showing these passages in one call is likely to take."""
        ...

    async def extract(self, passages: Sequence[ShownPassage]) -> Extraction:
        """Return what is found in passages, in one call.

        Raises:
            StructureInvalidError: the answer cannot be read; it was paid for all the same.
            LatticeError: nobody answered.
        """
        ...


def plan_batches(passages: Sequence[ShownPassage]) -> list[list[int]]:
    """Return which passages are shown together, by their places, in order."""
    batches: list[list[int]] = []
    room = 0
    for place, passage in enumerate(passages):
        if not batches or passage.tokens > room or len(batches[-1]) == BATCH_PASSAGES:
            batches.append([])
            room = BATCH_TOKENS
        batches[-1].append(place)
        room -= passage.tokens
    return batches

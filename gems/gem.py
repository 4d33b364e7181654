"""A gem as its users see it, and the rules for what may be written into one."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core.errors import InvalidInputError
from core.text import clean_object, clean_string
from gems.state import QuantumState, evolve

NAME_LENGTH = 200
DESCRIPTION_LENGTH = 10_000


@dataclass(frozen=True, slots=True)
class Gem:
    """A gem with its state evolved to the moment it was read.

    Attributes:
        feedback: F_n, the weighted mean of ratings in [−1, 1]; 0 with none.
        version: rises with each write of knowledge.
        slots: how many passages it was ever given.
        speakers: who speaks in its threads.
        merged_into: the gem that took over what it held; None unless that archived it.
    """

    gem_id: UUID
    name: str
    description: str
    metadata: Mapping[str, Any]
    state: QuantumState[float]
    measured_at: datetime
    feedback: float
    ratings: int
    version: int
    slots: int
    speakers: tuple[str, ...]
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True)
class GemChange:
    """What to write into a gem; None leaves as it is."""

    name: str | None = None
    description: str | None = None
    metadata: Mapping[str, Any] | None = None

    def checked(self) -> "GemChange":
        """Return the change as it will be stored.

        Raises:
            InvalidInputError: a name that is empty or too long, or metadata that is not JSON.
        """
        name = None if self.name is None else clean_string(self.name, "name", NAME_LENGTH).strip()
        if name is not None and all(unicodedata.category(character)[0] in "CZ" for character in name):
            raise InvalidInputError("name", "must hold a visible character")
        description = self.description
        if description is not None:
            description = clean_string(description, "description", DESCRIPTION_LENGTH)
        metadata = None if self.metadata is None else clean_object(self.metadata, "metadata")
        return GemChange(name, description, metadata)


def to_gem(row: Mapping[str, Any], now: datetime, time_unit: timedelta) -> Gem:
    """Turn a stored row into a gem as it is at `now`; a moment before the last measurement counts as that one."""
    elapsed = max(timedelta(0), now - row["measured_at"]) / time_unit
    state = QuantumState(row["energy"], row["phase"], row["coherence"], row["uncertainty"])
    return Gem(
        gem_id=row["gem_id"],
        name=row["name"],
        description=row["description"],
        metadata=row["meta"],
        state=evolve(state, elapsed),
        measured_at=row["measured_at"],
        feedback=row["feedback"],
        ratings=row["ratings"],
        version=row["version"],
        slots=row["next_slot"],
        speakers=tuple(row["speakers"]),
        archived_at=row["archived_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        merged_into=row["merged_into"],
    )

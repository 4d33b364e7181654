"""What a snapshot is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Scope = Literal["gem", "lattice"]
Reason = Literal["asked", "safety"]


@dataclass(frozen=True, slots=True)
class HeldGem:
    """A gem of a snapshot, whether or not it is still there.

    Attributes:
        name: as it was.
        counts: rows of each table.
        sha256: over all that is held of it.
    """

    gem_id: UUID
    name: str
    counts: Mapping[str, int]
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of a gem or of the whole lattice.

    Attributes:
        reason: `asked`, or `safety` for one that a restore took before it began.
        model: that made the vectors; None if there were none.
        size_bytes: of all its contents, unpacked.
        added_bytes: of those that no earlier snapshot held, as they are stored.
        sha256: over its gems.
        gem_count: gems that it holds, with so many `documents` and `passages`.
        gems: these; empty where snapshots of the lattice are listed.
    """

    snapshot_id: UUID
    scope: Scope
    reason: Reason
    note: str
    model: str | None
    dimension: int | None
    size_bytes: int
    added_bytes: int
    sha256: bytes
    taken_at: datetime
    gem_count: int
    documents: int
    passages: int
    gems: tuple[HeldGem, ...]

    @property
    def gem_id(self) -> UUID | None:
        """The gem that it is of; None if it is of the lattice."""
        return self.gems[0].gem_id if self.scope == "gem" and self.gems else None


def to_snapshot(row: Mapping[str, Any], held: Sequence[Mapping[str, Any]]) -> Snapshot:
    """Turn rows of a snapshot and of its gems into one."""
    gems = tuple(HeldGem(each["gem_id"], each["name"], each["counts"], bytes(each["sha256"])) for each in held)
    return Snapshot(**{**row, "sha256": bytes(row["sha256"])}, gems=gems)

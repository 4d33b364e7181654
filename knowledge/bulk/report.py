"""What a bulk load did so far, told apart by phase."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from knowledge.ingest import IngestReport
from knowledge.sources import SourceProblem

Phase = Literal["load", "seal", "index"]
PROBLEMS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class BulkReport:
    """What a bulk load did so far, or in all.

    Attributes:
        phase: what is being done.
        read: share of the files' bytes that is done with, in [0, 1].
        gems: what was stored, by gem.
        problems: the first PROBLEMS_KEPT of the rows that were passed over.
        failed: how many there are of them.
        sealed: passages that were given their words after the load.
        load_s: time spent on reading and storing rows.
        seal_s: on words and mentions.
        index_s: on making the vector index again; 0 if it stayed live.
    """

    phase: Phase = "load"
    read: float = 0.0
    gems: Mapping[UUID, IngestReport] = field(default_factory=dict)
    problems: tuple[SourceProblem, ...] = ()
    failed: int = 0
    sealed: int = 0
    load_s: float = 0.0
    seal_s: float = 0.0
    index_s: float = 0.0

    @property
    def total(self) -> IngestReport:
        """The sum over all gems."""
        names = ("documents", "replaced", "skipped", "passages")
        sums = {name: sum(getattr(report, name) for report in self.gems.values()) for name in names}
        return IngestReport(**sums, seconds=self.load_s + self.seal_s + self.index_s)

"""One attempt at an ingestion, and what ends it between two batches."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from knowledge.jobs.store import IngestionRecord
from knowledge.jobs.tally import Tally


class InterruptedRunError(Exception):
    """What ends a run that took too long, or one of many that came no further; the message says so."""


class StopError(Exception):
    """What ends a run between two batches: it was cancelled, or another run has taken its place."""

    def __init__(self, *, is_taken_over: bool = False) -> None:
        super().__init__("taken over" if is_taken_over else "cancelled")
        self.is_taken_over = is_taken_over


@dataclass(slots=True)
class Run:
    """One attempt at an ingestion, as whoever watches it in this process sees it.

    Attributes:
        record: as it was when the run began.
        total: how many rows there are, nearly until all are read.
        stop: why it must end, once that is known.
    """

    tenant: UUID
    record: IngestionRecord
    tally: Tally
    total: int | None = None
    stop: StopError | None = None
    touched: set[UUID] = field(default_factory=set)
    started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Of work on the ingestion, this run and those before it."""
        return self.record.seconds + time.perf_counter() - self.started

    @property
    def seen(self) -> IngestionRecord:
        """The ingestion as it stands now, whether or not that is stored yet."""
        return replace(self.record, counts=self.tally.counts, seconds=self.seconds, total=self.total)

    def check(self) -> None:
        """End the run if it must end.

        Raises:
            StopError: it must.
        """
        if self.stop is not None:
            raise self.stop


Watch = Callable[[Run], None]

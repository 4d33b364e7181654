"""Documents that nobody need resume, of trials and the demo, into gems: stored and counted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from api.service import Service
from knowledge import IngestReport, SourceDocument, SourceProblem
from knowledge.jobs import Feeding, Tally, add_reports, number_rows

PROBLEMS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What was taken in so far, or in all.

    Attributes:
        gems: by the gem's name.
        problems: the first PROBLEMS_KEPT of what could not be stored.
        failed: how many there are of them.
        rows: how many there are in all, nearly; None if nobody can tell.
    """

    gems: dict[str, IngestReport] = field(default_factory=dict)
    problems: tuple[SourceProblem, ...] = ()
    failed: int = 0
    rows: int | None = None

    @property
    def total(self) -> IngestReport:
        """The sum over all gems."""
        total = IngestReport()
        for report in self.gems.values():
            total = add_reports(total, report)
        return total


async def take_in(
    service: Service,
    rows: Iterable[SourceDocument | SourceProblem],
    choose_gem: Callable[[SourceDocument], str],
    progress: Callable[[IntakeReport], None],
) -> IntakeReport:
    """Store what sources hold, in gems that are made where they are missing.

    Args:
        service: whose lattice.
        rows: read in a worker thread as needed.
        choose_gem: the name of the gem that a document goes to.
        progress: called with the sums so far.

    Raises:
        LatticeError: as `Ingestion.ingest`; what was stored before stays.
    """
    tally = Tally()

    def report() -> IntakeReport:
        problems = tuple(each.problem for each in tally.problems[:PROBLEMS_KEPT])
        return IntakeReport(dict(tally.gems), problems, tally.counts.failed)

    feeding = Feeding(service.tenant, service.ingestion, service.gems, service.at, tally, lambda: progress(report()))
    await feeding.feed_chosen(choose_gem, number_rows(iter(rows), lambda: None))
    return report()

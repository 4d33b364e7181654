"""Documents from sources into gems: read by the window, sorted by the gem they go to, counted."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from api.service import Service
from knowledge import IngestReport, SourceDocument, SourceProblem

WINDOW_DOCUMENTS = 2_000
WINDOW_CHARACTERS = 8_000_000
PROBLEMS_KEPT = 1_000

Rows = Iterable[SourceDocument | SourceProblem]


@dataclass(frozen=True, slots=True)
class Window:
    """As many documents as are read before the first of them is stored, and what could not be read among them."""

    documents: tuple[SourceDocument, ...]
    problems: tuple[SourceProblem, ...]
    is_last: bool


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What was taken in so far, or in all.

    Attributes:
        read: documents read from the sources; all there are once `is_read`.
        gems: by the gem's name.
        problems: the first PROBLEMS_KEPT of what could not be read.
        failed: how many there are of them.
    """

    read: int = 0
    is_read: bool = False
    gems: dict[str, IngestReport] = field(default_factory=dict)
    problems: tuple[SourceProblem, ...] = ()
    failed: int = 0

    @property
    def total(self) -> IngestReport:
        """The sum over all gems."""
        total = IngestReport()
        for report in self.gems.values():
            total = add_reports(total, report)
        return total


def add_reports(one: IngestReport, other: IngestReport) -> IngestReport:
    """Return what two ingestions, one after the other, did together."""
    return IngestReport(*(getattr(one, name) + getattr(other, name) for name in IngestReport.__slots__))


def read_windows(rows: Rows) -> Iterator[Window]:
    """Read sources by the window; the last one may be empty."""
    documents: list[SourceDocument] = []
    problems: list[SourceProblem] = []
    characters = 0
    for row in rows:
        if isinstance(row, SourceProblem):
            problems.append(row)
            continue
        documents.append(row)
        characters += len(row.text)
        if len(documents) >= WINDOW_DOCUMENTS or characters >= WINDOW_CHARACTERS:
            yield Window(tuple(documents), tuple(problems), is_last=False)
            documents, problems, characters = [], [], 0
    yield Window(tuple(documents), tuple(problems), is_last=True)


def sort_by_gem(
    documents: Iterable[SourceDocument], choose_gem: Callable[[SourceDocument], str]
) -> dict[str, list[SourceDocument]]:
    """Part documents by the gem they go to, each part in the order of reading."""
    parts: dict[str, list[SourceDocument]] = {}
    for document in documents:
        parts.setdefault(choose_gem(document), []).append(document)
    return parts


async def take_in(
    service: Service,
    rows: Rows,
    choose_gem: Callable[[SourceDocument], str],
    progress: Callable[[IntakeReport], None],
) -> IntakeReport:
    """Store what sources hold, in gems that are made where they are missing.

    Args:
        service: whose lattice.
        rows: read in a worker thread, a window at a time.
        choose_gem: the name of the gem that a document goes to.
        progress: called with the sums so far.

    Raises:
        LatticeError: as `Ingestion.ingest`; what was stored before stays.
    """
    report = IntakeReport()
    said = defaultdict[str, Counter[bytes]](Counter)
    windows = read_windows(rows)
    while window := await asyncio.to_thread(next, windows, None):
        report = replace(
            report,
            read=report.read + len(window.documents),
            is_read=window.is_last,
            problems=(*report.problems, *window.problems)[:PROBLEMS_KEPT],
            failed=report.failed + len(window.problems),
        )
        progress(report)
        for name, documents in sort_by_gem(window.documents, choose_gem).items():
            report = await _take_part(service, name, documents, report, progress, said=said[name])
    return report


async def _take_part(
    service: Service,
    name: str,
    documents: list[SourceDocument],
    report: IntakeReport,
    progress: Callable[[IntakeReport], None],
    *,
    said: Counter[bytes],
) -> IntakeReport:
    gem = await service.gems.ensure(service.tenant, name, service.at())
    before = report.gems.get(name, IngestReport())

    def advanced(part: IngestReport) -> IntakeReport:
        return replace(report, gems={**report.gems, name: add_reports(before, part)})

    done = await service.ingestion.ingest(
        service.tenant, gem.gem_id, documents, service.at(), lambda part: progress(advanced(part)), said=said
    )
    return advanced(done)

"""Rows into gems: all into one as they come, or by the window, sorted by the gem that each names."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from core.errors import GemArchivedError, GemNotFoundError, InvalidInputError, LatticeError
from gems import Gem, Gems, Moment
from knowledge.cutting import check_given
from knowledge.documents import SourceDocument
from knowledge.ingest import Ingestion, IngestReport
from knowledge.jobs.rows import Numbered, Row, Said
from knowledge.jobs.tally import Tally, add_reports, subtract_reports
from knowledge.sources import SourceProblem

WINDOW_DOCUMENTS = 2_000
WINDOW_CHARACTERS = 8_000_000

NumberedDocument = tuple[int, SourceDocument]
ChooseGem = Callable[[SourceDocument], str]


@dataclass(slots=True)
class Feeding:
    """One run of rows into gems.

    Attributes:
        tally: counts them.
        progress: called when something was stored; what it raises ends the run, and what was stored stays.
        said: turns without an id, counted for each gem that rows choose; under "" if they choose none.
        touched: ids of the gems that were written into.
    """

    tenant: UUID
    ingestion: Ingestion
    gems: Gems
    at: Callable[[], Moment]
    tally: Tally
    progress: Callable[[], None]
    said: Said = field(default_factory=lambda: defaultdict(Counter))
    touched: set[UUID] = field(default_factory=set)

    async def feed_one(self, gem: Gem, rows: Iterator[Numbered]) -> None:
        """Store all rows in one gem; the embedder is never idle.

        Raises:
            LatticeError: as `Ingestion.ingest`; what was stored before stays.
        """
        self.touched.add(gem.gem_id)
        did = IngestReport()
        rows = self._check_given(rows)

        def advance(report: IngestReport) -> None:
            nonlocal did
            new, did = subtract_reports(report, did), report
            self.tally.settle(new)
            self.tally.gems[gem.name] = report
            self.progress()

        await self.ingestion.ingest(
            self.tenant, gem.gem_id, self._hand_out(rows), self.at(), advance, said=self.said[""]
        )
        self.tally.settle(IngestReport())  # problems after the last document
        self.progress()

    async def feed_chosen(self, choose: ChooseGem, rows: Iterator[Numbered]) -> None:
        """Store each row in the gem that it chooses; a row whose gem cannot take it is a problem of that row.

        Windows that go to one gem follow each other without a pause, as in `feed_one`.

        Raises:
            LatticeError: as `Ingestion.ingest`; what was stored before stays.
        """
        windows = self._read_windows(self._check_given(rows))
        window = await asyncio.to_thread(next, windows, None)
        while window is not None:
            parts = sort_by_gem(window, choose)
            if len(parts) == 1:
                (name,) = parts
                stretch = _Stretch(window, windows, partial(_goes_to, name, choose))
                _, refused = await self._store(name, iter(stretch), stretch, self.tally.settle)
                self.tally.settle(IngestReport(), refused, len(refused))
                window = stretch.following
            else:
                did, refused = IngestReport(), dict[int, SourceProblem]()
                for name, part in parts.items():
                    one, other = await self._store(name, iter(part), None, lambda _: None)
                    did, refused = add_reports(did, one), refused | other
                self.tally.settle(did, refused, len(window))
                window = await asyncio.to_thread(next, windows, None)
            self.progress()
        self.tally.settle(IngestReport())  # problems after the last document
        self.progress()

    def _check_given(self, rows: Iterator[Numbered]) -> Iterator[Numbered]:
        """Make a problem of each row that brings an embedding of another model; it must not end the others."""
        embedder = self.ingestion.embedder
        for number, row in rows:
            checked: Row = row
            if isinstance(row, SourceDocument):
                try:
                    check_given(row, embedder.model, embedder.dimension)
                except InvalidInputError as e:
                    checked = _refuse(number, row, e)
            yield number, checked

    def _hand_out(self, rows: Iterator[Numbered]) -> Iterator[SourceDocument]:
        for number, row in rows:
            self.tally.take(number, row)
            if isinstance(row, SourceDocument):
                yield row

    def _read_windows(self, rows: Iterator[Numbered]) -> Iterator[list[NumberedDocument]]:
        window: list[NumberedDocument] = []
        characters = 0
        for number, row in rows:
            self.tally.take(number, row)
            if isinstance(row, SourceProblem):
                continue
            window.append((number, row))
            characters += len(row.text)
            if len(window) >= WINDOW_DOCUMENTS or characters >= WINDOW_CHARACTERS:
                yield window
                window, characters = [], 0
        if window:
            yield window

    async def _store(
        self,
        name: str,
        documents: Iterator[NumberedDocument],
        stretch: "_Stretch | None",
        settle: Callable[[IngestReport], None],
    ) -> tuple[IngestReport, dict[int, SourceProblem]]:
        """Store documents in the gem of this name; return what was done, and which it cannot take."""
        before = self.tally.gems.get(name, IngestReport())
        did = IngestReport()
        waiting: deque[NumberedDocument] = deque()

        def hand_out() -> Iterator[SourceDocument]:
            for each in documents:
                waiting.append(each)
                yield each[1]

        def advance(report: IngestReport) -> None:
            nonlocal did
            new, did = subtract_reports(report, did), report
            for _ in range(new.documents + new.skipped):
                waiting.popleft()
            self.tally.gems[name] = add_reports(before, report)
            settle(new)
            self.progress()

        try:
            gem = await self.gems.ensure(self.tenant, name, self.at())
            self.touched.add(gem.gem_id)
            await self.ingestion.ingest(self.tenant, gem.gem_id, hand_out(), self.at(), advance, said=self.said[name])
        except (GemArchivedError, GemNotFoundError, InvalidInputError) as e:
            if stretch is not None:
                stretch.is_closing = True
            left = [*waiting, *documents]
            return did, {number: _refuse(number, each, e) for number, each in left}
        return did, {}


def _refuse(number: int, document: SourceDocument, error: LatticeError) -> SourceProblem:
    if document.place is not None:
        return SourceProblem(document.place.name, error.message, document.place.line)
    return SourceProblem(document.source or "row", f"{error.message} (row {number + 1:,} of all)")


def _goes_to(name: str, choose: ChooseGem, window: list[NumberedDocument]) -> bool:
    return all(choose(document) == name for _, document in window)


class _Stretch:
    """Documents of windows in a row that go to one gem; the window after them is kept."""

    def __init__(
        self,
        window: list[NumberedDocument],
        windows: Iterator[list[NumberedDocument]],
        belongs: Callable[[list[NumberedDocument]], bool],
    ) -> None:
        self._window, self._windows, self._belongs = window, windows, belongs
        self.is_closing = False
        self.following: list[NumberedDocument] | None = None

    def __iter__(self) -> Iterator[NumberedDocument]:
        window: list[NumberedDocument] | None = self._window
        while window is not None:
            yield from window
            if self.is_closing:
                self.following = next(self._windows, None)
                return
            window = next(self._windows, None)
            if window is not None and not self._belongs(window):
                self.following = window
                return


def sort_by_gem(documents: Iterable[NumberedDocument], choose: ChooseGem) -> dict[str, list[NumberedDocument]]:
    """Part documents by the gem they go to, each part in the order of reading."""
    parts: dict[str, list[NumberedDocument]] = {}
    for number, document in documents:
        parts.setdefault(choose(document), []).append((number, document))
    return parts

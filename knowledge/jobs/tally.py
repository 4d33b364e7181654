"""What an ingestion has dealt with, counted in the order of reading, so that another run can go on from there. Pure."""

import hashlib
from collections import deque
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from knowledge.documents import SourceDocument
from knowledge.ingest import IngestReport
from knowledge.sources import SourceProblem

_MODULUS = 2**128


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows were read, and what became of them: `read` is `stored` + `skipped` + `failed`.

    Attributes:
        read: rows dealt with for good, from the first one on without a gap.
        stored: new documents and replaced ones.
        replaced: of those, the ones that took the place of an older text of the same id.
        skipped: documents that were stored already as they are.
        failed: rows that could not be read or stored.
    """

    read: int = 0
    stored: int = 0
    replaced: int = 0
    skipped: int = 0
    failed: int = 0
    passages: int = 0


@dataclass(frozen=True, slots=True)
class NumberedProblem:
    """What could not be stored, with its place among all rows."""

    number: int
    problem: SourceProblem


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    digest: int
    problem: SourceProblem | None


def digest_row(number: int, document: SourceDocument) -> int:
    """Return 128 bits that tell whether a row is still the one that was read; their sum tells it of many."""
    told = (document.external_id, document.title, document.thread, document.speaker, document.gem, document.text)
    data = "\0".join([str(number), *("" if each is None else each for each in told)])
    return int.from_bytes(hashlib.blake2b(data.encode(), digest_size=16).digest())


def add_reports(one: IngestReport, other: IngestReport) -> IngestReport:
    """Return what two ingestions, one after the other, did together."""
    return IngestReport(*(getattr(one, name) + getattr(other, name) for name in IngestReport.__slots__))


def subtract_reports(whole: IngestReport, part: IngestReport) -> IngestReport:
    """Return what an ingestion did after it had done a part."""
    return IngestReport(*(getattr(whole, name) - getattr(part, name) for name in IngestReport.__slots__))


class Tally:
    """Counts rows when all before them are dealt with too.

    Rows are taken in the thread that reads and settled in the loop that stores, in the same order.

    Attributes:
        counts: of all runs together.
        fingerprint: the sum of the digests of all documents dealt with.
        gems: what this run did in each gem.
        problems: of this run, not stored yet.
        mended: rows that failed before and are stored now, not yet told to the store.
    """

    def __init__(self, counts: Counts = Counts(), fingerprint: int = 0, again: Set[int] = frozenset()) -> None:
        self.counts, self.fingerprint = counts, fingerprint
        self.gems: dict[str, IngestReport] = {}
        self.problems: list[NumberedProblem] = []
        self.mended: list[int] = []
        self._again = again
        self._taken: deque[_Row] = deque()

    def take(self, number: int, row: SourceDocument | SourceProblem) -> None:
        """Remember a row that was read."""
        if isinstance(row, SourceProblem):
            self._taken.append(_Row(number, 0, row))
        else:
            self._taken.append(_Row(number, digest_row(number, row), None))

    def settle(
        self, did: IngestReport, refused: Mapping[int, SourceProblem] | None = None, documents: int | None = None
    ) -> None:
        """Count the next documents, with the problems among them and those that follow.

        Args:
            did: what was done to them.
            refused: those that could not be stored, by number.
            documents: how many there are; unless given, as many as were stored or skipped.
        """
        left = did.documents + did.skipped if documents is None else documents
        counts = self.counts
        read, failed = counts.read, counts.failed
        while self._taken and (left > 0 or self._taken[0].problem is not None):
            row = self._taken.popleft()
            left -= row.problem is None
            problem = row.problem or (refused or {}).get(row.number)
            is_again = row.number in self._again
            read, failed = read + (not is_again), failed + (problem is not None) - is_again
            if problem is not None:
                self.problems.append(NumberedProblem(row.number, problem))
                continue
            self.fingerprint = (self.fingerprint + row.digest) % _MODULUS
            if is_again:
                self.mended.append(row.number)
        self.counts = replace(
            counts,
            read=read,
            failed=failed,
            stored=counts.stored + did.documents,
            replaced=counts.replaced + did.replaced,
            skipped=counts.skipped + did.skipped,
            passages=counts.passages + did.passages,
        )

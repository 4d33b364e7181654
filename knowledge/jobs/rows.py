"""The rows of an ingestion: its sources opened, every row numbered, what an earlier run dealt with passed over."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from knowledge.documents import SourceDocument, content_hash
from knowledge.jobs.tally import digest_row
from knowledge.sources import SourceProblem, estimate_rows, read_sources, read_upload

Row: TypeAlias = SourceDocument | SourceProblem
Numbered: TypeAlias = tuple[int, Row]
Said: TypeAlias = defaultdict[str, Counter[bytes]]

NO_NAME = "standard input"  # a body under this name is no file: another one does not replace it


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A source that can be read.

    Attributes:
        name: by which its problems are told.
        format: of a body, as a file's ending; None goes by the ending of `path`.
        path: of a file or folder; of a body's own file if it has a format.
    """

    name: str
    format: str | None
    path: Path


@dataclass(frozen=True, slots=True)
class Survey:
    """What of an input was dealt with before, as it reads now.

    Attributes:
        fingerprint: the sum of the digests of its documents.
        said: how often each turn without an id was said, by the gem's key.
        read: how many rows there were.
    """

    fingerprint: int
    said: Said
    read: int


def read_all(sources: Sequence[OpenSource], within: Path | None) -> Iterator[Row]:
    """Read sources in their order; paths that stand together are read together, so that one name counts once.

    Args:
        sources: what is to be read.
        within: the folder that files named by a path must lie in.
    """
    for is_body, group in groupby(sources, key=lambda each: each.format is not None):
        if not is_body:
            yield from read_sources([each.path for each in group], within=within)
            continue
        for source in group:
            with source.path.open("rb") as stream:
                external_id = None if source.name == NO_NAME else source.name
                yield from read_upload(stream, source.name, source.format or "", external_id=external_id)


def estimate(sources: Sequence[OpenSource]) -> int:
    """Return how many rows sources hold, nearly."""
    return sum(estimate_rows([each.path]) for each in sources)


def number_rows(rows: Iterator[Row], check: Callable[[], None]) -> Iterator[Numbered]:
    """Number rows from 0; `check` is called before each and may raise."""
    for number, row in enumerate(rows):
        check()
        yield number, row


def survey(rows: Iterator[Numbered], read: int, failed: Set[int], key: Callable[[SourceDocument], str]) -> Survey:
    """Read the rows that were dealt with before; the iterator stands after them.

    Args:
        rows: from the first one on.
        read: how many there were.
        failed: those of them that could not be stored: what they say now counts for nothing.
        key: of the gem that a document goes to.
    """
    fingerprint, found = 0, 0
    said: Said = defaultdict(Counter)
    while found < read and (numbered := next(rows, None)) is not None:
        number, row = numbered
        found += 1
        if isinstance(row, SourceProblem) or number in failed:
            continue
        fingerprint = (fingerprint + digest_row(number, row)) % 2**128
        if row.thread is not None and row.external_id is None:
            said[key(row)][content_hash(row)] += 1
    return Survey(fingerprint, said, found)

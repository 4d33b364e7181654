"""A block of a file made ready to be written: what the loader's worker processes do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from tokenizers import Tokenizer

from core.errors import InvalidInputError
from knowledge.bulk.copying import BulkRow, pack_rows
from knowledge.bulk.counting import TokenCounter
from knowledge.bulk.rows import Block, read_block
from knowledge.cutting import check_given
from knowledge.documents import SourceDocument, content_hash
from knowledge.sources import SourceProblem


@dataclass(frozen=True, slots=True)
class Preparation:
    """How blocks are made ready.

    Attributes:
        tokenizer: that counts a passage's tokens, as JSON.
        model: of the lattice's embeddings.
        dimension: of these.
    """

    tokenizer: str = field(repr=False)
    model: str
    dimension: int


@dataclass(frozen=True, slots=True)
class Part:
    """What a block holds for one gem.

    Attributes:
        gem: the name of the gem that the rows ask for; None if they ask for none.
        rows: how many are in `copy`, each of another identity.
        copy: as `pack_rows` makes it.
        speakers: of these rows.
        skipped: rows that say the same as one before them.
        aside: documents that need the ordinary way, in order: of a thread, with relations, without an embedding …
    """

    gem: str | None
    rows: int
    copy: bytes = field(repr=False)
    speakers: tuple[str, ...]
    skipped: int
    aside: tuple[SourceDocument, ...]


@dataclass(frozen=True, slots=True)
class PreparedBlock:
    """What is written for one block; problems are numbered from its first line."""

    parts: tuple[Part, ...]
    problems: tuple[SourceProblem, ...]
    lines: int


def prepare_block(block: Block, preparation: Preparation) -> PreparedBlock:
    """Read, check, hash, count and pack the rows of a block."""
    read = read_block(block)
    problems = list(read.problems)
    by_gem: dict[str | None, list[SourceDocument]] = {}
    for document in read.documents:
        try:
            check_given(document, preparation.model, preparation.dimension)
        except InvalidInputError as error:
            name = document.external_id or f"{document.text:.40}"
            line = None if document.place is None else document.place.line
            problems.append(SourceProblem(block.source, f"{name}: {error.message}", line))
        else:
            by_gem.setdefault(document.gem, []).append(document)
    counter = _counter(preparation.tokenizer)
    parts = tuple(_prepare_part(gem, found, counter, preparation.dimension) for gem, found in by_gem.items())
    return PreparedBlock(parts, tuple(problems), read.lines)


def _prepare_part(gem: str | None, documents: Sequence[SourceDocument], counter: TokenCounter, dimension: int) -> Part:
    hashes = [content_hash(document) for document in documents]
    identities = [document.external_id or digest for document, digest in zip(documents, hashes, strict=True)]
    first: dict[str | bytes, bytes] = {}
    apart = set()
    for document, identity, digest in zip(documents, identities, hashes, strict=True):
        if first.setdefault(identity, digest) != digest or not _stands_alone(document):
            apart.add(identity)
    seen: set[str | bytes] = set()
    rows, aside = [], []
    for document, identity, digest in zip(documents, identities, hashes, strict=True):
        if identity in apart:
            aside.append(document)
        elif identity not in seen:
            seen.add(identity)
            rows.append(_to_row(document, digest, counter))
    return Part(
        gem=gem,
        rows=len(rows),
        copy=pack_rows(rows, dimension) if rows else b"",
        speakers=tuple(sorted({row.document.speaker for row in rows if row.document.speaker})),
        skipped=len(documents) - len(rows) - len(aside),
        aside=tuple(aside),
    )


def _stands_alone(document: SourceDocument) -> bool:
    """Tell whether a document is stored without a look at any other."""
    return document.embedding is not None and not (document.thread or document.relations or document.supersedes)


def _to_row(document: SourceDocument, digest: bytes, counter: TokenCounter) -> BulkRow:
    text = document.text
    start = len(text) - len(text.lstrip())
    passage = text.strip()
    return BulkRow(document, digest, start, start + len(passage), counter.count([passage])[0])


@lru_cache(maxsize=1)
def _counter(tokenizer: str) -> TokenCounter:
    """Return this process's counter: what it learnt of one block serves the next."""
    return TokenCounter(Tokenizer.from_str(tokenizer))

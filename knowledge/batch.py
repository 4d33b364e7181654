"""What a batch of documents does to a gem: which are new, which replace, what is indexed anew. Pure."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from knowledge.chunking import Chunk
from knowledge.context import Context
from knowledge.documents import SourceDocument
from knowledge.lexical import Entry
from knowledge.threads import Indexed, Neighbours, ThreadPassage, find_contexts, plan_thread


@dataclass(frozen=True, slots=True)
class CutDocument:
    """A document with its passages, not yet compared with what is stored."""

    document: SourceDocument
    content_hash: bytes
    chunks: tuple[Chunk, ...]
    tokens: tuple[int, ...]

    @property
    def identity(self) -> str | bytes:
        """What makes it the same document: the caller's id or, without one, the content."""
        return self.document.external_id or self.content_hash


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A stored document that one of a batch may equal or replace."""

    document_id: UUID
    content_hash: bytes
    thread: str | None
    position: int | None


@dataclass(frozen=True, slots=True)
class PlannedPassage:
    """A passage to be stored."""

    passage_id: UUID
    ordinal: int
    chunk: Chunk
    tokens: int


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """A document to be stored under an id that is new or that of the one it replaces."""

    document_id: UUID
    cut: CutDocument
    position: int | None
    passages: tuple[PlannedPassage, ...]
    replaces: KnownDocument | None


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """All that one transaction writes.

    Attributes:
        documents: to be stored, in the order they came.
        removed: documents to be deleted.
        fresh: what is indexed of each new passage, by id.
        reindexed: stored passages whose terms changed with their neighbours.
        reembedded: new contexts of stored passages, by id.
        moved: new neighbours of stored passages, by id.
        tombstones: slots of passages that go.
        tokens: change in the sum of weighted lengths of what is stored already, in twentieths.
        skipped: documents that are stored as they are.
    """

    documents: tuple[PlannedDocument, ...]
    removed: tuple[UUID, ...]
    fresh: Mapping[UUID, Indexed]
    reindexed: tuple[Entry, ...]
    reembedded: Mapping[UUID, Context]
    moved: Mapping[UUID, Neighbours]
    tombstones: tuple[int, ...]
    tokens: int
    skipped: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.documents and not self.removed

    @property
    def contexts(self) -> list[Context]:
        """All that must be embedded for it; equal ones may repeat."""
        fresh = (indexed.context for indexed in self.fresh.values())
        return [*(context for context in fresh if context is not None), *self.reembedded.values()]


Anchor = tuple[str, int]


def plan_documents(
    cuts: Sequence[CutDocument], known: Mapping[str | bytes, KnownDocument], ends: Mapping[str, int]
) -> tuple[list[PlannedDocument], int]:
    """Decide for each document of a batch whether it is new, replaces one, or is there already.

    Args:
        cuts: documents of distinct identities.
        known: what is stored, by identity.
        ends: the last position of each thread; threads that are not there are new.

    Returns:
        What is to be stored, and how many are skipped.
    """
    ends = dict(ends)
    planned = []
    ids = _new_ids()
    for cut in cuts:
        stored = known.get(cut.identity)
        if stored is not None and stored.content_hash == cut.content_hash:
            continue
        thread = cut.document.thread
        position = stored.position if stored is not None and stored.thread == thread else None
        if thread is not None and position is None:
            position = ends[thread] = ends.get(thread, -1) + 1
        passages = tuple(
            PlannedPassage(next(ids), ordinal, chunk, tokens)
            for ordinal, (chunk, tokens) in enumerate(zip(cut.chunks, cut.tokens, strict=True))
        )
        document_id = next(ids) if stored is None else stored.document_id
        planned.append(PlannedDocument(document_id, cut, position, passages, stored))
    return planned, len(cuts) - len(planned)


def _new_ids() -> Iterator[UUID]:
    """Yield random ids, as uuid4 makes them, without asking the system for each."""
    while True:
        random = os.urandom(16 * 256)
        yield from (UUID(bytes=random[i : i + 16], version=4) for i in range(0, len(random), 16))


def find_anchors(documents: Iterable[PlannedDocument], removed: Iterable[KnownDocument]) -> list[Anchor]:
    """Return the places in threads whose surroundings must be read to plan the change."""
    anchors = set()
    for document in documents:
        if document.cut.document.thread is not None and document.position is not None:
            anchors.add((document.cut.document.thread, document.position))
        if document.replaces is not None and document.replaces.thread is not None:
            anchors.add((document.replaces.thread, document.replaces.position or 0))
    anchors |= {(gone.thread, gone.position or 0) for gone in removed if gone.thread is not None}
    return sorted(anchors)


def plan_batch(
    documents: Sequence[PlannedDocument],
    removed: Sequence[KnownDocument],
    stored: Sequence[ThreadPassage],
    skipped: int = 0,
) -> BatchPlan:
    """Plan the whole write.

    Args:
        documents: from `plan_documents`.
        removed: documents to be deleted.
        stored: the passages around every anchor, and those of documents without a thread that are replaced or
            deleted.
        skipped: how many documents of the batch are stored as they are.
    """
    plans = [plan_thread(before, after) for before, after in _changed_threads(documents, removed, stored)]
    return BatchPlan(
        documents=tuple(documents),
        removed=tuple(gone.document_id for gone in removed),
        fresh={i: indexed for plan in plans for i, indexed in plan.fresh.items()},
        reindexed=tuple(entry for plan in plans for entry in plan.reindexed),
        reembedded={i: context for plan in plans for i, context in plan.reembedded.items()},
        moved={i: neighbours for plan in plans for i, neighbours in plan.moved.items()},
        tombstones=tuple(sorted(slot for plan in plans for slot in plan.removed)),
        tokens=sum(plan.tokens for plan in plans),
        skipped=skipped,
    )


def foresee_contexts(
    documents: Sequence[PlannedDocument], stored: Sequence[ThreadPassage], known: Set[str | bytes] = frozenset()
) -> list[Context]:
    """Return what `plan_batch` would have embedded, in a fraction of the time.

    Args:
        documents: from `plan_documents`.
        stored: as `plan_batch` takes them.
        known: identities of documents that only stand before the others, and are embedded already.
    """
    embedded = {p.passage_id for d in documents if d.cut.identity in known for p in d.passages}
    changes = (find_contexts(before, after) for before, after in _changed_threads(documents, (), stored))
    return [context for change in changes for i, context in change.items() if i not in embedded]


def _changed_threads(
    documents: Sequence[PlannedDocument], removed: Sequence[KnownDocument], stored: Sequence[ThreadPassage]
) -> Iterator[tuple[list[ThreadPassage], list[ThreadPassage]]]:
    leaving = {d.document_id for d in documents if d.replaces} | {gone.document_id for gone in removed}
    arriving = [passage for document in documents for passage in _thread_passages(document)]
    staying = [passage for passage in stored if passage.document_id not in leaving]
    before, after = _sequences(stored), _sequences([*staying, *arriving])
    for key in before.keys() | after.keys():
        yield before.get(key, []), after.get(key, [])


def _thread_passages(document: PlannedDocument) -> list[ThreadPassage]:
    source = document.cut.document
    return [
        ThreadPassage(
            passage_id=passage.passage_id,
            document_id=document.document_id,
            thread=source.thread,
            position=document.position or 0,
            ordinal=passage.ordinal,
            slot=None,
            body=passage.chunk.text,
            title=source.title,
            heading=passage.chunk.heading,
            speaker=source.speaker,
            occurred_at=source.occurred_at,
            given=source.embedding is not None,
        )
        for passage in document.passages
    ]


def _sequences(passages: Iterable[ThreadPassage]) -> dict[str, list[ThreadPassage]]:
    """Group passages by thread, in order; a passage without a thread stands alone."""
    keyed = [(str(p.passage_id) if p.thread is None else f"thread {p.thread}", p) for p in passages]
    keyed.sort(key=lambda pair: (pair[0], pair[1].place))
    return {key: [passage for _, passage in group] for key, group in groupby(keyed, key=lambda pair: pair[0])}

"""What a batch of documents does to a gem: which are new, which replace, what is indexed anew. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID, uuid4

from knowledge.chunking import Chunk
from knowledge.documents import SourceDocument
from knowledge.lexical import Entry
from knowledge.threads import Indexed, ThreadPassage, plan_thread


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
        reembedded: new context texts of stored passages, by id.
        tombstones: slots of passages that go.
        tokens: change in the sum of weighted lengths of what is stored already, in twentieths.
        skipped: documents that are stored as they are.
    """

    documents: tuple[PlannedDocument, ...]
    removed: tuple[UUID, ...]
    fresh: Mapping[UUID, Indexed]
    reindexed: tuple[Entry, ...]
    reembedded: Mapping[UUID, str]
    tombstones: tuple[int, ...]
    tokens: int
    skipped: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.documents and not self.removed

    @property
    def threads(self) -> frozenset[str]:
        """The threads that gain or lose a document."""
        entered = {d.cut.document.thread for d in self.documents}
        left = {d.replaces.thread for d in self.documents if d.replaces is not None}
        return frozenset(thread for thread in entered | left if thread is not None)


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
    for cut in cuts:
        stored = known.get(cut.identity)
        if stored is not None and stored.content_hash == cut.content_hash:
            continue
        thread = cut.document.thread
        position = stored.position if stored is not None and stored.thread == thread else None
        if thread is not None and position is None:
            position = ends[thread] = ends.get(thread, -1) + 1
        passages = tuple(
            PlannedPassage(uuid4(), ordinal, chunk, tokens)
            for ordinal, (chunk, tokens) in enumerate(zip(cut.chunks, cut.tokens, strict=True))
        )
        document_id = uuid4() if stored is None else stored.document_id
        planned.append(PlannedDocument(document_id, cut, position, passages, stored))
    return planned, len(cuts) - len(planned)


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
    stored: Sequence[tuple[str | None, ThreadPassage]],
    skipped: int = 0,
) -> BatchPlan:
    """Plan the whole write.

    Args:
        documents: from `plan_documents`.
        removed: documents to be deleted.
        stored: the passages around every anchor, and those of documents without a thread that are replaced or
            deleted, each with its thread.
        skipped: how many documents of the batch are stored as they are.
    """
    leaving = {d.document_id for d in documents if d.replaces} | {gone.document_id for gone in removed}
    arriving = [(d.cut.document.thread, p) for d in documents for p in _thread_passages(d)]
    staying = [(thread, p) for thread, p in stored if p.document_id not in leaving]
    before, after = _sequences(stored), _sequences([*staying, *arriving])
    plans = [plan_thread(before.get(key, []), after.get(key, [])) for key in before.keys() | after.keys()]
    return BatchPlan(
        documents=tuple(documents),
        removed=tuple(gone.document_id for gone in removed),
        fresh={i: indexed for plan in plans for i, indexed in plan.fresh.items()},
        reindexed=tuple(entry for plan in plans for entry in plan.reindexed),
        reembedded={i: text for plan in plans for i, text in plan.reembedded.items()},
        tombstones=tuple(sorted(slot for plan in plans for slot in plan.removed)),
        tokens=sum(plan.tokens for plan in plans),
        skipped=skipped,
    )


def _thread_passages(document: PlannedDocument) -> list[ThreadPassage]:
    source = document.cut.document
    return [
        ThreadPassage(
            passage_id=passage.passage_id,
            document_id=document.document_id,
            position=document.position or 0,
            ordinal=passage.ordinal,
            slot=None,
            body=passage.chunk.text,
            title=source.title,
            heading=passage.chunk.heading,
            speaker=source.speaker,
            occurred_at=source.occurred_at,
        )
        for passage in document.passages
    ]


def _sequences(
    passages: Iterable[tuple[str | None, ThreadPassage]],
) -> dict[str | UUID, list[ThreadPassage]]:
    """Group passages by thread, in order; a passage without a thread stands alone."""
    keyed = [(passage.passage_id if thread is None else f"thread {thread}", passage) for thread, passage in passages]
    keyed.sort(key=lambda pair: (str(pair[0]), pair[1].place))
    return {key: [passage for _, passage in group] for key, group in groupby(keyed, key=lambda pair: pair[0])}

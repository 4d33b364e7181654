"""Writing a planned batch: what one transaction does under the gem's lock. See docs/decisions/002."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from gems import Moment, advance_gem
from knowledge import store
from knowledge.batch import (
    BatchPlan,
    CutDocument,
    PlannedDocument,
    PlannedPassage,
    find_anchors,
    foresee_contexts,
    plan_batch,
    plan_documents,
)
from knowledge.context import PREVIOUS_PASSAGES, Context
from knowledge.graph.mentions import WrittenPassage, write_mentions
from knowledge.graph.relations import close_unsupported, write_relations
from knowledge.lexical import Segment, count_segments, seal
from knowledge.passages import Embedded, PassageRecord, insert_passages, update_around, update_readings
from knowledge.store import Connection
from knowledge.supersession import OpenedDocument, forget_supersessions, settle_documents
from knowledge.threads import slots_of

GIVEN = "given"  # the origin of relations that come with a document


@dataclass(frozen=True, slots=True)
class WriteAim:
    """Where a batch goes.

    Attributes:
        column: of the vectors, from `store.check_model`.
        at: the moment that passages are formed and documents closed.
    """

    gem_id: UUID
    column: str
    at: Moment


async def plan_cuts(conn: Connection, gem_id: UUID, cuts: Sequence[CutDocument]) -> BatchPlan:
    """Plan to store documents; reads only."""
    known, ends = await store.find_known(conn, gem_id, cuts)
    documents, skipped = plan_documents(cuts, known, ends)
    loose = [d.document_id for d in documents if d.replaces is not None and d.replaces.thread is None]
    stored = await store.read_stored(conn, gem_id, find_anchors(documents, []), loose)
    return await asyncio.to_thread(plan_batch, documents, [], stored, skipped)


async def plan_removal(conn: Connection, gem_id: UUID, document_ids: Sequence[UUID]) -> BatchPlan:
    """Plan to delete documents; reads only.

    Raises:
        DocumentNotFoundError: one of them is not in the gem.
    """
    removed = await store.get_known(conn, gem_id, document_ids)
    loose = [gone.document_id for gone in removed if gone.thread is None]
    stored = await store.read_stored(conn, gem_id, find_anchors([], removed), loose)
    return await asyncio.to_thread(plan_batch, [], removed, stored)


async def foresee(
    conn: Connection, gem_id: UUID, pending: Sequence[CutDocument], cuts: Sequence[CutDocument]
) -> list[Context]:
    """Return the contexts that documents will need once those before them, `pending`, are stored.

    A guess that costs little and is nearly always right: whoever writes asks for what is missing.
    """
    waiting = {cut.identity: cut for cut in pending}
    new = [cut for cut in cuts if cut.identity not in waiting or waiting[cut.identity].content_hash != cut.content_hash]
    before = _last_of_threads(pending, {cut.identity for cut in new})
    known, ends = await store.find_known(conn, gem_id, [*before, *new])
    documents, _ = plan_documents([*before, *new], known, ends)
    loose = [d.document_id for d in documents if d.replaces is not None and d.replaces.thread is None]
    stored = await store.read_stored(conn, gem_id, find_anchors(documents, []), loose)
    return await asyncio.to_thread(foresee_contexts, documents, stored, {cut.identity for cut in before})


async def write_plan(conn: Connection, aim: WriteAim, plan: BatchPlan, readings: Mapping[bytes, Embedded]) -> None:
    """Write a planned batch; the gem is locked, and `readings` holds every context of the plan by its key."""
    speakers = sorted({d.cut.document.speaker for d in plan.documents if d.cut.document.speaker})
    versions = count_segments(len(plan.fresh), len(plan.reindexed))
    version, first = await advance_gem(
        conn, aim.gem_id, versions=versions, slots=len(plan.fresh), speakers=speakers, now=aim.at.now
    )
    order = [passage.passage_id for document in plan.documents for passage in document.passages]
    slots = {passage_id: first + i for i, passage_id in enumerate(order)}
    forgotten = await _remove(conn, aim, plan)
    await _store(conn, aim, plan, readings, slots)
    entries = [replace(plan.fresh[passage_id].entry, slot=slot) for passage_id, slot in slots.items()]
    write = Segment(aim.gem_id, version, first, 0, 0, plan.tokens, tombstones=plan.tombstones)
    await seal(conn, write, entries, plan.reindexed)
    await _relate(conn, aim, plan.documents, slots, forgotten)


async def _remove(conn: Connection, aim: WriteAim, plan: BatchPlan) -> list[str]:
    replaced = [document.document_id for document in plan.documents if document.replaces is not None]
    forgotten = await forget_supersessions(conn, [*replaced, *plan.removed])
    await close_unsupported(conn, aim.gem_id, replaced, aim.at, "edited")
    await close_unsupported(conn, aim.gem_id, plan.removed, aim.at, "deleted")
    if plan.removed:
        await store.delete_documents(conn, plan.removed)
    return forgotten


async def _store(
    conn: Connection,
    aim: WriteAim,
    plan: BatchPlan,
    readings: Mapping[bytes, Embedded],
    slots: Mapping[UUID, int],
) -> None:
    if plan.documents:
        await store.put_documents(conn, aim.gem_id, plan.documents, aim.at.now)
        records = [
            _to_record(document, passage, plan, readings, slots)
            for document in plan.documents
            for passage in document.passages
        ]
        await insert_passages(conn, aim.gem_id, records, aim.column, aim.at.now)
    if plan.reembedded:
        again = {i: (context.key, readings[context.key]) for i, context in plan.reembedded.items()}
        await update_readings(conn, again, aim.column)
    if plan.moved:
        await update_around(conn, {i: slots_of(neighbours, slots) for i, neighbours in plan.moved.items()})


async def _relate(
    conn: Connection,
    aim: WriteAim,
    documents: Sequence[PlannedDocument],
    slots: Mapping[UUID, int],
    forgotten: Sequence[str],
) -> None:
    passages = [_to_written(document, passage, slots) for document in documents for passage in document.passages]
    if passages:
        await write_mentions(conn, aim.gem_id, passages)
    settled = await settle_documents(conn, aim.gem_id, documents, forgotten, aim.at)
    await close_unsupported(conn, aim.gem_id, settled.superseded, aim.at, "superseded")
    holding = [
        OpenedDocument(
            document.document_id,
            slots[document.passages[0].passage_id] if document.passages else None,
            document.cut.document.relations,
            document.cut.document.occurred_at,
        )
        for document in documents
        if document.document_id not in settled.closed
    ]
    known = {document.document_id for document in holding}
    holding += [document for document in settled.opened if document.document_id not in known]
    told = [(d.document_id, d.slot, d.relations, d.occurred_at) for d in holding if d.relations]
    if told:
        await write_relations(conn, aim.gem_id, told, aim.at, GIVEN)


def _to_record(
    document: PlannedDocument,
    passage: PlannedPassage,
    plan: BatchPlan,
    readings: Mapping[bytes, Embedded],
    slots: Mapping[UUID, int],
) -> PassageRecord:
    indexed = plan.fresh[passage.passage_id]
    key = None if indexed.context is None else indexed.context.key
    return PassageRecord(
        passage_id=passage.passage_id,
        document_id=document.document_id,
        ordinal=passage.ordinal,
        slot=slots[passage.passage_id],
        heading=passage.chunk.heading,
        body=passage.chunk.text,
        start_char=passage.chunk.start,
        end_char=passage.chunk.end,
        tokens=passage.tokens,
        around=slots_of(indexed.neighbours, slots),
        key=key,
        embedded=_given(document) if key is None else readings[key],
    )


def _last_of_threads(pending: Sequence[CutDocument], again: Set[str | bytes]) -> list[CutDocument]:
    """Return the last documents of each thread, all that contexts reach back to; those that come again are left out."""
    left: Counter[str | None] = Counter()
    last = []
    for cut in reversed(pending):
        thread = cut.document.thread
        if thread is not None and left[thread] < PREVIOUS_PASSAGES and cut.identity not in again:
            left[thread] += 1
            last.append(cut)
    return last[::-1]


def _given(document: PlannedDocument) -> Embedded:
    return Embedded(np.frombuffer(document.cut.document.embedding or b"", "<f4").astype(np.float32), None)


def _to_written(document: PlannedDocument, passage: PlannedPassage, slots: Mapping[UUID, int]) -> WrittenPassage:
    source = document.cut.document
    return WrittenPassage(
        slot=slots[passage.passage_id],
        text=passage.chunk.text,
        title=source.title,
        heading=passage.chunk.heading,
        speaker=source.speaker,
        thread=source.thread,
        entities=source.entities,
    )

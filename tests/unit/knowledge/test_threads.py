"""What is stored of a thread after any changes is what would be stored of it all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.batch import (
    BatchPlan,
    CutDocument,
    KnownDocument,
    PlannedDocument,
    find_anchors,
    foresee_contexts,
    plan_batch,
    plan_documents,
)
from knowledge.chunking import Chunk
from knowledge.context import Context
from knowledge.documents import SourceDocument, content_hash
from knowledge.lexical import Entry
from knowledge.threads import WINDOW, ThreadPassage, find_contexts, find_neighbours, index_passages, slots_of

WORDS = ("greyhound", "beach", "lighthouse", "harbour", "rain", "kayak", "gallery", "ferry")


def passage(slot: int | None, thread: str | None = "talk", *, place: int = 0, given: bool = False) -> ThreadPassage:
    body = WORDS[place % len(WORDS)]
    name = UUID(int=place + 1)
    return ThreadPassage(name, name, thread, place, 0, slot, body, None, None, "Ann", None, given)


def test_a_passage_knows_the_three_before_it_nearest_first_and_the_one_after() -> None:
    talk = [passage(10 + i, place=i) for i in range(6)]
    assert slots_of(find_neighbours(talk, 4), {}) == [13, 12, 11, 15]
    assert slots_of(find_neighbours(talk, 0), {}) == [-1, -1, -1, 11]
    assert slots_of(find_neighbours(talk, 5), {}) == [14, 13, 12, -1]


def test_a_passage_that_is_being_stored_is_known_by_the_slot_that_it_gets() -> None:
    talk = [passage(10, place=0), passage(None, place=1)]
    assert slots_of(find_neighbours(talk, 0), {UUID(int=2): 77}) == [-1, -1, -1, 77]


def test_a_passage_without_a_thread_has_no_neighbours() -> None:
    assert slots_of(find_neighbours([passage(3, None)], 0), {}) == []


def test_a_given_vector_is_not_made_anew_but_its_text_is_part_of_what_follows() -> None:
    talk = [passage(None, place=0), passage(None, place=1, given=True), passage(None, place=2)]
    contexts = [context.text for context in find_contexts([], talk).values()]
    assert contexts == ["Ann: greyhound", "Ann: lighthouse Ann: greyhound Ann: beach"]
    indexed = index_passages(talk)
    assert indexed[UUID(int=2)].context is None


def test_contexts_of_one_text_with_different_own_parts_have_different_keys() -> None:
    assert Context("Ann: yes Ben: no", 8).key != Context("Ann: yes Ben: no", 16).key
    assert len(Context("Ann: yes", 8).key) == 16


@dataclass
class Gem:
    """What a gem stores, in memory: changed by plans as the store changes it, read in windows as the store reads."""

    documents: dict[str, KnownDocument] = field(default_factory=dict)
    passages: dict[UUID, ThreadPassage] = field(default_factory=dict)
    entries: dict[int, Entry] = field(default_factory=dict)
    contexts: dict[UUID, Context | None] = field(default_factory=dict)
    around: dict[UUID, list[int]] = field(default_factory=dict)
    slots: int = 0

    def put(self, batch: Sequence[SourceDocument]) -> None:
        cuts = [cut(document) for document in batch]
        ends: dict[str, int] = {}
        for known in self.documents.values():
            if known.thread is not None:
                ends[known.thread] = max(ends.get(known.thread, -1), known.position or 0)
        stored_already: dict[str | bytes, KnownDocument] = {
            c.identity: self.documents[str(c.identity)] for c in cuts if c.identity in self.documents
        }
        documents, skipped = plan_documents(cuts, stored_already, ends)
        stored = self.read([], documents)
        plan = plan_batch(documents, [], stored, skipped)
        assert {c.key for c in foresee_contexts(documents, stored)} == {c.key for c in plan.contexts}
        self.apply(plan)

    def delete(self, names: Sequence[str]) -> None:
        removed = [self.documents[name] for name in names]
        self.apply(plan_batch([], removed, self.read(removed, [])))

    def read(self, removed: Sequence[KnownDocument], documents: Sequence[PlannedDocument]) -> list[ThreadPassage]:
        loose = {d.document_id for d in removed if d.thread is None}
        loose |= {d.document_id for d in documents if d.replaces is not None and d.replaces.thread is None}
        found = {p.passage_id: p for p in self.passages.values() if p.document_id in loose and p.thread is None}
        for thread, position in find_anchors(documents, removed):
            whole = self.thread(thread)
            before = [p for p in whole if p.position < position][-WINDOW:]
            after = [p for p in whole if p.position > position][:WINDOW]
            at = [p for p in whole if p.position == position]
            found |= {p.passage_id: p for p in (*before, *at, *after)}
        return list(found.values())

    def thread(self, name: str) -> list[ThreadPassage]:
        return sorted((p for p in self.passages.values() if p.thread == name), key=lambda p: p.place)

    def apply(self, plan: BatchPlan) -> None:
        gone = {d.document_id for d in plan.documents if d.replaces} | set(plan.removed)
        self.documents = {i: each for i, each in self.documents.items() if each.document_id not in gone}
        for old in [p for p in self.passages.values() if p.document_id in gone]:
            del self.passages[old.passage_id], self.contexts[old.passage_id], self.around[old.passage_id]
        for slot in plan.tombstones:
            del self.entries[slot]
        order = [passage.passage_id for document in plan.documents for passage in document.passages]
        slots = {passage_id: self.slots + i for i, passage_id in enumerate(order)}
        self.slots += len(order)
        for document in plan.documents:
            source = document.cut.document
            self.documents[source.external_id or ""] = KnownDocument(
                document.document_id, document.cut.content_hash, source.thread, document.position
            )
            for each in document.passages:
                indexed = plan.fresh[each.passage_id]
                slot = slots[each.passage_id]
                self.passages[each.passage_id] = ThreadPassage(
                    each.passage_id,
                    document.document_id,
                    source.thread,
                    document.position or 0,
                    each.ordinal,
                    slot,
                    each.chunk.text,
                    source.title,
                    None,
                    source.speaker,
                    None,
                    source.embedding is not None,
                )
                self.entries[slot] = replace(indexed.entry, slot=slot)
                self.contexts[each.passage_id] = indexed.context
                self.around[each.passage_id] = slots_of(indexed.neighbours, slots)
        self.entries |= {entry.slot: entry for entry in plan.reindexed}
        self.contexts |= plan.reembedded
        self.around |= {i: slots_of(neighbours, slots) for i, neighbours in plan.moved.items()}


def cut(document: SourceDocument) -> CutDocument:
    chunks = tuple(Chunk(part, None, 0, len(part)) for part in document.text.split(". "))
    return CutDocument(document, content_hash(document), chunks, tuple(1 for _ in chunks))


NAMES = [str(i) for i in range(12)]
documents = st.builds(
    lambda name, thread, parts, given: SourceDocument(
        ". ".join(parts), external_id=name, thread=thread, speaker="Ann", embedding=b"0000" if given else None
    ),
    st.sampled_from(NAMES),
    st.sampled_from(["talk", "talk", "talk", "log", None]),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
    st.sampled_from([False, False, False, True]),
)
batches = st.lists(documents, min_size=1, max_size=5, unique_by=lambda document: document.external_id)
deletions = st.sets(st.sampled_from(NAMES), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.lists(batches | deletions, min_size=1, max_size=12))
def test_any_changes_leave_what_storing_it_all_at_once_would(changes: list[list[SourceDocument] | set[str]]) -> None:
    gem = Gem()
    for change in changes:
        if isinstance(change, list):
            gem.put(change)
        else:
            gem.delete([name for name in sorted(change) if name in gem.documents])
    loose = [[each] for each in gem.passages.values() if each.thread is None]
    for sequence in (gem.thread("talk"), gem.thread("log"), *loose):
        for passage_id, indexed in index_passages(sequence).items():
            slot = gem.passages[passage_id].slot
            assert slot is not None
            assert gem.around[passage_id] == slots_of(indexed.neighbours, {})
            assert gem.contexts[passage_id] == indexed.context
            assert gem.entries[slot].weighted == indexed.entry.weighted
    assert len(gem.entries) == len(gem.passages)

"""What a change to a thread means for the passages around it. Pure.

A passage borrows terms from its neighbours, its embedding carries the two passages before it, and it knows the slots of
those that may answer for it; so a new, changed or removed passage also changes what is stored of a few that stay.
Sequences here are windows of a thread, wide enough that whatever can change has all its neighbours inside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from knowledge.context import PREVIOUS_PASSAGES, Context, context_text, own_text
from knowledge.lexical import Entry, count_terms, weigh_terms, weighted_length

WINDOW = 6  # passages on each side of a change: what changes reaches 4, and needs 2 more to be weighed
BEFORE = 3  # neighbours that a passage knows of; and the one after it
NOBODY = -1


@dataclass(frozen=True, slots=True)
class ThreadPassage:
    """A passage with what its context is made of.

    Attributes:
        position: of its document in the thread; 0 without a thread.
        slot: its number in the gem; None until it is stored.
        given: whether its vector came with it, or is older than the record of contexts; then it stays as it is.
    """

    passage_id: UUID
    document_id: UUID
    thread: str | None
    position: int
    ordinal: int
    slot: int | None
    body: str
    title: str | None
    heading: str | None
    speaker: str | None
    occurred_at: datetime | None
    given: bool = False

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in its thread."""
        return (self.position, self.ordinal)

    @property
    def own(self) -> str:
        """Its own text as it is embedded and indexed."""
        return own_text(self.body, self.title, self.heading, self.speaker)


Neighbours: TypeAlias = tuple[ThreadPassage | None, ...]


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the indexes hold of a passage.

    Attributes:
        entry: its terms.
        context: what its embedding is made of; None if that was given.
        neighbours: from `find_neighbours`.
    """

    entry: Entry
    context: Context | None
    neighbours: Neighbours


@dataclass(frozen=True, slots=True)
class ThreadPlan:
    """What one changed thread needs.

    Attributes:
        fresh: for passages not stored yet, by id.
        reindexed: entries of stored passages whose neighbours changed.
        reembedded: contexts of stored passages that have another one now, by id.
        moved: the neighbours of stored passages that have others now, by id.
        removed: slots of the passages that go.
        tokens: the change in the sum of weighted lengths, without that of the fresh ones; in twentieths.
    """

    fresh: dict[UUID, Indexed]
    reindexed: tuple[Entry, ...]
    reembedded: dict[UUID, Context]
    moved: dict[UUID, Neighbours]
    removed: tuple[int, ...]
    tokens: int


def index_passages(sequence: Sequence[ThreadPassage]) -> dict[UUID, Indexed]:
    """Return what the indexes hold of each passage of a sequence; the slot of one not yet stored is −1."""
    own = [passage.own for passage in sequence]
    counts = [count_terms(text, passage.title) for text, passage in zip(own, sequence, strict=True)]
    found = {}
    for i, passage in enumerate(sequence):
        slot = NOBODY if passage.slot is None else passage.slot
        entry = Entry(slot, counts[i], weigh_terms(counts, i))
        found[passage.passage_id] = Indexed(entry, _context(sequence, own, i), find_neighbours(sequence, i))
    return found


def find_neighbours(sequence: Sequence[ThreadPassage], index: int) -> Neighbours:
    """Return the three passages before one in its thread, nearest first, and the one after; () without a thread."""
    if sequence[index].thread is None:
        return ()
    places = (*range(index - 1, index - 1 - BEFORE, -1), index + 1)
    return tuple(sequence[place] if 0 <= place < len(sequence) else None for place in places)


def slots_of(neighbours: Neighbours, given: Mapping[UUID, int]) -> list[int]:
    """Return where neighbours are, −1 for none; `given` tells the slots of those that are being stored, by id."""
    return [
        NOBODY if each is None else given[each.passage_id] if each.slot is None else each.slot for each in neighbours
    ]


def find_contexts(before: Sequence[ThreadPassage], after: Sequence[ThreadPassage]) -> dict[UUID, Context]:
    """Return the contexts that come with a change to a window of a thread, by passage; those of `plan_thread`."""
    old, new = _contexts(before), _contexts(after)
    return {i: context for i, context in new.items() if context is not None and context != old.get(i)}


def plan_thread(before: Sequence[ThreadPassage], after: Sequence[ThreadPassage]) -> ThreadPlan:
    """Compare a window of a thread before and after a change.

    Args:
        before: what is stored, in order.
        after: what will be, in order; passages to be stored have no slot yet.
    """
    old = index_passages(before)
    new = index_passages(after)
    fresh = {passage.passage_id: new[passage.passage_id] for passage in after if passage.slot is None}
    kept = [passage_id for passage_id in new if passage_id in old]
    reindexed = [i for i in kept if new[i].entry.weighted != old[i].entry.weighted]
    removed = [passage for passage in before if passage.passage_id not in new]
    tokens = sum(weighted_length(new[i].entry) - weighted_length(old[i].entry) for i in reindexed)
    tokens -= sum(weighted_length(old[passage.passage_id].entry) for passage in removed)
    contexts = {i: new[i].context for i in kept if new[i].context != old[i].context}
    return ThreadPlan(
        fresh=fresh,
        reindexed=tuple(new[i].entry for i in reindexed),
        reembedded={i: context for i, context in contexts.items() if context is not None},
        moved={i: new[i].neighbours for i in kept if _ids(new[i].neighbours) != _ids(old[i].neighbours)},
        removed=tuple(passage.slot for passage in removed if passage.slot is not None),
        tokens=tokens,
    )


def _contexts(sequence: Sequence[ThreadPassage]) -> dict[UUID, Context | None]:
    own = [passage.own for passage in sequence]
    return {passage.passage_id: _context(sequence, own, i) for i, passage in enumerate(sequence)}


def _context(sequence: Sequence[ThreadPassage], own: Sequence[str], index: int) -> Context | None:
    passage = sequence[index]
    if passage.given:
        return None
    before = own[max(0, index - PREVIOUS_PASSAGES) : index]
    return Context(context_text(own[index], before, passage.occurred_at), len(own[index]))


def _ids(neighbours: Neighbours) -> list[UUID | None]:
    return [None if each is None else each.passage_id for each in neighbours]

"""What a change to a thread means for the passages around it. Pure.

A passage borrows terms from its neighbours and its embedding carries the two passages before it, so a new, changed or
removed passage also changes what is indexed of a few that stay. Sequences here are windows of a thread, wide enough
that whatever can change has all its neighbours inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from knowledge.context import context_text, own_text
from knowledge.lexical import Entry, count_terms, weigh_terms, weighted_length

WINDOW = 6  # passages on each side of a change: what changes reaches 4, and needs 2 more to be weighed


@dataclass(frozen=True, slots=True)
class ThreadPassage:
    """A passage with what its context is made of.

    Attributes:
        position: of its document in the thread; 0 without a thread.
        slot: its number in the gem; None until it is stored.
    """

    passage_id: UUID
    document_id: UUID
    position: int
    ordinal: int
    slot: int | None
    body: str
    title: str | None
    heading: str | None
    speaker: str | None
    occurred_at: datetime | None

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in its thread."""
        return (self.position, self.ordinal)

    @property
    def own(self) -> str:
        """Its own text as it is embedded and indexed."""
        return own_text(self.body, self.title, self.heading, self.speaker)


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the indexes hold of a passage: its terms, and the text that its embedding is made of."""

    entry: Entry
    context: str


@dataclass(frozen=True, slots=True)
class ThreadPlan:
    """What one changed thread needs.

    Attributes:
        fresh: for passages not stored yet, by id.
        reindexed: entries of stored passages whose neighbours changed.
        reembedded: context text of stored passages whose context changed, by id.
        removed: slots of the passages that go.
        tokens: the change in the sum of weighted lengths, without that of the fresh ones; in twentieths.
    """

    fresh: dict[UUID, Indexed]
    reindexed: tuple[Entry, ...]
    reembedded: dict[UUID, str]
    removed: tuple[int, ...]
    tokens: int


def index_passages(sequence: Sequence[ThreadPassage]) -> dict[UUID, Indexed]:
    """Return what the indexes hold of each passage of a sequence; the slot of one not yet stored is −1."""
    own = [passage.own for passage in sequence]
    counts = [count_terms(text, passage.title) for text, passage in zip(own, sequence, strict=True)]
    found = {}
    for i, passage in enumerate(sequence):
        slot = -1 if passage.slot is None else passage.slot
        context = context_text(own[i], own[max(0, i - 2) : i], passage.occurred_at)
        found[passage.passage_id] = Indexed(Entry(slot, counts[i], weigh_terms(counts, i)), context)
    return found


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
    return ThreadPlan(
        fresh=fresh,
        reindexed=tuple(new[i].entry for i in reindexed),
        reembedded={i: new[i].context for i in kept if new[i].context != old[i].context},
        removed=tuple(passage.slot for passage in removed if passage.slot is not None),
        tokens=tokens,
    )

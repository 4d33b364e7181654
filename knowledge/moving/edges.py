"""Passages that have others near them in their thread once documents moved: read before and after, and compared."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from knowledge.context import Context
from knowledge.keeping.passages import PlacedPassage, index_placed, read_placed
from knowledge.lexical import Entry, weighted_length
from knowledge.store import Connection


@dataclass(frozen=True, slots=True)
class Edges:
    """Such passages at one moment, by id: where they stand, and what is indexed of them."""

    placed: Mapping[UUID, PlacedPassage]
    entries: Mapping[UUID, Entry]

    @property
    def around(self) -> dict[UUID, list[int]]:
        """The slots of the passages around each."""
        return {i: each.around for i, each in self.placed.items()}


@dataclass(frozen=True, slots=True)
class EdgeChanges:
    """What a move means for these passages.

    Attributes:
        contexts: new ones, of passages that are embedded with the passages before them.
        staying: entries of passages that stay where they are and are to be indexed anew, by gem.
        tokens: by gem, the change of the sum of weighted lengths that this makes; in twentieths.
        gone: how much longer those that go were, in all, than they are now.
    """

    contexts: Mapping[UUID, Context]
    staying: Mapping[UUID, tuple[Entry, ...]]
    tokens: Mapping[UUID, int]
    gone: int


async def read_edges(conn: Connection, passage_ids: Sequence[UUID]) -> Edges:
    """Return passages as they stand now; their gems are those of their documents."""
    placed = await read_placed(conn, passage_ids)
    entries = await asyncio.to_thread(index_placed, placed)
    ids = [each.passage.passage_id for each in placed]
    return Edges(dict(zip(ids, placed, strict=True)), dict(zip(ids, entries, strict=True)))


def compare_edges(before: Edges, after: Edges) -> EdgeChanges:
    """Compare passages before and after their documents moved. Pure."""
    contexts: dict[UUID, Context] = {}
    staying: dict[UUID, list[Entry]] = {}
    tokens: dict[UUID, int] = {}
    gone = 0
    for i, now in after.placed.items():
        was, old, new = before.placed[i], before.entries[i], after.entries[i]
        if was.context_hash is not None and was.context != now.context:
            contexts[i] = now.context
        longer = weighted_length(old) - weighted_length(new)
        if was.gem_id != now.gem_id:
            gone += longer
        elif old.weighted != new.weighted:
            staying.setdefault(now.gem_id, []).append(new)
            tokens[now.gem_id] = tokens.get(now.gem_id, 0) - longer
    return EdgeChanges(contexts, {gem: tuple(entries) for gem, entries in staying.items()}, tokens, gone)

"""What stands around found passages: the section, the turns of the talk, or the whole document."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any, Literal
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from core.sql import load_queries
from knowledge.shaping.budget import fit

_SQL = load_queries("knowledge.sql", "expansion.sql")

TURNS = 4  # of a thread, on each side
MOST_NEIGHBOURS = 500  # of a document, on each side; more than any sensible budget holds

Connection = AsyncConnection[Any]
Unit = Literal["section", "document"]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A passage that stands around a found one, or the found one itself.

    Attributes:
        side: −1 before, 1 after, 0 itself.
        distance: 1 for the next one.
    """

    side: int
    distance: int
    passage_id: UUID
    document_id: UUID
    ordinal: int
    start_char: int
    end_char: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of one document.

    Attributes:
        text: equal to the document's text[start:end].
        passage_ids: the passages that it covers, in order.
    """

    document_id: UUID
    speaker: str | None
    start: int
    end: int
    text: str
    passage_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Found passages that stand together, with what is around them.

    Attributes:
        found: the found passages in it, best first.
        parts: in order; more than one only in a thread, whose turns are documents.
        tokens: of all its passages.
    """

    found: tuple[UUID, ...]
    parts: tuple[Part, ...]
    tokens: int

    @property
    def text(self) -> str:
        """All of it, each turn on a line of its own with who says it."""
        lone = len(self.parts) == 1
        return "\n".join(
            part.text if lone or not part.speaker else f"{part.speaker}: {part.text}" for part in self.parts
        )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The text of a document from `start` on, as far as it is needed."""

    speaker: str | None
    start: int
    text: str


async def expand(
    conn: Connection,
    passage_ids: Sequence[UUID],
    unit: Unit,
    max_tokens: int,
    *,
    as_of: datetime | None = None,
    reach: int | None = None,
) -> list[Surroundings]:
    """Return found passages with what stands around them, as far as the tokens last; two queries for all.

    The found passages come first, whole, and one that does not fit is left out; then what is next to each is added, the
    nearest first. Those of one document or thread that touch become one, in the place of the best.

    Args:
        conn: in a transaction of the tenant.
        passage_ids: of the found passages, best first; those not stored any more are left out.
        unit: section: the neighbours in the same document under the same heading, or the turns around it in a thread;
            document: the whole document.
        max_tokens: of all results together.
        as_of: the turns are those that the lattice held then; None means now.
        reach: how many tokens on each side of a passage are looked at; None means as many as all may have. Whoever
            knows what the found passages leave saves reading what will not fit.
    """
    chains: dict[UUID, list[Neighbour]] = {passage_id: [] for passage_id in passage_ids}
    values = {"passage_ids": list(chains), "whole": unit == "document", "as_of": as_of or "infinity"}
    values |= {"turns": TURNS, "most": MOST_NEIGHBOURS, "reach": max_tokens if reach is None else reach}
    for row in await _rows(conn, "find_surroundings", values):
        chains[row.pop("found")].append(Neighbour(**row))
    groups = group_neighbours({found: chain for found, chain in chains.items() if chain}, max_tokens)
    stretches = await _read_stretches(conn, [each for group in groups for each in group])
    surroundings = (_to_surroundings(group, stretches, chains) for group in groups)
    return [each for each in surroundings if each.parts]  # none if the document was deleted meanwhile


def group_neighbours(chains: Mapping[UUID, Sequence[Neighbour]], max_tokens: int) -> list[list[Neighbour]]:
    """Choose found passages and what is around them within a budget, and join what touches. Pure.

    Args:
        chains: of each found passage, best first: itself and its neighbours, by side and distance.
        max_tokens: of all that is chosen.

    Returns:
        Groups of passages that follow each other, in the order of their best found passage.
    """
    itself = [next(each for each in chain if not each.side) for chain in chains.values()]
    kept = {itself[i].passage_id: itself[i] for i in fit([each.tokens for each in itself], max_tokens)}
    left = max_tokens - sum(each.tokens for each in kept.values())
    sides = [
        deque(sorted((each for each in chain if each.side == side), key=lambda each: each.distance))
        for found, chain in chains.items()
        for side in (-1, 1)
        if found in kept
    ]
    while sides := [side for side in sides if side]:
        for side in sides:
            neighbour = side.popleft()
            if neighbour.passage_id in kept:
                continue
            if neighbour.tokens > left:
                side.clear()  # nothing beyond a gap
                continue
            kept[neighbour.passage_id] = neighbour
            left -= neighbour.tokens
    return _join(chains.values(), kept)


def _join(chains: Iterable[Sequence[Neighbour]], kept: Mapping[UUID, Neighbour]) -> list[list[Neighbour]]:
    following: dict[UUID, UUID] = {}
    for chain in chains:
        line = sorted(chain, key=lambda each: each.side * each.distance)
        for before, after in pairwise(line):
            if before.passage_id in kept and after.passage_id in kept:
                following[before.passage_id] = after.passage_id
    preceding = {after: before for before, after in following.items()}
    groups: dict[UUID, list[Neighbour]] = {}  # by the first passage of each
    for passage_id in kept:  # the found ones come first, best first
        first: UUID = passage_id
        while first in preceding:
            first = preceding[first]
        if first not in groups:
            group = groups[first] = [kept[first]]
            while (last := group[-1].passage_id) in following:
                group.append(kept[following[last]])
    return list(groups.values())


async def _read_stretches(conn: Connection, passages: Sequence[Neighbour]) -> dict[UUID, _Stretch]:
    starts: dict[UUID, int] = {}
    ends: dict[UUID, int] = {}
    for each in passages:
        starts[each.document_id] = min(each.start_char, starts.get(each.document_id, each.start_char))
        ends[each.document_id] = max(each.end_char, ends.get(each.document_id, 0))
    values = {"document_ids": list(starts), "starts": list(starts.values()), "ends": list(ends.values())}
    rows = await _rows(conn, "cut_documents", values)
    return {row["document_id"]: _Stretch(row["speaker"], starts[row["document_id"]], row["text"]) for row in rows}


def _to_surroundings(
    group: Sequence[Neighbour], stretches: Mapping[UUID, _Stretch], found: Iterable[UUID]
) -> Surroundings:
    covered = {each.passage_id for each in group}
    parts = []
    for document_id, members in groupby(group, key=lambda each: each.document_id):
        piece = list(members)
        if stretch := stretches.get(document_id):
            start, end = piece[0].start_char, piece[-1].end_char
            text = stretch.text[start - stretch.start : end - stretch.start]
            passage_ids = tuple(each.passage_id for each in piece)
            parts.append(Part(document_id, stretch.speaker, start, end, text, passage_ids))
    return Surroundings(
        found=tuple(passage_id for passage_id in found if passage_id in covered),
        parts=tuple(parts),
        tokens=sum(each.tokens for each in group),
    )


async def _rows(conn: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()

"""Packed postings: built and scored as numpy arrays. Pure.

A slot is a passage's number in its gem, given once and never again. A segment covers the slots [base, base + span) and
may say anew what older slots hold (`overrides`) or that they are gone (`tombstones`); of two segments the one with the
higher id is right. A posting is three big-endian uint16: the ordinal in the segment (slot − base, or span + place in
`overrides`), the weighted frequency with its top bit set if the passage itself has the term, and the weighted length.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from knowledge.lexical.terms import SCALE

OWN = 0x8000
MOST = 0x7FFF
LONGEST = 0xFFFF
K1 = 1.2
B = 0.4
LARGEST_SEGMENT = 32_768  # slots, and as many overrides at the most: together they fill the range of an ordinal
BLOCK = 256

Postings: TypeAlias = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment without its postings.

    Attributes:
        size: passages that first came with it.
        tokens: what it adds to the sum of all weighted lengths, in twentieths; may be negative.
    """

    gem_id: UUID
    segment_id: int
    base: int
    span: int
    size: int
    tokens: int
    overrides: tuple[int, ...] = ()
    tombstones: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Lists:
    """What a question needs of an index: every segment, and the posting lists of the question's terms."""

    segments: Sequence[Segment]
    lists: Mapping[str, Sequence[tuple[UUID, int, bytes]]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One passage to be indexed: its slot, its own terms, and its weighted terms in twentieths."""

    slot: int
    own: Counter[str]
    weighted: Counter[str]


@dataclass(frozen=True, slots=True)
class Scores:
    """BM25 scores of all slots of some gems.

    Attributes:
        values: shape (slots of all gems,), 0 where no term occurs.
        ranges: where the slots of each gem lie in `values`.
        passages: how many there are.
        idf: how rare each of the question's terms is among them, by term.
    """

    values: NDArray[np.float32]
    ranges: Mapping[UUID, range]
    passages: int = 0
    idf: Mapping[str, float] = field(default_factory=dict)

    def rarity(self, term: str) -> float:
        """Return how rare a term is; one that no passage holds is the rarest."""
        return self.idf.get(term, _idf(self.passages, 0))

    def at(self, gem_id: UUID, slot: int) -> float:
        """Return one passage's score; 0 for a slot that no segment covers."""
        places = self.ranges.get(gem_id, range(0))
        return float(self.values[places[slot]]) if slot < len(places) else 0.0

    def mask(self, slots: Mapping[UUID, NDArray[np.integer[Any]]]) -> NDArray[np.bool_]:
        """Return which values belong to these slots; what no segment covers, as it was written since, is left out."""
        mask = np.zeros(len(self.values), np.bool_)
        for gem_id, allowed in slots.items():
            places = self.ranges.get(gem_id, range(0))
            mask[places.start + allowed[allowed < len(places)]] = True
        return mask

    def within(self, gem_ids: Iterable[UUID]) -> NDArray[np.bool_]:
        """Return which values belong to some of the gems."""
        mask = np.zeros(len(self.values), np.bool_)
        for gem_id in gem_ids:
            places = self.ranges.get(gem_id, range(0))
            mask[places.start : places.stop] = True
        return mask

    def best(self, k: int, allowed: NDArray[np.bool_] | None = None) -> list[tuple[UUID, int]]:
        """Return (gem, slot) of the k highest scores above 0, best first, ties by place."""
        values = self.values if allowed is None else np.where(allowed, self.values, 0)
        places = _highest(values, k)
        starts = [(gem_range.start, gem_id) for gem_id, gem_range in self.ranges.items() if gem_range]
        gems = np.searchsorted([start for start, _ in starts], places, side="right") - 1
        return [(starts[g][1], int(p) - starts[g][0]) for g, p in zip(gems, places, strict=True)]


def weighted_length(entry: Entry) -> int:
    """Return a passage's weighted length in twentieths."""
    return min(entry.weighted.total(), LONGEST)


def count_segments(fresh: int, again: int) -> int:
    """Return how many segments a write needs for its new passages and for those it says anew; at least one."""
    return max(1, -(-max(fresh, again) // LARGEST_SEGMENT))


def cut_segments(write: Segment, fresh: Sequence[Entry], again: Sequence[Entry]) -> list[tuple[Segment, list[Entry]]]:
    """Cut one write into segments that fit the range of an ordinal, each with its passages; as `seal` says."""
    number = count_segments(len(fresh), len(again))
    parts = []
    for i in range(number):
        places = slice(i * LARGEST_SEGMENT, (i + 1) * LARGEST_SEGMENT)
        new = fresh[places]
        segment = replace(
            write,
            segment_id=write.segment_id - number + 1 + i,
            base=write.base + min(i * LARGEST_SEGMENT, len(fresh)),
            span=len(new),
            size=len(new),
            tokens=sum(map(weighted_length, new)) + (0 if i else write.tokens),
            tombstones=() if i else write.tombstones,
        )
        parts.append((segment, [*new, *again[places]]))
    return parts


def pack(base: int, span: int, entries: Iterable[Entry]) -> tuple[tuple[int, ...], dict[str, bytes]]:
    """Turn passages into the overrides and the posting lists of one segment.

    Args:
        base: the first slot of the segment.
        span: how many slots it covers; entries outside [base, base + span) become overrides.
        entries: the passages, in any order.
    """
    overrides: list[int] = []
    lists: dict[str, list[tuple[int, int, int]]] = {}
    for entry in sorted(entries, key=lambda e: e.slot):
        if base <= entry.slot < base + span:
            ordinal = entry.slot - base
        else:
            ordinal = span + len(overrides)
            overrides.append(entry.slot)
        length = weighted_length(entry)
        for term, frequency in entry.weighted.items():
            flag = OWN if term in entry.own else 0
            lists.setdefault(term, []).append((ordinal, min(frequency, MOST) | flag, length))
    return tuple(overrides), {term: np.array(rows, ">u2").tobytes() for term, rows in lists.items()}


def score(lists: Lists, *, k1: float = K1, b: float = B) -> Scores:
    """Score every slot by BM25 over weighted frequencies, exactly, in float32.

    Σ over terms of idf · tf / (tf + k1 · (1 − b + b · length / mean length)), idf = ln(1 + (N − df + ½) / (df + ½)); df
    counts passages that hold the term themselves. N, df and the mean are of the passages that these segments hold now.

    Source:
        Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), eq. 3.15; idf as in Lucene.
    """
    ranges, slots = _lay_out(lists.segments)
    values = np.zeros(slots, np.float32)
    owners = _owners(lists.segments, ranges, slots)
    gone = sum(len(set(s.tombstones)) for s in lists.segments)
    passages = sum(s.size for s in lists.segments) - gone
    tokens = sum(s.tokens for s in lists.segments)
    if passages <= 0 or tokens <= 0:
        return Scores(values, ranges)
    places_of = {(s.gem_id, s.segment_id): (i, s) for i, s in enumerate(lists.segments)}
    per_length = np.float32(SCALE * k1 * b * passages / tokens)
    rarity: dict[str, float] = {}
    for term, rows in sorted(lists.lists.items()):  # sums of floats are the same then, in whatever order rows came
        found = [_valid(*places_of[gem, segment], data, ranges, owners) for gem, segment, data in rows]
        df = sum(int(np.count_nonzero(postings[:, 1] & OWN)) for _, postings in found)
        rarity[term] = _idf(passages, df)
        idf = np.float32(rarity[term])
        for places, postings in found:
            frequency = (postings[:, 1] & MOST).astype(np.float32)
            norm = SCALE * k1 * (1 - b) + per_length * postings[:, 2].astype(np.float32)
            values[places] += idf * (frequency / (frequency + norm))
    return Scores(values, ranges, passages, rarity)


def _idf(passages: int, holding: int) -> float:
    return float(np.log1p((max(passages, holding) - holding + 0.5) / (holding + 0.5)))


def slots_of(segment: Segment, postings: Postings) -> NDArray[np.int64]:
    """Return the slot of each posting of a segment."""
    slots = postings[:, 0].astype(np.int64)
    again = slots >= segment.span
    slots += segment.base
    if segment.overrides and again.any():
        slots[again] = np.array(segment.overrides, np.int64)[slots[again] - segment.base - segment.span]
    return slots


def _lay_out(segments: Sequence[Segment]) -> tuple[dict[UUID, range], int]:
    extents: dict[UUID, int] = {}
    for segment in segments:
        extents[segment.gem_id] = max(extents.get(segment.gem_id, 0), segment.base + segment.span)
    ranges, total = {}, 0
    for gem_id, extent in sorted(extents.items()):
        ranges[gem_id] = range(total, total + extent)
        total += extent
    return ranges, total


def _owners(segments: Sequence[Segment], ranges: Mapping[UUID, range], slots: int) -> NDArray[np.int32] | None:
    if not any(s.overrides or s.tombstones for s in segments):
        return None
    owners = np.full(slots, -1, np.int32)
    for i, segment in sorted(enumerate(segments), key=lambda pair: pair[1].segment_id):
        start = ranges[segment.gem_id].start
        owners[start + segment.base : start + segment.base + segment.span] = i
        owners[start + np.array(segment.overrides, np.int64)] = i
        owners[start + np.array(segment.tombstones, np.int64)] = -1
    return owners


def _valid(
    index: int, segment: Segment, data: bytes, ranges: Mapping[UUID, range], owners: NDArray[np.int32] | None
) -> tuple[NDArray[np.int64], Postings]:
    postings = np.frombuffer(data, ">u2").reshape(-1, 3)
    places = slots_of(segment, postings) + ranges[segment.gem_id].start
    if owners is None:
        return places, postings
    right = owners[places] == index
    return places[right], postings[right]


def _highest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    whole = len(values) - len(values) % BLOCK
    # the k-th best block maximum is a floor of the k-th best score, so that no partition of all scores is needed
    peaks = values[:whole].reshape(-1, BLOCK).max(1) if whole else values[:0]
    floor = float(np.partition(peaks, -k)[-k]) if len(peaks) > k else 0.0
    places = np.flatnonzero(values >= max(floor, 1e-9))
    return places[np.lexsort((places, -values[places]))][:k]

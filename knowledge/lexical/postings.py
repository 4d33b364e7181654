"""Packed postings: built, merged and scored as numpy arrays. Pure.

A slot is a passage's number in its gem, given once and never again. A segment covers the slots [base, base + span) and
may say anew what older slots hold (`overrides`) or that they are gone (`tombstones`); of two segments the one with the
higher id is right. A posting is three big-endian uint16: the ordinal in the segment (slot − base, or span + place in
`overrides`), the weighted frequency with its top bit set if the passage itself has the term, and the weighted length.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from knowledge.lexical.terms import SCALE

OWN = 0x8000
MOST = 0x7FFF
LONGEST = 0xFFFF
K1 = 1.2
B = 0.4
LARGEST_SEGMENT = 32_768
MERGE_WIDTH = 16
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
        offsets: where each gem's slot 0 lies in `values`.
    """

    values: NDArray[np.float32]
    offsets: Mapping[UUID, int]

    def at(self, gem_id: UUID, slot: int) -> float:
        """Return one passage's score; 0 for a slot that no segment covers."""
        place = self.offsets.get(gem_id, len(self.values)) + slot
        return float(self.values[place]) if place < len(self.values) else 0.0

    def best(self, k: int, allowed: NDArray[np.bool_] | None = None) -> list[tuple[UUID, int]]:
        """Return (gem, slot) of the k highest scores above 0, best first, ties by place."""
        values = self.values if allowed is None else np.where(allowed, self.values, 0)
        places = _highest(values, k)
        starts = sorted((offset, gem_id) for gem_id, offset in self.offsets.items())
        gems = np.searchsorted([offset for offset, _ in starts], places, side="right") - 1
        return [(starts[g][1], int(p) - starts[g][0]) for g, p in zip(gems, places, strict=True)]


def weighted_length(entry: Entry) -> int:
    """Return a passage's weighted length in twentieths."""
    return min(entry.weighted.total(), LONGEST)


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
    offsets, slots = _lay_out(lists.segments)
    values = np.zeros(slots, np.float32)
    owners = _owners(lists.segments, offsets, slots)
    gone = sum(len(set(s.tombstones)) for s in lists.segments)
    passages = sum(s.size for s in lists.segments) - gone
    tokens = sum(s.tokens for s in lists.segments)
    if passages <= 0 or tokens <= 0:
        return Scores(values, offsets)
    places_of = {(s.gem_id, s.segment_id): (i, s) for i, s in enumerate(lists.segments)}
    per_length = np.float32(SCALE * k1 * b * passages / tokens)
    for rows in lists.lists.values():
        found = [_valid(*places_of[gem, segment], data, offsets, owners) for gem, segment, data in rows]
        df = sum(int(np.count_nonzero(postings[:, 1] & OWN)) for _, postings in found)
        idf = np.float32(np.log1p((passages - df + 0.5) / (df + 0.5)))
        for places, postings in found:
            frequency = (postings[:, 1] & MOST).astype(np.float32)
            norm = SCALE * k1 * (1 - b) + per_length * postings[:, 2].astype(np.float32)
            values[places] += idf * (frequency / (frequency + norm))
    return Scores(values, offsets)


def plan_merge(segments: Sequence[Segment]) -> Sequence[Segment]:
    """Return a run of neighbouring segments worth merging into one, oldest first; empty if there is none.

    Sixteen of one size tier (powers of sixteen) become one of the next, so that a passage is written again once a tier.
    """
    ordered = sorted(segments, key=lambda s: s.segment_id)
    tiers = [_tier(s) for s in ordered]
    for end in range(len(ordered), MERGE_WIDTH - 1, -1):
        run = ordered[end - MERGE_WIDTH : end]
        if max(tiers[end - MERGE_WIDTH : end]) == tiers[end - 1] == tiers[end - MERGE_WIDTH]:
            span = run[-1].base + run[-1].span - run[0].base
            if span + sum(len(s.overrides) for s in run) <= LARGEST_SEGMENT:
                return run
    return ()


def merge(run: Sequence[Segment], rows: Sequence[tuple[str, int, bytes]]) -> tuple[Segment, dict[str, bytes]]:
    """Merge neighbouring segments of one gem into one that takes the place of the last.

    Args:
        run: the segments, oldest first.
        rows: their posting lists as (term, segment id, data).

    Returns:
        The merged segment and its posting lists. What was overridden or deleted within the run is gone from it.
    """
    base, span = run[0].base, run[-1].base + run[-1].span - run[0].base
    owner: dict[int, int] = {}
    for segment in run:
        owner.update(dict.fromkeys(segment.overrides, segment.segment_id))
        owner.update(dict.fromkeys(segment.tombstones, -1))
    inside = range(base, base + span)
    overrides = tuple(sorted(slot for slot, by in owner.items() if by >= 0 and slot not in inside))
    tombstones = tuple(sorted(slot for slot, by in owner.items() if by < 0 and slot not in inside))
    dead_inside = sum(1 for slot, by in owner.items() if by < 0 and slot in inside)
    merged = Segment(
        gem_id=run[0].gem_id,
        segment_id=run[-1].segment_id,
        base=base,
        span=span,
        size=sum(s.size for s in run) - dead_inside,
        tokens=sum(s.tokens for s in run),
        overrides=overrides,
        tombstones=tombstones,
    )
    return merged, _merge_lists(run, rows, merged, owner)


def _merge_lists(
    run: Sequence[Segment], rows: Sequence[tuple[str, int, bytes]], merged: Segment, owner: Mapping[int, int]
) -> dict[str, bytes]:
    by_id = {s.segment_id: s for s in run}
    terms = sorted({term for term, _, _ in rows})
    numbers = {term: i for i, term in enumerate(terms)}
    place = {slot: merged.span + i for i, slot in enumerate(merged.overrides)}
    kept: dict[int, list[Postings]] = {i: [] for i in range(len(terms))}
    touched = np.array(sorted(owner), np.int64)
    holders = np.array([owner[slot] for slot in touched.tolist()], np.int64)
    for term, segment_id, data in rows:
        segment = by_id[segment_id]
        postings = np.frombuffer(data, ">u2").reshape(-1, 3)
        slots = _slots(segment, postings)
        if len(touched):
            at = np.minimum(np.searchsorted(touched, slots), len(touched) - 1)
            right = (touched[at] != slots) | (holders[at] == segment_id)
            postings, slots = postings[right], slots[right]
        ordinals = slots - merged.base
        for i in np.flatnonzero((ordinals < 0) | (ordinals >= merged.span)):
            ordinals[i] = place[int(slots[i])]
        fresh = postings.astype(np.uint16)
        fresh[:, 0] = ordinals
        kept[numbers[term]].append(fresh)
    return {term: packed for term in terms if (packed := _join(kept[numbers[term]]))}


def _join(parts: Sequence[Postings]) -> bytes:
    postings = np.concatenate(parts)
    return bytes(postings[np.argsort(postings[:, 0], kind="stable")].astype(">u2").tobytes())


def _slots(segment: Segment, postings: Postings) -> NDArray[np.int64]:
    slots = postings[:, 0].astype(np.int64)
    again = slots >= segment.span
    slots += segment.base
    if segment.overrides and again.any():
        slots[again] = np.array(segment.overrides, np.int64)[slots[again] - segment.base - segment.span]
    return slots


def _tier(segment: Segment) -> int:
    weight = max(segment.size, len(segment.overrides), len(segment.tombstones), 1)
    return (weight.bit_length() - 1) // 4


def _lay_out(segments: Sequence[Segment]) -> tuple[dict[UUID, int], int]:
    extents: dict[UUID, int] = {}
    for segment in segments:
        extents[segment.gem_id] = max(extents.get(segment.gem_id, 0), segment.base + segment.span)
    offsets, total = {}, 0
    for gem_id, extent in extents.items():
        offsets[gem_id] = total
        total += extent
    return offsets, total


def _owners(segments: Sequence[Segment], offsets: Mapping[UUID, int], slots: int) -> NDArray[np.int32] | None:
    if not any(s.overrides or s.tombstones for s in segments):
        return None
    owners = np.full(slots, -1, np.int32)
    for i, segment in sorted(enumerate(segments), key=lambda pair: pair[1].segment_id):
        start = offsets[segment.gem_id]
        owners[start + segment.base : start + segment.base + segment.span] = i
        owners[start + np.array(segment.overrides, np.int64)] = i
        owners[start + np.array(segment.tombstones, np.int64)] = -1
    return owners


def _valid(
    index: int, segment: Segment, data: bytes, offsets: Mapping[UUID, int], owners: NDArray[np.int32] | None
) -> tuple[NDArray[np.int64], Postings]:
    postings = np.frombuffer(data, ">u2").reshape(-1, 3)
    places = _slots(segment, postings) + offsets[segment.gem_id]
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

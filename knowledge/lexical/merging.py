"""Merging segments: which, and how. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np

from knowledge.lexical.postings import LARGEST_SEGMENT, Postings, Segment, slots_of

MERGE_WIDTH = 16
FILL_WIDTH = 4  # fewer are not worth writing a largest segment again


def plan_merge(segments: Sequence[Segment]) -> Sequence[Segment]:
    """Return a run of neighbouring segments worth merging into one, oldest first; empty if there is none.

    Segments are of tiers, powers of sixteen. Among neighbours of tier n or lower, sixteen of tier n become one of the
    next, and so do 16·(n + 1) of any: what comes before each tier is due by itself, so that a passage is written again
    a few times a tier, and segments stay few, whatever sizes follow each other. What fills a largest segment is merged
    too.
    """
    ordered = sorted(segments, key=lambda s: s.segment_id)
    for tier in sorted({_tier(s) for s in ordered}):
        for low, neighbours in groupby(ordered, key=lambda s: _tier(s) <= tier):
            for run, full in _fitting(neighbours) if low else ():
                highest = sum(_tier(s) == tier for s in run)
                if highest >= MERGE_WIDTH or len(run) >= (FILL_WIDTH if full else MERGE_WIDTH * (tier + 1)):
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
        slots = slots_of(segment, postings)
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


def _fitting(neighbours: Iterable[Segment]) -> Iterator[tuple[list[Segment], bool]]:
    """Cut neighbours into runs that fit into one segment each, and say of each whether the next one would not.

    A run has no gap: the slots in it may belong to a segment that was written before or will be written later.
    """
    run: list[Segment] = []
    slots = overrides = 0
    for segment in neighbours:
        slots, overrides = slots + segment.span, overrides + len(segment.overrides)
        full = max(slots, overrides) > LARGEST_SEGMENT
        if run and (full or segment.base != run[-1].base + run[-1].span):
            yield run, full
            run, slots, overrides = [], segment.span, len(segment.overrides)
        run.append(segment)
    yield run, False


def _tier(segment: Segment) -> int:
    weight = max(segment.size, len(segment.overrides), len(segment.tombstones), 1)
    return (weight.bit_length() - 1) // 4

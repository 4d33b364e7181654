import random
from collections import Counter
from dataclasses import replace
from uuid import UUID, uuid4

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.lexical import Entry, Lists, Segment, count_terms, question_terms, score, weigh_terms, weighted_length
from knowledge.lexical.merging import FILL_WIDTH, MERGE_WIDTH, merge, plan_merge
from knowledge.lexical.postings import LARGEST_SEGMENT, count_segments, cut_segments, pack
from knowledge.lexical.terms import LONGEST_TERM, SCALE, terms_of

GEM = UUID(int=1)
WORDS = [f"{a}{b}{c}" for a in "bdfglm" for b in "aeiou" for c in ("rn", "lt", "ng", "st")]


class Index:
    """A gem's segments as the store would hold them."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.rows: dict[tuple[str, int], bytes] = {}

    def seal(
        self,
        entries: list[Entry],
        *,
        base: int,
        span: int,
        tokens: int,
        tombstones: tuple[int, ...] = (),
    ) -> None:
        number = len(self.segments) + 1
        overrides, lists = pack(base, span, entries)
        self.segments.append(Segment(GEM, number, base, span, span, tokens, overrides, tombstones))
        self.rows |= {(term, number): data for term, data in lists.items()}

    def merge(self, run: list[Segment]) -> None:
        ids = {segment.segment_id for segment in run}
        rows = [(term, number, data) for (term, number), data in self.rows.items() if number in ids]
        merged, lists = merge(run, rows)
        self.rows = {key: data for key, data in self.rows.items() if key[1] not in ids}
        self.rows |= {(term, merged.segment_id): data for term, data in lists.items()}
        self.segments = [s for s in self.segments if s.segment_id not in ids] + [merged]

    def lists(self, terms: list[str]) -> Lists:
        found: dict[str, list[tuple[UUID, int, bytes]]] = {}
        for (term, number), data in self.rows.items():
            if term in terms:
                found.setdefault(term, []).append((GEM, number, data))
        return Lists(self.segments, found)


def entry(slot: int, own: Counter[str], weighted: Counter[str] | None = None) -> Entry:
    return Entry(slot, own, weighted or Counter({term: SCALE * count for term, count in own.items()}))


def corpus(seed: int, size: int) -> list[Counter[str]]:
    rng = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    return [Counter(rng.choices(WORDS, weights, k=rng.randint(3, 40))) for _ in range(size)]


def whole(entries: list[Entry]) -> Index:
    index = Index()
    index.seal(entries, base=0, span=len(entries), tokens=sum(map(weighted_length, entries)))
    return index


def test_the_top_ten_agree_with_bm25s() -> None:
    passages = corpus(7, 600)
    index = whole([entry(slot, own) for slot, own in enumerate(passages)])
    reference = bm25s.BM25(k1=1.2, b=0.4, method="lucene")
    reference.index([list(own.elements()) for own in passages], show_progress=False)
    rng = random.Random(8)
    for _ in range(60):
        question = sorted(set(rng.choices(WORDS, k=5)))
        expected = np.asarray(reference.get_scores(question))
        found = score(index.lists(question))
        np.testing.assert_allclose(found.values, expected, atol=4e-6)
        best = [slot for _, slot in found.best(10)]
        assert expected[best] == pytest.approx(np.sort(expected)[::-1][:10], abs=4e-6)


@given(st.integers(0, 10_000), st.lists(st.integers(1, 40), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_scores_do_not_depend_on_how_passages_were_batched(seed: int, sizes: list[int]) -> None:
    passages = corpus(seed, sum(sizes))
    entries = [entry(slot, own) for slot, own in enumerate(passages)]
    batched, base = Index(), 0
    for size in sizes:
        part = entries[base : base + size]
        batched.seal(part, base=base, span=size, tokens=sum(map(weighted_length, part)))
        base += size
    question = sorted(WORDS[:6])
    np.testing.assert_allclose(
        score(batched.lists(question)).values, score(whole(entries).lists(question)).values, rtol=1e-6
    )


@given(st.integers(0, 10_000), st.data())
@settings(max_examples=60, deadline=None)
def test_an_index_of_changes_scores_like_one_built_anew_also_after_merging(seed: int, data: st.DataObject) -> None:
    rng = random.Random(seed)
    live: dict[int, Entry] = {}
    index, slots = Index(), 0
    for number in range(data.draw(st.integers(2, 10))):
        fresh = [entry(slots + i, own) for i, own in enumerate(corpus(seed * 31 + number, rng.randint(0, 6)))]
        changed = [entry(slot, corpus(rng.randint(0, 9999), 1)[0]) for slot in live if rng.random() < 0.2]
        gone = tuple(s for s in live if rng.random() < 0.1 and s not in {e.slot for e in changed})
        tokens = sum(map(weighted_length, [*fresh, *changed]))
        tokens -= sum(weighted_length(live[slot]) for slot in (*gone, *(e.slot for e in changed)))
        index.seal([*fresh, *changed], base=slots, span=len(fresh), tokens=tokens, tombstones=gone)
        slots += len(fresh)
        live |= {e.slot: e for e in [*fresh, *changed]}
        for slot in gone:
            del live[slot]
    question = sorted(WORDS[:8])
    expected = np.zeros(slots)
    if live:
        order = sorted(live)
        anew = whole([entry(i, live[slot].own) for i, slot in enumerate(order)])
        expected[order] = score(anew.lists(question)).values
    np.testing.assert_allclose(score(index.lists(question)).values, expected, rtol=1e-5, atol=1e-6)
    first = data.draw(st.integers(0, len(index.segments) - 1))
    last = data.draw(st.integers(first, len(index.segments) - 1))
    index.merge(index.segments[first : last + 1])
    np.testing.assert_allclose(score(index.lists(question)).values, expected, rtol=1e-5, atol=1e-6)


def test_weighted_frequencies_of_a_neighbour_count_less_than_own_ones_and_not_in_df() -> None:
    thread = [Counter({"alpha": 1}), Counter({"beta": 1}), Counter({"gamma": 1})]
    entries = [Entry(i, own, weigh_terms(thread, i)) for i, own in enumerate(thread)]
    found = score(whole(entries).lists(["alpha"]))
    assert found.at(GEM, 0) > found.at(GEM, 1) > found.at(GEM, 2) > 0
    lone = score(whole([entry(i, own) for i, own in enumerate(thread)]).lists(["alpha"]))
    assert lone.at(GEM, 1) == 0


def test_weights_by_distance_are_those_that_were_measured() -> None:
    thread = [Counter({"alpha": 1})] + [Counter[str]() for _ in range(6)]
    borrowed = [weigh_terms(thread, i)["alpha"] / SCALE for i in range(7)]
    assert borrowed == [1.0, 0.5, 0.3, 0.2, 0.1, 0.0, 0.0]
    backwards = [weigh_terms(thread[::-1], i)["alpha"] / SCALE for i in range(7)]
    assert backwards == [0.0, 0.0, 0.0, 0.0, 0.15, 0.3, 1.0]


def test_terms_are_stems_of_words_of_two_letters_without_stop_words() -> None:
    assert terms_of("What did the Runners' dog's do, running at 5 a.m. in Zürich?") == [
        "runner",
        "dog",
        "run",
        "zürich",
    ]
    assert question_terms("running, ran and runs: running") == ["ran", "run"]
    assert count_terms("A lighthouse.", "Lighthouse") == Counter({"lighthous": 2})


def test_best_skips_what_no_term_hits_and_what_is_not_allowed() -> None:
    passages = [Counter({"alpha": 1}), Counter({"beta": 1}), Counter({"alpha": 3})]
    index = whole([entry(slot, own) for slot, own in enumerate(passages)])
    found = score(index.lists(["alpha"]))
    assert [slot for _, slot in found.best(10)] == [2, 0]
    assert [slot for _, slot in found.best(10, np.array([True, True, False]))] == [0]
    assert found.at(GEM, 99) == 0
    assert found.at(uuid4(), 0) == 0


def test_nothing_stored_scores_nothing() -> None:
    assert score(Lists([], {})).best(5) == []


def test_a_word_without_an_end_is_a_term_that_fits_into_an_index() -> None:
    endless = "\u0e01" * 5_000
    assert terms_of(endless) == question_terms(endless) == ["\u0e01" * LONGEST_TERM]
    assert len(terms_of(f"b{'a' * 5_000}b")[0]) == LONGEST_TERM


def test_a_slot_written_after_the_lists_were_read_is_not_taken_for_one_of_the_next_gem() -> None:
    other = UUID(int=2)
    overrides, lists = pack(0, 1, [entry(0, Counter({"alpha": 1}))])
    segments = [Segment(gem_id, 1, 0, 1, 1, SCALE, overrides) for gem_id in (GEM, other)]
    found = score(Lists(segments, {"alpha": [(gem_id, 1, lists["alpha"]) for gem_id in (GEM, other)]}))
    assert found.at(other, 0) == found.at(GEM, 0) > 0
    assert found.at(GEM, 1) == found.at(other, 1) == 0
    mask = found.mask({GEM: np.array([0, 1]), other: np.array([1]), uuid4(): np.array([0])})
    assert found.best(5, mask) == [(GEM, 0)]


def segment(number: int, base: int, size: int) -> Segment:
    return Segment(GEM, number, base, size, size, size)


def test_sixteen_neighbours_of_one_tier_are_due_for_merging() -> None:
    small = [segment(i, i, 1) for i in range(MERGE_WIDTH)]
    assert list(plan_merge(small)) == small
    assert plan_merge(small[1:]) == ()


def test_segments_are_not_merged_over_slots_that_are_not_theirs() -> None:
    before, after = [segment(i, i, 1) for i in range(8)], [segment(i, 100 + i, 1) for i in range(8, 16)]
    assert plan_merge([*before, *after]) == ()
    late = [segment(20 + i, 8 + i, 1) for i in range(MERGE_WIDTH)]
    assert list(plan_merge([*before, *after, *late])) == late


def test_no_merge_passes_the_largest_segment_but_all_that_fits_is_merged() -> None:
    large = [segment(i, i * 4096, 4096) for i in range(12)]
    assert list(plan_merge(large)) == large[:8]
    assert plan_merge([segment(i, i * 20_000, 20_000) for i in range(40)]) == ()
    batches = [replace(segment(i, i * 2048, 2048), overrides=(i * 2048,) * 2) for i in range(MERGE_WIDTH)]
    assert list(plan_merge(batches)) == batches
    assert FILL_WIDTH * 4096 < LARGEST_SEGMENT == MERGE_WIDTH * 2048


@pytest.mark.parametrize(
    "pattern", [[1], [1, 20], [20, *[1] * 10], [300, 1, 20, 1, 1], [5000, 1], [0, 1], [1, 1, 1, 40_000], [0]]
)
def test_whatever_sizes_follow_each_other_segments_stay_few_and_are_seldom_written_again(pattern: list[int]) -> None:
    segments: list[Segment] = []
    slots = written = stored = 0
    for number in range(600):
        size = pattern[number % len(pattern)]
        gone = () if size else (number,)
        segments.append(replace(segment(number, slots, size), tombstones=gone))
        slots, stored = slots + size, stored + max(size, 1)
        while run := plan_merge(segments):
            merged, _ = merge(run, [])
            written += sum(max(s.size, len(s.tombstones)) for s in run)
            segments = sorted([s for s in segments if s not in run] + [merged], key=lambda s: s.segment_id)
    assert len(segments) <= 100 + 4 * slots // LARGEST_SEGMENT
    assert written <= 12 * stored


def test_a_write_of_more_passages_than_an_ordinal_can_number_is_cut_into_segments() -> None:
    slots, older = 2 * LARGEST_SEGMENT + 5, LARGEST_SEGMENT + 3
    alpha, beta = entry(0, Counter({"alpha": 1})), entry(0, Counter({"beta": 1}))
    fresh = [Entry(older + i, alpha.own, alpha.weighted) for i in range(slots)]
    again = [Entry(i, beta.own, beta.weighted) for i in range(older)]
    number = count_segments(len(fresh), len(again))
    parts = cut_segments(Segment(GEM, 9, older, 0, 0, -7, tombstones=(4,)), fresh, again)
    assert len(parts) == number == 3
    assert [segment.segment_id for segment, _ in parts] == [7, 8, 9]
    assert sum(segment.tokens for segment, _ in parts) == slots * SCALE - 7
    assert [segment.tombstones for segment, _ in parts] == [(4,), (), ()]
    assert [segment.base for segment, _ in parts] == [older + i * LARGEST_SEGMENT for i in range(3)]
    covered = [e.slot for segment, entries in parts for e in entries if e.slot >= segment.base]
    assert covered == [e.slot for e in fresh]
    overrides = [slot for segment, entries in parts for slot in pack(segment.base, segment.span, entries)[0]]
    assert overrides == [e.slot for e in again]
    assert count_segments(0, 0) == 1


def test_a_frequency_beyond_the_packed_range_is_cut_not_wrapped() -> None:
    own = Counter({"alpha": 5_000, "beta": 1})
    found = score(whole([entry(0, own), entry(1, Counter({"alpha": 1, "beta": 1}))]).lists(["alpha"]))
    assert np.isfinite(found.values).all()
    assert found.at(GEM, 0) > 0

"""Postings built by numpy are those that the index builds passage by passage."""

import random
from collections import Counter

from benchmarks.corpus import Writer
from knowledge.context import own_text
from knowledge.lexical import Entry, count_terms, weigh_terms, weighted_length
from knowledge.lexical.postings import pack
from knowledge.unsealed import UnsealedPassage, pack_passages


def as_entry(passage: UnsealedPassage) -> Entry:
    own = own_text(passage.body, passage.title, passage.heading, passage.speaker)
    counts = count_terms(own, passage.title)
    return Entry(passage.slot, counts, weigh_terms([counts], 0))


def test_the_postings_equal_those_of_the_index() -> None:
    rng, writer = random.Random(3), Writer(5)
    passages = [
        UnsealedPassage(
            slot=100 + 2 * i,
            body=writer.text(rng.randint(1, 6)),
            title=writer.sentence(2) if i % 3 else None,
            heading="Part > Chapter" if i % 5 == 0 else None,
            speaker="Ann" if i % 4 == 0 else None,
        )
        for i in range(400)
    ]
    passages.append(UnsealedPassage(1_001, "the and of", None, None, None))  # nothing but stop words
    passages.append(UnsealedPassage(1_002, "walking " * 5_000, None, None, None))  # beyond what a posting can count
    entries = [as_entry(passage) for passage in passages]
    packed = pack_passages(100, passages)
    _, lists = pack(100, 1_000, entries)
    assert packed.lists == lists
    assert packed.tokens == sum(map(weighted_length, entries))
    assert packed.size == len(passages)


def test_words_of_one_stem_are_one_term() -> None:
    packed = pack_passages(0, [UnsealedPassage(0, "Walking walked walks", None, None, None)])
    assert Counter(packed.lists.keys()) == {"walk": 1}


def test_no_passages_make_an_empty_segment() -> None:
    packed = pack_passages(0, [])
    assert (packed.size, packed.tokens, packed.lists) == (0, 0, {})

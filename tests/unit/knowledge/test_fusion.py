from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import FusionWeights
from knowledge.fusion import CHANNELS, Channels, fuse, order_by_novelty, says_title, split_names

unit = st.floats(0, 1)
values = st.tuples(st.floats(-1, 1), st.floats(0, 40), unit, unit, st.lists(st.floats(-1, 1), min_size=3, max_size=3))
passages = st.lists(values, min_size=1, max_size=30)


def channels(rows: list[Any], *, told: bool = True) -> Channels:
    cosine, bm25, speaks, titled, found = zip(*rows, strict=True)
    return Channels(
        cosine=np.array(cosine),
        bm25=np.array(bm25),
        speaks=np.round(speaks),
        titled=np.round(titled),
        found=np.array(found, np.float32),
        told=np.full(len(rows), told),
        rarity=np.array([0.5, 0.3, 0.2], np.float32),
    )


@given(passages, st.booleans())
@settings(max_examples=80, deadline=None)
def test_without_titles_the_best_relevance_is_one_and_no_part_is_negative(rows: list[Any], told: bool) -> None:
    parts = fuse(channels(rows, told=told), FusionWeights())
    assert (parts.relevance - parts.title).max() == pytest.approx(1.0)
    assert all((getattr(parts, name) >= 0).all() for name in ("late", "dense", "lexical", "speaker", "title"))


@given(passages, passages)
@settings(max_examples=50, deadline=None)
def test_what_joins_later_is_measured_by_the_candidates_and_changes_nothing_of_them(
    rows: list[Any], others: list[Any]
) -> None:
    held = channels(rows)
    alone, together = fuse(held, FusionWeights()), fuse(held.joined(channels(others)), FusionWeights(), len(rows))
    np.testing.assert_allclose(together.relevance[: len(rows)], alone.relevance, atol=1e-12)
    assert (together.relevance >= 0).all()


def test_dense_stands_in_for_late_where_token_states_are_not_known() -> None:
    mixed = channels([(0.9, 0, 0, 0, [0.9] * 3), (0.5, 0, 0, 0, [0] * 3), (0.1, 0, 0, 0, [0.1] * 3)])
    mixed.told[1] = False
    parts = fuse(mixed, FusionWeights(late=0.6, dense=0.4))
    assert parts.late[1] / parts.late[0] == pytest.approx(parts.dense[1] / parts.dense[0]) == pytest.approx(0.5)


def test_without_any_token_states_the_late_channel_has_no_weight() -> None:
    parts = fuse(channels([(0.9, 3, 0, 0, [0.0] * 3), (0.1, 1, 0, 0, [0.0] * 3)], told=False), FusionWeights())
    assert parts.late.tolist() == [0, 0]
    assert parts.dense[0] / parts.lexical[0] == pytest.approx(0.50 / 0.40)


def test_no_candidates_give_no_scores() -> None:
    none, found = np.empty(0), np.empty((0, 3), np.float32)
    empty = Channels(none, none, none, none, found, np.empty(0, np.bool_), np.full(3, 1 / 3, np.float32))
    assert fuse(empty, FusionWeights()).relevance.shape == (0,)
    assert order_by_novelty(np.empty(0), empty, 2.0, 10)[0] == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_can_be_switched_off(channel: str) -> None:
    weights = FusionWeights().without(channel)
    assert getattr(weights, channel) == 0
    if channel in {"late", "dense", "lexical", "speaker", "title"}:
        parts = fuse(channels([(0.9, 3, 1, 1, [0.5] * 3), (0.1, 1, 0, 0, [0.1] * 3)]), weights)
        assert not getattr(parts, channel).any()


@given(passages, st.integers(0, 40), st.floats(0, 5))
@settings(max_examples=80, deadline=None)
def test_ordering_by_novelty_keeps_every_passage_and_falls(rows: list[Any], depth: int, weight: float) -> None:
    held = channels(rows)
    scores = fuse(held, FusionWeights()).relevance
    order, added = order_by_novelty(scores, held, weight, depth)
    assert sorted(order) == list(range(len(rows)))
    sums = (scores + added)[order]
    assert (np.diff(sums) <= 1e-6).all()
    assert (added <= weight + 1e-6).all()
    if depth and weight:
        assert scores[order[0]] == scores.max()


def test_the_second_place_goes_to_what_the_first_does_not_cover() -> None:
    found = [(0.9, 0, 0, 0, [0.9, 0.9, 0.0]), (0.8, 0, 0, 0, [0.9, 0.9, 0.0]), (0.7, 0, 0, 0, [0.0, 0.0, 0.9])]
    held = channels(found)
    scores = np.array([1.0, 0.9, 0.7])
    assert order_by_novelty(scores, held, 0.0, 10)[0] == [0, 1, 2]
    assert order_by_novelty(scores, held, 2.0, 10)[0] == [0, 2, 1]


def test_a_title_is_said_as_whole_words_without_its_bracketed_suffix() -> None:
    titles = ["Song of the South", "Aladdin (2019 film)", "South Korea", "May", None, "song of"]
    said = says_title("Are Aladdin and Song of the South by May?", titles)
    assert said.tolist() == [1, 1, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("question", "nameless", "named"),
    [
        ("What did Ann's brother buy?", "What did brother buy?", {"Ann"}),
        ("Did Ann Lee meet Bob?", "Did meet ?", {"Ann Lee", "Bob"}),
        ("What did Annabel buy?", "What did Annabel buy?", set()),
        ("Ann", "Ann", {"Ann"}),
        ("Who sang?", "Who sang?", set()),
    ],
)
def test_names_of_speakers_are_taken_out_of_a_question(question: str, nameless: str, named: set[str]) -> None:
    assert split_names(question, ["Ann", "Bob", "Ann Lee", "C. (3)"]) == (nameless, frozenset(named))
    assert split_names(question, []) == (question, frozenset())


@pytest.mark.parametrize("name", ["@ann", "(bot)", "Dr. Who?", "C++", "Ann's mum", "安"])
def test_odd_names_of_speakers_are_found_as_they_are_written(name: str) -> None:
    assert split_names(f"What did {name} buy?", [name, "", " "]) == ("What did buy?", frozenset({name}))
    assert split_names(f"What did x{name}x buy?", [name])[1] == frozenset()

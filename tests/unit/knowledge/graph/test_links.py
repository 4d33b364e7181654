from math import log
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.graph.links import Link, Shared, bound_df, weigh_links
from knowledge.graph.mentions import NAME, TITLE, WORDING

GEM = UUID(int=1)


def weigh(*shared: Shared, n: int = 100, most: int = 100) -> dict[tuple[int, int], float]:
    links = weigh_links(shared, {GEM: n}, most)
    return {(link.source[1], link.target[1]): link.weight for link in links}


def test_a_text_is_linked_to_the_document_whose_title_it_says_and_half_as_strongly_back() -> None:
    said = {TITLE: [7], WORDING: [1]}
    assert weigh(Shared(GEM, {WORDING: [1]}, said)) == {(1, 7): 0.7}
    assert weigh(Shared(GEM, {TITLE: [7]}, said)) == {(7, 1): 0.35}


def test_two_that_name_the_same_are_linked_by_its_rarity() -> None:
    found = weigh(Shared(GEM, {NAME: [1]}, {NAME: [1, 2, 3]}))
    weight = 0.5 * log(100 / 3) / log(100)
    assert found == pytest.approx({(1, 2): weight, (1, 3): weight})


def test_rarities_add_up_to_one_at_most_and_to_the_title() -> None:
    both = Shared(GEM, {NAME: [1]}, {NAME: [1, 2]})
    titled = Shared(GEM, {NAME: [1]}, {NAME: [1], TITLE: [2]})
    assert weigh(both, both, both) == {(1, 2): 0.5}
    assert weigh(both, both, titled) == {(1, 2): pytest.approx(1.2)}


def test_two_names_of_one_title_count_once() -> None:
    one = Shared(GEM, {WORDING: [1]}, {TITLE: [7], WORDING: [1]})
    assert weigh(one, one) == {(1, 7): 0.7}


def test_what_more_than_a_bound_names_links_nothing() -> None:
    many = list(range(11))
    assert weigh(Shared(GEM, {NAME: [1]}, {NAME: many})) == {}
    assert weigh(Shared(GEM, {WORDING: [1]}, {WORDING: many, TITLE: [50]})) == {}
    assert (bound_df(5), bound_df(1_000), bound_df(1_000_000)) == (10, 20, 50)


def test_of_a_long_document_the_first_passages_are_linked_to() -> None:
    found = weigh(Shared(GEM, {WORDING: [90]}, {TITLE: list(range(11)), WORDING: [90]}))
    assert found == {(90, i): 0.7 for i in range(10)}


def test_passages_of_one_title_are_not_linked_by_saying_it() -> None:
    own = Shared(GEM, {TITLE: [1], WORDING: [1]}, {TITLE: [1, 2], WORDING: [1]})
    assert weigh(own) == {(1, 2): pytest.approx(0.5 * log(100 / 2) / log(100))}


def test_words_of_a_title_that_is_gone_link_nothing() -> None:
    assert weigh(Shared(GEM, {WORDING: [1]}, {WORDING: [1, 2]})) == {}


def test_the_strongest_links_are_kept_in_one_order() -> None:
    links = weigh_links(
        [Shared(GEM, {NAME: [1]}, {NAME: [1, 4, 3]}), Shared(GEM, {WORDING: [1]}, {TITLE: [9]})], {GEM: 100}, 2
    )
    assert [link.target[1] for link in links] == [9, 3]
    assert links[0] == Link((GEM, 1), (GEM, 9), 0.7)


slots = st.lists(st.integers(0, 12), max_size=14, unique=True)
roles = st.dictionaries(st.sampled_from([TITLE, NAME, WORDING]), slots)


@given(st.lists(st.builds(Shared, st.just(GEM), roles, roles), max_size=5), st.integers(1, 200))
def test_weights_are_bounded_and_no_passage_is_linked_to_itself(shared: list[Shared], n: int) -> None:
    for (source, target), weight in weigh(*shared, n=n, most=10_000).items():
        assert source != target
        assert 0 < weight <= 1.2 + 1e-9

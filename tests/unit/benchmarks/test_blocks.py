import itertools

import pytest

from benchmarks.blocks import SpreadFigure, divide, median_difference, slope, spread, take_turns


def test_a_spread_is_the_median_and_what_lies_around_it() -> None:
    assert spread("cpu", [3.0, 1.0, 2.0], "µs", "≤ 4") == SpreadFigure("cpu", 2.0, "µs", "≤ 4", 1.0, 3.0)


def test_nothing_has_no_spread() -> None:
    with pytest.raises(ValueError, match="cpu"):
        spread("cpu", [], "µs")


def test_ratios_are_of_blocks_side_by_side() -> None:
    assert divide([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]
    with pytest.raises(ValueError, match="argument 2"):
        divide([2.0], [1.0, 3.0])


def test_a_difference_of_pairs_is_not_that_of_medians() -> None:
    ours, theirs = [1.0, 12.0, 103.0], [0.0, 100.0, 10.0]
    assert median_difference(ours, theirs) == 1.0


def test_a_slope_is_growth_a_step() -> None:
    assert slope([0.0, 10.0, 20.0], [5.0, 7.0, 9.0]) == pytest.approx(0.2)


def test_everybody_follows_everybody() -> None:
    names = ["a", "b", "c"]
    orders = [take_turns(names, turn) for turn in range(6)]
    assert {tuple(order) for order in orders} == {
        ("a", "b", "c"),
        ("b", "c", "a"),
        ("c", "a", "b"),
        ("c", "b", "a"),
        ("a", "c", "b"),
        ("b", "a", "c"),
    }
    followed = [(one, other) for order in orders for one, other in itertools.pairwise(order)]
    assert {pair: followed.count(pair) for pair in followed} == {(a, b): 2 for a in names for b in names if a != b}

import json
from dataclasses import asdict
from itertools import pairwise
from random import Random

import pytest

from core.errors import InvalidInputError
from llm_router.policies import Outcome, calibrate, read_outcomes

# the cheap model is right below 0.6, the strong one always; it costs ten times as much
STEP = [Outcome(i / 100, float(i < 60), 1.0, 1.0, 10.0) for i in range(100)]


def test_the_known_optimum_is_found_by_quality() -> None:
    found = calibrate(STEP, target_quality=1.0)
    assert 0.59 < found.threshold <= 0.60
    assert (found.chosen.strong_share, found.chosen.quality) == pytest.approx((0.4, 1.0))
    assert found.chosen.cost == pytest.approx(0.6 * 1 + 0.4 * 10)
    assert found.chosen.cost_share == pytest.approx(0.46)
    assert found.chosen.chance_quality == pytest.approx(0.6 + 0.4 * 0.4)
    assert found.outcomes == 100


def test_the_known_optimum_is_found_by_cost() -> None:
    found = calibrate(STEP, cost_share=0.28)  # 20 of 100 for the strong model: 0.8 + 2.0 of 10
    assert 0.79 < found.threshold <= 0.80
    assert (found.chosen.quality, found.chosen.cost_share) == pytest.approx((0.8, 0.28))


def test_no_more_is_spent_than_helps() -> None:
    assert calibrate(STEP, cost_share=1.0).chosen == calibrate(STEP, target_quality=1.0).chosen


def test_the_curve_goes_from_none_to_all_and_its_thresholds_do_what_they_say() -> None:
    random = Random(2)
    outcomes = [
        Outcome(
            round(random.uniform(0, 0.9), 2), random.random(), random.random(), random.random(), 1 + random.random()
        )
        for _ in range(300)
    ]
    found = calibrate(outcomes, cost_share=1.0)
    assert (found.curve[0].strong_share, found.curve[-1].strong_share) == (0.0, 1.0)
    assert found.curve[0].quality == pytest.approx(found.curve[0].chance_quality)
    assert found.curve[-1].threshold == 0.0
    assert all(before.threshold > after.threshold for before, after in pairwise(found.curve))
    for point in found.curve:
        strong = [each.score >= point.threshold for each in outcomes]
        quality = [each.strong_quality if s else each.cheap_quality for s, each in zip(strong, outcomes, strict=True)]
        cost = [each.strong_cost if s else each.cheap_cost for s, each in zip(strong, outcomes, strict=True)]
        assert point.strong_share == pytest.approx(sum(strong) / 300)
        assert point.quality == pytest.approx(sum(quality) / 300)
        assert point.cost == pytest.approx(sum(cost) / 300)


def test_the_order_of_outcomes_does_not_matter() -> None:
    random = Random(4)
    outcomes = [Outcome(random.choice((0.1, 0.4, 0.9)), random.random(), random.random()) for _ in range(50)]
    shuffled = random.sample(outcomes, 50)
    assert calibrate(shuffled, target_quality=0.4) == calibrate(outcomes, target_quality=0.4)


def test_a_strong_model_that_is_worse_gets_nothing() -> None:
    outcomes = [Outcome(i / 10, 1.0, 0.0) for i in range(10)]
    found = calibrate(outcomes, cost_share=1.0)
    assert (found.threshold, found.chosen.strong_share) == (1.0, 0.0)


def test_equal_scores_go_together_and_a_score_of_1_is_always_hard() -> None:
    found = calibrate([Outcome(1.0, 0.0, 1.0), Outcome(1.0, 1.0, 1.0), Outcome(0.2, 1.0, 1.0)], cost_share=1.0)
    assert [point.strong_share for point in found.curve] == pytest.approx([2 / 3, 1.0])
    assert 0.2 < found.threshold <= 1.0


def test_scores_that_touch_are_still_parted() -> None:
    low = 0.5
    high = 0.5 + 2**-53  # the next number
    found = calibrate([Outcome(low, 1.0, 1.0), Outcome(high, 0.0, 1.0)], target_quality=1.0)
    assert low < found.threshold <= high


def test_without_costs_the_cost_share_is_the_share_of_questions() -> None:
    found = calibrate([Outcome(i / 10, 0.0, 1.0) for i in range(10)], cost_share=0.3)
    assert found.chosen.strong_share == found.chosen.cost_share == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("aims", "field"),
    [
        ({}, "target_quality"),
        ({"target_quality": 0.5, "cost_share": 0.5}, "target_quality"),
        ({"target_quality": 1.01}, "target_quality"),
        ({"target_quality": float("nan")}, "target_quality"),
        ({"cost_share": 0.05}, "cost_share"),
    ],
)
def test_an_aim_that_cannot_be_is_named(aims: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        calibrate(STEP, **aims)
    assert caught.value.field == field


def test_nothing_cannot_be_calibrated_on() -> None:
    with pytest.raises(InvalidInputError, match="at least one"):
        calibrate([], target_quality=0.5)


def test_outcomes_are_read_from_json_lines() -> None:
    lines = [json.dumps(asdict(outcome)) for outcome in STEP]
    assert read_outcomes([lines[0], "\n", *lines[1:]]) == STEP
    assert read_outcomes(['{"score": 0.5, "cheap_quality": false, "strong_quality": true}']) == [Outcome(0.5, 0.0, 1.0)]
    assert read_outcomes([]) == []


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[1]",
        "{}",
        '{"score": 0.5, "cheap_quality": 1}',
        '{"score": 0.5, "cheap_quality": 1, "strong_quality": 1, "cheap_cost": 1}',
        '{"score": 0.5, "cheap_quality": 1, "strong_quality": 1, "note": "x"}',
        '{"score": 1.5, "cheap_quality": 1, "strong_quality": 1}',
        '{"score": NaN, "cheap_quality": 1, "strong_quality": 1}',
        '{"score": "0.5", "cheap_quality": 1, "strong_quality": 1}',
        '{"score": 0.5, "cheap_quality": 1, "strong_quality": 1, "cheap_cost": 1, "strong_cost": Infinity}',
        '{"score": 0.5, "cheap_quality": 1, "strong_quality": 1, "cheap_cost": 1, "strong_cost": 2}',
    ],
)
def test_a_line_that_is_no_outcome_is_named(line: str) -> None:
    first = '{"score": 0.5, "cheap_quality": 1, "strong_quality": 1}'
    with pytest.raises(InvalidInputError) as caught:
        read_outcomes([first, line])
    assert caught.value.field == "line 2"

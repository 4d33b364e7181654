"""What one request may ask for, and what is known of it before it is read and run."""

import tracemalloc

import pytest

from axiom.simulation import (
    VARIABLES,
    Ensemble,
    Linear,
    Milestones,
    Scenario,
    Sum,
)
from core.clock import utc_now
from core.errors import InvalidInputError
from reflection.simulations import (
    is_quickly_read,
    read_scenario,
)
from reflection.simulations.limits import Pace, judge_pace
from reflection.simulations.simulation import address, take_down

GROWTH = {"inputs": {"A": 0.5}, "rules": {"A": {"rule": "linear", "slope": 0.001}}, "steps": 250}
BANDS = {
    **GROWTH,
    "ensemble": {"size": 40, "uncertainty": {"C": {"kind": "uniform", "width": 0.1}}, "quantiles": [0.9, 0.1, 0.4]},
}


@pytest.mark.parametrize(
    ("scenario", "field"),
    [
        (Scenario(steps=100_000, ensemble=Ensemble(201, quantiles=(0.5,))), "ensemble.size"),
        (
            Scenario(rules=dict.fromkeys(VARIABLES[:3], Linear(0.0)), steps=2, ensemble=Ensemble(1_000_000)),
            "ensemble.size",
        ),
        (Scenario(steps=100_000, ensemble=Ensemble(2, quantiles=(0.1, 0.2, 0.3, 0.4))), "ensemble.quantiles"),
        (
            read_scenario(
                {"steps": 100_000, "events": [{"event": "threshold", "level": 0.5}] * 3, "ensemble": {"size": 67}}
            ),
            "events",
        ),
        (
            read_scenario(
                {
                    "steps": 1,
                    "events": [{"event": "milestones", "levels": [0.1, 0.2]}] * 7,
                    "ensemble": {"size": 1_000_000},
                }
            ),
            "events",
        ),
        (Scenario(rules={"A": Sum([Linear(0.0)] * 100)}), "rules"),
    ],
    ids=["size", "moving", "quantiles", "events", "levels", "rules"],
)
def test_too_much_is_refused_by_name(scenario: Scenario, field: str) -> None:
    with pytest.raises(InvalidInputError, match="may be at most") as caught:
        judge_pace(scenario)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("told", "pace"),
    [
        (GROWTH, "brief"),
        ({**GROWTH, "steps": 2_001}, "short"),
        ({**GROWTH, "rules": {"A": {"rule": "bounded", "of": {"rule": "linear", "slope": 0.1}}}}, "short"),
        ({"rules": {"A": {"rule": "sum", "rules": [{"rule": "constant"}] * 99}}, "steps": 200}, "short"),
        ({"rules": {"A": {"rule": "sum", "rules": [{"rule": "constant"}] * 99}}, "steps": 201}, "long"),
        ({**GROWTH, "steps": 10_000, "events": [{"event": "peaks"}]}, "short"),
        ({**GROWTH, "steps": 10_001, "events": [{"event": "peaks"}]}, "long"),
        ({**GROWTH, "ensemble": {"size": 8_000}}, "short"),
        ({**GROWTH, "ensemble": {"size": 8_100}}, "long"),
    ],
    ids=str,
)
def test_the_pace_is_that_of_all_that_is_done_for_a_step(told: dict[str, object], pace: Pace) -> None:
    assert judge_pace(read_scenario(told)) == pace


def test_too_many_rules_are_refused_before_one_is_made() -> None:
    rule: dict[str, object] = {"rule": "unheard_of"}
    for _ in range(900):
        rule = {"rule": "chain", "rules": [rule]}
    for rules in ({"A": rule}, {"A": {"rule": "sum", "rules": [{"rule": "unheard_of"}] * 100_000}}):
        with pytest.raises(InvalidInputError, match=r"the number of rules, .* may be at most 100"):
            read_scenario({"rules": rules})


@pytest.mark.parametrize(
    ("told", "is_quick"),
    [
        ({}, True),
        (GROWTH, True),
        ({**BANDS, "events": [{"event": "threshold", "level": 0.5}]}, True),
        ({"rules": {"A": {"rule": "momentum"}}}, False),  # code of others
        ({"rules": {"A": {"rule": "sum", "rules": []}}}, False),  # rules within
        ({"events": [{"event": "milestones", "levels": []}]}, False),  # of any length
        ({"events": [{"event": "momentum", "rule": "linear"}]}, False),
        ({"events": [{"event": "threshold"}] * 17}, False),
        ({"rules": {"A": 3}}, False),
        ({"rules": 3}, False),
    ],
    ids=str,
)
def test_what_may_take_long_to_read_is_known_before(told: dict[str, object], is_quick: bool) -> None:
    assert is_quickly_read(told) is is_quick


def test_the_size_of_what_is_kept_counts_its_scenario() -> None:
    events = tuple(Milestones(levels=tuple(at + n / 1_000 for n in range(100))) for at in range(100))
    scenario = Scenario(steps=1, events=events)
    kept = take_down(address(scenario), scenario, scenario.run(), utc_now())
    tracemalloc.start()
    try:
        again = [scenario.to_dict()]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert again == [kept.head.scenario]
    assert kept.size > 0.9 * taken

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy.signal import find_peaks

from axiom.simulation.detection import Event, EventHandler
from axiom.simulation.events import Detector, Milestones, Peaks, Plateaus, Threshold
from core.errors import InvalidParameterError

Array = NDArray[np.float64]
quick = settings(deadline=None, max_examples=60)
HUGE = 1.7e308

DETECTORS: list[Detector] = [
    Threshold(0.5),
    Threshold(2.0, "down"),
    Milestones((0.0, 1.0, 3.0)),
    Peaks(),
    Peaks(2.0, "troughs"),
    Plateaus(1.0, 2),
]
# whole numbers, so that ties, touches and flat stretches are common
tables = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(-4, 4).map(float))
series = arrays(np.float64, st.integers(1, 40), elements=st.integers(-6, 6).map(float))


def found(detector: Detector, values: Any) -> list[Event]:
    return list(detector.detect({"score": np.asarray(values, dtype=np.float64)}))


def places(detector: Detector, values: Any) -> list[tuple[str, float, float]]:
    return [(event.kind, event.step, event.value) for event in found(detector, values)]


def test_a_crossing_lies_between_two_steps_in_proportion() -> None:
    # from 0.2 to 0.6 the level 0.5 is (0.5 − 0.2) / (0.6 − 0.2) = 0.75 of the way; back to 0.4 it is half of it
    up, down = found(Threshold(0.5), [0.0, 0.2, 0.6, 0.4])
    assert [up.step, down.step] == pytest.approx([1.75, 2.5], rel=1e-14)
    assert up == Event("threshold", "score", up.step, 0.5, 0, "rises through 0.5")
    assert down.detail == "falls through 0.5"


@pytest.mark.parametrize(
    ("values", "steps"),
    [
        ([0, 1, 0], []),  # touched from below
        ([2, 1, 1, 2], []),  # from above, for a while
        ([0, 1, 2], [1]),  # right on it, and on
        ([0, 1, 1, 1, 2], [1]),  # it stays on it: crossed when it got there
        ([1, 1, 2], []),  # begins on it
        ([2, 0, 2], [0.5, 1.5]),
        ([0, 1], []),  # ends on it
        ([1], []),
    ],
)
def test_a_touch_that_turns_back_is_no_crossing(values: list[float], steps: list[float]) -> None:
    assert [event.step for event in found(Threshold(1.0), values)] == steps


def test_only_crossings_in_the_wanted_direction_count() -> None:
    wave = [0, 2, 0, 2, 0]
    assert [event.step for event in found(Threshold(1.0, "up"), wave)] == [0.5, 2.5]
    assert [event.step for event in found(Threshold(1.0, "down"), wave)] == [1.5, 3.5]


@quick
@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(2, 200), st.data())
def test_a_straight_line_crosses_a_level_within_it_once(start: float, slope: float, n: int, data: Any) -> None:
    line = start + slope * np.arange(n)
    level = data.draw(st.floats(line[0], line[-1], exclude_min=True, exclude_max=True))
    for values, direction in ((line, "up"), (line[::-1], "down")):
        (event,) = found(Threshold(level, direction), values)
        assert np.interp(event.step, np.arange(n), values) == pytest.approx(level, rel=1e-9, abs=1e-9)


def test_milestones_are_reached_once_each_from_either_side() -> None:
    # from 1 to 4 the level 2 is 1/3 of the way; 0 is reached where 4 falls to −4, half of the way from step 1
    events = found(Milestones((2, 0, 1, 9)), [1, 4, -4, 4])
    assert [(event.value, event.step) for event in events] == [(0, 1.5), (1, 0), (2, pytest.approx(1 / 3))]
    assert {event.kind for event in events} == {"milestone"}
    assert events[0].detail == "reached 0"


def test_milestones_below_a_falling_series_are_reached_in_falling() -> None:
    # 0.8·0.5^n falls below 0.25 between 0.4 and 0.2: (0.4 − 0.25) / 0.2 = 0.75
    (event,) = found(Milestones((0.25,)), 0.8 * 0.5 ** np.arange(4))
    assert event.step == pytest.approx(1.75, rel=1e-14)


def test_peaks_and_troughs_lie_inside_and_in_the_middle_of_what_is_flat() -> None:
    values = [5, 1, 3, 3, 3, 0, 2, 9]
    assert places(Peaks(), values) == [("peak", 3, 3), ("trough", 1, 1), ("trough", 5, 0)]
    assert places(Peaks(which="troughs"), values) == [("trough", 1, 1), ("trough", 5, 0)]


def test_a_peak_stands_out_by_the_way_down_to_something_higher() -> None:
    # 3 is 1 above the dip to 5, and 5 is 4 above the deeper of its sides: 1 on the left, 0 on the right
    values = [1, 3, 2, 5, 0, 4, 6]
    assert [event.value for event in found(Peaks(1.0, "peaks"), values)] == [3, 5]
    assert [event.value for event in found(Peaks(1.5, "peaks"), values)] == [5]
    assert [event.value for event in found(Peaks(4.0, "peaks"), values)] == [5]
    assert found(Peaks(4.5, "peaks"), values) == []


@settings(deadline=None, max_examples=300)
@given(series, st.integers(0, 8))
def test_peaks_are_those_of_scipy(values: Array, prominence: int) -> None:
    expected, _ = find_peaks(values, prominence=prominence or None)
    assert [event.step for event in found(Peaks(float(prominence), "peaks"), values)] == expected.tolist()


def test_a_plateau_is_told_at_its_start_with_its_mean_and_its_end() -> None:
    # steps change by 1, 0.1, 0, −0.1, 1: the still ones go from state 1 to 4; (1 + 1.1 + 1.1 + 1) / 4 = 1.05
    (event,) = found(Plateaus(0.2, 3), [0, 1, 1.1, 1.1, 1, 2])
    assert event == Event("plateau", "score", 1, event.value, 0, "until step 4")
    assert event.value == pytest.approx(1.05, rel=1e-14)
    assert found(Plateaus(0.2, 4), [0, 1, 1.1, 1.1, 1, 2]) == []


def test_a_constant_series_is_one_plateau_of_exactly_its_value() -> None:
    assert places(Plateaus(0.0, 5), [0.1] * 6) == [("plateau", 0, 0.1)]
    assert found(Plateaus(0.0, 5), [0.1] * 5) == []


@quick
@given(series, st.integers(0, 3), st.integers(1, 4))
def test_plateaus_are_the_longest_stretches_of_small_changes(values: Array, tolerance: int, least: int) -> None:
    expected: list[Any] = []
    start = 0
    for end in range(len(values)):
        if end + 1 == len(values) or abs(values[end + 1] - values[end]) > tolerance:
            if end - start >= least:
                expected.append((start, f"until step {end}", pytest.approx(values[start : end + 1].mean(), abs=1e-12)))
            start = end + 1
    events = found(Plateaus(float(tolerance), least), values)
    assert [(event.step, event.detail, event.value) for event in events] == expected


@quick
@given(tables)
def test_an_ensemble_has_the_events_of_each_scenario_alone(values: Array) -> None:
    for detector in DETECTORS:
        alone = [
            Event(event.kind, event.variable, event.step, event.value, at, event.detail)
            for at in range(values.shape[1])
            for event in found(detector, values[:, at])
        ]
        assert sorted(found(detector, values), key=repr) == sorted(alone, key=repr)


def test_many_scenarios_are_taken_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).normal(size=(50, 40)).cumsum(axis=0)
    whole = [found(detector, values) for detector in DETECTORS]
    monkeypatch.setattr("axiom.simulation.tables.CELLS", 150)
    assert [sorted(found(each, values), key=repr) for each in DETECTORS] == [sorted(one, key=repr) for one in whole]


@quick
@given(series, st.sampled_from([0.25, 2.0, 1024.0]), st.integers(-5, 5))
def test_events_move_with_the_series(values: Array, factor: float, shift: int) -> None:
    def moved(value: float) -> float:
        return factor * (value + shift)

    pairs: list[tuple[Detector, Detector]] = [
        (Threshold(0.5), Threshold(moved(0.5))),
        (Milestones((1.0, 3.0)), Milestones((moved(1.0), moved(3.0)))),
        (Peaks(1.0), Peaks(factor)),
        (Plateaus(1.0, 2), Plateaus(factor, 2)),
    ]
    for before, after in pairs:
        expected: Any = [
            (kind, pytest.approx(at), pytest.approx(moved(value))) for kind, at, value in places(before, values)
        ]
        assert places(after, factor * (values + shift)) == expected


def test_the_greatest_floats_cross_and_peak_as_others_do() -> None:
    values = [-HUGE, HUGE, -HUGE, -HUGE, -HUGE]
    assert [event.step for event in found(Threshold(0.0), values)] == [0.5, 1.5]
    assert [event.step for event in found(Milestones((HUGE / 2,)), values)] == [pytest.approx(0.75)]
    assert [event.step for event in found(Peaks(1e300), values)] == [1]
    assert places(Plateaus(1e300, 2), values) == [("plateau", 2, -HUGE)]


def test_the_smallest_floats_cross_as_others_do() -> None:
    tiny = 5e-324
    assert [event.step for event in found(Threshold(0.0), [-tiny, tiny])] == [0.5]


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("count", [1, 2])
def test_very_short_series_are_looked_at_without_fault(detector: Detector, count: int) -> None:
    assert {event.kind for event in found(detector, np.ones(count))} <= {"milestone"}


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_detector_is_an_event_handler_that_json_can_tell(detector: Detector) -> None:
    assert isinstance(detector, EventHandler)
    assert detector.variables == {"score"}
    written = json.loads(json.dumps(detector.to_dict()))
    assert written["event"] == detector.kind
    assert type(detector).from_dict(written, "events[0]") == detector


def test_events_are_json() -> None:
    event = Event("peak", "A", 3.0, 0.5, 7, "why")
    assert json.loads(json.dumps(event.to_dict())) == {
        "kind": "peak",
        "variable": "A",
        "step": 3.0,
        "value": 0.5,
        "scenario": 7,
        "detail": "why",
    }
    (plateau,) = found(Plateaus(0.0, 1), [1.0, 1.0])
    assert json.loads(json.dumps(plateau.to_dict()))["value"] == 1.0


@pytest.mark.parametrize(
    ("kind", "given_json", "field"),
    [
        (Threshold, {}, "events[0].level"),
        (Threshold, {"level": float("nan")}, "events[0].level"),
        (Threshold, {"level": 1, "direction": "sideways"}, "events[0].direction"),
        (Threshold, {"level": 1, "variable": "Q"}, "events[0].variable"),
        (Threshold, {"level": 1, "lvl": 2}, "events[0].lvl"),
        (Milestones, {"levels": []}, "events[0].levels"),
        (Milestones, {"levels": [1, "two"]}, "events[0].levels[1]"),
        (Milestones, {"levels": list(range(101))}, "events[0].levels"),
        (Milestones, {"levels": 1}, "events[0].levels"),
        (Peaks, {"prominence": -1}, "events[0].prominence"),
        (Peaks, {"which": "hills"}, "events[0].which"),
        (Plateaus, {"tolerance": -0.1}, "events[0].tolerance"),
        (Plateaus, {"least_steps": 0}, "events[0].least_steps"),
    ],
)
def test_a_wrong_parameter_is_named_by_its_path(
    kind: type[Detector], given_json: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        kind.from_dict(given_json, "events[0]")
    assert caught.value.field == field


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.0, float("nan")], "nan at step 1"),
        ([[0.0, 1.0], [1.0, float("inf")]], "inf at step 1 of scenario 1"),
        ([], "shape"),
        (["a"], "numbers"),
    ],
)
def test_what_is_no_series_of_finite_numbers_is_refused_by_name(detector: Detector, values: Any, words: str) -> None:
    with pytest.raises(InvalidParameterError, match=words) as caught:
        list(detector.detect({"score": np.array(values)}))
    assert caught.value.field == "score"


def test_a_series_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidParameterError, match="C: is needed"):
        list(Threshold(1.0, variable="C").detect({"score": np.ones(3)}))

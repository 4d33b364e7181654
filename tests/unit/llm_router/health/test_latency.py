import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_router.health.latency import MAX_AGE_S, SAMPLES, LatencyWindow
from tests.wire.clock import Clock


@pytest.fixture
def window(clock: Clock) -> LatencyWindow:
    return LatencyWindow(clock)


def test_without_answers_there_is_no_latency(window: LatencyWindow) -> None:
    assert (window.count, window.percentile(0.5)) == (0, None)


def test_one_answer_is_every_percentile(window: LatencyWindow) -> None:
    window.add(2.0)
    assert [window.percentile(q) for q in (0.0, 0.5, 0.95, 1.0)] == [2.0] * 4


def test_the_first_token_counts_where_it_is_known(window: LatencyWindow) -> None:
    window.add(30.0, 0.5)
    window.add(1.5, None)
    window.add(9.0, 0.0)
    assert [window.percentile(q) for q in (0.0, 0.5, 1.0)] == [0.0, 0.5, 1.5]


def test_the_newest_answers_push_out_the_oldest(window: LatencyWindow) -> None:
    for seconds in range(SAMPLES + 10):
        window.add(float(seconds))
    assert (window.count, window.percentile(0.0)) == (SAMPLES, 10.0)


def test_old_answers_leave_also_when_none_come(window: LatencyWindow, clock: Clock) -> None:
    window.add(9.0)
    clock.now_s += MAX_AGE_S
    window.add(1.0)
    assert (window.count, window.percentile(1.0)) == (2, 9.0)
    clock.now_s += 0.5
    assert window.percentile(1.0) == 1.0
    clock.now_s += MAX_AGE_S
    assert (window.percentile(1.0), window.count) == (None, 0)


def test_counting_forgets_what_was_sorted_with_the_old(window: LatencyWindow, clock: Clock) -> None:
    window.add(9.0)
    clock.now_s += 1.0
    window.add(1.0)
    assert window.percentile(1.0) == 9.0
    clock.now_s += MAX_AGE_S - 0.5
    assert window.count == 1
    assert window.percentile(1.0) == 1.0


def test_an_answer_changes_the_percentiles_at_once(window: LatencyWindow) -> None:
    window.add(1.0)
    assert window.percentile(0.5) == 1.0
    window.add(3.0)
    assert window.percentile(0.5) == 2.0


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.floats(0.0, 1e4), min_size=1, max_size=SAMPLES), st.floats(0.0, 1.0))
def test_percentiles_are_those_of_numpy(latencies_s: list[float], q: float) -> None:
    window = LatencyWindow(lambda: 0.0)
    for seconds in latencies_s:
        window.add(seconds)
    assert window.percentile(q) == pytest.approx(float(np.quantile(latencies_s, q)), rel=1e-9, abs=1e-9)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_router.health.window import BUCKETS, CallWindow, WindowCounts


def test_it_begins_empty_and_can_be_cleared() -> None:
    window = CallWindow(60.0)
    assert window.count(1e6) == WindowCounts(0, 0)
    window.add(1e6, failed=True)
    window.clear()
    assert window.count(1e6) == WindowCounts(0, 0)


def test_it_slides_by_tenths() -> None:
    window = CallWindow(10.0)
    for second in range(10):
        window.add(float(second), failed=second % 2 == 0)
    assert window.count(9.9) == WindowCounts(10, 5)
    assert window.count(10.0) == WindowCounts(9, 4)
    assert window.count(18.9) == WindowCounts(1, 0)
    assert window.count(19.0) == WindowCounts(0, 0)


def test_a_long_silence_costs_no_more_than_one_turn() -> None:
    window = CallWindow(0.01)
    window.add(0.0, failed=True)
    assert window.count(1e9) == WindowCounts(0, 0)  # a trillion buckets later


@pytest.mark.parametrize("window_s", [5e-324, 1e-300, 1e300])
def test_absurd_lengths_are_counted_too(window_s: float) -> None:
    window = CallWindow(window_s)
    window.add(1e6, failed=True)
    assert window.count(1e6) == WindowCounts(1, 1)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0.0, 5.0), st.booleans()), max_size=60), st.floats(0.0, 20.0))
def test_it_counts_at_most_the_window_and_at_least_nine_tenths(steps: list[tuple[float, bool]], wait_s: float) -> None:
    window, now, ended = CallWindow(10.0), 0.0, list[tuple[float, bool]]()
    for passed_s, failed in steps:
        now += passed_s
        window.add(now, failed=failed)
        ended.append((now, failed))
    now += wait_s
    counts = window.count(now)
    most = [failed for at, failed in ended if at > now - 10.0]
    least = [failed for at, failed in ended if at > now - 10.0 * (BUCKETS - 1) / BUCKETS]
    assert len(least) <= counts.calls <= len(most)
    assert sum(least) <= counts.failures <= sum(most)

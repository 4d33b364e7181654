"""The pulse of the last minutes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.vitals import LATENCY_WINDOW_S, MOST_LATENCIES, RATE_WINDOW_S, Vitals, VitalSigns, quantile

QUIET = VitalSigns(0, 0, 0, 0, 0, None, None, None, None)


def test_nothing_has_happened_at_first() -> None:
    assert Vitals().read(1_000.0) == QUIET


def test_what_happened_is_counted_by_its_kind_until_a_minute_is_over() -> None:
    vitals = Vitals()
    vitals.count("requests", 100.0)
    vitals.count("requests", 110.0)
    vitals.count("errors", 110.0)
    vitals.count("passages", 110.0, 40)
    signs = vitals.read(120.0)
    assert (signs.requests_per_minute, signs.errors_per_minute, signs.ingested_passages_per_minute) == (2, 1, 40)
    assert vitals.read(165.0).requests_per_minute == 1
    assert vitals.read(170.0) == QUIET


def test_latencies_are_of_the_last_five_minutes() -> None:
    vitals = Vitals()
    vitals.time("recalls", 0.0, 9.0)
    for i in range(100):
        vitals.time("recalls", LATENCY_WINDOW_S, (i + 1) / 100)
    vitals.time("reflections", LATENCY_WINDOW_S, 2.0)
    signs = vitals.read(LATENCY_WINDOW_S + 1)
    assert (signs.recall_p50_s, signs.recall_p95_s) == (0.5, 0.95)
    assert (signs.reflection_p50_s, signs.reflection_p95_s) == (2.0, 2.0)
    assert vitals.read(3 * LATENCY_WINDOW_S) == QUIET


def test_what_is_kept_is_bounded_and_of_the_newest() -> None:
    vitals = Vitals()
    for _ in range(MOST_LATENCIES):
        vitals.time("recalls", 0.0, 5.0)
    for _ in range(MOST_LATENCIES):
        vitals.time("recalls", 1.0, 1.0)
    assert vitals.read(1.0).recall_p95_s == 1.0
    assert len(vitals._latencies["recalls"]) == MOST_LATENCIES


@given(st.lists(st.floats(0, 500), max_size=60).map(sorted))
def test_a_rate_is_the_count_of_the_last_sixty_seconds(times: list[float]) -> None:
    vitals = Vitals()
    for time in times:
        vitals.count("recalls", time)
    now = times[-1] if times else 0.0
    recent = sum(int(time) > int(now) - RATE_WINDOW_S for time in times)
    assert vitals.read(now).recalls_per_minute == recent


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 2.0), (0.75, 3.0), (0.76, 4.0), (1.0, 4.0)])
def test_a_quantile_is_one_of_the_values(share: float, expected: float) -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], share) == expected


def test_nothing_has_no_quantile() -> None:
    assert quantile([], 0.5) is None

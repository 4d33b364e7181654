import math

import pytest

from llm_router.health.breaker import LONGEST_TRIP_S, Breaker
from tests.unit.llm_router.health.driving import fail, permit_of, state_of
from tests.wire.clock import Clock


def test_a_trip_opens_at_once_for_so_long(breaker: Breaker, clock: Clock) -> None:
    breaker.trip(90.0)
    assert (breaker.state, breaker.reopens_in_s(), breaker.admit(alone=True)) == ("open", 90.0, None)
    clock.now_s += 90.0
    assert breaker.admit() is not None


def test_a_trip_without_a_length_opens_as_a_failure_would(breaker: Breaker, clock: Clock) -> None:
    breaker.trip()
    assert breaker.reopens_in_s() == 10.0
    clock.now_s += 10.0
    fail(breaker)
    assert breaker.reopens_in_s() == 20.0


def test_a_later_trip_never_shortens_an_opening(breaker: Breaker, clock: Clock) -> None:
    breaker.trip(90.0)
    clock.now_s += 1.0
    for for_s in (1.0, None, 0.0, -5.0):
        breaker.trip(for_s)
        assert breaker.reopens_in_s() == 89.0
    breaker.trip(120.0)
    assert breaker.reopens_in_s() == 120.0


def test_trips_of_calls_that_fail_together_count_as_one(breaker: Breaker, clock: Clock) -> None:
    for _ in range(20):
        breaker.trip()
        clock.now_s += 0.25
    assert breaker.reopens_in_s() == 5.0
    clock.now_s += 5.0
    fail(breaker)
    assert breaker.reopens_in_s() == 20.0


def test_a_told_length_does_not_lengthen_the_next(breaker: Breaker, clock: Clock) -> None:
    breaker.trip(2.0)
    clock.now_s += 2.0
    fail(breaker)
    assert breaker.reopens_in_s() == 10.0


def test_a_failed_probe_and_a_told_length_give_the_longer_one(breaker: Breaker, clock: Clock) -> None:
    breaker.trip()
    clock.now_s += 10.0
    fail(breaker)
    breaker.trip(3.0)
    assert breaker.reopens_in_s() == 20.0
    breaker.trip(30.0)
    assert breaker.reopens_in_s() == 30.0


@pytest.mark.parametrize("for_s", [1e12, math.inf, math.nan])
def test_no_trip_is_for_ever(breaker: Breaker, clock: Clock, for_s: float) -> None:
    breaker.trip(for_s)
    assert breaker.reopens_in_s() == LONGEST_TRIP_S
    clock.now_s += LONGEST_TRIP_S
    assert breaker.admit() is not None


@pytest.mark.parametrize("for_s", [None, 0.0, 5.0])
def test_a_trip_while_half_open_disowns_the_probe(breaker: Breaker, clock: Clock, for_s: float | None) -> None:
    fail(breaker, 4)
    clock.now_s += 10.0
    disowned = permit_of(breaker)
    breaker.trip(for_s)
    clock.now_s += breaker.reopens_in_s()
    probe = permit_of(breaker)
    breaker.succeed(disowned)
    assert (breaker.state, breaker.admit()) == ("half_open", None)
    breaker.succeed(probe)
    assert state_of(breaker) == "closed"


def test_abandoning_after_a_trip_frees_no_place(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.now_s += 10.0
    disowned = permit_of(breaker)
    breaker.trip(5.0)
    breaker.abandon(disowned)
    assert breaker.admit() is None
    clock.now_s += 5.0
    assert breaker.admit() is not None
    breaker.abandon(disowned)
    assert breaker.admit() is None


def test_a_trip_of_no_time_asks_for_a_probe(breaker: Breaker) -> None:
    breaker.trip(0.0)
    assert (breaker.state, breaker.reopens_in_s()) == ("half_open", 0.0)
    assert breaker.admit() is not None
    assert breaker.admit() is None

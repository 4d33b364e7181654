from collections.abc import Callable

import pytest

from llm_router.config import BreakerConfig
from llm_router.health.breaker import PROBE_CHECK_S, RAMP_START, Breaker, Permit
from llm_router.health.window import WindowCounts
from tests.unit.llm_router.health.driving import (
    CONFIG,
    Luck,
    fail,
    fail_until_open,
    permit_of,
    return_to_service,
    state_of,
    succeed,
)
from tests.wire.clock import Clock


def test_closed_it_admits_any_number_at_once(breaker: Breaker) -> None:
    assert all(breaker.admit() for _ in range(100))
    assert (breaker.state, breaker.reopens_in_s()) == ("closed", 0.0)


def test_fewer_than_the_minimum_of_calls_never_open_it(breaker: Breaker) -> None:
    fail(breaker, 3)
    assert state_of(breaker) == "closed"
    fail(breaker)
    assert state_of(breaker) == "open"


def test_it_opens_at_the_ratio_and_not_below(breaker: Breaker) -> None:
    succeed(breaker, 5)
    fail(breaker, 4)
    assert state_of(breaker) == "closed"
    fail(breaker)
    assert state_of(breaker) == "open"


@pytest.mark.parametrize(("ratio", "calls", "failures"), [(0.07, 100, 7), (0.29, 100, 29), (1.0, 3, 3), (0.1, 10, 1)])
def test_a_ratio_reached_exactly_opens_it(clock: Clock, ratio: float, calls: int, failures: int) -> None:
    breaker = Breaker(BreakerConfig(minimum_calls=calls, failure_ratio=ratio), clock)
    succeed(breaker, calls - failures)
    fail(breaker, failures - 1)
    assert state_of(breaker) == "closed"
    fail(breaker)
    assert state_of(breaker) == "open"


def test_a_success_never_opens_it(breaker: Breaker) -> None:
    fail(breaker, 3)
    succeed(breaker)
    assert breaker.count() == WindowCounts(4, 3)
    assert state_of(breaker) == "closed"


def test_failures_leave_the_window(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now_s += CONFIG.window_s
    fail(breaker, 3)
    assert breaker.count() == WindowCounts(3, 3)
    assert state_of(breaker) == "closed"


def test_open_it_admits_nobody_until_its_time(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.now_s += 9.5
    assert breaker.admit() is None
    assert breaker.admit(alone=True) is None
    assert (breaker.state, breaker.reopens_in_s()) == ("open", 0.5)
    clock.now_s += 0.5
    assert (breaker.state, breaker.reopens_in_s()) == ("half_open", 0.0)


def test_half_open_it_admits_one_probe(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.now_s += 10.0
    assert breaker.admit() is not None
    assert breaker.admit() is None
    assert breaker.admit(alone=True) is None
    assert (breaker.state, breaker.reopens_in_s()) == ("half_open", PROBE_CHECK_S)


def test_the_ramp_does_not_hold_back_a_probe(breaker: Breaker, clock: Clock, luck: Luck) -> None:
    fail(breaker, 4)
    return_to_service(breaker, clock)
    breaker.trip(5.0)
    clock.now_s += 5.0
    luck.value = 0.999
    assert breaker.admit() is not None


def test_an_abandoned_probe_makes_room_for_the_next(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.now_s += 10.0
    left, counted = permit_of(breaker), breaker.count()
    breaker.abandon(left)
    assert (breaker.state, breaker.count()) == ("half_open", counted)
    second = permit_of(breaker)
    breaker.succeed(left)
    assert state_of(breaker) == "half_open"
    breaker.succeed(second)
    assert state_of(breaker) == "closed"


def test_failed_probes_double_the_opening_up_to_the_longest(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    lengths_s = []
    for _ in range(4):
        lengths_s.append(breaker.reopens_in_s())
        clock.now_s += breaker.reopens_in_s()
        fail(breaker)
    assert lengths_s == [10.0, 20.0, 35.0, 35.0]


def test_a_good_probe_starts_the_window_anew(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    return_to_service(breaker, clock)
    assert breaker.count() == WindowCounts(1, 0)
    fail(breaker)
    assert state_of(breaker) == "closed"


def test_holding_for_the_ramp_brings_the_first_length_back(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    return_to_service(breaker, clock)
    clock.now_s += CONFIG.ramp_s
    fail_until_open(breaker)
    assert breaker.reopens_in_s() == 10.0


def test_failing_within_the_ramp_doubles_the_opening(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    return_to_service(breaker, clock)
    clock.now_s += CONFIG.ramp_s - 0.5
    fail_until_open(breaker)
    assert breaker.reopens_in_s() == 20.0


def test_the_share_grows_evenly_over_the_ramp(breaker: Breaker, clock: Clock, luck: Luck) -> None:
    fail(breaker, 4)
    return_to_service(breaker, clock)
    for passed in (0.0, 0.25, 0.5, 0.75):
        share = RAMP_START + (1 - RAMP_START) * passed
        luck.value = share - 1e-6
        assert breaker.admit() is not None
        luck.value = share + 1e-6
        assert breaker.admit() is None
        assert breaker.admit(alone=True) is not None
        assert (breaker.state, breaker.reopens_in_s()) == ("closed", 0.0)
        clock.now_s += CONFIG.ramp_s / 4
    luck.value = 0.999999
    assert breaker.admit() is not None


def test_no_chance_is_drawn_but_in_the_ramp(breaker: Breaker, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Luck) -> float:
        raise AssertionError

    fail(breaker, 4)
    return_to_service(breaker, clock)
    clock.now_s += CONFIG.ramp_s
    monkeypatch.setattr(Luck, "__call__", refuse)
    assert breaker.admit() is not None


@pytest.mark.parametrize("end", [Breaker.succeed, Breaker.fail, Breaker.abandon])
def test_results_from_before_an_opening_change_nothing(
    breaker: Breaker, clock: Clock, end: Callable[[Breaker, Permit], None]
) -> None:
    early = [permit_of(breaker) for _ in range(20)]
    fail(breaker, 4)
    for permit in early[:6]:
        end(breaker, permit)
    assert (breaker.state, breaker.reopens_in_s(), breaker.count()) == ("open", 10.0, WindowCounts(4, 4))
    clock.now_s += 10.0
    probe = permit_of(breaker)
    for permit in early[6:12]:
        end(breaker, permit)
    assert (breaker.state, breaker.admit()) == ("half_open", None)
    breaker.succeed(probe)
    for permit in early[12:]:
        end(breaker, permit)
    assert (breaker.state, breaker.count()) == ("closed", WindowCounts(1, 0))


def test_a_permit_counts_once(breaker: Breaker) -> None:
    permit = permit_of(breaker)
    breaker.succeed(permit)
    breaker.fail(permit)
    breaker.abandon(permit)
    breaker.succeed(permit)
    assert breaker.count() == WindowCounts(1, 0)


def test_a_probe_counts_once(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.now_s += 10.0
    probe = permit_of(breaker)
    breaker.succeed(probe)
    for _ in range(9):
        breaker.fail(probe)
    assert (breaker.state, breaker.count()) == ("closed", WindowCounts(1, 0))


def test_abandoned_calls_count_for_nothing(breaker: Breaker) -> None:
    fail(breaker, 3)
    for _ in range(50):
        breaker.abandon(permit_of(breaker))
    assert breaker.count() == WindowCounts(3, 3)


def test_a_clock_that_stands_still_divides_nothing_by_zero() -> None:
    config = BreakerConfig(window_s=5e-324, minimum_calls=1, open_s=5e-324, open_max_s=5e-324, ramp_s=0.0)
    breaker = Breaker(config, lambda: 0.0)
    for _ in range(5):
        succeed(breaker)
        breaker.trip(0.0)
        succeed(breaker)
        assert breaker.admit() is not None


def test_a_ramp_of_no_time_is_none(clock: Clock, luck: Luck) -> None:
    breaker = Breaker(BreakerConfig(ramp_s=0.0), clock, random=luck)
    breaker.trip()
    return_to_service(breaker, clock)
    assert all(breaker.admit() for _ in range(10))
    breaker.trip()
    assert breaker.reopens_in_s() == 10.0

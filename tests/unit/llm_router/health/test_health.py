from dataclasses import FrozenInstanceError

import pytest

from llm_router.config import BreakerConfig
from llm_router.health.health import Health, HealthView
from tests.wire.clock import Clock


def test_a_new_target_is_well_and_unknown() -> None:
    health = Health(BreakerConfig(), Clock())
    assert health.describe() == HealthView(
        enabled=True,
        state="closed",
        reopens_in_s=0.0,
        busy=0,
        calls=0,
        failures=0,
        latency_p50_s=None,
        latency_p95_s=None,
        samples=0,
    )


def test_it_tells_how_the_target_fares() -> None:
    clock = Clock()
    health = Health(BreakerConfig(minimum_calls=2), clock)
    for seconds in (1.0, 3.0):
        health.latency.add(seconds, None)
    for end in (health.breaker.succeed, health.breaker.fail):
        permit = health.breaker.admit()
        assert permit is not None
        end(permit)
    health.busy += 1
    health.enabled = False
    clock.now_s += 4.0
    view = health.describe()
    assert (view.enabled, view.state, view.reopens_in_s, view.busy) == (False, "open", 6.0, 1)
    assert (view.calls, view.failures, view.samples) == (2, 1, 2)
    assert (view.latency_p50_s, view.latency_p95_s) == pytest.approx((2.0, 2.9))


def test_a_view_does_not_change() -> None:
    health = Health(BreakerConfig(), Clock())
    view = health.describe()
    health.busy += 1
    assert view.busy == 0
    with pytest.raises(FrozenInstanceError):
        view.busy = 3  # type: ignore[misc]


def test_chance_is_handed_to_the_breaker() -> None:
    clock = Clock()
    health = Health(BreakerConfig(ramp_s=10.0), clock, random=lambda: 0.5)
    health.breaker.trip(0.0)
    probe = health.breaker.admit()
    assert probe is not None
    health.breaker.succeed(probe)
    assert health.breaker.admit() is None
    clock.now_s += 5.0
    assert health.breaker.admit() is not None

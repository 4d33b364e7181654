"""What the tests of the breaker do with it."""

from llm_router.config import BreakerConfig
from llm_router.health.breaker import Breaker, Permit
from tests.wire.clock import Clock

CONFIG = BreakerConfig(window_s=60.0, minimum_calls=4, failure_ratio=0.5, open_s=10.0, open_max_s=35.0, ramp_s=8.0)


class Luck:
    """A random source that tests set."""

    def __init__(self) -> None:
        self.value = 0.999

    def __call__(self) -> float:
        return self.value


def permit_of(breaker: Breaker) -> Permit:
    permit = breaker.admit(alone=True)
    assert permit is not None
    return permit


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.fail(permit_of(breaker))


def succeed(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.succeed(permit_of(breaker))


def fail_until_open(breaker: Breaker) -> None:
    while breaker.state == "closed":
        fail(breaker)


def state_of(breaker: Breaker) -> str:
    """The state anew: type checkers believe that a property keeps what it was seen to be."""
    return breaker.state


def return_to_service(breaker: Breaker, clock: Clock) -> None:
    clock.now_s += breaker.reopens_in_s()
    succeed(breaker)
    assert breaker.state == "closed"

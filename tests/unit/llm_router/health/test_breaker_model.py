"""The breaker against a model that keeps a plain list of what happened."""

import copy
from math import floor

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from hypothesis.strategies import SearchStrategy

from llm_router.config import BreakerConfig
from llm_router.health.breaker import Breaker, Permit

# All times are multiples of a quarter second, so that the model's sums are exact; a bucket of the window is a second.
CONFIG = BreakerConfig(window_s=10.0, minimum_calls=3, failure_ratio=0.5, open_s=4.0, open_max_s=12.0, ramp_s=5.0)
LONGEST_TRIP_S = 20.0

quarters: SearchStrategy[float] = st.integers(0, 80).map(lambda quarter: quarter / 4)
lucks = st.sampled_from((0.0, 0.3, 0.6, 0.97))


class Model:
    """What the breaker should do, said as plainly as can be."""

    def __init__(self) -> None:
        self.now = 0.0
        self.opened_until: float | None = None
        self.returned_at = -100.0
        self.doublings = 0
        self.live: set[Permit] = set()
        self.ended: list[tuple[float, bool]] = []
        self.all_ended: list[float] = []

    @property
    def state(self) -> str:
        if self.opened_until is None:
            return "closed"
        return "open" if self.now < self.opened_until else "half_open"

    def admits(self, luck: float, *, alone: bool) -> bool:
        if self.state == "closed":
            ramped = (self.now - self.returned_at) / CONFIG.ramp_s
            return alone or luck < 0.1 + 0.9 * ramped
        return self.state == "half_open" and not self.live

    def in_window(self) -> list[bool]:
        return [failed for at, failed in self.ended if floor(at) > floor(self.now) - 10]

    def end(self, permit: Permit, *, failed: bool) -> None:
        if permit not in self.live:
            return
        self.live.remove(permit)
        self.all_ended.append(self.now)
        was_probe = self.opened_until is not None
        if was_probe and not failed:
            self.opened_until, self.returned_at, self.ended = None, self.now, []
        self.ended.append((self.now, failed))
        recent = self.in_window()
        if failed and (was_probe or (len(recent) >= 3 and sum(recent) * 2 >= len(recent))):
            self.open(None)

    def open(self, for_s: float | None) -> None:
        if self.opened_until is None and self.now - self.returned_at >= CONFIG.ramp_s:
            self.doublings = 0
        if for_s is None:
            for_s = min(4.0 * 2**self.doublings, 12.0)
            self.doublings += 1
        self.opened_until = max(self.opened_until or 0.0, self.now + for_s)
        self.live.clear()


class BreakerMachine(RuleBasedStateMachine):
    permits: Bundle[Permit] = Bundle("permits")

    @initialize(start=quarters)
    def begin(self, start: float) -> None:
        self.luck = 0.0
        self.model = Model()
        self.model.now = start
        self.breaker = Breaker(CONFIG, lambda: self.model.now, random=lambda: self.luck)

    def see(self) -> tuple[object, ...]:
        return self.breaker.state, self.breaker.reopens_in_s(), self.breaker.count()

    @rule(target=permits, luck=lucks, alone=st.booleans())
    def admit(self, luck: float, alone: bool) -> Permit | MultipleResults[Permit]:
        self.luck = luck
        expected = self.model.admits(luck, alone=alone)
        permit = self.breaker.admit(alone=alone)
        assert (permit is not None) == expected
        if permit is None:
            return multiple()
        assert permit not in self.model.live
        self.model.live.add(permit)
        return permit

    # Bundles keep what they gave: permits are settled late, and more than once.
    @rule(permit=permits)
    def succeed(self, permit: Permit) -> None:
        before, is_late = self.see(), permit not in self.model.live
        self.breaker.succeed(permit)
        self.model.end(permit, failed=False)
        assert not is_late or self.see() == before

    @rule(permit=permits)
    def fail(self, permit: Permit) -> None:
        before, is_late = self.see(), permit not in self.model.live
        self.breaker.fail(permit)
        self.model.end(permit, failed=True)
        assert not is_late or self.see() == before

    @rule(permit=permits)
    def abandon(self, permit: Permit) -> None:
        before, counted = self.see(), self.breaker.count()
        is_late = permit not in self.model.live
        self.breaker.abandon(permit)
        self.model.live.discard(permit)
        assert self.breaker.count() == counted
        assert not is_late or self.see() == before

    @rule(for_s=st.none() | quarters)
    def trip(self, for_s: float | None) -> None:
        left_s = (self.model.opened_until or 0.0) - self.model.now
        self.breaker.trip(for_s)
        if for_s is not None or self.model.state != "open":
            self.model.open(for_s)
        assert self.model.opened_until is not None
        assert self.model.opened_until - self.model.now >= max(left_s, for_s or 0.0)

    @rule(seconds=quarters)
    def let_time_pass(self, seconds: float) -> None:
        self.model.now += seconds

    @rule(failures=st.lists(st.booleans(), min_size=1, max_size=4))
    def call_in_turn(self, failures: list[bool]) -> None:
        for failed in failures:
            permit = self.breaker.admit(alone=True)
            assert (permit is not None) == self.model.admits(0.0, alone=True)
            if permit is not None:
                self.model.live.add(permit)
                (self.breaker.fail if failed else self.breaker.succeed)(permit)
                self.model.end(permit, failed=failed)

    @rule()
    @precondition(lambda self: self.model.state == "open")
    def let_the_opening_end(self) -> None:
        self.model.now += self.breaker.reopens_in_s()
        assert self.breaker.state == "half_open"

    @invariant()
    def state_is_the_models(self) -> None:
        assert self.breaker.state == self.model.state

    @invariant()
    def at_most_one_probe_is_out(self) -> None:
        assert self.model.state == "closed" or len(self.model.live) <= 1
        assert self.model.state != "open" or not self.model.live

    @invariant()
    def window_is_the_models_and_never_more_than_reality(self) -> None:
        counts, recent = self.breaker.count(), self.model.in_window()
        assert (counts.calls, counts.failures) == (len(recent), sum(recent))
        assert counts.calls <= sum(at > self.model.now - CONFIG.window_s for at in self.model.all_ended)

    @invariant()
    def no_wait_means_that_it_admits(self) -> None:
        reopens_in_s = self.breaker.reopens_in_s()
        trial = copy.copy(self.breaker)  # asks without taking the probe's place
        assert (reopens_in_s == 0.0) == (trial.admit(alone=True) is not None)
        if self.model.state == "open":
            assert reopens_in_s == (self.model.opened_until or 0.0) - self.model.now

    def teardown(self) -> None:
        """Find the way back to service, wherever the rules have left it."""
        if not hasattr(self, "model"):
            return
        for permit in self.model.live:
            self.breaker.abandon(permit)
        self.model.now += max(LONGEST_TRIP_S, CONFIG.open_max_s)
        probe = self.breaker.admit(alone=True)
        assert probe is not None
        self.breaker.succeed(probe)
        self.model.now += CONFIG.ramp_s
        self.luck = 0.999
        assert self.breaker.state == "closed"
        assert self.breaker.admit() is not None


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(
    derandomize=True, database=None, deadline=None, max_examples=100, stateful_step_count=40
)

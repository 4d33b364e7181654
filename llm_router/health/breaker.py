"""A circuit breaker: leaves a failing target alone for a while, then tries it with one call."""

import math
import random as chance
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from llm_router.config import BreakerConfig
from llm_router.health.window import CallWindow, WindowCounts

BreakerState = Literal["closed", "open", "half_open"]

RAMP_START = 0.1
"""The share of its calls that a target gets right after a good probe."""

PROBE_CHECK_S = 0.25
"""How soon to look again while a probe is out: nobody knows when it will end."""

LONGEST_TRIP_S = 86_400.0
"""A server that asks for more may be wrong, and one probe a day costs little."""

_SETTLED = -1


@dataclass(slots=True, eq=False)
class Permit:
    """Leave to make one call; its result counts once, and only for the generation it was given in."""

    generation: int


class Breaker:
    """Say whether a target may be called, from how its calls end.

    Closed, it admits all. A failure opens it when, of the `minimum_calls` or more in the window, `failure_ratio` have
    failed. When the opening is over it is half-open and admits a single probe. A failed probe opens it again, for
    twice as long; a good one closes it, and the target's traffic ramps up. An opening within the ramp is twice as long
    too: only a target that has held for the whole ramp begins anew.

    Each opening begins a generation, and results of calls admitted before it are ignored. Every permit must be settled
    by `succeed`, `fail` or `abandon`, also when the call is cancelled; what comes after the first of them is ignored.
    States follow from the clock when somebody asks, so there is no timer. It is for one event loop: no locks.

    Args:
        clock: monotonic seconds.
        random: a number in [0, 1); decides who is admitted during the ramp.
        told: hears of each opening, with its length in seconds, and of each closing, with 0.0.
    """

    __slots__ = (
        "_clock",
        "_closed_at",
        "_config",
        "_generation",
        "_is_open",
        "_is_ramping",
        "_next_open_s",
        "_open_until",
        "_probe",
        "_random",
        "_told",
        "_window",
    )

    def __init__(
        self,
        config: BreakerConfig,
        clock: Callable[[], float],
        *,
        random: Callable[[], float] = chance.random,
        told: Callable[[BreakerState, float], None] = lambda _, __: None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._random = random
        self._told = told
        self._window = CallWindow(config.window_s)
        self._generation = 0
        self._is_open = False
        self._is_ramping = False
        self._open_until = -math.inf
        self._closed_at = -math.inf
        self._next_open_s = config.open_s
        self._probe: Permit | None = None

    @property
    def state(self) -> BreakerState:
        """Whether it admits all calls, none, or one probe at a time."""
        if not self._is_open:
            return "closed"
        return "open" if self._clock() < self._open_until else "half_open"

    def reopens_in_s(self) -> float:
        """Return after how many seconds to ask again: 0.0 only if it would admit a call now, the ramp left aside."""
        if not self._is_open:
            return 0.0
        if self._probe is not None:
            return PROBE_CHECK_S
        return max(0.0, self._open_until - self._clock())

    def count(self) -> WindowCounts:
        """Return the calls that ended in the window; a return to service starts it anew."""
        return self._window.count(self._clock())

    def admit(self, *, alone: bool = False) -> Permit | None:
        """Return leave for one call, or None if another target should be asked.

        Args:
            alone: there is no other target, so the ramp does not hold this call back; an opening does.
        """
        if self._is_open:
            return self._admit_probe()
        if self._is_ramping and not self._draw_turn() and not alone:
            return None
        return Permit(self._generation)

    def succeed(self, permit: Permit) -> None:
        """Count a call that the target answered."""
        if not self._settle(permit):
            return
        now = self._clock()
        if permit is self._probe:
            self._close(now)
        self._window.add(now, failed=False)

    def fail(self, permit: Permit) -> None:
        """Count a call that the target failed; open if it was the probe, or one failure too many."""
        if not self._settle(permit):
            return
        now = self._clock()
        self._window.add(now, failed=True)
        if permit is self._probe or self._is_failing(now):
            self._open(now)

    def abandon(self, permit: Permit) -> None:
        """Count nothing, since the caller left or the fault was not the target's; another call may be the probe."""
        if self._settle(permit) and permit is self._probe:
            self._probe = None

    def trip(self, for_s: float | None = None) -> None:
        """Open at once, whatever the window says; it never ends an opening sooner.

        Args:
            for_s: for at least so long, though a day at most; such an opening does not lengthen the next. None opens
                for as long as a failure would, and changes nothing where an opening is not yet over.
        """
        now = self._clock()
        if for_s is None and self._is_open and now < self._open_until:
            return  # calls that fail together lengthen nothing
        self._open(now, for_s if for_s is None else min(LONGEST_TRIP_S, for_s))

    def _admit_probe(self) -> Permit | None:
        if self._probe is not None or self._clock() < self._open_until:
            return None
        self._probe = Permit(self._generation)
        return self._probe

    def _draw_turn(self) -> bool:
        elapsed_s = self._clock() - self._closed_at
        if elapsed_s >= self._config.ramp_s:  # also where it is 0, so nothing is divided by it
            self._is_ramping = False
            return True
        return self._random() < RAMP_START + (1.0 - RAMP_START) * elapsed_s / self._config.ramp_s

    def _settle(self, permit: Permit) -> bool:
        """Use the permit up; say whether its result counts."""
        counts = permit.generation == self._generation
        permit.generation = _SETTLED
        return counts

    def _is_failing(self, now: float) -> bool:
        counts = self._window.count(now)
        enough = counts.calls >= self._config.minimum_calls
        return enough and counts.failures / counts.calls >= self._config.failure_ratio

    def _close(self, now: float) -> None:
        self._window.clear()
        self._probe = None
        self._is_open = False
        self._is_ramping = True
        self._closed_at = now
        self._told("closed", 0.0)

    def _open(self, now: float, for_s: float | None = None) -> None:
        if not self._is_open and now - self._closed_at >= self._config.ramp_s:  # it has held, so begin anew
            self._next_open_s = self._config.open_s
        if for_s is None:
            for_s = self._next_open_s
            self._next_open_s = min(2.0 * for_s, self._config.open_max_s)
        self._generation += 1
        self._probe = None
        self._is_open = True
        self._open_until = max(self._open_until, now + for_s)
        self._told("open", self._open_until - now)

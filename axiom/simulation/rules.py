"""Update rules: how one variable goes from one step to the next.

The meaning of a rule is its step form, `rule(state, step)`. A rule that looks at nothing but its own variable and the
step has a mover too: the closed form over any number of steps at once, which is what runs where the rule stands alone.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from axiom.equation import Float, FloatArray
from axiom.sequences import LAST_FLOAT, e_values, fibonacci_floats
from axiom.simulation.inputs import SERIES, SeriesName
from axiom.simulation.parameters import Parameters, choice, number, whole
from axiom.simulation.state import SystemState

FADED = 708.0  # exponents whose e^±x is neither 0 nor infinite, which would turn a logistic at rest into 0/0


@runtime_checkable
class UpdateRule(Protocol):
    """Any function of a state and a step that returns the variable's value at that step. Pure.

    Args:
        state: the one at step − 1, and those before it.
        step: the one whose value is made, from 1 on.

    Returns:
        A float; in an ensemble an array (k,), or a float for all scenarios.
    """

    def __call__(self, state: SystemState, step: int, /) -> Float:
        """Return the value at the step."""
        ...


class Mover(Protocol):
    """A variable on its way; knows how far it has come."""

    def __call__(self, count: int, /) -> FloatArray:
        """Return the values of the next `count` steps, of shape (count, k) or what broadcasts to it."""
        ...


@dataclass(frozen=True, slots=True)
class Rule(Parameters):
    """A rule that is its parameters: it can be told as JSON."""

    def __call__(self, state: SystemState, step: int, /) -> Float:
        """Return the value at the step."""
        raise NotImplementedError

    def mover(self, start: FloatArray) -> Mover | None:
        """Return what moves values of shape (k,) from where they are; None if it takes a state for each step."""
        return None


@dataclass(frozen=True, slots=True)
class ClosedRule(Rule):
    """A rule whose value after n steps follows from the one before the first of them."""

    def path(self, start: FloatArray, steps: FloatArray) -> FloatArray:
        """Return the values after `steps` (n, 1), each at least 1, from `start` (k,); broadcasts to (n, k)."""
        raise NotImplementedError

    def mover(self, start: FloatArray) -> Mover | None:
        """Return the closed form on its way."""
        return _Path(self, start)


@dataclass(slots=True)
class _Path:
    rule: ClosedRule
    start: FloatArray
    done: int = 0

    def __call__(self, count: int, /) -> FloatArray:
        steps = np.arange(self.done + 1, self.done + count + 1, dtype=np.float64)[:, None]
        self.done += count
        return self.rule.path(self.start, steps)


@dataclass(frozen=True, slots=True)
class Constant(ClosedRule):
    """One value from the first step on, or whatever the variable has."""

    kind: ClassVar[str] = "constant"
    value: float | None = number(None, optional=True, help="The value; null holds the one there is.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        return state.own if self.value is None else self.value

    def path(self, start: FloatArray, steps: FloatArray) -> FloatArray:  # noqa: D102
        return np.broadcast_to(start if self.value is None else self.value, (steps.size, start.size))


@dataclass(frozen=True, slots=True)
class Linear(ClosedRule):
    """v + slope at each step."""

    kind: ClassVar[str] = "linear"
    slope: float = number(help="What each step adds.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        return state.own + self.slope

    def path(self, start: FloatArray, steps: FloatArray) -> FloatArray:  # noqa: D102
        return start + self.slope * steps


@dataclass(frozen=True, slots=True)
class Exponential(ClosedRule):
    """v·(1 + rate) at each step."""

    kind: ClassVar[str] = "exponential"
    rate: float = number(low=-1.0, help="Growth a step; 0.05 is 5 %.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        return state.own * (1.0 + self.rate)

    def path(self, start: FloatArray, steps: FloatArray) -> FloatArray:  # noqa: D102
        half = np.floor(steps / 2.0)  # in two parts: the power may be too large where its product with the start is not
        factor = 1.0 + self.rate
        lost = math.fsum((1.0, self.rate, -factor))  # rounded away by the sum: 1e-16, but 1e-11 after 100,000 steps
        grown = start * np.power(factor, half) * np.power(factor, steps - half)
        return grown * np.exp(lost / factor * steps) if lost else grown


@dataclass(frozen=True, slots=True)
class Decay(ClosedRule):
    """floor + (v − floor)·exp(−rate) at each step."""

    kind: ClassVar[str] = "decay"
    rate: float = number(low=0.0, help="A step; the distance to the floor halves in ln 2 / rate steps.")
    floor: float = number(0.0, help="Where it ends.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        return self.floor + (state.own - self.floor) * math.exp(-self.rate)

    def path(self, start: FloatArray, steps: FloatArray) -> FloatArray:  # noqa: D102
        return self.floor + (start - self.floor) * np.exp(-self.rate * steps)


@dataclass(frozen=True, slots=True)
class Logistic(ClosedRule):
    """The logistic flow dv/dn = rate·v·(1 − v/capacity), exact over each step."""

    kind: ClassVar[str] = "logistic"
    rate: float = number(help="Growth a step while v is small.")
    capacity: float = number(1.0, above=0.0, help="Where growth ends.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        left = self._left(state.own, math.exp(min(max(-self.rate, -FADED), FADED)))
        if isinstance(left, float):
            return state.own / left if left > 0.0 else math.copysign(math.inf, state.own)
        return self._flow(state.own, left)

    def path(self, start: FloatArray, steps: FloatArray) -> FloatArray:  # noqa: D102
        return self._flow(start, self._left(start, np.exp(np.clip(-self.rate * steps, -FADED, FADED))))

    def _left(self, start: Any, faded: Any) -> Any:  # noqa: ANN401 - floats or arrays
        """Return the start over the value; `faded` is exp(−rate·n)."""
        share = start / self.capacity
        return share + (1.0 - share) * faded

    def _flow(self, start: Float, left: FloatArray) -> FloatArray:
        """Return the values; infinite where what is left is not above 0, since no flow comes back from there."""
        values = start / left
        return values if left.min() > 0.0 else np.where(left > 0.0, values, np.copysign(np.inf, start))


@dataclass(frozen=True, slots=True)
class Sigmoid(ClosedRule):
    """From where it is to another value along an S: half of the way near the midpoint."""

    kind: ClassVar[str] = "sigmoid"
    to: float = number(help="Where it ends.")
    midpoint: float = number(help="The step at which it is quickest.")
    width: float = number(above=0.0, help="Steps in which the odds of having arrived grow e-fold.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        behind, ahead = self._odds(np.array([step - 1.0, step]))
        return self.to + (state.own - self.to) * math.exp(behind - ahead)

    def path(self, start: FloatArray, steps: FloatArray) -> FloatArray:  # noqa: D102
        return self.to + (start - self.to) * np.exp(self._odds(np.zeros(1)) - self._odds(steps))

    def _odds(self, steps: FloatArray) -> FloatArray:
        """Return −ln of what is left of the way, up to a constant: ln(1 + e^((n − midpoint) / width))."""
        return np.logaddexp(0.0, (steps - self.midpoint) / self.width)


@dataclass(frozen=True, slots=True)
class Oscillation(ClosedRule):
    """A sine on top of where it starts: v + amplitude·(sin(2πn/period + phase) − sin(phase)) after n steps."""

    kind: ClassVar[str] = "oscillation"
    amplitude: float = number(help="Half of the swing.")
    period: float = number(above=0.0, help="Steps from one crest to the next.")
    phase: float = number(0.0, help="Radians; π/2 starts at the crest.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        now, before = self._wave(np.array([step, step - 1.0]))
        return state.own + float(now - before)

    def path(self, start: FloatArray, steps: FloatArray) -> FloatArray:  # noqa: D102
        return start + (self._wave(steps) - self._wave(np.zeros(1)))

    def _wave(self, steps: FloatArray) -> FloatArray:
        within = np.fmod(steps, self.period)  # exact, where a sine of many turns is not
        return self.amplitude * np.sin(2.0 * math.pi * within / self.period + self.phase)


@dataclass(frozen=True, slots=True)
class ESequence(ClosedRule):
    """a·v + b at each step: the growth of E_n."""

    kind: ClassVar[str] = "e_sequence"
    a: float = number(3.0, help="The factor.")
    b: float = number(2.0, help="What is added.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        return self.a * state.own + self.b

    def path(self, start: FloatArray, steps: FloatArray) -> FloatArray:  # noqa: D102
        return e_values(start, steps, self.a, self.b)


@dataclass(frozen=True, slots=True)
class Fibonacci(ClosedRule):
    """scale·F(n + offset), whatever the variable was before."""

    kind: ClassVar[str] = "fibonacci"
    scale: float = number(1.0, help="What the numbers are multiplied by.")
    offset: int = whole(0, low=0, high=1_000, help="The number of the sequence that step 0 would have.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        return float(self._numbers(np.array([step]))[0])

    def path(self, start: FloatArray, steps: FloatArray) -> FloatArray:  # noqa: D102
        return np.broadcast_to(self._numbers(steps.astype(np.int64)), (steps.size, start.size))

    def _numbers(self, steps: FloatArray) -> FloatArray:
        wanted = steps + self.offset
        beyond = wanted > LAST_FLOAT  # a run stops there, and says so
        return np.where(beyond, np.inf, self.scale * fibonacci_floats(np.where(beyond, 0, wanted)))


@dataclass(frozen=True, slots=True)
class RandomWalk(Rule):
    """v + sd·N(0, 1) at each step."""

    kind: ClassVar[str] = "random_walk"
    sd: float = number(low=0.0, help="Standard deviation of one step.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        return state.own + self.sd * state.normal()


@dataclass(frozen=True, slots=True)
class MeanReversion(Rule):
    """v + rate·(mean − v) + sd·N(0, 1) at each step."""

    kind: ClassVar[str] = "mean_reversion"
    rate: float = number(low=0.0, high=1.0, help="Share of the distance that a step takes back.")
    mean: float = number(help="Where it is drawn to.")
    sd: float = number(0.0, low=0.0, help="Standard deviation of one step's noise.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        own = state.own
        drawn = own + self.rate * (self.mean - own)
        return drawn + self.sd * state.normal() if self.sd else drawn


@dataclass(frozen=True, slots=True)
class Coupled(Rule):
    """v + rate·(offset + scale·source − v) at each step: another variable, or the score, drives this one."""

    kind: ClassVar[str] = "coupled"
    source: SeriesName = choice(SERIES, help="The variable that drives.")
    rate: float = number(low=0.0, high=1.0, help="Share of the distance that a step takes.")
    scale: float = number(1.0, help="What the source is multiplied by.")
    offset: float = number(0.0, help="What is added to that.")

    def __call__(self, state: SystemState, step: int, /) -> Float:  # noqa: D102
        own = state.own
        return own + self.rate * (self.offset + self.scale * state[self.source] - own)

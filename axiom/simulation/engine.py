"""The engine: k scenarios, step by step, in blocks of steps that fit the processor's cache.

A single run is an ensemble of one, so both give the same bits. Variables whose rule has a closed form are made a block
at a time, the others step by step; the score is that of the equation, a block at a time. Nothing depends on how long a
block is.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import cast

import numpy as np

from axiom.equation import BOUNDS, Float, FloatArray, TermName, Terms, intelligence, tell_too_large
from axiom.simulation.inputs import VARIABLES, AxiomInputs, SeriesName, VariableName
from axiom.simulation.parameters import named, under
from axiom.simulation.rules import Mover, Rule, UpdateRule
from axiom.simulation.state import PAST, History, Noise, SystemState
from core.extensions import tell_fault

CELLS = 1 << 13  # of one variable in one block: 64 kB, so that all arrays of a block stay in the second cache
LONGEST_BLOCK = 4_096


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a simulation ended before its last step.

    Attributes:
        step: the one that could not be made; those before it are kept.
        variable: what failed, a variable or the score.
        scenario: the first one in which it failed.
        problem: in words.
    """

    step: int
    variable: SeriesName
    scenario: int
    problem: str

    def to_dict(self) -> dict[str, object]:
        """Return JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class Block:
    """Some steps; valid until the next block is made.

    Attributes:
        first: the first step.
        variables: those with a rule, each of shape (n, k).
        score: shape (n, k).
    """

    first: int
    variables: Mapping[VariableName, FloatArray]
    score: FloatArray


class Engine:
    """A simulation on its way.

    Args:
        inputs: the state of step 0; arrays (k,), or floats for one scenario.
        rules: of the variables that move.
        seed: of all random numbers.
        clamps: whether the score clamps its terms.
        single: give rules floats; for one scenario only.

    Raises:
        InvalidParameterError: the score of step 0 is too large for a float.

    Attributes:
        step: the last one that was made.
        start_score: of step 0, shape (k,).
        stopped: why no more steps can be made; None if they can.
    """

    def __init__(
        self,
        inputs: AxiomInputs,
        rules: Mapping[VariableName, UpdateRule],
        *,
        seed: int,
        clamps: bool = True,
        single: bool = False,
    ) -> None:
        self.step = 0
        self.stopped: Stop | None = None
        self._clamps = clamps
        size = inputs.size or 1
        self._most = max(1, min(LONGEST_BLOCK, CELLS // size))
        self._moved = [name for name in VARIABLES if name in rules]
        self._rules = {name: rules[name] for name in self._moved}
        starts = {name: _column(getattr(inputs, name), size) for name in VARIABLES}
        self._movers = self._find_movers(starts)
        self._stepped = [name for name in self._moved if name not in self._movers]
        looks_back = PAST + 1 if self._stepped else 0
        self._ring = math.ceil((looks_back + self._most) / self._most) * self._most  # so that no block wraps around
        self._rows = {name: starts[name][None, :] for name in VARIABLES}  # one row for all steps if it never moves
        for name in self._moved:
            self._rows[name] = np.empty((self._ring, size))
            self._rows[name][-1] = starts[name]  # step 0 stands before the first step, at the other end of the ring
        self._still = {name: self._bound(name, rows) for name, rows in self._rows.items() if name not in self._rules}
        with np.errstate(over="ignore", invalid="ignore"):  # told below, by name
            self.start_score = self._score(self._ring - 1, 1)[0]
        if not np.isfinite(self.start_score).all():
            with under("inputs"):
                tell_too_large(inputs.terms(), "the score of step 0")
        rows = tuple(map(_readable, self._rows.values()))
        self._history = History(rows, inputs, Noise(seed), single, clamps)

    @property
    def moved(self) -> tuple[VariableName, ...]:
        """The variables that have a rule, in order."""
        return tuple(self._moved)

    def advance(self, most: int) -> Block:
        """Make the next steps, at least one and at most `most`; none if it stops at the first of them."""
        first = self.step + 1
        at = (first - 1) % self._ring
        count = min(most, self._most - at % self._most)
        with np.errstate(all="ignore"):  # what is not finite is looked for below, and told by name
            failed = self._make_blocks(first, at, count)
            made, failed = (0, failed) if failed else self._make_steps(first, at, count)
            score = self._score(at, made)
        made, beyond = self._check(first, at, made, score)
        self.stopped = beyond or failed
        self.step += made
        variables = {name: self._rows[name][at : at + made] for name in self._moved}
        return Block(first, variables, score[:made])

    def _find_movers(self, starts: Mapping[VariableName, FloatArray]) -> dict[VariableName, Mover]:
        movers = {}
        for name, rule in self._rules.items():
            mover = rule.mover(starts[name]) if isinstance(rule, Rule) else None
            if mover is not None:
                movers[name] = mover
        return movers

    def _make_blocks(self, first: int, at: int, count: int) -> Stop | None:
        """Make the variables that have a closed form; return what failed, if one did."""
        for name, mover in self._movers.items():
            try:
                self._rows[name][at : at + count] = mover(count)
            except (Exception, SystemExit) as e:  # noqa: BLE001 - as below
                return Stop(first, name, 0, f"its rule failed: {tell_fault(e)}")
        return None

    def _make_steps(self, first: int, at: int, count: int) -> tuple[int, Stop | None]:
        """Make the variables that take a state for each step; return how many steps were made."""
        for made in range(count if self._stepped else 0):
            for name in self._stepped:
                state = SystemState(first + made - 1, name, self._history)
                try:
                    value = self._rules[name](state, first + made)
                    self._rows[name][at + made] = _number(value)
                except (Exception, SystemExit) as e:  # noqa: BLE001 - a rule is somebody else's code, and may fail in any way
                    problem = str(e) if isinstance(e, _NotANumberError) else f"its rule failed: {tell_fault(e)}"
                    return made, Stop(first + made, name, 0, problem)
        return count, None

    def _bound(self, name: VariableName, rows: FloatArray) -> FloatArray:
        """Return a variable as the score takes it."""
        return np.clip(rows, *BOUNDS[cast("TermName", name[0])]) if self._clamps else rows

    def _score(self, at: int, count: int) -> FloatArray:
        """Return the score of some rows, shape (count, k)."""
        moved = {name: self._bound(name, self._rows[name][at : at + count]) for name in self._moved}
        score = intelligence(Terms(*((self._still | moved)[name] for name in VARIABLES)))
        return score if self._moved else np.broadcast_to(score, (count, score.shape[1]))

    def _check(self, first: int, at: int, made: int, score: FloatArray) -> tuple[int, Stop | None]:
        """Return how many steps are finite throughout, and what is not in the one after them."""
        stop = None
        for name in (*self._moved, "score"):
            rows = score if name == "score" else self._rows[cast("VariableName", name)][at : at + made]
            finite = np.isfinite(rows[:made])
            if not finite.all():
                made = int(np.argmin(finite.all(axis=1)))
                scenario = int(np.argmin(finite[made]))
                value = rows[made, scenario]
                problem = "is not a number" if np.isnan(value) else "grew beyond what a float can hold"
                stop = Stop(first + made, cast("SeriesName", name), scenario, problem)
        return made, stop


class _NotANumberError(ValueError):
    """What a rule returned is no number."""


def _number(value: object) -> float | FloatArray:
    """Return what a rule made, if it is a number or an array of such."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "iuf":
        return cast("FloatArray", value)
    if isinstance(value, bool) or not isinstance(value, float | int):
        told = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else named(value)
        raise _NotANumberError(f"its rule returned {told}, which is no number")
    return value


def _readable(rows: FloatArray) -> FloatArray:
    """Return a view that no rule can write through."""
    view = rows.view()
    view.flags.writeable = False
    return view


def _column(value: Float, size: int) -> FloatArray:
    """Return the values of all scenarios, shape (k,)."""
    return value if isinstance(value, np.ndarray) else np.full(size, value)

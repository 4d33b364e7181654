"""What a rule sees: the states up to the step before the one it makes, and its own random numbers."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from axiom.equation import Float, FloatArray, bound_terms, intelligence
from axiom.simulation.inputs import INDEX, SERIES, VARIABLES, AxiomInputs, SeriesName, VariableName
from core.errors import InvalidParameterError

PAST = 16  # how many states before the last one a rule may look back at


class Noise:
    """A generator for each variable, made when its first number is drawn."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made: dict[int, np.random.Generator] = {}

    def of(self, variable: int) -> np.random.Generator:
        """Return the generator of a variable: its numbers depend on the seed and the variable alone."""
        if variable not in self._made:
            seed = np.random.SeedSequence(self._seed, spawn_key=(variable,))
            self._made[variable] = np.random.Generator(np.random.PCG64(seed))
        return self._made[variable]


@dataclass(frozen=True, slots=True)
class History:
    """The states of a run that are still at hand, in a ring of rows.

    Attributes:
        rows: the eight variables, each of shape (r, k); the state of step n stands in row (n − 1) mod r. One that
            never moves has a single row. Read only.
        start: the state of step 0.
        noise: the random numbers of each variable.
        single: whether rules are given floats; k is 1 then.
        clamps: whether the score clamps its terms.
    """

    rows: tuple[FloatArray, ...]
    start: AxiomInputs
    noise: Noise
    single: bool
    clamps: bool

    def get(self, variable: int, step: int) -> Float:
        """Return a variable at a step, a float or of shape (k,)."""
        rows = self.rows[variable]
        at = (step - 1) % len(rows)
        return float(rows[at, 0]) if self.single else rows[at]

    def score(self, step: int) -> Float:
        """Return the score at a step."""
        terms = AxiomInputs.stack({name: cast("FloatArray", self.get(at, step)) for name, at in INDEX.items()}).terms()
        return intelligence(bound_terms(terms, validate=False, clamp_to_unit=self.clamps))


@dataclass(frozen=True, slots=True)
class SystemState:
    """The state before the step that a rule makes. Floats in a single run, arrays (k,) in an ensemble.

    Attributes:
        step: of this state, at least 0.
        variable: the one that the rule moves.
    """

    step: int
    variable: VariableName
    _history: History
    _own: Float | None = None
    _lag: int = 0  # how many steps before the last one this is

    def __getitem__(self, name: SeriesName) -> Float:
        """Return a variable, or the score."""
        if name == "score":
            return self._history.score(self.step)
        if name not in INDEX:
            raise InvalidParameterError("state", f"has no {name!r}; it has {', '.join(SERIES)}")
        return self._history.get(INDEX[name], self.step)

    @property
    def own(self) -> Float:
        """The variable that the rule moves; within a composition, what the rules before this one made of it."""
        return self[self.variable] if self._own is None else self._own

    @property
    def inputs(self) -> AxiomInputs:
        """All eight variables."""
        return AxiomInputs.stack({name: cast("FloatArray", self[name]) for name in VARIABLES})

    @property
    def initial(self) -> AxiomInputs:
        """The state of step 0."""
        return self._history.start

    def before(self, lag: int = 1) -> "SystemState":
        """Return the state `lag` steps earlier, the initial one at the earliest.

        Raises:
            InvalidParameterError: more than 16 steps before the last one, in one call or several: those are not kept.
        """
        if not 0 <= lag <= PAST - self._lag:
            raise InvalidParameterError("lag", f"must be from 0 to {PAST} in all, not {self._lag + lag}")
        return SystemState(max(0, self.step - lag), self.variable, self._history, _lag=self._lag + lag)

    def normal(self) -> Float:
        """Return the next standard normal numbers of this variable: reproducible from the simulation's seed."""
        noise = self._history.noise.of(INDEX[self.variable])
        return (
            noise.standard_normal() if self._history.single else noise.standard_normal(self._history.rows[0].shape[1])
        )

    def with_own(self, value: Float) -> "SystemState":
        """Return the same state with another value of the variable that the rule moves."""
        return replace(self, _own=value)

    def to_dict(self) -> dict[str, object]:
        """Return JSON values: the step, the variables, and the score."""
        score = self["score"]
        told = score.tolist() if isinstance(score, np.ndarray) else score
        return {"step": self.step, **self.inputs.to_dict(), "score": told}

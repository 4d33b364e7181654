"""An update rule with a memory: what moves keeps moving."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from axiom.simulation import Float, Rule, SystemState, number
from core.extensions import Plugin


@dataclass(frozen=True, slots=True)
class Momentum(Plugin, Rule):
    """v + inertia·(v − what v was a step before) + pull·(target − v) at each step: Polyak's heavy ball.

    It settles at the target; above inertia = (1 − √pull)² it overshoots on the way.
    """

    kind: ClassVar[str] = "momentum"
    name: ClassVar[str] = "momentum"
    version: ClassVar[str] = "1.0.0"

    inertia: float = number(0.8, low=0.0, high=0.999, help="Share of the last step's movement that goes on.")
    pull: float = number(0.05, low=0.0, high=1.0, help="Share of the distance to the target that each step adds.")
    target: float = number(1.0, help="Where it settles.")

    @classmethod
    def get_metadata(cls) -> Mapping[str, object]:
        """Return where the idea comes from, and what to try it with."""
        source = "B. T. Polyak, Some methods of speeding up the convergence of iteration methods, 1964"
        return {"source": source, "trial": {"inertia": 0.9, "pull": 0.1}}

    def __call__(self, state: SystemState, step: int, /) -> Float:
        """Return the value at the step; of floats, or of arrays with one value for each scenario."""
        moved = state[state.variable] - state.before()[state.variable]
        return state.own + self.inertia * moved + self.pull * (self.target - state.own)

"""What happens in a simulation, and the seam to what notices it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from axiom.equation import FloatArray
from axiom.simulation.inputs import SeriesName


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one variable in one scenario.

    Attributes:
        kind: what happened, such as "threshold", "milestone", "peak", "trough" or "plateau".
        variable: what it happened to, a variable or the score.
        step: when; a fraction lies between two steps.
        value: of the variable then.
        scenario: in which one, from 0; always 0 in a single run.
        detail: in words, for people.
    """

    kind: str
    variable: SeriesName
    step: float
    value: float
    scenario: int = 0
    detail: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return JSON values."""
        return {
            "kind": self.kind,
            "variable": self.variable,
            "step": self.step,
            "value": self.value,
            "scenario": self.scenario,
            "detail": self.detail,
        }


@runtime_checkable
class EventHandler(Protocol):
    """A detector over whole series, any number of scenarios at once. Pure."""

    @property
    def variables(self) -> frozenset[SeriesName]:
        """The series that it needs."""
        ...

    def detect(self, series: Mapping[SeriesName, FloatArray], /) -> Iterable[Event]:
        """Return what it finds, in any order.

        Args:
            series: those it needs, finite, each of shape (n, k): n states of k scenarios from step 0 on.
        """
        ...

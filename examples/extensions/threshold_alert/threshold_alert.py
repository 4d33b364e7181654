"""An event handler with patience: it alerts when a series stays beyond a level, not at every touch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from axiom.simulation import SERIES, Event, FloatArray, Parameters, SeriesName, choice, number, whole
from core.extensions import Plugin


@dataclass(frozen=True, slots=True)
class ThresholdAlert(Plugin, Parameters):
    """One `alert` for each time that the series stays beyond the level, one `all_clear` when it is back."""

    tag: ClassVar[str] = "event"
    kind: ClassVar[str] = "threshold_alert"
    name: ClassVar[str] = "threshold_alert"
    version: ClassVar[str] = "1.0.0"

    variable: SeriesName = choice(SERIES, "score", help="The series that is watched.")
    level: float = number(0.5, help="What it must not stay beyond.")
    side: str = choice(("below", "above"), "below", help="Which side of the level is the bad one.")
    patience: int = whole(3, low=1, high=10_000, help="States in a row beyond the level until there is an alert.")

    @property
    def variables(self) -> frozenset[SeriesName]:
        """The series that it needs."""
        return frozenset({self.variable})

    def detect(self, series: Mapping[SeriesName, FloatArray], /) -> Iterator[Event]:
        """Yield alerts and their ends; the series has the shape (states, scenarios)."""
        values = series[self.variable]
        beyond = values < self.level if self.side == "below" else values > self.level
        steps = np.arange(len(values))[:, None]
        last_good = np.maximum.accumulate(np.where(beyond, -1, steps), axis=0)
        streak = steps - last_good  # states in a row beyond the level, this one included; 0 where it is not
        yield from self._tell("alert", streak == self.patience, values, f"{self.patience} states {self.side}")
        back = (streak[1:] == 0) & (streak[:-1] >= self.patience)
        yield from self._tell("all_clear", np.vstack([np.zeros_like(back[:1]), back]), values, "back from")

    def _tell(self, kind: str, when: NDArray[np.bool_], values: FloatArray, words: str) -> Iterator[Event]:
        for step, scenario in np.argwhere(when).tolist():
            value = float(values[step, scenario])
            yield Event(kind, self.variable, float(step), value, scenario, f"{words} {self.level:g}")

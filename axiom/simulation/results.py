"""What comes out of a simulation: series, events, and why it stopped."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import cast

import numpy as np

from axiom.equation import Components, FloatArray, Terms, bound_terms, compute_intelligence
from axiom.explanation import log_shares
from axiom.simulation.detection import Event
from axiom.simulation.engine import Stop
from axiom.simulation.inputs import SERIES, VARIABLES, AxiomInputs, SeriesName
from core.errors import InvalidParameterError

MOST_EVENTS = 100_000  # that are kept of one run; detectors can find millions in the noise of an ensemble


@dataclass(frozen=True, slots=True)
class IntelligenceSnapshot:
    """The score of one step, taken apart.

    Attributes:
        step: from 0.
        inputs: the variables as the rules made them.
        score: of these.
        components: what it is made of, after clamping.
        limiting_term: the term that holds it back most, of A, B, C, X, Y, Z, E, F; None if none does, or if the score
            does not clamp its terms.
    """

    step: int
    inputs: AxiomInputs
    score: float
    components: Components
    limiting_term: str | None

    def to_dict(self) -> dict[str, object]:
        """Return JSON values."""
        told = {"step": self.step, "inputs": self.inputs.to_dict(), "score": self.score}
        return told | {"components": dict(self.components), "limiting_term": self.limiting_term}


@dataclass(frozen=True, slots=True)
class TimeStep:
    """One step of a single run: its snapshot, and what happened on the way to it."""

    step: int
    snapshot: IntelligenceSnapshot
    events: tuple[Event, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return JSON values."""
        events = [event.to_dict() for event in self.events]
        return {"step": self.step, "snapshot": self.snapshot.to_dict(), "events": events}


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """A single run.

    Attributes:
        inputs: the state of step 0.
        steps: how many were asked for.
        series: each variable and the score, of shape (last step + 1,).
        moved: the variables that have a rule.
        events: the first 100,000 that were found, in the order of their steps.
        events_total: how many there were.
        stopped: why it ended early; None if it did not.
        clamps: whether the score clamps its terms.
    """

    inputs: AxiomInputs
    steps: int
    series: Mapping[SeriesName, FloatArray] = field(repr=False)
    moved: tuple[SeriesName, ...]
    events: tuple[Event, ...] = field(default=(), repr=False)
    events_total: int = 0
    stopped: Stop | None = None
    clamps: bool = True

    @property
    def last_step(self) -> int:
        """The last step that was made."""
        return self.series["score"].size - 1

    def snapshot(self, step: int) -> IntelligenceSnapshot:
        """Return one step taken apart.

        Raises:
            InvalidParameterError: the run did not come so far.
        """
        if not 0 <= step <= self.last_step:
            why = f"; the simulation stopped: {self.stopped.problem}" if self.stopped else ""
            raise InvalidParameterError("step", f"must be from 0 to {self.last_step:,}, not {step:,}{why}")
        inputs = AxiomInputs(**{name: float(self.series[name][step]) for name in VARIABLES})
        values = [getattr(inputs, name) for name in VARIABLES]
        score, components = compute_intelligence(*values, clamp_to_unit=self.clamps, return_components=True)
        limit = log_shares(bound_terms(cast("Terms[float]", inputs.terms()))).limiting_term if self.clamps else None
        return IntelligenceSnapshot(step, inputs, float(score), components, limit)

    def to_dict(self) -> dict[str, object]:
        """Return JSON values."""
        return {
            "steps": self.steps,
            "last_step": self.last_step,
            "inputs": self.inputs.to_dict(),
            "series": {name: self.series[name].tolist() for name in SERIES},
            "events": [event.to_dict() for event in self.events],
            "events_total": self.events_total,
            "stopped": None if self.stopped is None else self.stopped.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class EnsembleResult:
    """Many runs at once.

    Attributes:
        inputs: the states of step 0, arrays (k,).
        steps: how many were asked for.
        series: those that were kept, each of shape (last step + 1, k).
        quantiles: what the bands are.
        bands: of each variable that moves and of the score, shape (q, last step + 1); none without quantiles.
        final: the states of the last step, arrays (k,).
        moved: the variables that have a rule.
        events: of all scenarios; the first 100,000 that were found, in the order of their steps.
        events_total: how many there were.
        stopped: why all of them ended early; None if they did not.
    """

    inputs: AxiomInputs = field(repr=False)
    steps: int
    last_step: int
    series: Mapping[SeriesName, FloatArray] = field(repr=False)
    quantiles: tuple[float, ...]
    bands: Mapping[SeriesName, FloatArray] = field(repr=False)
    final: AxiomInputs = field(repr=False)
    moved: tuple[SeriesName, ...]
    events: tuple[Event, ...] = field(default=(), repr=False)
    events_total: int = 0
    stopped: Stop | None = None

    @property
    def size(self) -> int:
        """The number k of scenarios."""
        return self.inputs.size or 1

    def to_dict(self) -> dict[str, object]:
        """Return JSON values: the bands, not the scenarios."""
        return {
            "steps": self.steps,
            "last_step": self.last_step,
            "size": self.size,
            "quantiles": list(self.quantiles),
            "bands": {name: band.tolist() for name, band in self.bands.items()},
            "events": [event.to_dict() for event in self.events],
            "events_total": self.events_total,
            "stopped": None if self.stopped is None else self.stopped.to_dict(),
        }


def collect(events: Iterable[Event]) -> tuple[tuple[Event, ...], int]:
    """Return the first 100,000 events that were found, by step and scenario, and how many there were."""
    found = iter(events)
    kept = sorted(islice(found, MOST_EVENTS), key=lambda event: (event.step, event.scenario))
    return tuple(kept), len(kept) + sum(1 for _ in found)


def columns(series: Mapping[SeriesName, FloatArray], names: Iterable[SeriesName]) -> dict[SeriesName, FloatArray]:
    """Return some series as detectors take them, of shape (steps, k)."""
    return {name: each.reshape(each.shape[0], -1) for name in names for each in [np.asarray(series[name])]}

from collections.abc import Iterable
from typing import Any

import pytest

from axiom.simulation import (
    AxiomInputs,
    Decay,
    Event,
    EventHandler,
    Linear,
    Oscillation,
    Peaks,
    SeriesName,
    TimeSphere,
    TimeStep,
)


class Detector:
    """Yields what it is given."""

    def __init__(self, found: Iterable[Any], *variables: Any) -> None:
        self.variables: frozenset[SeriesName] = frozenset(variables)
        self._found = found

    def detect(self, series: Any, /) -> Iterable[Event]:
        return self._found


@pytest.mark.parametrize(
    ("handler", "detail"),
    [
        (Detector([], "Q"), "Detector: KeyError: 'Q'"),
        (Detector(["no event"], "A"), "Detector: TypeError: found the text 'no event', which is no event"),
        (Detector(3, "A"), "Detector: TypeError: 'int' object is not iterable"),  # type: ignore[arg-type]
    ],
)
def test_a_detector_that_fails_is_an_event_and_costs_nothing_else(handler: EventHandler, detail: str) -> None:
    sphere = TimeSphere(AxiomInputs(A=0.5), {"A": Oscillation(0.25, 4.0)})
    sphere.add_event_handler(handler)
    sphere.add_event_handler(Peaks(variable="A"))
    single, ensemble = sphere.simulate(4), sphere.simulate_ensemble([AxiomInputs(A=0.5)], 4)
    assert single.events == ensemble.events
    assert [(event.kind, event.step) for event in single.events] == [("peak", 1), ("trough", 3), ("failed", 4)]
    assert single.events[-1].detail == detail


def test_a_function_of_steps_that_fails_is_an_event_once() -> None:
    def late(step: TimeStep) -> Event | None:
        return Event("late", "A", step.step, 1.0 / (3 - step.step))

    sphere = TimeSphere(AxiomInputs(A=0.5), {"A": Decay(0.1)})
    sphere.add_event_handler(late)
    events = sphere.simulate(6).events
    assert [(event.kind, event.step) for event in events] == [("late", 0), ("late", 1), ("late", 2), ("failed", 6)]
    assert events[-1].detail == "function: ZeroDivisionError: float division by zero"


def test_a_sphere_is_changed_by_its_methods_alone_so_that_steps_are_never_of_another_run() -> None:
    sphere = TimeSphere(AxiomInputs(A=0.0), {"A": Linear(1.0)})
    assert sphere.step(3).snapshot.inputs.A == 3.0
    with pytest.raises(AttributeError, match="cannot assign to field 'seed'"):
        sphere.seed = 5  # type: ignore[misc]
    sphere.add_update_rule("A", Linear(2.0))
    assert sphere.step(3).snapshot.inputs.A == 6.0

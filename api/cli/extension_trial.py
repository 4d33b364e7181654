"""Trying extensions: loaded, run for a few steps, replayed, closed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from typing import Any, Literal

import numpy as np

from api.domain_models import build_scenario
from api.extension_reports import REGISTRIES
from axiom.simulation import EnsembleResult, Event, Scenario, SimulationResult
from core.errors import InvalidParameterError, LatticeError
from core.extensions import Extension, Kind, tell_fault
from core.registry import Listing

Status = Literal["OK", "OFF", "FAIL"]

STEPS = 10
START = {"A": 0.1, "B": 0.9, "C": 0.5, "X": 0.8, "Y": 0.7, "Z": 0.9, "E_n": 1.2, "F_n": 0.1}
RAMP = {"A": {"rule": "linear", "slope": 0.09}}  # from 0.1 to 1 in ten steps
ENSEMBLE = {"size": 3, "uncertainty": {"A": {"kind": "uniform", "width": 0.05}}}
HOLD = {"rule": "constant"}
GUESSES: tuple[object, ...] = (0.5, 5, "A", HOLD, [0.5], [HOLD], [{"steps": 5, "rule": HOLD}])


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying one extension; the message says what was tried, or what is wrong."""

    kind: str
    name: str
    origin: str
    status: Status
    message: str


def try_extensions(listings: Sequence[Listing]) -> list[Trial]:
    """Try extensions one after the other; all are closed in the end."""
    judged = [_judge(listing) for listing in listings]
    trials = []
    for listing, (status, message) in zip(listings, judged, strict=True):
        problem = "" if listing.kind is None else REGISTRIES[listing.kind].close(listing.name)
        told: tuple[Status, str] = ("FAIL", problem) if problem else (status, message)
        kind = "" if listing.kind is None else listing.kind.value
        trials.append(Trial(kind, listing.name, listing.origin, *told))
    return trials


def _judge(listing: Listing) -> tuple[Status, str]:
    if listing.state == "off":
        return "OFF", "is switched off"
    if listing.kind is None or listing.state == "broken":
        return "FAIL", listing.problem
    try:
        return "OK", _run(listing.kind, listing.name, REGISTRIES[listing.kind].get(listing.name))
    except LatticeError as e:
        return "FAIL", e.message
    except (Exception, SystemExit) as e:  # noqa: BLE001 - it is somebody else's code, and may fail in any way
        return "FAIL", f"fails its trial: {tell_fault(e)}"


def _run(kind: Kind, name: str, offered: Any) -> str:  # noqa: ANN401 - what each kind offers is its own
    """Try what was loaded; return what was tried.

    Raises:
        LatticeError, or anything else: it does not work.
    """
    if kind is Kind.UPDATE_RULE:
        _run_twice({"rules": {"C": {"rule": name, **_parameters_of(offered)}}})
        return f"moves {STEPS} steps, alone and in an ensemble, twice the same"
    if kind is Kind.EVENT_HANDLER:
        _run_twice({"rules": RAMP, "events": [{"event": name, **_parameters_of(offered)}]})
        return f"watches {STEPS} steps, alone and in an ensemble, twice the same"
    if kind is Kind.DOMAIN_MODEL:
        scenario = build_scenario(name, _parameters_of(offered))
        _run_twice(replace(scenario, steps=min(scenario.steps, STEPS)).to_dict())
        return f"makes a scenario that runs {STEPS} steps, twice the same"
    return "loads" if kind is Kind.PROVIDER else "gets ready and closes; nothing was delivered"


def _parameters_of(offered: Any) -> dict[str, object]:  # noqa: ANN401 - as above
    """Return what to try it with: its own `trial`, or guesses at the parameters that have no default."""
    told = offered.get_metadata().get("trial") if isinstance(offered, Extension) else None
    if isinstance(told, Mapping):
        return dict(told)
    required = [
        each
        for each in (fields(offered) if is_dataclass(offered) else ())
        if each.default is MISSING and each.default_factory is MISSING
    ]
    return {each.name: _guess(each.name, each.metadata.get("taken")) for each in required}


def _guess(name: str, taken: Any) -> object:  # noqa: ANN401 - as above
    for guess in GUESSES if taken is not None else ():
        try:
            (taken.read or taken.check)(name, guess)
        except LatticeError:
            continue
        return guess
    raise InvalidParameterError(name, "cannot be guessed: let get_metadata() return parameters under `trial`")


def _run_twice(told: Mapping[str, object]) -> None:
    """Run a scenario alone and as an ensemble, and both again from their JSON.

    Raises:
        ValueError: it stops, or differs the second time.
    """
    base = {"inputs": START, "steps": STEPS, "seed": 7, **told}
    for ensemble in (None, ENSEMBLE):
        scenario = Scenario.from_dict({**base, "ensemble": ensemble})
        written = scenario.to_dict()
        again = Scenario.from_dict(json.loads(json.dumps(written)))
        if again.to_dict() != written:
            raise ValueError("what to_dict() writes is not read back as the same")
        first, second = scenario.run(), again.run()
        if first.stopped is not None:
            raise ValueError(f"stops at step {first.stopped.step}: {first.stopped.problem}")
        _check_events(first.events)
        if first.events != second.events or not _is_same(first, second):
            raise ValueError("a second run differs: rules take their random numbers from state.normal() only")


def _check_events(events: Iterable[object]) -> None:
    for event in events:
        if not isinstance(event, Event) or not 0 <= event.step <= STEPS:
            raise ValueError(f"what it notices must be events between step 0 and the last, not {event!r}")


def _is_same(first: SimulationResult | EnsembleResult, second: SimulationResult | EnsembleResult) -> bool:
    numbers = [one.series if isinstance(one, SimulationResult) else one.bands for one in (first, second)]
    return all(np.array_equal(numbers[0][name], numbers[1][name]) for name in numbers[0])

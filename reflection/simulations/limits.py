"""How much one request may ask for."""

from collections.abc import Mapping
from typing import cast

from axiom.simulation import (
    Constant,
    Coupled,
    Decay,
    ESequence,
    Exponential,
    Fibonacci,
    Linear,
    Logistic,
    MeanReversion,
    Milestones,
    Oscillation,
    RandomWalk,
    Scenario,
    Sigmoid,
    Threshold,
)
from core.errors import InvalidInputError, InvalidParameterError

MOST_SCENARIO_STEPS = 20_000_000
MOST_WATCHED_STEPS = 20_000_000
MOST_BAND_STEPS = 300_000
MOST_RULES = 100

BRIEF = 2_000  # steps × rules
PLAIN = frozenset(
    {  # what takes some microseconds a step at the most, and loads nothing
        *(Constant, Coupled, Decay, ESequence, Exponential, Fibonacci, Linear, Logistic, MeanReversion, Oscillation),
        *(RandomWalk, Sigmoid, Milestones, Threshold),
    }
)


def read_scenario(told: Mapping[str, object]) -> Scenario:
    """Return the scenario that a request tells.

    Raises:
        InvalidInputError: a field is wrong; names it by its path.
    """
    try:
        return Scenario.from_dict(told)
    except RecursionError as e:
        raise InvalidParameterError("rules", "are nested too deeply") from e


def check_limits(scenario: Scenario) -> None:
    """Check that a scenario asks for no more than one request may.

    Raises:
        InvalidInputError: names the field and the limit.
    """
    told = scenario.to_dict()
    steps, size = scenario.steps, 1
    if scenario.ensemble is not None:
        size = scenario.ensemble.size
        _check("ensemble.size", "size × steps", size * steps, MOST_SCENARIO_STEPS)
        _check("ensemble.quantiles", "quantiles × steps", len(scenario.ensemble.quantiles) * steps, MOST_BAND_STEPS)
    # each detector may find an event at each step, and at each of its levels
    watched = sum(steps + _count_listed(each) for each in cast("list[object]", told["events"]))
    _check("events", "events × size × steps", watched * size, MOST_WATCHED_STEPS)
    _check("rules", "the number of rules, those within others included,", _count_rules(told["rules"]), MOST_RULES)


def is_brief(scenario: Scenario) -> bool:
    """Tell whether a run takes so little, some milliseconds at the most, that another thread is not worth the way."""
    parts = (*scenario.rules.values(), *scenario.events)
    return (
        scenario.ensemble is None
        and scenario.steps * max(1, len(scenario.rules)) <= BRIEF
        and all(type(part) in PLAIN for part in parts)
    )


def _check(field: str, what: str, value: int, most: int) -> None:
    if value > most:
        raise InvalidInputError(field, f"asks for too much: {what} may be at most {most:,}, not {value:,}")


def _count_listed(told: object) -> int:
    return sum(len(part) for part in told.values() if isinstance(part, list)) if isinstance(told, Mapping) else 0


def _count_rules(told: object) -> int:
    """Return how many rules there are at any depth."""
    waiting, found = [told], 0
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            found += isinstance(part.get("rule"), str)
            waiting += part.values()
        elif isinstance(part, list | tuple):
            waiting += part
    return found

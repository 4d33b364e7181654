"""How much one request may ask for."""

from collections.abc import Collection, Mapping
from typing import Literal, cast

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
    Rule,
    Scenario,
    Sigmoid,
    Threshold,
)
from core.errors import InvalidInputError, InvalidParameterError

MOST_SCENARIO_STEPS = 20_000_000
MOST_WATCHED_STEPS = 20_000_000
MOST_BAND_STEPS = 300_000
MOST_MOVING = 2_000_000  # variables with a rule, of all scenarios: each has some 20 steps in memory, 300 MB in all
MOST_RULES = 100

BRIEF = 2_000  # steps × rules
SHORT = 20_000  # steps × rules and detectors, as often as an ensemble has
TOGETHER = 100  # scenarios, which one step takes hardly longer to make than of one
FEW = 16  # rules and detectors that are read in far less than a millisecond
PLAIN_RULES: frozenset[type[Rule]] = frozenset(
    {Constant, Coupled, Decay, ESequence, Exponential, Fibonacci, Linear, Logistic}
    | {MeanReversion, Oscillation, RandomWalk, Sigmoid}
)
# what takes some microseconds a step at the most, and loads nothing
PLAIN: frozenset[type] = PLAIN_RULES | {Milestones, Threshold}
_NAMES = frozenset(each.kind for each in PLAIN_RULES)

Pace = Literal["brief", "short", "long"]


def read_scenario(told: Mapping[str, object]) -> Scenario:
    """Return the scenario that a request tells. May take long, and run code of extensions; see `is_quickly_read`.

    Raises:
        InvalidInputError: a field is wrong; names it by its path.
    """
    _check_rules(told.get("rules"))  # before the first of them is made
    try:
        return Scenario.from_dict(told)
    except RecursionError as e:
        raise InvalidParameterError("rules", "are nested too deeply") from e


def is_quickly_read(told: Mapping[str, object]) -> bool:
    """Tell whether reading a scenario takes far less than a millisecond and runs nobody else's code."""
    rules, events = told.get("rules", {}), told.get("events", [])
    if not isinstance(rules, Mapping) or not isinstance(events, list) or len(rules) + len(events) > FEW:
        return False
    return all(_is_named(each, "rule", _NAMES) for each in rules.values()) and all(
        _is_named(each, "event", {Threshold.kind}) for each in events
    )


def judge_pace(scenario: Scenario) -> Pace:
    """Return how long a scenario runs: some milliseconds, some tenths of a second, or up to a minute.

    Raises:
        InvalidInputError: it asks for more than one request may; names the field and the limit.
    """
    told = scenario.to_dict()
    steps, size = scenario.steps, 1
    if scenario.ensemble is not None:
        size = scenario.ensemble.size
        _check("ensemble.size", "size × steps", size * steps, MOST_SCENARIO_STEPS)
        _check("ensemble.size", "size × variables that have a rule", size * len(scenario.rules), MOST_MOVING)
        _check("ensemble.quantiles", "quantiles × steps", len(scenario.ensemble.quantiles) * steps, MOST_BAND_STEPS)
    # each detector may find an event at each step, and at each of its levels
    watched = sum(steps + _count_listed(each) for each in cast("list[object]", told["events"]))
    _check("events", "events × size × steps", watched * size, MOST_WATCHED_STEPS)
    parts = _check_rules(told["rules"]) + len(scenario.events)
    if _is_brief(scenario):
        return "brief"
    return "short" if steps * max(1, parts) * max(1, size // TOGETHER) <= SHORT else "long"


def _is_brief(scenario: Scenario) -> bool:
    """Tell whether a run takes so little that another thread is not worth the way."""
    parts = (*scenario.rules.values(), *scenario.events)
    return (
        scenario.ensemble is None
        and scenario.steps * max(1, len(scenario.rules)) <= BRIEF
        and all(type(part) in PLAIN for part in parts)
    )


def _is_named(told: object, tag: str, names: Collection[str]) -> bool:
    """Tell whether a rule or detector goes by one of these names."""
    name = told.get(tag) if isinstance(told, Mapping) else None
    return isinstance(name, str) and name in names


def _check(field: str, what: str, value: int, most: int) -> None:
    if value > most:
        raise InvalidInputError(field, f"asks for too much: {what} may be at most {most:,}, not {value:,}")


def _check_rules(told: object) -> int:
    """Return how many rules there are at any depth.

    Raises:
        InvalidInputError: they are too many.
    """
    waiting, found = [told], 0
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            found += isinstance(part.get("rule"), str)
            waiting += part.values()
        elif isinstance(part, list | tuple):
            waiting += part
    _check("rules", "the number of rules, those within others included,", found, MOST_RULES)
    return found


def _count_listed(told: object) -> int:
    return sum(len(part) for part in told.values() if isinstance(part, list)) if isinstance(told, Mapping) else 0

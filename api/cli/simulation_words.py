"""What a simulation did, as JSON values and in words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from axiom import bound_terms, limiting_term
from axiom.simulation import (
    EnsembleResult,
    Event,
    Scenario,
    SeriesName,
    SimulationResult,
    Summary,
    Trend,
    analyse_trend,
    summarise,
)

FloatArray: TypeAlias = NDArray[np.float64]
Result: TypeAlias = SimulationResult | EnsembleResult

LABELS: dict[SeriesName, str] = {
    "A": "impulses",
    "B": "elements",
    "C": "pressure",
    "X": "objectivity",
    "Y": "why axis",
    "Z": "time sphere",
    "E_n": "growth",
    "F_n": "feedback",
    "score": "intelligence",
}
PHASES = {
    "accelerating": "ever faster",
    "decelerating": "ever slower",
    "turning": "turning on its way",
    "steady": "at a steady pace",
}
MOST_DETAILS = 10  # of one kind that are still told apart
MOST_STEPS_TOLD = 8


@dataclass(frozen=True, slots=True)
class EventGroup:
    """Events of one kind in many scenarios.

    Attributes:
        kind: of all of them.
        variable: of all of them.
        detail: of all of them; empty where it differs too much.
        count: how many there are.
        scenarios: in how many scenarios.
        steps: when, as the quantiles 0.05, 0.5 and 0.95.
        value: the median.
    """

    kind: str
    variable: SeriesName
    detail: str
    count: int
    scenarios: int
    steps: tuple[float, float, float]
    value: float


def group_events(events: Iterable[Event]) -> list[EventGroup]:
    """Put events together by kind, variable and, where these are few, detail; in the order of their median step."""
    kinds: dict[tuple[str, SeriesName], list[Event]] = {}
    for event in events:
        kinds.setdefault((event.kind, event.variable), []).append(event)
    groups = []
    for alike in kinds.values():
        details: dict[str, list[Event]] = {}
        for event in alike:
            details.setdefault(event.detail, []).append(event)
        few = len(details) <= MOST_DETAILS
        groups += [_group(each, detail) for detail, each in details.items()] if few else [_group(alike, "")]
    return sorted(groups, key=lambda group: group.steps[1])


def middle_of(quantiles: Sequence[float]) -> int:
    """Return the number of the quantile nearest to the median."""
    return min(range(len(quantiles)), key=lambda at: abs(quantiles[at] - 0.5))


def middle_series(result: Result, name: SeriesName) -> FloatArray:
    """Return a series that moves, shape (last step + 1,); in an ensemble its band nearest to the median."""
    if isinstance(result, SimulationResult):
        return result.series[name]
    band: FloatArray = result.bands[name][middle_of(result.quantiles)]
    return band


def moving_series(result: Result) -> tuple[SeriesName, ...]:
    """Return the score and, after it, what has a rule."""
    return ("score", *result.moved)


def summarise_all(result: Result) -> dict[SeriesName, Summary]:
    """Return the summary of the score and of what has a rule, in an ensemble of the middle band."""
    return {name: summarise(middle_series(result, name)) for name in moving_series(result)}


def limits_of(scenario: Scenario, result: Result) -> dict[str, float]:
    """Return the terms that hold the score back most at the last step, each with the share of scenarios; most first.

    Empty if none does, or if terms have no bounds: there is no best of them then.
    """
    if not scenario.clamp_to_unit:
        return {}
    if isinstance(result, SimulationResult):
        limit = result.snapshot(result.last_step).limiting_term
        return {} if limit is None else {limit: 1.0}
    limits = cast("NDArray[np.str_]", limiting_term(bound_terms(result.final.terms())))
    counts = Counter(each for each in limits.tolist() if each)
    return {name: count / result.size for name, count in counts.most_common()}


def to_json(scenario: Scenario, result: Result) -> dict[str, object]:
    """Return JSON values, named as over REST."""
    series, bands = {}, {}
    if isinstance(result, SimulationResult):
        series = {name: result.series[name].tolist() for name in moving_series(result)}
    else:
        bands = {
            name: {str(at): row.tolist() for at, row in zip(result.quantiles, result.bands[name], strict=True)}
            for name in moving_series(result)
        }
    return {
        "name": scenario.name,
        "steps": result.steps,
        "last_step": result.last_step,
        "size": result.size if isinstance(result, EnsembleResult) else None,
        "stopped": None if result.stopped is None else result.stopped.to_dict(),
        "summary": {name: summary.to_dict() for name, summary in summarise_all(result).items()},
        "trend": analyse_trend(middle_series(result, "score")).to_dict(),
        "limits": limits_of(scenario, result),
        "events_total": result.events_total,
        "events": [event.to_dict() for event in result.events],
        "series": series,
        "bands": bands,
        "scenario": scenario.to_dict(),
    }


def tell_trend(trend: Trend) -> str:
    """Say where a series goes, in one line."""
    pace = PHASES[trend.phase]
    if trend.slope == trend.volatility == 0.0:
        return "stays as it is"
    if trend.direction == "flat":
        told = "no clear direction" + ("" if trend.phase == "steady" else f", {pace}")
    else:
        rate = "" if trend.growth_rate is None else f", {100.0 * trend.growth_rate:+.3g} % a step"
        comma = "," if trend.phase == "turning" else ""
        told = f"{trend.direction}{comma} {pace}{rate}"
    level = max(abs(trend.first_half.mean), abs(trend.second_half.mean))
    if abs(trend.shift) > 1e-9 * level:  # else it is rounding
        side = "above" if trend.shift > 0.0 else "below"
        told += f"; the second half lies {abs(trend.shift):.3g} {side} the first"
    return told


def tell_steps(steps: Sequence[float]) -> str:
    """Say when something happens, the first times if there are many."""
    told = ", ".join(f"{step:,.1f}".removesuffix(".0") for step in steps[:MOST_STEPS_TOLD])
    more = f" and {len(steps) - MOST_STEPS_TOLD:,} more" if len(steps) > MOST_STEPS_TOLD else ""
    return f"step{'' if len(steps) == 1 else 's'} {told}{more}"


def tell_stop(result: Result) -> str:
    """Say why a simulation ended early; empty if it did not."""
    stopped = result.stopped
    if stopped is None:
        return ""
    where = f" in scenario {stopped.scenario:,}" if isinstance(result, EnsembleResult) else ""
    return f"stopped before step {stopped.step:,} of {result.steps:,}: {stopped.variable} {stopped.problem}{where}"


def percent(quantile: float) -> str:
    """Return a quantile as it is read: "5 %", "median"."""
    return "median" if quantile == 0.5 else f"{100.0 * quantile:g} %"


def _group(events: Sequence[Event], detail: str) -> EventGroup:
    low, middle, high = np.quantile([event.step for event in events], (0.05, 0.5, 0.95)).tolist()
    first = events[0]
    scenarios = len({event.scenario for event in events})
    value = float(np.median([event.value for event in events]))
    return EventGroup(first.kind, first.variable, detail, len(events), scenarios, (low, middle, high), value)

"""Simulations over the wire."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.pages import NextCursor
from api.schemas.wire import Body, View
from axiom.simulation import MOST_STEPS
from reflection.simulations import MOST_EVENTS, Progress, SimulationHead

Json = dict[str, Any]
Rule = Annotated[Json | UnsetType, Meta(description='Such as {"rule": "linear", "slope": 0.01}; docs/simulation.md.')]
Start = Annotated[float | UnsetType, Meta(description="Where it begins; neutral if absent.")]
Seed = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Steps = Annotated[int, Meta(ge=1, le=MOST_STEPS)]
Quantile = Annotated[float, Meta(ge=0, le=1)]


class InputsBody(Body, frozen=True, kw_only=True):
    """The state of step 0: the eight variables of the equation."""

    A: Start = UNSET
    B: Start = UNSET
    C: Start = UNSET
    X: Start = UNSET
    Y: Start = UNSET
    Z: Start = UNSET
    E_n: Start = UNSET
    F_n: Start = UNSET


class RulesBody(Body, frozen=True, kw_only=True):
    """How variables move; those without a rule stay where they are."""

    A: Rule = UNSET
    B: Rule = UNSET
    C: Rule = UNSET
    X: Rule = UNSET
    Y: Rule = UNSET
    Z: Rule = UNSET
    E_n: Rule = UNSET
    F_n: Rule = UNSET


class EnsembleBody(Body, frozen=True, kw_only=True):
    """Many scenarios at once, their inputs drawn around those given."""

    size: Annotated[int | UnsetType, Meta(description="How many.")] = UNSET
    uncertainty: Annotated[
        dict[str, Any] | UnsetType, Meta(description='By variable, such as {"A": {"kind": "normal", "width": 0.05}}.')
    ] = UNSET
    quantiles: Annotated[list[Quantile] | UnsetType, Meta(description="The bands that are told.")] = UNSET


class NewSimulation(Body, frozen=True, kw_only=True):
    """A scenario: all that a simulation is made of."""

    name: Annotated[str | UnsetType, Meta(description="For people.")] = UNSET
    inputs: Annotated[InputsBody | UnsetType, Meta(description="The state of step 0.")] = UNSET
    rules: Annotated[RulesBody | UnsetType, Meta(description="How variables move.")] = UNSET
    steps: Annotated[Steps | UnsetType, Meta(description="How many.")] = UNSET
    events: Annotated[
        list[Json] | UnsetType,
        Meta(description='What to look for, such as {"event": "threshold", "level": 0.5}; docs/simulation.md.'),
    ] = UNSET
    seed: Annotated[Seed | UnsetType, Meta(description="Of all random numbers.")] = UNSET
    ensemble: Annotated[EnsembleBody | UnsetType | None, Meta(description="Null is a single run.")] = UNSET
    clamp_to_unit: Annotated[bool | UnsetType, Meta(description="Whether the score clamps its terms.")] = UNSET


class StopView(View, frozen=True, kw_only=True):
    """Why a simulation ended early."""

    step: Annotated[int, Meta(description="The one that could not be made; those before it are kept.")]
    variable: Annotated[str, Meta(description="What failed, a variable or the score.")]
    scenario: Annotated[int, Meta(description="The first one in which it failed.")]
    problem: Annotated[str, Meta(description="In words.")]


class EventView(View, frozen=True, kw_only=True):
    """Something that happened."""

    kind: Annotated[str, Meta(description="What, such as `threshold` or `peak`.")]
    variable: Annotated[str, Meta(description="To which variable, or to the score.")]
    step: Annotated[float, Meta(description="When; a fraction lies between two steps.")]
    value: Annotated[float, Meta(description="Of the variable then.")]
    scenario: Annotated[int, Meta(description="In which one, from 0.")]
    detail: Annotated[str, Meta(description="In words.")]


class SummaryView(View, frozen=True, kw_only=True):
    """A series in numbers."""

    initial: Annotated[float, Meta(description="At step 0.")]
    final: Annotated[float, Meta(description="At the last step.")]
    minimum: Annotated[float, Meta(description="The least.")]
    maximum: Annotated[float, Meta(description="The greatest.")]
    mean: Annotated[float, Meta(description="Of all steps.")]
    growth: Annotated[float | None, Meta(description="By what share it grew; null from 0.")]
    volatility: Annotated[float, Meta(description="Standard deviation of the changes from step to step.")]


Summaries = Annotated[
    dict[str, SummaryView],
    Meta(description="Of each series that is kept; in an ensemble, of the band nearest to the median."),
]


class SimulationSummaryView(View, frozen=True, kw_only=True):
    """A simulation without its series and events."""

    id: Annotated[UUID, Meta(description="The simulation's id; the same request has the same one.")]
    name: Annotated[str, Meta(description="The scenario's.")]
    created_at: Annotated[datetime, Meta(description="When it was first run.")]
    steps: Annotated[int, Meta(description="How many were asked for.")]
    last_step: Annotated[int, Meta(description="The last one that was made.")]
    size: Annotated[int | None, Meta(description="How many scenarios the ensemble has; null for a single run.")]
    stopped: Annotated[StopView | None, Meta(description="Why it ended early; null if it did not.")]
    events_total: Annotated[int, Meta(description="How many events there were.")]
    summary: Summaries


class HalfView(View, frozen=True, kw_only=True):
    """One half of a series."""

    mean: Annotated[float, Meta(description="Of its steps.")]
    slope: Annotated[float, Meta(description="Of the line through them, per step.")]
    volatility: Annotated[float, Meta(description="Standard deviation of the changes from step to step.")]


class TrendView(View, frozen=True, kw_only=True):
    """Where a series goes."""

    direction: Annotated[str, Meta(description="rising, falling or flat.")]
    phase: Annotated[str, Meta(description="accelerating, decelerating, turning or steady.")]
    growth_rate: Annotated[float | None, Meta(description="Share per step; null if there is none.")]
    slope: Annotated[float, Meta(description="Of the line through all steps, per step.")]
    acceleration: Annotated[float, Meta(description="Second derivative of the parabola through them, per step².")]
    inflections: Annotated[list[float], Meta(description="The steps where the curvature changes its sign.")]
    volatility: Annotated[float, Meta(description="Standard deviation of the changes from step to step.")]
    first_half: Annotated[HalfView, Meta(description="Up to the middle.")]
    second_half: Annotated[HalfView, Meta(description="From the middle on.")]
    shift: Annotated[float, Meta(description="The second half's mean less the first one's.")]
    change_points: Annotated[list[int], Meta(description="The steps from which it takes another course.")]


class SimulationView(SimulationSummaryView, frozen=True, kw_only=True):
    """A simulation."""

    scenario: Annotated[Json, Meta(description="As it was run, defaults filled in; sent again, it is the same one.")]
    every: Annotated[int, Meta(description="The numbers of a series are those of the steps 0, every, 2·every, ….")]
    series: Annotated[dict[str, list[float]], Meta(description="Of a single run, by variable.")]
    bands: Annotated[
        dict[str, dict[str, list[float]]], Meta(description="Of an ensemble, by variable and then by quantile.")
    ]
    events: Annotated[list[EventView], Meta(description=f"The first {MOST_EVENTS:,}, in the order of their steps.")]
    trend: Annotated[
        TrendView | None, Meta(description="Of the score, in an ensemble of its middle band; null if not asked for.")
    ]


class SimulationPage(View, frozen=True, kw_only=True):
    """A page of simulations."""

    items: Annotated[list[SimulationSummaryView], Meta(description="Newest first.")]
    next_cursor: NextCursor


class ProgressView(View, frozen=True, kw_only=True):
    """The data of an event `progress`."""

    step: Annotated[int, Meta(description="How many steps have been made.")]
    steps: Annotated[int, Meta(description="Of how many.")]


def to_told(body: NewSimulation) -> dict[str, object]:
    """Return the JSON values that a request told."""
    told: dict[str, object] = msgspec.to_builtins(body)
    return told


def to_progress(progress: Progress) -> ProgressView:
    """Return progress as it is shown."""
    return ProgressView(step=progress.step, steps=progress.steps)


def to_summary(head: SimulationHead) -> SimulationSummaryView:
    """Return a simulation without its series and events as it is shown."""
    return SimulationSummaryView(**list_shared(head))


def list_shared(head: SimulationHead) -> dict[str, Any]:
    """Return the values of the fields that both views have."""
    outcome = head.outcome
    return {
        "id": head.simulation_id,
        "name": head.scenario["name"],
        "created_at": head.created_at,
        "steps": outcome.steps,
        "last_step": outcome.last_step,
        "size": outcome.size,
        "stopped": msgspec.convert(outcome.stopped, StopView | None, from_attributes=True),
        "events_total": outcome.events_total,
        "summary": msgspec.convert(outcome.summaries, dict[str, SummaryView]),
    }

"""Presets over the wire: scenarios by name, those of gems and of domain models among them."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.domain_models import ModelDescription
from api.schemas.simulations import Json, NewSimulation
from api.schemas.wire import ParameterView, View
from axiom.simulation import Preset
from core.registry import Listing

FOREIGN = ("gem_id", "step_days", "at", "parameters")  # what a run is told that is no field of a scenario


class RunPreset(NewSimulation, frozen=True, kw_only=True):
    """What to do otherwise than the preset does; what is absent stays as it is there.

    `inputs`, `rules` and `ensemble` change what they name and leave the rest; a variable that is to stay takes the rule
    `constant`. All else is replaced.
    """

    gem_id: Annotated[UUID | UnsetType, Meta(description="For `from_gem`: the gem to start from.")] = UNSET
    step_days: Annotated[
        float | UnsetType, Meta(description="For `from_gem`: the length of a step, 1 day if absent.")
    ] = UNSET
    at: Annotated[
        str | UnsetType,
        Meta(description="For `from_gem`: a later moment to start from, an ISO 8601 date or time; absent is now."),
    ] = UNSET
    parameters: Annotated[Json | UnsetType, Meta(description="For a domain model: its own.")] = UNSET


class PresetSummaryView(View, frozen=True, kw_only=True):
    """A preset without what it is made of."""

    name: Annotated[str, Meta(description="What it is asked for by.")]
    kind: Annotated[
        Literal["scenario", "gem", "domain_model"],
        Meta(description="A fixed scenario, one that starts from a gem, or one that an extension makes."),
    ]
    title: Annotated[str, Meta(description="Its name for people.")]
    description: Annotated[str, Meta(description="What it shows.")]
    problem: Annotated[str | None, Meta(description="Why it cannot be run; null if nothing is known against it.")] = (
        None
    )


class PresetView(PresetSummaryView, frozen=True, kw_only=True):
    """A preset."""

    parameters: Annotated[list[ParameterView], Meta(description="What can be told besides a scenario's own fields.")]
    scenario: Annotated[Json | None, Meta(description="As POST /simulations takes it; null where it is made anew.")]


class PresetList(View, frozen=True, kw_only=True):
    """All presets."""

    items: Annotated[list[PresetSummaryView], Meta(description="In the order in which they are best read.")]


FROM_GEM = PresetView(
    name="from_gem",
    kind="gem",
    title="From a gem",
    description="Start from what a gem's terms are measured to be, and foresee how it fares when it is left alone.",
    parameters=[
        ParameterView(name="gem_id", takes="an id", help="The gem to start from.", required=True),
        ParameterView(
            name="step_days",
            takes="a number above 0, up to 3,650",
            help="The length of a step in days.",
            required=False,
            default=1.0,
        ),
        ParameterView(
            name="at",
            takes="an ISO 8601 date or time, not before now",
            help="The moment to start from; absent is now.",
            required=False,
        ),
    ],
    scenario=None,
)


def to_preset(preset: Preset) -> PresetView:
    """Return a preset as it is shown."""
    return PresetView(
        name=preset.name,
        kind="scenario",
        title=preset.title,
        description=preset.description,
        parameters=[],
        scenario=preset.scenario.to_dict(),
    )


def to_model(model: ModelDescription) -> PresetView:
    """Return a domain model as it is shown."""
    return PresetView(
        name=model.name,
        kind="domain_model",
        title=_to_title(model.name),
        description=model.description,
        parameters=[msgspec.convert(each, ParameterView, from_attributes=True) for each in model.parameters],
        scenario=None,
    )


def to_model_summary(listing: Listing, *, is_hidden: bool) -> PresetSummaryView:
    """Return a domain model as far as it is known before its code has run.

    Args:
        listing: how it stands.
        is_hidden: whether a preset of ours goes by its name.
    """
    return PresetSummaryView(
        name=listing.name,
        kind="domain_model",
        title=_to_title(listing.name),
        description=listing.description,
        problem="a preset has its name; rename it" if is_hidden else listing.problem or None,
    )


def to_summary(preset: PresetView) -> PresetSummaryView:
    """Return a preset without what it is made of."""
    return msgspec.convert(preset, PresetSummaryView, from_attributes=True)


def to_changes(body: RunPreset) -> dict[str, object]:
    """Return the JSON values of a scenario's fields that a request told."""
    told: dict[str, object] = msgspec.to_builtins(body)
    return {name: value for name, value in told.items() if name not in FOREIGN}


def _to_title(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()

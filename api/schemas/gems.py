"""Gems over the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.pages import NextCursor
from api.schemas.wire import Body, Metadata, View
from gems import Gem, GemChange, Measurement

Name = Annotated[str, Meta(min_length=1, max_length=200, description="Unique in the lattice.")]
Description = Annotated[str, Meta(max_length=10_000, description="What the gem is about.")]


class NewGem(Body, frozen=True, kw_only=True):
    """A gem to be made."""

    name: Name
    description: Description = ""
    metadata: Metadata = msgspec.field(default_factory=dict)


class GemPatch(Body, frozen=True, kw_only=True):
    """What to change in a gem; what is left out or null stays."""

    name: Name | None = None
    description: Description | None = None
    metadata: Annotated[Metadata | None, Meta(description="Takes the place of the old one as a whole.")] = None


class StateView(View, frozen=True, kw_only=True):
    """A quantum state, evolved to the moment of the answer."""

    energy: Annotated[float, Meta(description="How slowly it fades, in τ; above 0.")]
    phase: Annotated[float, Meta(description="When it was formed, as an angle in [0, 2π).")]
    coherence: Annotated[float, Meta(description="How strongly it holds, in [0, 1].")]
    uncertainty: Annotated[float, Meta(description="How stale it is, in [0, 1].")]


class GemView(View, frozen=True, kw_only=True, rename={"gem_id": "id"}):
    """A gem."""

    gem_id: Annotated[UUID, Meta(description="The gem's id.")]
    name: Annotated[str, Meta(description="Unique in the lattice.")]
    description: Annotated[str, Meta(description="What the gem is about.")]
    metadata: Metadata
    state: Annotated[StateView, Meta(description="The gem's state now.")]
    measured_at: Annotated[datetime, Meta(description="When it was last used in an answer.")]
    feedback: Annotated[float, Meta(description="F_n, the weighted mean of ratings, in [−1, 1]; 0 with none.")]
    ratings: Annotated[int, Meta(description="How often it was rated.")]
    version: Annotated[int, Meta(description="Rises with each write of knowledge.")]
    speakers: Annotated[list[str], Meta(description="Who speaks in its threads.")]
    archived_at: Annotated[datetime | None, Meta(description="Since when it is read only; null if it is not.")]
    merged_into: Annotated[UUID | None, Meta(description="The gem that took over what it held, if that archived it.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    updated_at: Annotated[datetime, Meta(description="When it was last changed.")]


class GemPage(View, frozen=True, kw_only=True):
    """A page of gems."""

    items: Annotated[list[GemView], Meta(description="Newest first.")]
    next_cursor: NextCursor


class MeasurementView(View, frozen=True, kw_only=True):
    """One entry of a gem's log: the state right after it."""

    passage_id: Annotated[UUID | None, Meta(description="The passage measured; null for the gem itself.")]
    reflection_id: Annotated[UUID | None, Meta(description="The reflection that used it.")]
    via_gem_id: Annotated[UUID | None, Meta(description="The gem whose use reached this one, if it is entangled.")]
    cause: Annotated[
        str,
        Meta(description="Why: ingest (its birth), recall, reflection, feedback, entanglement, manual or restore."),
    ]
    gain: Annotated[float, Meta(description="How much the measurement counted, in [0, 1].")]
    energy: Annotated[float, Meta(description="Energy afterwards.")]
    phase: Annotated[float, Meta(description="Phase afterwards.")]
    coherence: Annotated[float, Meta(description="Coherence afterwards.")]
    uncertainty: Annotated[float, Meta(description="Uncertainty afterwards.")]
    measured_at: Annotated[datetime, Meta(description="When.")]
    state_at: Annotated[datetime | None, Meta(description="The moment whose state a restore set; null for others.")]


class MeasurementPage(View, frozen=True, kw_only=True):
    """A page of a gem's log."""

    items: Annotated[list[MeasurementView], Meta(description="Newest first.")]
    next_cursor: NextCursor


def to_change(body: NewGem | GemPatch) -> GemChange:
    """Return what is to be written."""
    return GemChange(body.name, body.description, body.metadata)


def to_gem(gem: Gem) -> GemView:
    """Return a gem as it is shown."""
    return msgspec.convert(gem, GemView, from_attributes=True)


def to_measurement(measurement: Measurement) -> MeasurementView:
    """Return an entry of the log as it is shown."""
    return msgspec.convert(measurement, MeasurementView, from_attributes=True)

"""How one gem holds, and held, and will hold, over the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.schemas.gems import StateView
from api.schemas.wire import Body, View
from gems import GemAt, GemForecast, GemHistory, Mark, Point, QuantumState, UsedGem
from knowledge import PassageInterference, PassageState, Rehearsal

LABEL = 120  # characters of a passage that stand beside a row of a matrix

FallsAt = Annotated[
    datetime | None,
    Meta(
        description="When its coherence falls below the threshold if nobody uses it: past if it is below, null if "
        "that is beyond the year 9999."
    ),
]
Below = Annotated[float, Meta(description="The threshold of coherence.")]
Matrix = Annotated[
    list[list[float]], Meta(description="Interference of each with each in [−1, 1]; on the diagonal the square of c.")
]
OrderParameter = Annotated[float, Meta(description="|Σz|/Σc in [0, 1]: how much of them moves together.")]


class GemStateView(View, frozen=True, kw_only=True):
    """A gem at a moment."""

    gem_id: Annotated[UUID, Meta(description="The gem.")]
    name: Annotated[str, Meta(description="Its name now.")]
    at: Annotated[datetime, Meta(description="The moment.")]
    state: Annotated[StateView, Meta(description="Its state then.")]
    measured_at: Annotated[datetime, Meta(description="When it was last measured, as of now.")]
    archived_at: Annotated[datetime | None, Meta(description="Since when it is read only; null if it is not.")]
    field: Annotated[
        float,
        Meta(description="Its share in the lattice's field then, Re(z·conj(Σz))/Σc in [−1, 1]; < 0 is against it."),
    ]
    falls_at: FallsAt
    below: Below


class PointView(View, frozen=True, kw_only=True):
    """A state at a moment."""

    at: Annotated[datetime, Meta(description="The moment.")]
    energy: Annotated[float, Meta(description="Energy, in τ.")]
    phase: Annotated[float, Meta(description="Phase in [0, 2π).")]
    coherence: Annotated[float, Meta(description="Coherence in [0, 1].")]
    uncertainty: Annotated[float, Meta(description="Uncertainty in [0, 1].")]


class MarkView(View, frozen=True, kw_only=True):
    """What made a gem's curve jump."""

    at: Annotated[datetime, Meta(description="When.")]
    cause: Annotated[str, Meta(description="Why, as in the log.")]
    gain: Annotated[float, Meta(description="How much it counted, in [0, 1]; 0 where a state was set.")]
    before: Annotated[StateView, Meta(description="The state just before; the same as after at the gem's birth.")]
    after: Annotated[StateView, Meta(description="The state just after.")]
    reflection_id: Annotated[UUID | None, Meta(description="The reflection that used it.")]
    via_gem_id: Annotated[UUID | None, Meta(description="The entangled gem whose use reached it.")]


class GemHistoryView(View, frozen=True, kw_only=True):
    """A gem's curve."""

    gem_id: Annotated[UUID, Meta(description="The gem.")]
    now: Annotated[datetime, Meta(description="The moment of the question: what comes after is if it is left alone.")]
    points: Annotated[
        list[PointView], Meta(description="In the order of time; two at a measurement, just before it and just after.")
    ]
    measurements: Annotated[list[MarkView], Meta(description="What made it jump within the time of the points.")]


class GemForecastView(View, frozen=True, kw_only=True):
    """What becomes of a gem that nobody uses."""

    gem_id: Annotated[UUID, Meta(description="The gem.")]
    at: Annotated[datetime, Meta(description="The moment of the question.")]
    below: Below
    falls_at: FallsAt
    points: Annotated[list[PointView], Meta(description="From now on, in the order of time.")]


class NewRehearsal(Body, frozen=True, kw_only=True):
    """A use of a gem without a question."""

    gain: Annotated[float, Meta(ge=1e-6, le=1, description="α: the share of the lost coherence that comes back.")] = 0.3
    passage_ids: Annotated[
        list[UUID], Meta(max_length=1_000, description="Passages of the gem that are rehearsed with it.")
    ] = msgspec.field(default_factory=list)
    below: Annotated[float, Meta(ge=1e-6, le=1, description="The threshold of `falls_at_…`.")] = 0.1
    dry_run: Annotated[bool, Meta(description="Change nothing, tell what would become of it.")] = True


class PartnerChangeView(View, frozen=True, kw_only=True):
    """What a use does to an entangled gem."""

    gem_id: Annotated[UUID, Meta(description="The partner.")]
    name: Annotated[str, Meta(description="Its name.")]
    strength: Annotated[float, Meta(description="Of the entanglement, in [0, 1].")]
    before: Annotated[StateView, Meta(description="Its state without.")]
    after: Annotated[StateView, Meta(description="Its state with.")]


class RehearsalView(View, frozen=True, kw_only=True):
    """What a rehearsal did, or would do."""

    dry_run: Annotated[bool, Meta(description="Whether nothing was changed.")]
    before: Annotated[StateView, Meta(description="The gem's state without.")]
    after: Annotated[StateView, Meta(description="The gem's state with.")]
    falls_at_before: FallsAt
    falls_at_after: FallsAt
    partners: Annotated[list[PartnerChangeView], Meta(description="Entangled gems that are strengthened along.")]
    passages: Annotated[int, Meta(description="How many passages are measured.")]


class PassageLabelView(View, frozen=True, kw_only=True):
    """A row of the matrix of passages."""

    passage_id: Annotated[UUID, Meta(description="The passage.")]
    text: Annotated[str, Meta(description="Its beginning.")]
    coherence: Annotated[float, Meta(description="Its coherence now.")]
    phase: Annotated[float, Meta(description="Its phase now; the rows are in its order.")]


class PassageInterferenceView(View, frozen=True, kw_only=True):
    """How the passages of a gem interfere."""

    labels: Annotated[list[PassageLabelView], Meta(description="The most coherent open passages, by phase.")]
    matrix: Matrix
    order_parameter: OrderParameter


class PassageStateView(View, frozen=True, kw_only=True):
    """A passage with its state."""

    passage_id: Annotated[UUID, Meta(description="The passage.")]
    document_id: Annotated[UUID, Meta(description="Its document.")]
    ordinal: Annotated[int, Meta(description="Its position in the document, from 0.")]
    heading: Annotated[str | None, Meta(description="The heading above it.")]
    text: Annotated[str, Meta(description="The passage.")]
    state: Annotated[StateView, Meta(description="Its state at the moment of the page.")]
    measured_at: Annotated[datetime, Meta(description="When it was last measured.")]
    falls_at: FallsAt
    closed: Annotated[bool, Meta(description="Whether it was forgotten or superseded, and is recalled no more.")]


class PassageStatePage(View, frozen=True, kw_only=True):
    """A page of passages."""

    at: Annotated[datetime, Meta(description="The moment to which the states are evolved, the same on all pages.")]
    passages: Annotated[list[PassageStateView], Meta(description="In the order asked for.")]
    next_cursor: Annotated[str | None, Meta(description="Send it as `cursor` for the next page; null on the last.")]


def to_state(state: QuantumState[float]) -> StateView:
    """Return a state as it is shown."""
    return msgspec.convert(state, StateView, from_attributes=True)


def to_gem_state(found: GemAt) -> GemStateView:
    """Return a gem at a moment as it is shown."""
    gem = found.gem
    return GemStateView(
        gem_id=gem.gem_id,
        name=gem.name,
        at=found.at,
        state=to_state(found.state),
        measured_at=gem.measured_at,
        archived_at=gem.archived_at,
        field=found.field,
        falls_at=found.falls_at,
        below=found.below,
    )


def to_history(found: GemHistory, now: datetime) -> GemHistoryView:
    """Return a gem's curve as it is shown."""
    return GemHistoryView(
        gem_id=found.gem.gem_id,
        now=now,
        points=_to_points(found.curve.points),
        measurements=[_to_mark(each) for each in found.curve.marks],
    )


def to_forecast(found: GemForecast, now: datetime) -> GemForecastView:
    """Return a gem's forecast as it is shown."""
    points = _to_points(found.points)
    return GemForecastView(gem_id=found.gem.gem_id, at=now, below=found.below, falls_at=found.falls_at, points=points)


def to_rehearsal(found: Rehearsal) -> RehearsalView:
    """Return a rehearsal as it is shown."""
    return RehearsalView(
        dry_run=found.dry_run,
        before=to_state(found.used.before),
        after=to_state(found.used.after.state),
        falls_at_before=found.falls_at_before,
        falls_at_after=found.falls_at_after,
        partners=[_to_partner(each, found.used.gain) for each in found.partners],
        passages=found.passages,
    )


def to_passage_interference(found: PassageInterference) -> PassageInterferenceView:
    """Return the matrix of a gem's passages as it is shown."""
    labels = [
        PassageLabelView(
            passage_id=each.passage_id,
            text=each.text if len(each.text) <= LABEL else f"{each.text[: LABEL - 1]}…",
            coherence=each.state.coherence,
            phase=each.state.phase,
        )
        for each in found.passages
    ]
    return PassageInterferenceView(labels=labels, matrix=found.matrix.tolist(), order_parameter=found.order_parameter)


def to_passage_state(found: PassageState) -> PassageStateView:
    """Return a passage with its state as it is shown."""
    return PassageStateView(
        passage_id=found.passage_id,
        document_id=found.document_id,
        ordinal=found.ordinal,
        heading=found.heading,
        text=found.text,
        state=to_state(found.state),
        measured_at=found.measured_at,
        falls_at=found.falls_at,
        closed=found.closed_at is not None,
    )


def _to_points(points: Sequence[Point]) -> list[PointView]:
    return [
        PointView(
            at=each.at,
            energy=each.state.energy,
            phase=each.state.phase,
            coherence=each.state.coherence,
            uncertainty=each.state.uncertainty,
        )
        for each in points
    ]


def _to_mark(mark: Mark) -> MarkView:
    entry = mark.entry
    return MarkView(
        at=entry.since,
        cause=entry.cause,
        gain=entry.gain,
        before=to_state(mark.before),
        after=to_state(mark.after),
        reflection_id=entry.reflection_id,
        via_gem_id=entry.via_gem_id,
    )


def _to_partner(used: UsedGem, gain: float) -> PartnerChangeView:
    return PartnerChangeView(
        gem_id=used.gem_id,
        name=used.name,
        strength=min(1.0, used.gain / gain),
        before=to_state(used.before),
        after=to_state(used.after.state),
    )

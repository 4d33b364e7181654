"""The field of a lattice over the wire: all gems together."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from api.pages import Cut, NextCursor
from api.schemas.gem_field import Below, FallsAt, Matrix, OrderParameter
from api.schemas.reflections import ReflectionSummaryView, to_summary
from api.schemas.wire import Body, View
from gems import FieldSummary, GemAtRisk, GemInterference, LatticePoint, NamedMode
from reflection import RecentReflection


class MeanView(View, frozen=True, kw_only=True):
    """A quantity of all gems."""

    mean: Annotated[float | None, Meta(description="Its mean; null of no gems.")]


class HistogramView(View, frozen=True, kw_only=True):
    """How many gems have which coherence, and which uncertainty."""

    edges: Annotated[
        list[float], Meta(description="Of the buckets, from 0 to 1; a value on an edge is in the one above it.")
    ]
    coherence: Annotated[list[int], Meta(description="Gems by coherence, one number a bucket.")]
    uncertainty: Annotated[list[int], Meta(description="Gems by uncertainty, one number a bucket.")]


class FieldView(View, frozen=True, kw_only=True):
    """What the gems of a lattice are like together at a moment; archived ones are left out."""

    at: Annotated[datetime, Meta(description="The moment.")]
    gems: Annotated[int, Meta(description="How many there are.")]
    order_parameter: OrderParameter
    phase: Annotated[float, Meta(description="Of Σz in [0, 2π): where they move together.")]
    coherence: MeanView
    uncertainty: MeanView
    energy: MeanView
    histogram: HistogramView
    below_threshold: Annotated[int, Meta(description="How many have a coherence below the threshold.")]
    threshold: Below


class LatticePointView(View, frozen=True, kw_only=True):
    """The gems of a lattice at a moment."""

    at: Annotated[datetime, Meta(description="The moment.")]
    gems: Annotated[int, Meta(description="How many of today's there were.")]
    coherence: Annotated[float | None, Meta(description="Their mean; null of no gems.")]
    uncertainty: Annotated[float | None, Meta(description="Their mean; null of no gems.")]
    order_parameter: Annotated[float | None, Meta(description="|Σz|/Σc in [0, 1]; null of no gems.")]


class LatticeHistoryView(View, frozen=True, kw_only=True):
    """How the gems that are not archived now fared together."""

    now: Annotated[datetime, Meta(description="The moment of the question: what comes after is if all is left alone.")]
    points: Annotated[list[LatticePointView], Meta(description="In the order of time.")]


class GemAtRiskView(View, frozen=True, kw_only=True):
    """A gem that fades."""

    gem_id: Annotated[UUID, Meta(description="The gem.")]
    name: Annotated[str, Meta(description="Its name.")]
    coherence: Annotated[float, Meta(description="Its coherence now.")]
    energy: Annotated[float, Meta(description="How slowly it fades, in τ.")]
    falls_at: FallsAt


class RisksView(View, frozen=True, kw_only=True):
    """The gems that fade."""

    below: Below
    gems: Annotated[list[GemAtRiskView], Meta(description="Soonest first; those that are below already lead.")]


class NamedGemView(View, frozen=True, kw_only=True):
    """A gem by name."""

    gem_id: Annotated[UUID, Meta(description="The gem.")]
    name: Annotated[str, Meta(description="Its name.")]


class ModeView(View, frozen=True, kw_only=True):
    """A group of gems that move together."""

    order_parameter: OrderParameter
    phase: Annotated[float, Meta(description="Of the group's Σz in [0, 2π).")]
    coherence: Annotated[float, Meta(description="The mean of the group.")]
    share: Annotated[float, Meta(description="The group's share of the coherence of all gems, in [0, 1].")]
    gems: Annotated[list[NamedGemView], Meta(description="The most coherent ones of the group.")]
    size: Annotated[int, Meta(description="How many gems the group has.")]


class ModesView(View, frozen=True, kw_only=True):
    """Groups of gems that move together; each gem is in one."""

    modes: Annotated[list[ModeView], Meta(description="The one with the most coherence first.")]


class NewInterference(Body, frozen=True, kw_only=True):
    """Gems to be compared."""

    gem_ids: Annotated[list[UUID], Meta(min_length=1, max_length=200, description="The gems, in the order of rows.")]


class InterferenceView(View, frozen=True, kw_only=True):
    """How gems interfere."""

    gem_ids: Annotated[list[UUID], Meta(description="The gems, in the order of rows.")]
    matrix: Matrix
    order_parameter: OrderParameter


class RecentReflectionView(ReflectionSummaryView, frozen=True, kw_only=True, rename={"reflection_id": "id"}):
    """A reflection without its evidence and attempts, with its gem's name."""

    gem_name: Annotated[str, Meta(description="The name of the gem that was asked.")]


class RecentReflectionPage(View, frozen=True, kw_only=True):
    """A page of reflections of all gems."""

    items: Annotated[list[RecentReflectionView], Meta(description="Newest first.")]
    next_cursor: NextCursor


def to_field(found: FieldSummary) -> FieldView:
    """Return the field as it is shown."""
    means = {name: MeanView(mean=getattr(found, f"{name}_mean") if found.gems else None) for name in _MEANS}
    return FieldView(
        at=found.at,
        gems=found.gems,
        order_parameter=found.order_parameter,
        phase=found.phase,
        **means,
        histogram=HistogramView(
            edges=list(found.edges),
            coherence=list(found.coherence_counts),
            uncertainty=list(found.uncertainty_counts),
        ),
        below_threshold=found.below,
        threshold=found.threshold,
    )


_MEANS = ("coherence", "uncertainty", "energy")


def to_lattice_history(found: Sequence[LatticePoint], now: datetime) -> LatticeHistoryView:
    """Return the past of the lattice as it is shown."""
    return LatticeHistoryView(now=now, points=msgspec.convert(found, list[LatticePointView], from_attributes=True))


def to_risks(found: Sequence[GemAtRisk], below: float) -> RisksView:
    """Return the gems at risk as they are shown."""
    gems = [
        GemAtRiskView(
            gem_id=each.gem_id,
            name=each.name,
            coherence=each.state.coherence,
            energy=each.state.energy,
            falls_at=each.falls_at,
        )
        for each in found
    ]
    return RisksView(below=below, gems=gems)


def to_modes(found: Sequence[NamedMode]) -> ModesView:
    """Return the modes as they are shown."""
    return ModesView(
        modes=[
            ModeView(
                order_parameter=each.mode.order_parameter,
                phase=each.mode.phase,
                coherence=each.mode.coherence,
                share=each.mode.share,
                gems=[NamedGemView(gem_id=gem_id, name=name) for gem_id, name in each.names],
                size=len(each.mode.members),
            )
            for each in found
        ]
    )


def to_interference(found: GemInterference) -> InterferenceView:
    """Return a matrix of gems as it is shown."""
    return InterferenceView(
        gem_ids=[gem.gem_id for gem in found.gems],
        matrix=found.matrix.tolist(),
        order_parameter=found.order_parameter,
    )


def to_recent(page: Cut[RecentReflection]) -> RecentReflectionPage:
    """Return a page of reflections as it is shown."""
    items = [
        RecentReflectionView(gem_name=each.gem_name, **msgspec.structs.asdict(to_summary(each.summary)))
        for each in page.items
    ]
    return RecentReflectionPage(items=items, next_cursor=page.next_cursor)

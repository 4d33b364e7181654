"""Snapshots of the lattice over the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from api.alerts.rules import Severity
from api.live.reading import Surroundings, TargetPulse
from api.schemas.wire import View
from api.vitals import VitalSigns
from gems import FieldSummary
from knowledge.jobs import Backlog


class HistogramView(View, frozen=True, kw_only=True):
    """How many gems have a coherence, and how many an uncertainty, in each bucket."""

    edges: Annotated[list[float], Meta(description="Of the buckets, from 0 to 1; one more than there are buckets.")]
    coherence: Annotated[list[int], Meta(description="Gems in each bucket of coherence.")]
    uncertainty: Annotated[list[int], Meta(description="Gems in each bucket of uncertainty.")]


class FieldNowView(View, frozen=True, kw_only=True):
    """The gems that are not archived, together."""

    gems: Annotated[int, Meta(description="How many there are.")]
    order_parameter: Annotated[float, Meta(description="How much of the lattice moves together, in [0, 1].")]
    phase: Annotated[float, Meta(description="Where it moves, as an angle in [0, 2π).")]
    coherence_mean: Annotated[float, Meta(description="In [0, 1].")]
    uncertainty_mean: Annotated[float, Meta(description="In [0, 1].")]
    energy_mean: Annotated[float, Meta(description="In τ.")]
    below: Annotated[int, Meta(description="Gems with a coherence below the threshold.")]
    threshold: Annotated[float, Meta(description="Of coherence.")]
    histogram: Annotated[HistogramView, Meta(description="Of coherence and uncertainty.")]


class RatesView(View, frozen=True, kw_only=True):
    """What the process that tells did within the last minute."""

    requests_per_minute: Annotated[float, Meta(description="Answered over HTTP.")]
    errors_per_minute: Annotated[float, Meta(description="Of these, those that failed by the service's fault.")]
    reflections_per_minute: Annotated[float, Meta(description="Answered and stored.")]
    recalls_per_minute: Annotated[float, Meta(description="Of callers, not within reflections.")]
    ingested_passages_per_minute: Annotated[float, Meta(description="Stored.")]


class LatencyView(View, frozen=True, kw_only=True):
    """How long things took within the last five minutes, in the process that tells; null where there were none."""

    reflection_p50_ms: Annotated[float | None, Meta(description="Median of reflections.")]
    reflection_p95_ms: Annotated[float | None, Meta(description="Their 95th percentile.")]
    recall_p50_ms: Annotated[float | None, Meta(description="Median of recalls.")]
    recall_p95_ms: Annotated[float | None, Meta(description="Their 95th percentile.")]


class BacklogView(View, frozen=True, kw_only=True):
    """Ingestions that have not ended."""

    running: Annotated[int, Meta(description="That are being carried out.")]
    waiting: Annotated[int, Meta(description="That wait for a worker.")]
    lag_s: Annotated[float, Meta(description="Seconds that the one has waited that has waited longest.")]


class TargetNowView(View, frozen=True, kw_only=True):
    """An LLM target, in the process that tells."""

    name: Annotated[str, Meta(description="In the settings.")]
    enabled: Annotated[bool, Meta(description="False while an operator has it switched off.")]
    breaker: Annotated[Literal["closed", "open", "half_open"], Meta(description="Whether calls are let through.")]
    busy: Annotated[int, Meta(description="Calls under way.")]


class LlmNowView(View, frozen=True, kw_only=True):
    """LLM targets and what they cost."""

    targets: Annotated[list[TargetNowView], Meta(description="In the order of the settings.")]
    cost_usd_last_hour: Annotated[
        float | None, Meta(description="In US dollars, where known; null before the first look.")
    ]


class FiringView(View, frozen=True, kw_only=True):
    """Alerts that are open."""

    firing: Annotated[int, Meta(description="All of them.")]
    by_severity: Annotated[dict[Severity, int], Meta(description="Those of each severity that there are any of.")]


class SnapshotView(View, frozen=True, kw_only=True):
    """What the lattice is like at a moment; all viewers of a process are told the same."""

    sequence: Annotated[int, Meta(description="Rises with everything that is told; not by ones.")]
    at: Annotated[datetime, Meta(description="The moment.")]
    field: Annotated[FieldNowView | None, Meta(description="The gems; null while the database does not answer.")]
    rates: Annotated[RatesView, Meta(description="Of the last minute.")]
    latency: Annotated[LatencyView, Meta(description="Of the last five minutes.")]
    ingestion: Annotated[BacklogView | None, Meta(description="As of a few seconds ago; null before the first look.")]
    llm: Annotated[LlmNowView, Meta(description="Who answers, and at what cost.")]
    alerts: Annotated[FiringView, Meta(description="As of a few seconds ago.")]


def to_snapshot(
    sequence: int,
    at: datetime,
    *,
    field: FieldSummary | None,
    surroundings: Surroundings | None,
    vitals: VitalSigns,
    targets: Sequence[TargetPulse],
    firing: Mapping[Severity, int],
) -> SnapshotView:
    """Return what viewers are told."""
    return SnapshotView(
        sequence=sequence,
        at=at,
        field=None if field is None else to_field_now(field),
        rates=RatesView(**{name: getattr(vitals, name) for name in RatesView.__struct_fields__}),
        latency=LatencyView(
            reflection_p50_ms=_to_ms(vitals.reflection_p50_s),
            reflection_p95_ms=_to_ms(vitals.reflection_p95_s),
            recall_p50_ms=_to_ms(vitals.recall_p50_s),
            recall_p95_ms=_to_ms(vitals.recall_p95_s),
        ),
        ingestion=None if surroundings is None else to_backlog(surroundings.backlog),
        llm=LlmNowView(
            targets=[
                TargetNowView(name=each.name, enabled=each.enabled, breaker=each.breaker, busy=each.busy)
                for each in targets
            ],
            cost_usd_last_hour=None if surroundings is None else surroundings.cost_usd_last_hour,
        ),
        alerts=FiringView(firing=sum(firing.values()), by_severity=dict(firing)),
    )


def to_backlog(backlog: Backlog) -> BacklogView:
    """Return the view of ingestions that have not ended."""
    return BacklogView(running=backlog.running, waiting=backlog.waiting, lag_s=backlog.lag_s)


def to_field_now(field: FieldSummary) -> FieldNowView:
    """Return the view of the gems together."""
    same = {name: getattr(field, name) for name in FieldNowView.__struct_fields__ if name != "histogram"}
    histogram = HistogramView(
        edges=[*field.edges], coherence=[*field.coherence_counts], uncertainty=[*field.uncertainty_counts]
    )
    return FieldNowView(**same, histogram=histogram)


def _to_ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1e3 * seconds

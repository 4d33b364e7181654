"""From what the service is like to the samples that rules are judged by. Pure."""

from collections.abc import Callable, Mapping, Sequence

from api.alerts.evaluation import Sample
from api.alerts.rules import Metric
from api.live.reading import Reading, TargetPulse
from api.vitals import VitalSigns
from gems import FieldSummary

WHOLE = ""  # the subject of what is about the whole lattice
WHOLE_NAME = "the lattice"


def list_samples(metric: Metric, reading: Reading) -> Sequence[Sample]:
    """Return the samples of a metric; none of `gem_coherence`, for which each gem must be asked."""
    if metric == "gem_coherence":
        return ()
    if metric == "provider_down":
        return [_sample_target(target) for target in reading.targets if target.enabled]
    return [Sample(WHOLE, WHOLE_NAME, _OF_WHOLE[metric](reading))]


def _sample_target(target: TargetPulse) -> Sample:
    return Sample(target.name, target.name, 0.0 if target.breaker == "closed" else 1.0)


def _of_gems(field: FieldSummary, value: float) -> float | None:
    return value if field.gems else None  # of no gems there is neither a mean nor an order


def _error_rate(vitals: VitalSigns) -> float | None:
    if not vitals.requests_per_minute:
        return None
    return min(1.0, vitals.errors_per_minute / vitals.requests_per_minute)


_OF_WHOLE: Mapping[str, Callable[[Reading], float | None]] = {
    "coherence_mean": lambda reading: _of_gems(reading.field, reading.field.coherence_mean),
    "order_parameter": lambda reading: _of_gems(reading.field, reading.field.order_parameter),
    "gems_at_risk": lambda reading: float(reading.field.below),
    "error_rate": lambda reading: _error_rate(reading.vitals),
    "reflection_p95_s": lambda reading: reading.vitals.reflection_p95_s,
    "recall_p95_s": lambda reading: reading.vitals.recall_p95_s,
    "cost_usd_per_hour": lambda reading: reading.surroundings.cost_usd_last_hour,
    "ingestion_lag_s": lambda reading: reading.surroundings.backlog.lag_s,
}

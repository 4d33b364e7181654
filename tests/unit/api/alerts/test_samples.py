"""From what the service is like to samples."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from api.alerts.evaluation import Sample
from api.alerts.rules import Metric
from api.alerts.samples import list_samples
from api.live.reading import Reading, Surroundings, TargetPulse
from api.vitals import Vitals
from gems import FieldSummary
from knowledge.jobs import Backlog

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIELD = FieldSummary(NOON, 3, 0.5, 1.0, 0.4, 0.3, 2.0, (0.0, 1.0), (3,), (3,), 1, 0.1)
VITALS = replace(Vitals().read(0.0), requests_per_minute=50.0, errors_per_minute=5.0, recall_p95_s=0.25)
TARGETS = (
    TargetPulse("a", True, "closed", 1),
    TargetPulse("b", True, "half_open", 0),
    TargetPulse("c", False, "open", 0),
)
READING = Reading(FIELD, Surroundings(Backlog(1, 2, 30.0), 0.75), VITALS, TARGETS)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("coherence_mean", 0.4),
        ("order_parameter", 0.5),
        ("gems_at_risk", 1.0),
        ("error_rate", 0.1),
        ("reflection_p95_s", None),
        ("recall_p95_s", 0.25),
        ("cost_usd_per_hour", 0.75),
        ("ingestion_lag_s", 30.0),
    ],
)
def test_a_metric_of_the_whole_is_one_sample(metric: Metric, value: float | None) -> None:
    assert list_samples(metric, READING) == [Sample("", "the lattice", value)]


def test_every_target_that_is_switched_on_is_a_sample() -> None:
    assert list_samples("provider_down", READING) == [Sample("a", "a", 0.0), Sample("b", "b", 1.0)]


def test_where_there_is_nothing_there_is_no_value() -> None:
    empty = replace(READING, field=replace(FIELD, gems=0), vitals=Vitals().read(0.0))
    for metric in ("coherence_mean", "order_parameter", "error_rate", "recall_p95_s"):
        assert [sample.value for sample in list_samples(metric, empty)] == [None]


def test_every_metric_is_known() -> None:
    for metric in get_args(Metric):
        assert list_samples(metric, READING) or metric == "gem_coherence"

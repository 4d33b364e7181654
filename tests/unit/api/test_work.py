"""What becomes of the steps that packages tell of."""

import asyncio
import time
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry

from api.telemetry.work import WorkObserver
from api.vitals import Vitals


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def vitals() -> Vitals:
    return Vitals()


@pytest.fixture
def work(registry: CollectorRegistry, vitals: Vitals) -> WorkObserver:
    return WorkObserver(registry, vitals, None)


def end(work: WorkObserver, step: str, error: BaseException | None = None) -> None:
    with suppress(ZeroDivisionError, asyncio.CancelledError), work.watch(step):
        if error is not None:
            raise error


def test_jobs_are_timed_by_how_they_ended(work: WorkObserver, registry: CollectorRegistry) -> None:
    end(work, "job.merge")
    end(work, "job.merge", ZeroDivisionError())
    end(work, "job.merge", asyncio.CancelledError())
    for outcome in ("done", "failed", "left"):
        labels = {"kind": "merge", "outcome": outcome}
        assert registry.get_sample_value("lattice_job_duration_seconds_count", labels) == 1


def test_recalls_that_came_to_nothing_are_not_timed(
    work: WorkObserver, registry: CollectorRegistry, vitals: Vitals
) -> None:
    for step in ("recall", "recall.dense"):
        end(work, step, ZeroDivisionError())
        end(work, step)
    assert registry.get_sample_value("lattice_recall_duration_seconds_count") == 1
    assert registry.get_sample_value("lattice_recall_step_duration_seconds_count", {"step": "dense"}) == 1
    assert vitals.read(time.monotonic()).recalls_per_minute == 1


def test_what_nobody_measures_is_let_be(work: WorkObserver, registry: CollectorRegistry) -> None:
    before = [*registry.collect()]
    end(work, "reflection.store")
    work.see("something of another package")
    assert [*registry.collect()] == before

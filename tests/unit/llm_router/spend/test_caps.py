from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router.config import BudgetConfig
from llm_router.ports import FIRST_TENANT, Caller
from llm_router.spend.caps import Cap, find_caps, window_end, window_start

OTHER = UUID(int=0xABC)
CALLER = Caller(OTHER, "anne")
Each = Literal["tenant", "key", "model", "target"]
WINDOWS = ("hour", "day", "month", "total")


def budget(name: str = "b", each: Each = "tenant", only: str | None = None) -> BudgetConfig:
    return BudgetConfig(name, Decimal(1), each=each, only=only)


def test_a_call_falls_under_caps_of_its_tenant_key_model_and_target() -> None:
    budgets = [budget("c", "target"), budget("a", "key"), budget("b"), budget("d", "model")]
    assert find_caps(budgets, CALLER, "smart", "main") == (
        Cap(budgets[1], OTHER, "anne"),
        Cap(budgets[2], OTHER, str(OTHER)),
        Cap(budgets[0], FIRST_TENANT, "main"),
        Cap(budgets[3], FIRST_TENANT, "smart"),
    )


@pytest.mark.parametrize(
    ("each", "only", "falls"),
    [
        ("tenant", str(OTHER), True),
        ("tenant", f" {str(OTHER).upper()} ", True),
        ("tenant", str(FIRST_TENANT), False),
        ("key", "anne", True),
        ("key", "Anne", False),
        ("target", "main", True),
        ("target", "other", False),
        ("model", "smart", True),
        ("model", "main", False),
    ],
)
def test_a_cap_for_one_subject_is_for_no_other(each: Each, only: str, falls: bool) -> None:
    assert len(find_caps([budget(each=each, only=only)], CALLER, "smart", "main")) == falls


def test_calls_without_a_key_share_one() -> None:
    assert find_caps([budget(each="key")], Caller(), "smart", "main")[0].subject == ""


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        ("hour", datetime(2024, 2, 29, 23, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        ("day", datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        ("month", datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        ("total", datetime(1970, 1, 1, tzinfo=UTC), None),
    ],
)
def test_windows_are_those_of_utc(
    window: Literal["hour", "day", "month", "total"], start: datetime, end: datetime | None
) -> None:
    at = datetime(2024, 3, 1, 1, 30, 30, 5, tzinfo=timezone(timedelta(hours=2)))  # 23:30 in UTC, the day before
    capped = BudgetConfig("b", Decimal(1), window)
    assert window_start(capped, at) == start
    assert window_end(capped, start) == end


@given(st.sampled_from(WINDOWS), st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_every_moment_is_in_one_window(window: Literal["hour", "day", "month", "total"], at: datetime) -> None:
    capped = BudgetConfig("b", Decimal(1), window)
    start = window_start(capped, at)
    end = window_end(capped, start)
    assert start <= at
    assert window_start(capped, start) == start
    if end is not None:
        assert at < end
        assert window_start(capped, end) == end

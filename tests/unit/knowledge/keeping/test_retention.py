from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInputError
from knowledge.keeping import RetentionPolicy
from knowledge.keeping.snapshots.retention import Kept, plan_retention

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)  # a Sunday
GEMS = (UUID(int=1), UUID(int=2), None)

moments = st.integers(0, 400 * 24 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes))
kept = st.lists(st.tuples(st.sampled_from(GEMS), moments), max_size=40).map(
    lambda found: [Kept(UUID(int=1_000 + number), gem, moment) for number, (gem, moment) in enumerate(found)]
)
numbers = st.integers(0, 6)
policies = st.tuples(numbers, numbers, numbers, numbers).filter(any).map(lambda each: RetentionPolicy(*each))
BUCKETS = {
    "keep_daily": "%Y-%m-%d",
    "keep_weekly": "%G-%V",
    "keep_monthly": "%Y-%m",
}


def take(*days_before: float) -> list[Kept]:
    return [Kept(UUID(int=i), None, NOON - timedelta(days=days)) for i, days in enumerate(days_before)]


def reasons(snapshots: list[Kept], policy: RetentionPolicy) -> dict[int, tuple[str, ...]]:
    return {each.snapshot.snapshot_id.int: each.reasons for each in plan_retention(snapshots, policy)}


def test_the_last_of_each_day_week_and_month_stays() -> None:
    policy = RetentionPolicy(keep_last=1, keep_daily=2, keep_weekly=2, keep_monthly=2)
    found = take(0, 0.1, 1, 2, 7, 8, 27, 28, 60)
    assert reasons(found, policy) == {
        0: ("last", "daily", "weekly", "monthly"),
        1: (),
        2: ("daily", "monthly"),  # 28 February, in the week of the first
        3: (),
        4: ("weekly",),
        5: (),
        6: (),
        7: (),
        8: (),
    }


def test_days_are_those_of_utc_whatever_the_zone_of_a_moment() -> None:
    late = datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=2)))  # 23:00 on the first, in UTC
    found = [*take(0), Kept(UUID(int=9), None, late)]
    assert reasons(found, RetentionPolicy(keep_daily=5)) == {9: ("daily",), 0: ()}


@given(snapshots=kept, policy=policies)
def test_every_bucket_keeps_its_newest_and_no_group_another_s(snapshots: list[Kept], policy: RetentionPolicy) -> None:
    verdicts = plan_retention(snapshots, policy)
    assert {each.snapshot for each in verdicts} == set(snapshots)
    for gem in GEMS:
        own = sorted(
            (each for each in snapshots if each.group == gem), key=lambda e: (e.taken_at, e.snapshot_id), reverse=True
        )
        expected = set(own[: policy.keep_last])
        for name, form in BUCKETS.items():
            newest: dict[str, Kept] = {}
            for each in own:
                newest.setdefault(each.taken_at.strftime(form), each)
            expected |= set(list(newest.values())[: getattr(policy, name)])
        assert {each.snapshot for each in verdicts if each.snapshot.group == gem and each.reasons} == expected


@given(snapshots=kept, policy=policies)
def test_what_was_kept_is_kept_again(snapshots: list[Kept], policy: RetentionPolicy) -> None:
    stays = [each.snapshot for each in plan_retention(snapshots, policy) if each.reasons]
    assert all(each.reasons for each in plan_retention(stays, policy))


@pytest.mark.parametrize(("values", "field"), [({}, "keep_last"), ({"keep_daily": -1}, "keep_daily")])
def test_a_policy_that_keeps_nothing_is_none(values: dict[str, int], field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        RetentionPolicy(**values)
    assert error.value.field == field

"""Which snapshots stay: the newest, and of each of the newest days, weeks and months the last one. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from uuid import UUID

from core.errors import InvalidInputError

MOST = 10_000


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How many snapshots of one gem, or of the lattice, stay; one that any of these keeps does.

    Attributes:
        keep_last: the newest.
        keep_daily: days of which the last one stays; days without any do not count. All by the calendar of UTC.
        keep_weekly: weeks, which begin on Monday.
        keep_monthly: months.

    Raises:
        InvalidInputError: a number is out of its bounds, or nothing would be kept.
    """

    keep_last: int = 0
    keep_daily: int = 0
    keep_weekly: int = 0
    keep_monthly: int = 0

    def __post_init__(self) -> None:
        for each in fields(self):
            if not 0 <= getattr(self, each.name) <= MOST:
                raise InvalidInputError(each.name, f"must be from 0 to {MOST:,}")
        if not any(getattr(self, each.name) for each in fields(self)):
            raise InvalidInputError("keep_last", "or another of them must be above 0: nothing would be kept")


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot as a retention sees it.

    Attributes:
        group: of what it is; each gem counts by itself, and so does the lattice.
    """

    snapshot_id: UUID
    group: UUID | None
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a snapshot.

    Attributes:
        reasons: what keeps it, `last`, `daily`, `weekly` or `monthly`; none, and it goes.
    """

    snapshot: Kept
    reasons: tuple[str, ...]


_BUCKETS: dict[str, Callable[[datetime], object]] = {
    "daily": lambda moment: moment.date(),
    "weekly": lambda moment: moment.isocalendar()[:2],
    "monthly": lambda moment: (moment.year, moment.month),
}


def plan_retention(snapshots: Iterable[Kept], policy: RetentionPolicy) -> list[Verdict]:
    """Say of every snapshot what keeps it, group by group, newest first."""
    groups: dict[UUID | None, list[Kept]] = {}
    for each in snapshots:
        groups.setdefault(each.group, []).append(each)
    return [verdict for group in groups.values() for verdict in _judge(group, policy)]


def _judge(group: Sequence[Kept], policy: RetentionPolicy) -> list[Verdict]:
    ordered = sorted(group, key=lambda each: (each.taken_at, each.snapshot_id), reverse=True)
    reasons: list[list[str]] = [["last"] if place < policy.keep_last else [] for place in range(len(ordered))]
    for name, bucket_of in _BUCKETS.items():
        seen: set[object] = set()
        for each, found in zip(ordered, reasons, strict=True):
            bucket = bucket_of(each.taken_at.astimezone(UTC))
            if bucket not in seen and len(seen) < getattr(policy, f"keep_{name}"):
                seen.add(bucket)
                found.append(name)
    return [Verdict(each, tuple(found)) for each, found in zip(ordered, reasons, strict=True)]

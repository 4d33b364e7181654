"""What of a subject's claims replaces what: pure, and a function of the claims alone, in whatever order they came."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

INSTANT = timedelta(microseconds=1)  # the smallest step of time that Postgres keeps
_FIRST = datetime.min.replace(tzinfo=UTC)  # before it there is no moment


@dataclass(frozen=True, slots=True)
class Claim:
    """What one document says of one subject and predicate.

    Attributes:
        claim_id: of the claim.
        object_id: the entity that it names.
        begins_at: the earliest moment at which it is known to have held; None if its document tells none.
        given_end: when it ceased to hold, as its document says; None if it does not.
        learned_at: when the lattice took it in.
    """

    claim_id: UUID
    object_id: UUID
    begins_at: datetime | None
    given_end: datetime | None
    learned_at: datetime


@dataclass(frozen=True, slots=True)
class End:
    """When a claim ceased to hold, and the claim that this follows from, if it was not given."""

    valid_to: datetime | None
    closed_by: UUID | None = None


def find_beginning(
    valid_from: datetime | None, given_end: datetime | None, occurred_at: datetime | None, learned_at: datetime
) -> datetime | None:
    """Return the earliest moment at which a claim is known to have held; None if nothing tells."""
    if valid_from is not None:
        return valid_from
    if given_end is None:
        return occurred_at
    return min(occurred_at or learned_at, max(given_end, _FIRST + INSTANT) - INSTANT)  # it held until then


def plan_ends(claims: Sequence[Claim]) -> dict[UUID, End]:
    """Say when each claim of one subject and predicate ended, if it can hold of one object at a time.

    A claim without a given end is ended by the next later claim of another object. Of two claims with a beginning the
    one that begins later is later; of two without, the one learned later. A claim without a beginning speaks of no time
    after it was learned, so one that begins after that moment is later. Nothing else is decided: such claims, and those
    of one time, stay side by side and contradict each other.

    Returns:
        The end of each claim by its id.
    """
    dated = _Ladder([(claim.begins_at, claim) for claim in claims if claim.begins_at is not None])
    undated = _Ladder([(claim.learned_at, claim) for claim in claims if claim.begins_at is None])
    return {claim.claim_id: _find_end(claim, dated, undated) for claim in claims}


def _find_end(claim: Claim, dated: "_Ladder", undated: "_Ladder") -> End:
    if claim.given_end is not None:
        return End(claim.given_end)
    if claim.begins_at is not None:
        return dated.find_next(claim.begins_at, claim.object_id) or End(None)
    found = (ladder.find_next(claim.learned_at, claim.object_id) for ladder in (dated, undated))
    ends = [(end.valid_to, end) for end in found if end is not None and end.valid_to is not None]
    return min(ends, key=lambda each: each[0])[1] if ends else End(None)


class _Ladder:
    """Claims in the order of a time of theirs, and for each the next one of another object."""

    def __init__(self, claims: list[tuple[datetime, Claim]]) -> None:
        claims.sort(key=lambda each: (each[0], each[1].claim_id))
        self._times = [time for time, _ in claims]
        self._claims = [claim for _, claim in claims]
        self._others = [len(claims)] * len(claims)
        for i in range(len(claims) - 2, -1, -1):
            same = self._claims[i].object_id == self._claims[i + 1].object_id
            self._others[i] = self._others[i + 1] if same else i + 1

    def find_next(self, after: datetime, object_id: UUID) -> End | None:
        """Return the end that the first claim of another object after a moment makes; None if there is none."""
        i = bisect_right(self._times, after)
        if i < len(self._claims) and self._claims[i].object_id == object_id:
            i = self._others[i]
        return End(self._times[i], self._claims[i].claim_id) if i < len(self._claims) else None

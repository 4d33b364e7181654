"""What replaces what, as a function of claims."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from knowledge.graph.succession import INSTANT, Claim, find_beginning, plan_ends

START = datetime(2020, 1, 1, tzinfo=UTC)
SPACE = UUID(int=0)
days = st.integers(0, 6).map(lambda n: START + timedelta(days=n))


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    made = []
    for i in range(draw(st.integers(0, 8))):
        begins = draw(st.none() | days)
        end = draw(st.none() | st.just((begins or START) + timedelta(days=2)))
        learned = draw(days)
        beginning = find_beginning(begins, end, None, learned)
        made.append(Claim(uuid5(SPACE, str(i)), UUID(int=draw(st.integers(1, 3))), beginning, end, learned))
    return made


def is_later(later: Claim, earlier: Claim) -> datetime | None:
    """When a claim ends another one, by the words of `plan_ends`."""
    if later.begins_at is not None and earlier.begins_at is not None:
        return later.begins_at if later.begins_at > earlier.begins_at else None
    if later.begins_at is None and earlier.begins_at is None:
        return later.learned_at if later.learned_at > earlier.learned_at else None
    if later.begins_at is not None and later.begins_at > earlier.learned_at:
        return later.begins_at
    return None


@given(claims())
def test_a_claim_ends_with_the_next_later_one_of_another_object(given_claims: list[Claim]) -> None:
    ends = plan_ends(given_claims)
    assert ends.keys() == {claim.claim_id for claim in given_claims}
    by_id = {claim.claim_id: claim for claim in given_claims}
    for claim in given_claims:
        others = (is_later(other, claim) for other in given_claims if other.object_id != claim.object_id)
        expected = claim.given_end or min((each for each in others if each is not None), default=None)
        end = ends[claim.claim_id]
        assert end.valid_to == expected
        if claim.given_end is None and expected is not None:
            assert end.closed_by is not None
            assert is_later(by_id[end.closed_by], claim) == expected
        else:
            assert end.closed_by is None


@given(claims(), st.randoms())
def test_the_order_of_claims_does_not_matter(given_claims: list[Claim], random: Random) -> None:
    shuffled = given_claims.copy()
    random.shuffle(shuffled)
    assert plan_ends(shuffled) == plan_ends(given_claims)


def test_the_beginning_is_what_is_known_of_it() -> None:
    later, learned = START + timedelta(days=1), START + timedelta(days=9)
    assert find_beginning(START, None, later, learned) == START
    assert find_beginning(None, None, later, learned) == later
    assert find_beginning(None, None, None, learned) is None
    assert find_beginning(None, START, later, learned) == START - INSTANT
    assert find_beginning(None, later, START, learned) == START


def test_a_claim_that_ended_at_the_first_moment_of_all_began_no_earlier() -> None:
    first = datetime.min.replace(tzinfo=UTC)
    assert find_beginning(None, first, None, START) == first

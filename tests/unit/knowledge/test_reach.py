from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInputError
from gems import Entanglement, Moment
from knowledge import FusionWeights, RecallQuery
from knowledge.fusion import Channels, fuse
from knowledge.ranking import Findings, PassageScore, rank
from knowledge.reach import ELSEWHERE, strongest_links, weigh_reached

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = Moment(NOON, timedelta(days=30))
A, B, C = (UUID(int=number) for number in (1, 2, 3))
PARTS = ("late", "dense", "lexical", "speaker", "title", "link", "coherence", "interference", "novelty", "reach")


def pair(one: UUID, two: UUID, strength: float) -> Entanglement:
    first, second = sorted((one, two))
    return Entanglement(first, second, strength, NOON, NOON)


def test_partners_are_found_in_both_directions_and_the_strongest_link_counts() -> None:
    pairs = [pair(A, B, 0.3), pair(C, B, 0.6), pair(A, C, 0.2)]
    assert strongest_links([A], pairs) == {B: 0.3, C: 0.2}
    assert strongest_links([B], pairs) == {A: 0.3, C: 0.6}
    assert strongest_links([A, C], pairs) == {B: 0.6}


def test_a_link_of_no_strength_reaches_nothing() -> None:
    assert strongest_links([A], [pair(A, B, 0.0)]) == {}


def test_entangled_gems_are_worth_their_strength_and_the_rest_of_the_lattice_a_little_less_than_the_own() -> None:
    assert weigh_reached([B], "entangled", {B: 0.3}) == {B: 0.3}
    worth = weigh_reached([B, C], "lattice", {B: 0.5})
    assert worth == {B: pytest.approx((1 + ELSEWHERE) / 2), C: ELSEWHERE}


def test_a_reach_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="reach"):
        RecallQuery("q", reach="all")  # type: ignore[arg-type]


def find(random: np.random.Generator, n: int) -> Findings:
    """Findings of n passages as if three tokens had been asked for."""
    rarity = np.array([0.5, 0.3, 0.2], np.float32)
    found = random.random((n, 3)).astype(np.float32)
    channels = Channels(
        random.random(n), random.random(n), np.zeros(n), np.zeros(n), found, np.ones(n, np.bool_), rarity
    )
    return Findings(tuple(uuid4() for _ in range(n)), channels, fuse(channels, FusionWeights()), np.zeros(n), 3.0)


def states(findings: Findings, gem_ids: list[UUID]) -> dict[UUID, dict[str, object]]:
    row = {"energy": 1.0, "phase": 0.0, "coherence": 1.0, "uncertainty": 0.1, "measured_at": NOON.timestamp()}
    return {i: row | {"gem_id": gem_id} for i, gem_id in zip(findings.passage_ids, gem_ids, strict=True)}


def total(score: PassageScore) -> float:
    return float(sum(getattr(score, name) for name in PARTS))


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1.0), st.integers(2, 40))
def test_parts_sum_to_the_score_and_reach_takes_what_the_worth_leaves(seed: int, worth: float, n: int) -> None:
    random = np.random.default_rng(seed)
    findings = find(random, n)
    owners = [A if own else B for own in random.random(n) < 0.5]
    rows = states(findings, owners)
    ranked = rank(findings, rows, AT, FusionWeights(), k=n, worth={B: worth})
    assert [each.score.score for each in ranked] == sorted((each.score.score for each in ranked), reverse=True)
    for each in ranked:
        assert total(each.score) == pytest.approx(each.score.score)
        share = worth if rows[each.passage_id]["gem_id"] == B else 1.0
        assert each.score.score == pytest.approx(share * (each.score.score - each.score.reach))


@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_gems_that_are_all_asked_are_ranked_as_without_reach(seed: int, n: int) -> None:
    findings = find(np.random.default_rng(seed), n)
    rows = states(findings, [A] * n)
    assert rank(findings, rows, AT, FusionWeights(), k=n) == rank(
        findings, rows, AT, FusionWeights(), k=n, worth={B: 0.5}
    )


def test_of_equals_the_own_comes_first() -> None:
    zeros, found = np.zeros(2), np.full((2, 1), 0.5, np.float32)
    channels = Channels(np.ones(2), zeros, zeros, zeros, found, np.ones(2, np.bool_), np.ones(1, np.float32))
    ids = (UUID(int=1), UUID(int=2))
    findings = Findings(ids, channels, fuse(channels, FusionWeights()), zeros, 1.0)
    ranked = rank(findings, states(findings, [B, A]), AT, FusionWeights(), k=2, worth={B: ELSEWHERE})
    assert [each.passage_id for each in ranked] == [ids[1], ids[0]]

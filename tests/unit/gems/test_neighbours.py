from dataclasses import replace
from datetime import UTC, datetime
from math import pi
from uuid import UUID

from gems import Gem, Neighbour, QuantumState
from gems.neighbours import suggest_partners

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_gem(number: int, phase: float = 0.0, coherence: float = 1.0) -> Gem:
    return Gem(
        gem_id=UUID(int=number),
        name=f"gem {number}",
        description="",
        metadata={},
        state=QuantumState(1.0, phase, coherence, 0.1),
        measured_at=NOON,
        feedback=0.0,
        ratings=0,
        version=0,
        slots=1,
        speakers=(),
        archived_at=None,
        created_at=NOON,
        updated_at=NOON,
    )


OWN = make_gem(1)


def test_what_is_alike_and_in_phase_is_suggested_strongest_first() -> None:
    near, nearer = Neighbour(make_gem(2), 0.6), Neighbour(make_gem(3), 0.9)
    found = suggest_partners(OWN, [near, nearer], set(), 10)
    assert [each.gem.gem_id.int for each in found] == [3, 2]
    assert [each.strength for each in found] == [0.9, 0.6]  # both fresh, so that they interfere wholly
    assert all(0 < each.strength <= 1 and each.interference == 1 for each in found)
    assert "0.90" in found[0].reason


def test_what_is_less_in_phase_is_suggested_less_strongly() -> None:
    found = suggest_partners(OWN, [Neighbour(make_gem(2, phase=pi / 3), 0.8)], set(), 10)
    assert found[0].interference == 0.5000000000000001
    assert found[0].strength == 0.6


def test_opposites_strangers_and_partners_are_not_suggested() -> None:
    opposite, stranger = Neighbour(make_gem(2, phase=pi), 0.9), Neighbour(make_gem(3), 0.49)
    forgotten, partner = Neighbour(make_gem(4, coherence=0.0), 0.9), Neighbour(make_gem(5), 0.9)
    assert suggest_partners(OWN, [opposite, stranger, forgotten, partner], {UUID(int=5)}, 10) == []


def test_no_more_are_suggested_than_asked_for_and_ties_are_in_order_of_ids() -> None:
    alike = [Neighbour(make_gem(number), 0.7) for number in (9, 4, 6)]
    assert [each.gem.gem_id.int for each in suggest_partners(OWN, alike, set(), 2)] == [4, 6]
    assert suggest_partners(replace(OWN, state=QuantumState(1.0, 0.0, 0.0, 1.0)), alike, set(), 2) == []

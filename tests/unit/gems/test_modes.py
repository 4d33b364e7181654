import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInputError
from gems import QuantumState, field, find_modes, interference_matrix, order_parameter
from gems.field_summary import summarise
from gems.state import FloatArray

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = st.lists(st.tuples(st.floats(0.0, 6.28), st.floats(0.0, 1.0), st.floats(0.0, 1.0)), max_size=60)


def make_states(rows: list[tuple[float, float, float]]) -> QuantumState[FloatArray]:
    phase, coherence, uncertainty = np.array(rows, np.float64).reshape(-1, 3).T.copy()
    return QuantumState(np.ones_like(phase), phase, coherence, uncertainty)


def crowd(*places: tuple[float, int]) -> QuantumState[FloatArray]:
    """Return gems that stand close around some phases."""
    rng = np.random.default_rng(7)
    phases = [(place + rng.normal(0, 0.1, count)) % math.tau for place, count in places]
    return make_states([(phase, 0.8, 0.1) for phase in np.concatenate(phases).tolist()])


@given(ROWS)
def test_modes_part_the_gems(rows: list[tuple[float, float, float]]) -> None:
    modes = find_modes(make_states(rows))
    members = np.concatenate([mode.members for mode in modes]) if modes else np.empty(0)
    assert sorted(members.tolist()) == list(range(len(rows)))
    assert all(len(mode.members) for mode in modes)
    assert all(0.0 <= mode.order_parameter <= 1.0 for mode in modes)
    assert sum(mode.share for mode in modes) <= 1.0 + 1e-12
    assert [mode.share for mode in modes] == sorted((mode.share for mode in modes), reverse=True)


@given(ROWS, st.randoms(use_true_random=False))
def test_modes_do_not_depend_on_the_order_of_gems(rows: list[tuple[float, float, float]], random: object) -> None:
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    there = {frozenset(mode.members.tolist()) for mode in find_modes(make_states(rows))}
    here = find_modes(make_states([rows[i] for i in shuffled]))
    assert {frozenset(shuffled[i] for i in mode.members.tolist()) for mode in here} == there


def test_crowds_that_stand_apart_are_modes_of_their_own() -> None:
    modes = find_modes(crowd((0.0, 30), (2.0, 20), (4.0, 10)))
    assert [len(mode.members) for mode in modes] == [30, 20, 10]
    apart = [math.cos(mode.phase - place) for mode, place in zip(modes, (0.0, 2.0, 4.0), strict=True)]
    assert min(apart) > 0.99
    assert all(mode.order_parameter > 0.98 for mode in modes)


def test_crowds_less_than_an_eighth_of_a_turn_apart_are_one() -> None:
    assert len(find_modes(crowd((1.0, 20), (1.6, 20)))) == 1


def test_a_crowd_around_the_end_of_the_circle_is_one() -> None:
    (mode,) = find_modes(crowd((0.0, 50)))
    assert len(mode.members) == 50


@pytest.mark.parametrize("seed", range(5))
def test_gems_that_are_spread_evenly_are_one_mode_without_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [(phase, 0.8, 0.1) for phase in rng.uniform(0, 6.28, 5_000).tolist()]
    (mode,) = find_modes(make_states(rows))
    assert mode.order_parameter < 0.1


def test_no_gems_have_no_modes_and_lost_ones_share_one() -> None:
    assert find_modes(make_states([])) == []
    (mode,) = find_modes(make_states([(1.0, 0.0, 1.0), (4.0, 0.0, 1.0)]))
    assert (mode.coherence, mode.share, mode.order_parameter) == (0.0, 0.0, 0.0)


@given(ROWS)
def test_the_field_in_closed_form_is_the_sum_over_pairs(rows: list[tuple[float, float, float]]) -> None:
    states = make_states(rows)
    total = states.coherence.sum()
    expected = interference_matrix(states).sum(axis=1) / (total or 1.0)
    assert field(states) == pytest.approx(expected, abs=1e-9)


@given(ROWS, st.integers(1, 50), st.floats(1e-6, 1.0))
def test_a_summary_adds_up(rows: list[tuple[float, float, float]], buckets: int, below: float) -> None:
    states = make_states(rows)
    found = summarise(states, NOON, buckets=buckets, below=below)
    assert sum(found.coherence_counts) == sum(found.uncertainty_counts) == found.gems == len(rows)
    assert (len(found.edges), found.edges[0], found.edges[-1]) == (buckets + 1, 0.0, 1.0)
    assert found.order_parameter == pytest.approx(order_parameter(states))
    assert found.below == sum(c < below for _, c, _ in rows)
    share = states.coherence * found.order_parameter * np.cos(states.phase - found.phase)
    assert share == pytest.approx(field(states), abs=1e-9)


@pytest.mark.parametrize(("buckets", "below"), [(0, 0.1), (201, 0.1), (20, 0.0), (20, 1.5), (20, math.nan)])
def test_what_is_out_of_bounds_is_refused(buckets: int, below: float) -> None:
    with pytest.raises(InvalidInputError):
        summarise(make_states([]), NOON, buckets=buckets, below=below)

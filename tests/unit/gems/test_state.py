import math
from dataclasses import FrozenInstanceError, astuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import InvalidStateError
from gems.state import (
    ALPHA_DEFAULT,
    ENERGY_MAX,
    PHASE_MAX,
    QuantumState,
    evolve,
    field,
    interference,
    interference_matrix,
    measure,
    order_parameter,
)

quick = settings(deadline=None, max_examples=40)
units = st.floats(0.0, 1.0)
phases = st.floats(0.0, PHASE_MAX)
states = st.builds(QuantumState[float], st.floats(0.01, 100.0), phases, units, units)
wild_states = st.builds(QuantumState[float], st.floats(5e-324, 1.7e308), phases, units, units)
durations = st.floats(0.0, 200.0)
lattices = st.lists(states, min_size=1, max_size=12)


def stacked(rows: list[QuantumState[float]]) -> QuantumState[NDArray[np.float64]]:
    return QuantumState(*(np.array(column) for column in zip(*map(values, rows), strict=True)))


def values(state: QuantumState[float]) -> tuple[float, float, float, float]:
    return state.energy, state.phase, state.coherence, state.uncertainty


def on_circle(angle: float) -> float:
    """Return the distance of an angle from 0, around the circle."""
    return abs((angle + math.pi) % math.tau - math.pi)


def assert_in_bounds(state: QuantumState[float]) -> None:
    assert 0.0 < state.energy < math.inf
    assert 0.0 <= state.phase < math.tau
    assert 0.0 <= state.coherence <= 1.0
    assert 0.0 <= state.uncertainty <= 1.0


def test_a_new_state_fades_as_the_formulas_say() -> None:
    assert values(QuantumState.new()) == (1.0, 0.0, 1.0, 0.1)
    later = evolve(QuantumState.new(), 2)
    # e⁻² = 0.1353352832366127; 1·2 rad; 0.1 + 2/10
    assert values(later) == pytest.approx((1.0, 2.0, 0.1353352832366127, 0.3), abs=1e-15)
    seen = measure(later)
    # 1 + (1 − e⁻²)/2; e⁻² + 0.3(1 − e⁻²); 0.3·0.7
    assert values(seen) == pytest.approx((1.4323323583816936, 2.0, 0.3947346982656289, 0.21), abs=1e-15)


@quick
@given(states, durations, durations)
def test_evolution_is_a_semigroup(state: QuantumState[float], a: float, b: float) -> None:
    twice, once = evolve(evolve(state, a), b), evolve(state, a + b)
    assert twice.energy == once.energy
    assert on_circle(twice.phase - once.phase) < 1e-9
    assert twice.coherence == pytest.approx(once.coherence, abs=1e-12)
    assert twice.uncertainty == pytest.approx(once.uncertainty, abs=1e-12)


@quick
@given(states)
def test_no_time_changes_nothing(state: QuantumState[float]) -> None:
    assert evolve(state, 0.0) == state


@settings(deadline=None, max_examples=100)
@given(wild_states, st.floats(0.0, 1.7e308), units)
def test_bounds_hold_for_any_floats(state: QuantumState[float], dt: float, gain: float) -> None:
    if state.energy * dt < math.inf:
        assert_in_bounds(evolve(state, dt))
        assert_in_bounds(measure(evolve(state, dt), gain))
    else:
        with pytest.raises(InvalidStateError, match=r"^dt: is so long"):
            evolve(state, dt)
    assert_in_bounds(measure(state, gain))


@quick
@given(st.integers(1, 10**6), st.sampled_from([-2, -1, 0, 1, 2]))
def test_the_phase_stays_below_a_full_turn_at_its_multiples(turns: int, ulps: int) -> None:
    dt = turns * math.tau
    for _ in range(abs(ulps)):
        dt = math.nextafter(dt, math.copysign(math.inf, ulps))
    phase = evolve(QuantumState.new(), dt).phase
    assert 0.0 <= phase < math.tau
    assert on_circle(phase) < 1e-8


@quick
@given(lattices, durations, units)
def test_arrays_move_as_floats_do(rows: list[QuantumState[float]], dt: float, gain: float) -> None:
    many = stacked(rows)
    assert evolve(many, dt) == stacked([evolve(row, dt) for row in rows])
    assert measure(many, gain) == stacked([measure(row, gain) for row in rows])
    times = np.linspace(0.0, dt, len(rows))
    alone = [evolve(row, float(t)) for row, t in zip(rows, times, strict=True)]
    assert evolve(many, times) == stacked(alone)


def test_one_state_broadcasts_over_times_and_gains() -> None:
    curve = evolve(QuantumState.new(), np.array([[0.0, 1.0], [2.0, 3.0]]))
    assert {np.shape(value) for value in astuple(curve)} == {(2, 2)}
    assert np.allclose(curve.coherence, np.exp([[0.0, -1.0], [-2.0, -3.0]]))
    partners = measure(evolve(QuantumState.new(), 1.0), ALPHA_DEFAULT * np.array([0.0, 0.5, 1.0]))
    assert {np.shape(value) for value in astuple(partners)} == {(3,)}
    assert np.all(np.diff(partners.coherence) > 0.0)


def test_floats_stay_floats_and_whole_numbers_become_them() -> None:
    state = QuantumState[Any](np.float32(2), 0, 1, np.array(0.5))
    assert all(type(value) is float for value in astuple(measure(evolve(state, 1))))
    many = QuantumState(np.array([1, 2]), np.zeros(2), np.ones(2), np.ones(2))
    assert many.energy.dtype == np.float64


@quick
@given(states, units)
def test_a_measurement_strengthens(state: QuantumState[float], gain: float) -> None:
    seen = measure(state, gain)
    assert seen.energy >= state.energy
    assert seen.coherence >= state.coherence
    assert seen.uncertainty <= state.uncertainty
    assert seen.phase == state.phase


@quick
@given(st.floats(0.01, 40.0), units, units)
def test_spacing_a_late_measurement_gains_more_energy(energy: float, a: float, b: float) -> None:
    early, late = max(a, b), min(a, b)
    gained = [measure(QuantumState(energy, 0.0, c, 0.1)).energy - energy for c in (early, late)]
    assert gained[0] <= gained[1]
    assert gained[1] <= 0.5 * energy * (1 + 1e-12)


def test_energy_stops_at_its_ceiling_and_is_never_lowered_to_it() -> None:
    tired = QuantumState(ENERGY_MAX * 0.9, 0.0, 0.0, 1.0)
    assert measure(tired).energy == ENERGY_MAX
    assert measure(tired, energy_max=10.0).energy == tired.energy


@quick
@given(lattices)
def test_interference_is_symmetric_bounded_and_its_rows_sum_to_the_field(rows: list[QuantumState[float]]) -> None:
    many = stacked(rows)
    matrix = interference_matrix(many)
    assert np.array_equal(matrix, matrix.T)
    assert np.all(np.abs(matrix) <= 1.0)
    pairs = [[interference(x, y) for y in rows] for x in rows]
    assert np.allclose(matrix, pairs, rtol=0.0, atol=1e-14)
    assert np.allclose(np.diag(matrix), many.coherence**2, atol=1e-14)
    total = many.coherence.sum()
    if total > 1e-9:
        assert np.allclose(field(many), matrix.sum(axis=1) / total, rtol=0.0, atol=1e-9)
    assert np.all(np.abs(field(many)) <= 1.0)
    assert 0.0 <= order_parameter(many) <= 1.0


def test_opposite_states_destroy_each_other_and_equal_ones_build() -> None:
    x, y = QuantumState(1.0, 0.0, 1.0, 0.1), QuantumState(1.0, math.pi, 1.0, 0.1)
    assert interference(x, y) == pytest.approx(-1.0)
    assert interference(x, x) == 1.0
    assert order_parameter(stacked([x, y])) == pytest.approx(0.0, abs=1e-15)
    assert order_parameter(stacked([x, x])) == 1.0
    assert field(stacked([x, x, x])).tolist() == [1.0, 1.0, 1.0]
    assert field(x) == order_parameter(x) == 1.0


def test_without_coherence_there_is_no_field() -> None:
    dark = QuantumState(*np.array([[1.0, 1.0], [0.0, 2.0], [0.0, 0.0], [1.0, 1.0]]))
    assert field(dark).tolist() == [0.0, 0.0]
    assert order_parameter(dark) == 0.0
    faint = QuantumState(*np.array([[1.0, 1.0], [1.0, 1.0], [1e-300, 1e-300], [1.0, 1.0]]))
    assert order_parameter(faint) == pytest.approx(1.0)


def test_no_states_at_all() -> None:
    none: QuantumState[NDArray[np.float64]] = QuantumState(*np.empty((4, 0)))
    assert np.shape(field(measure(evolve(none, 1.0)))) == (0,)
    assert order_parameter(none) == 0.0


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("energy", [0.0, -1.0, math.nan, math.inf, 10**400, "1", None, True]),
        ("phase", [-0.1, math.tau, 7.0, math.nan, math.inf, "1"]),
        ("coherence", [-1e-9, 1.0 + 1e-9, math.nan, math.inf, 1j]),
        ("uncertainty", [-1e-9, 1.0 + 1e-9, math.nan, -math.inf, [0.5]]),
    ],
)
def test_a_bad_state_names_its_field(name: str, bad: list[object]) -> None:
    good: dict[str, float] = {"energy": 1.0, "phase": 0.0, "coherence": 1.0, "uncertainty": 0.1}
    for value in bad:
        with pytest.raises(InvalidStateError, match=f"^{name}: must be") as caught:
            QuantumState[Any](**{**good, name: value})
        assert caught.value.field == name
        if isinstance(value, float):
            rows = {key: np.array([usual, usual, usual]) for key, usual in good.items()}
            rows[name][1] = value
            with pytest.raises(InvalidStateError, match=rf"^{name}: .* \(row 1\)$"):
                QuantumState(**rows)


def test_shapes_must_agree() -> None:
    two, three = np.full(2, 0.5), np.full(3, 0.5)
    with pytest.raises(InvalidStateError, match=r"^coherence: shape \(3,\) is not energy's \(2,\)"):
        QuantumState(two, two, three, two)
    with pytest.raises(InvalidStateError, match=r"^phase: shape \(\)"):
        QuantumState[Any](two, 0.5, two, two)
    with pytest.raises(InvalidStateError, match=r"^dt: shape \(3,\) does not broadcast"):
        evolve(QuantumState(two, two, two, two), three)
    with pytest.raises(InvalidStateError, match=r"^gain: shape \(3,\) does not broadcast"):
        measure(QuantumState(two, two, two, two), three)


def test_bad_arguments_are_named() -> None:
    new = QuantumState.new()
    for dt in (-1e-12, math.nan, math.inf, np.array([1.0, -1.0])):
        with pytest.raises(InvalidStateError, match=r"^dt: must be finite and at least 0"):
            evolve(new, dt)
    for gain in (-0.1, 1.1, math.nan):
        with pytest.raises(InvalidStateError, match=r"^gain: must be in"):
            measure(new, gain)
    for ceiling in (0.0, math.nan):
        with pytest.raises(InvalidStateError, match=r"^energy_max: must be above 0"):
            measure(new, energy_max=ceiling)


def test_states_are_frozen_and_compare_by_value() -> None:
    new = QuantumState.new()
    with pytest.raises(FrozenInstanceError):
        new.phase = 1.0  # type: ignore[misc]
    assert new == QuantumState.new()
    assert new != evolve(new, 1.0)
    assert new != (1.0, 0.0, 1.0, 0.1)

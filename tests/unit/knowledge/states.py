"""Passages by their states, and what is said of all of them pair by pair."""

from datetime import UTC, datetime
from uuid import UUID

import numpy as np

from gems import Gem, QuantumState, interference_matrix
from knowledge import PassageGroups
from knowledge.gem_axiom import FloatArray

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GEM = Gem(
    gem_id=UUID(int=1),
    name="port",
    description="",
    metadata={},
    state=QuantumState(1.5, 0.0, 0.8, 0.2),
    measured_at=NOW,
    feedback=0.25,
    ratings=3,
    version=1,
    slots=1,
    speakers=(),
    archived_at=None,
    created_at=NOW,
    updated_at=NOW,
)


def draw_state(size: int, seed: int = 0) -> QuantumState[FloatArray]:
    noise = np.random.default_rng(seed)
    energy, phase = noise.uniform(0.2, 5.0, size), noise.uniform(0.0, 6.28, size)
    return QuantumState(energy, phase, noise.uniform(0.0, 1.0, size), noise.uniform(0.0, 1.0, size))


def group(state: QuantumState[FloatArray]) -> PassageGroups:
    """Every passage is a group of its own."""
    return PassageGroups(
        energy=state.energy,
        passages=np.ones_like(state.energy),
        coherence=state.coherence,
        wave=state.coherence * np.exp(1j * state.phase),
        squares=state.coherence**2,
        uncertainty=state.uncertainty,
    )


def mean_interference(state: QuantumState[FloatArray]) -> float:
    """The definition, pair by pair."""
    overlaps = interference_matrix(state)
    pairs = ~np.eye(len(overlaps), dtype=bool)
    return float(overlaps[pairs].mean()) if len(overlaps) > 1 else float(overlaps[0, 0])


NOTHING = group(draw_state(0))

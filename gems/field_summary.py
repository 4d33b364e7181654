"""What the whole lattice is like at a moment, read in one query."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from psycopg.rows import dict_row

from core.errors import InvalidInputError
from core.pg import Connection
from core.sql import load_queries
from gems.forecast import BELOW_DEFAULT, check_below
from gems.state import PHASE_MAX, FloatArray, QuantumState, order_parameter
from gems.store import Moment

_SQL = load_queries("gems.sql", "field.sql")
BUCKETS = 20
MOST_BUCKETS = 200


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """The gems of a lattice together; archived ones are left out.

    Attributes:
        at: the moment to which every state was evolved.
        gems: how many there are; where there is none, the means and the order parameter are 0.
        order_parameter: |Σz|/Σc in [0, 1], how much of the lattice moves together.
        phase: of Σz in [0, 2π): where it moves, so that a gem's share in the field is c·|Σz|/Σc·cos(φ − phase).
        coherence_mean: in [0, 1].
        uncertainty_mean: in [0, 1].
        energy_mean: in τ.
        edges: of the histograms' buckets, from 0 to 1; a value on an edge is in the bucket above it, 1 in the last.
        coherence_counts: how many gems have a coherence in each bucket.
        uncertainty_counts: the same of uncertainty.
        below: how many gems have a coherence below the threshold.
        threshold: of coherence.
    """

    at: datetime
    gems: int
    order_parameter: float
    phase: float
    coherence_mean: float
    uncertainty_mean: float
    energy_mean: float
    edges: tuple[float, ...]
    coherence_counts: tuple[int, ...]
    uncertainty_counts: tuple[int, ...]
    below: int
    threshold: float


async def read_field(
    conn: Connection, at: Moment, *, buckets: int = BUCKETS, below: float = BELOW_DEFAULT
) -> FieldSummary:
    """Summarise the gems that are not archived, each evolved to a moment, as they have been measured until today.

    A gem that was measured after `at` counts with the state of that measurement.

    Args:
        conn: in a transaction that the caller owns.
        at: the moment, now or to come.
        buckets: of the two histograms over [0, 1].
        below: the threshold of coherence, in [0, 1].

    Raises:
        InvalidInputError: `buckets` or `below` is out of bounds.
    """
    check_buckets(buckets)
    values = {"now": at.now, "tau_s": at.tau_s, "buckets": buckets, "stride": buckets + 1, "below": check_below(below)}
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["read_field"], values)
        cells = await cursor.fetchall()
    return _add_up(cells, at.now, buckets, below)


def summarise(
    state: QuantumState[FloatArray], now: datetime, *, buckets: int = BUCKETS, below: float = BELOW_DEFAULT
) -> FieldSummary:
    """Return the same of states of shape (n,), all of one moment."""
    check_buckets(buckets)
    check_below(below)
    gems = len(state.energy)
    wave = np.sum(state.coherence * np.exp(1j * state.phase))
    counts = [
        np.bincount(np.minimum(np.floor(each * buckets).astype(np.int64), buckets - 1), minlength=buckets).tolist()
        for each in (state.coherence, state.uncertainty)
    ]
    means = [float(np.mean(each)) if gems else 0.0 for each in (state.coherence, state.uncertainty, state.energy)]
    return FieldSummary(
        at=now,
        gems=gems,
        order_parameter=order_parameter(state),
        phase=_angle(wave.real, wave.imag),
        coherence_mean=means[0],
        uncertainty_mean=means[1],
        energy_mean=means[2],
        edges=_edges(buckets),
        coherence_counts=tuple(counts[0]),
        uncertainty_counts=tuple(counts[1]),
        below=int(np.sum(state.coherence < below)),
        threshold=below,
    )


def check_buckets(buckets: int) -> None:
    """Check a number of buckets.

    Raises:
        InvalidInputError: it is out of bounds.
    """
    if not 1 <= buckets <= MOST_BUCKETS:
        raise InvalidInputError("buckets", f"must be from 1 to {MOST_BUCKETS}, not {buckets}")


def _edges(buckets: int) -> tuple[float, ...]:
    return tuple(i / buckets for i in range(buckets + 1))


def _angle(re: float, im: float) -> float:
    return min(math.atan2(im, re) % math.tau, PHASE_MAX)  # a little below 0 is rounded up to a whole turn


def _add_up(cells: Sequence[dict[str, Any]], now: datetime, buckets: int, below: float) -> FieldSummary:
    """Add up the cells of the two histograms: each holds the gems of one bucket of both."""
    total = {
        name: math.fsum(cell[name] for cell in cells)
        for name in ("gems", "energy", "coherence", "uncertainty", "re", "im", "below")
    }
    coherence, uncertainty = [0] * buckets, [0] * buckets
    for cell in cells:
        c, u = divmod(int(cell["cell"]), buckets + 1)
        coherence[min(c, buckets - 1)] += cell["gems"]  # a value of 1 is beyond the last bucket, which takes it in
        uncertainty[min(u, buckets - 1)] += cell["gems"]
    gems = total["gems"] or 1.0
    return FieldSummary(
        at=now,
        gems=int(total["gems"]),
        order_parameter=min(1.0, math.hypot(total["re"], total["im"]) / (total["coherence"] or 1.0)),
        phase=_angle(total["re"], total["im"]),
        coherence_mean=total["coherence"] / gems,
        uncertainty_mean=total["uncertainty"] / gems,
        energy_mean=total["energy"] / gems,
        edges=_edges(buckets),
        coherence_counts=tuple(coherence),
        uncertainty_counts=tuple(uncertainty),
        below=int(total["below"]),
        threshold=below,
    )

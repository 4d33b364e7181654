"""States of many gems as arrays, from the packets in which Postgres sends them: with and without their past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gems.state import FloatArray, QuantumState, evolve

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # from which Postgres counts
_MICROSECOND = timedelta(microseconds=1)
_STATE = [(name, ">f8") for name in ("energy", "phase", "coherence", "uncertainty")]
_STATES = np.dtype([("gem_id", "V16"), *_STATE, ("measured_at", ">i8")])
_LOG = np.dtype([("number", ">i8"), ("since", ">i8"), ("state_at", ">i8"), *_STATE, ("tau_s", ">f8")])

Micros = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class GemStates:
    """The states of n gems at one moment.

    Attributes:
        raw_ids: shape (n,), of 16 bytes each.
        state: of shape (n,).
    """

    raw_ids: NDArray[np.void]
    state: QuantumState[FloatArray]

    def ids(self, rows: NDArray[np.int64]) -> list[UUID]:
        """Return the ids of some gems by their indices; of a million it would take seconds."""
        return [UUID(bytes=raw) for raw in self.raw_ids[rows].tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """The logs of several gems as n spans of time in each of which one gem was left alone.

    Attributes:
        since: shape (n,), µs, when each begins.
        until: shape (n,), µs, when the next one of the same gem does; the end of time for the last.
        state_at: shape (n,), µs, the moments of the states; before `since` where a restore brought back an older one.
        state: of shape (n,), as each span begins with.
        tau_us: shape (n,), how long a τ is in each.
    """

    since: Micros
    until: Micros
    state_at: Micros
    state: QuantumState[FloatArray]
    tau_us: FloatArray

    def look(self, moment: datetime) -> QuantumState[FloatArray]:
        """Return the states at a moment of the gems that were there, shape (gems,)."""
        now = _micros(moment)
        held = np.flatnonzero((self.since <= now) & (now < self.until))
        elapsed = np.maximum(0, now - self.state_at[held]) / self.tau_us[held]
        state = self.state
        then = QuantumState(state.energy[held], state.phase[held], state.coherence[held], state.uncertainty[held])
        return evolve(then, elapsed)


def unpack_states(packets: Sequence[bytes], now: datetime, time_unit: timedelta) -> GemStates:
    """Return the states in packets of `read_states`, evolved to a moment; one measured later counts as it was then."""
    rows = np.frombuffer(b"".join(packets), _STATES)
    elapsed = np.maximum(0, _micros(now) - rows["measured_at"].astype(np.int64)) / (time_unit / _MICROSECOND)
    return GemStates(rows["gem_id"], evolve(_state(rows), elapsed))


def unpack_log(packet: bytes, time_unit: timedelta) -> Spans:
    """Return the spans in one packet of `read_lattice_log`, which holds whole gems, each with its entries in order."""
    rows = np.frombuffer(packet, _LOG)
    is_last = np.append(np.diff(rows["number"]) != 0, np.ones(min(1, len(rows)), np.bool_))
    since = _order(rows["since"].astype(np.int64), is_last)
    end = np.iinfo(np.int64).max
    tau_us = rows["tau_s"].astype(np.float64) * 1e6
    return Spans(
        since=since,
        until=np.where(is_last, end, np.roll(since, -1)),
        state_at=rows["state_at"].astype(np.int64),
        state=_state(rows),
        tau_us=np.where(is_last, time_unit / _MICROSECOND, np.roll(tau_us, -1)),
    )


def join_states(states: Sequence[QuantumState[Any]]) -> QuantumState[FloatArray]:
    """Return states, each of one gem or of many, as one of shape (n,)."""
    return QuantumState(*(np.hstack([np.empty(0), *(getattr(each, name) for each in states)]) for name, _ in _STATE))


def _order(since: Micros, is_last: NDArray[np.bool_]) -> Micros:
    """Let no entry begin before the one before it of the same gem: clocks differ, the order counts."""
    if np.all((np.diff(since) >= 0) | is_last[:-1]):
        return since
    parts = np.split(since, np.flatnonzero(is_last[:-1]) + 1)
    return np.concatenate([np.maximum.accumulate(part) for part in parts])


def _state(rows: NDArray[np.void]) -> QuantumState[FloatArray]:
    return QuantumState(*(rows[name].astype(np.float64) for name, _ in _STATE))


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND

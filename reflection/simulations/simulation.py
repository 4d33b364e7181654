"""What is kept of a simulation, and how its series become bytes."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from axiom.simulation import (
    SERIES,
    EnsembleResult,
    Event,
    Scenario,
    SeriesName,
    SimulationResult,
    Stop,
    summarise,
)
from core.text import make_storable

MOST_EVENTS = 1_000  # that are kept of one simulation
LONGEST_TEXT = 500  # of what an extension says of an event or a fault
EVENT_BYTES = 300
SCENARIO_GROWTH = 8  # times as large in memory as in JSON

FloatArray: TypeAlias = NDArray[np.float64]
Result: TypeAlias = SimulationResult | EnsembleResult
Facts: TypeAlias = dict[str, float | None]  # of one series, by the names of a summary

_LITTLE = np.dtype("<f8")
_VERSION, _VARIANT = 0xF << 76 | 0x3 << 62, 0x8 << 76 | 0x2 << 62  # of an id whose other bits are our own (RFC 9562)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scenario, without series and events.

    Attributes:
        steps: how many were asked for.
        last_step: the last one that was made.
        size: how many scenarios an ensemble has; None for a single run.
        names: the series that are kept, in order: variables that have a rule or are uncertain, and the score.
        quantiles: what the bands of an ensemble are; empty for a single run.
        stopped: why it ended early; None if it did not.
        events_total: how many events there were, kept or not.
        summaries: of each series; in an ensemble, of the band nearest to the median.
    """

    steps: int
    last_step: int
    size: int | None
    names: tuple[SeriesName, ...]
    quantiles: tuple[float, ...]
    stopped: Stop | None
    events_total: int
    summaries: dict[SeriesName, Facts]


@dataclass(frozen=True, slots=True)
class SimulationHead:
    """A simulation without its events and series.

    Attributes:
        scenario: as canonical JSON values.
    """

    simulation_id: UUID
    scenario: Mapping[str, object]
    outcome: Outcome
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Simulation:
    """A scenario and what came of it.

    Attributes:
        events: the first ones, in the order of their steps.
        rows: the series, of shape (names, max(1, quantiles), last step + 1).
    """

    head: SimulationHead
    events: tuple[Event, ...]
    rows: FloatArray

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        told = len(msgspec.json.encode(self.head.scenario))
        return self.rows.nbytes + EVENT_BYTES * len(self.events) + SCENARIO_GROWTH * told + 4_000

    def series(self, name: SeriesName) -> FloatArray:
        """Return a series of a single run, shape (last step + 1,), or the bands of an ensemble, (q, last step + 1).

        One that is not kept never moved, and is where it began.
        """
        outcome = self.head.outcome
        rows: FloatArray
        if name in outcome.names:
            rows = self.rows[outcome.names.index(name)]
        else:
            inputs: Mapping[str, float] = self.head.scenario["inputs"]  # type: ignore[assignment]  # so it is written
            rows = np.full(self.rows.shape[1:], inputs[name])
        return rows if outcome.size is not None else rows[0]

    def middle(self, name: SeriesName) -> FloatArray:
        """Return a series of a single run, or the band nearest to the median, shape (last step + 1,)."""
        series = self.series(name)
        return series if series.ndim == 1 else series[nearest_to_median(self.head.outcome.quantiles)]


def address(scenario: Scenario) -> UUID:
    """Return the id of a simulation: by what it is made of, so that the same request has the same one."""
    digest = hashlib.sha256(scenario.fingerprint() + scenario.name.encode()).digest()
    return UUID(int=int.from_bytes(digest[:16]) & ~_VERSION | _VARIANT)


def take_down(simulation_id: UUID, scenario: Scenario, result: Result, now: datetime) -> Simulation:
    """Return what is kept of a run."""
    size: int | None = None
    quantiles: tuple[float, ...] = ()
    if isinstance(result, SimulationResult):
        told = {name: result.series[name] for name in (*result.moved, "score")}
    else:
        size, quantiles = result.size, result.quantiles
        told = _bands_of_still(scenario, result) | {name: result.bands[name] for name in (*result.moved, "score")}
    names: tuple[SeriesName, ...] = tuple(name for name in SERIES if name in told)
    rows = np.stack([told[name].reshape(-1, result.last_step + 1) for name in names])
    outcome = Outcome(
        steps=result.steps,
        last_step=result.last_step,
        size=size,
        names=names,
        quantiles=quantiles,
        stopped=result.stopped and replace(result.stopped, problem=_text(result.stopped.problem)),
        events_total=result.events_total,
        summaries=_summarise(names, rows[:, nearest_to_median(quantiles)]),
    )
    head = SimulationHead(simulation_id, scenario.to_dict(), outcome, now)
    return Simulation(head, _plain(result.events), rows)


def _bands_of_still(scenario: Scenario, result: EnsembleResult) -> dict[SeriesName, FloatArray]:
    """Return the bands of the inputs that are uncertain, those that no rule moves included."""
    uncertain = scenario.ensemble.uncertainty if scenario.ensemble is not None else {}
    shape = (len(result.quantiles), result.last_step + 1)
    bands = {name: np.quantile(getattr(result.inputs, name), result.quantiles)[:, None] for name in uncertain}
    return {name: np.broadcast_to(band, shape) for name, band in bands.items()}


def nearest_to_median(quantiles: Sequence[float]) -> int:
    """Return which of them is nearest to one half; 0 if there are none."""
    return min(range(len(quantiles)), key=lambda at: abs(quantiles[at] - 0.5), default=0)


def pack(rows: FloatArray) -> bytes:
    """Return rows as bytes, for any machine."""
    return rows.astype(_LITTLE, copy=False).tobytes()


def unpack(packed: bytes, outcome: Outcome) -> FloatArray:
    """Return the rows of such bytes, read-only."""
    shape = (len(outcome.names), max(1, len(outcome.quantiles)), outcome.last_step + 1)
    return np.frombuffer(packed, _LITTLE).reshape(shape)


def _plain(events: Sequence[Event]) -> tuple[Event, ...]:
    """Return the first events as they can be stored, and read again; extensions may give others."""
    return tuple(plain for each in events[:MOST_EVENTS] if (plain := _read_event(each)) is not None)


def _read_event(event: Event) -> Event | None:
    """Return an event of plain numbers and texts; None if it has others."""
    try:
        numbers = (float(event.step), float(event.value), int(event.scenario))
    except (TypeError, ValueError, OverflowError):
        return None
    if event.variable not in SERIES or not all(map(math.isfinite, numbers)):  # JSON has no others
        return None
    return Event(_text(event.kind), event.variable, *numbers, _text(event.detail))


def _text(told: object) -> str:
    return make_storable(str(told)[:LONGEST_TEXT])


def _summarise(names: Sequence[SeriesName], rows: FloatArray) -> dict[SeriesName, Facts]:
    """Return the summary of each series, rows of shape (names, last step + 1)."""
    columns = summarise(rows.T).to_dict()
    return {name: {fact: told[at] for fact, told in columns.items()} for at, name in enumerate(names)}  # type: ignore[index]  # lists

"""The time sphere: a state, the rules that move it, and what is noticed on the way."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from axiom.equation import FloatArray
from axiom.simulation.detection import Event, EventHandler
from axiom.simulation.engine import Engine
from axiom.simulation.inputs import SERIES, VARIABLES, AxiomInputs, SeriesName, VariableName
from axiom.simulation.parameters import integer, named
from axiom.simulation.results import EnsembleResult, SimulationResult, TimeStep, collect, columns
from axiom.simulation.rules import UpdateRule
from core.errors import InvalidParameterError
from core.extensions import tell_fault

MOST_STEPS = 100_000
AHEAD = 64  # steps that `step` looks beyond: a peak is known by the step after it, a plateau by its length

OnProgress = Callable[[int, int], None]  # (steps made, steps asked for); what it raises ends the simulation
StepHandler = Callable[[TimeStep], Event | Iterable[Event] | None]


@dataclass(frozen=True, eq=False)
class TimeSphere:
    """A simulation that is put together in Python; `Scenario` is the same as plain data.

    Args:
        initial_inputs: the state of step 0.
        update_rules: of the variables that move; the others stay.
        seed: of all random numbers.
        clamp_to_unit: whether the score clamps its terms; the variables themselves are never clamped.
        on_progress: told now and then how far a run has come.

    Raises:
        InvalidParameterError: a name is no variable, a rule cannot be called, or the seed is no whole number from 0 on.
    """

    initial_inputs: AxiomInputs
    update_rules: Mapping[VariableName, UpdateRule] = field(default_factory=dict)
    seed: int = 0
    clamp_to_unit: bool = True
    on_progress: OnProgress | None = None

    _rules: dict[VariableName, UpdateRule] = field(init=False, repr=False, default_factory=dict)
    _handlers: list[EventHandler | StepHandler] = field(init=False, repr=False, default_factory=list)
    _seen: list[SimulationResult] = field(init=False, repr=False, default_factory=list)  # by `step`; one at most

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", integer("seed", self.seed, 0, (1 << 63) - 1))
        for variable, rule in self.update_rules.items():
            self.add_update_rule(variable, rule)

    def add_update_rule(self, var: VariableName, rule: UpdateRule) -> None:
        """Let a rule move a variable, in place of the one that did.

        Args:
            var: one of A, B, C, X, Y, Z, E_n, F_n.
            rule: one of this package, or any function (state, step) -> value.
        """
        if var not in VARIABLES:
            raise InvalidParameterError("update_rules", f"{var!r} is no variable; there are {', '.join(VARIABLES)}")
        if not callable(rule):
            raise InvalidParameterError(f"update_rules.{var}", "must be a function (state, step) -> value")
        self._rules[var] = rule
        self._seen.clear()

    def add_event_handler(self, handler: EventHandler | StepHandler) -> None:
        """Let something look at each run: a detector over whole series, or a function of each step of single runs.

        A function returns the events that it notices, one or several, or None.
        """
        if not isinstance(handler, EventHandler) and not callable(handler):
            raise InvalidParameterError("handler", "must have detect(series), or be a function of a TimeStep")
        self._handlers.append(handler)

    def step(self, n: int) -> TimeStep:
        """Return step n of the run from the initial state, with the events since the step before it.

        Detectors see at least 64 steps beyond it: what takes longer to be noticed is found by `simulate` alone.

        Raises:
            InvalidParameterError: n is no step, or the simulation stops before it.
        """
        n = integer("n", n, 0, MOST_STEPS)
        if not self._seen or (self._seen[0].steps < n + AHEAD and self._seen[0].stopped is None):
            self._seen[:] = [self._run(2 * n + AHEAD)]
        step = TimeStep(n, self._seen[0].snapshot(n))
        found = self._detect(columns(self._seen[0].series, SERIES), [step])
        events, _ = collect(event for event in found if n - 1 < event.step <= n)
        return replace(step, events=events)

    def simulate(self, steps: int) -> SimulationResult:
        """Return a single run from the initial state.

        Raises:
            InvalidParameterError: `steps` is not from 1 to 100,000, or the inputs are arrays.
        """
        result = self._run(integer("steps", steps, 1, MOST_STEPS))
        walks = any(not isinstance(handler, EventHandler) for handler in self._handlers)
        told = [TimeStep(n, result.snapshot(n)) for n in range(result.last_step + 1)] if walks else []
        events, total = collect(self._detect(columns(result.series, SERIES), told))
        return replace(result, events=events, events_total=total)

    def simulate_ensemble(
        self,
        inputs: AxiomInputs | Sequence[AxiomInputs],
        steps: int,
        *,
        keep: Iterable[SeriesName] = ("score",),
        quantiles: Sequence[float] = (),
    ) -> EnsembleResult:
        """Return the runs of k scenarios, all at once by the same rules.

        Args:
            inputs: arrays (k,), or one for each scenario.
            steps: from 1 to 100,000.
            keep: the series that are wanted whole; each takes 8·k·(steps + 1) bytes.
            quantiles: of the bands, each in [0, 1].

        Raises:
            InvalidParameterError: an argument is wrong; names it.
        """
        start = inputs if isinstance(inputs, AxiomInputs) else _join(inputs)
        steps = integer("steps", steps, 1, MOST_STEPS)
        kept = tuple(dict.fromkeys(keep))
        if wrong := [name for name in kept if name not in SERIES]:
            raise InvalidParameterError("keep", f"{wrong[0]!r} is no series; there are {', '.join(SERIES)}")
        for at, quantile in enumerate(quantiles):
            if not 0.0 <= quantile <= 1.0:
                raise InvalidParameterError(f"quantiles[{at}]", f"must be in [0, 1], not {quantile}")
        detectors = [handler for handler in self._handlers if isinstance(handler, EventHandler)]
        wanted = {name for each in detectors for name in each.variables}
        needed = [name for name in SERIES if name in kept or name in wanted]
        engine = self._open(start, single=False)
        record = Recording(engine, start, tuple(needed), tuple(quantiles), steps)
        self._drive(engine, record, steps)
        events, total = collect(event for each in detectors for event in _notice(each, columns(record.series, needed)))
        return EnsembleResult(
            inputs=start,
            steps=steps,
            last_step=engine.step,
            series={name: record.series[name] for name in kept},
            quantiles=tuple(quantiles),
            bands=record.bands,
            final=record.final(),
            moved=engine.moved,
            events=events,
            events_total=total,
            stopped=engine.stopped,
        )

    def _run(self, steps: int) -> SimulationResult:
        if self.initial_inputs.size is not None:
            raise InvalidParameterError(
                "inputs", "has arrays; a single run takes floats, simulate_ensemble takes these"
            )
        engine = self._open(self.initial_inputs, single=True)
        record = Recording(engine, self.initial_inputs, SERIES, (), steps)
        self._drive(engine, record, steps)
        return SimulationResult(
            inputs=self.initial_inputs,
            steps=steps,
            series={name: each[:, 0] for name, each in record.series.items()},
            moved=engine.moved,
            stopped=engine.stopped,
            clamps=self.clamp_to_unit,
        )

    def _open(self, start: AxiomInputs, *, single: bool) -> Engine:
        return Engine(start, self._rules, seed=self.seed, clamps=self.clamp_to_unit, single=single)

    def _drive(self, engine: Engine, record: "Recording", steps: int) -> None:
        while engine.step < steps and engine.stopped is None:
            record.add(engine, steps - engine.step)
            if self.on_progress is not None:
                self.on_progress(engine.step, steps)
        record.end(engine.step)

    def _detect(self, series: Mapping[SeriesName, FloatArray], steps: Sequence[TimeStep]) -> Iterator[Event]:
        """Yield what the handlers find in a single run and, if they are functions, in these of its steps."""
        for handler in self._handlers:
            yield from _notice(handler, series, steps)


def _notice(
    handler: EventHandler | StepHandler, series: Mapping[SeriesName, FloatArray], steps: Sequence[TimeStep] = ()
) -> Iterator[Event]:
    """Yield what a handler finds; that it failed is an event too, so that the run is not lost by it."""
    try:
        yield from map(_event, _look(handler, series, steps))
    except (Exception, SystemExit) as e:  # noqa: BLE001 - it may be somebody else's code, and fail in any way
        name = getattr(handler, "kind", "") or type(handler).__name__
        last = max((len(each) for each in series.values()), default=1) - 1
        yield Event("failed", "score", last, 0.0, 0, f"{name}: {tell_fault(e)}")


def _look(
    handler: EventHandler | StepHandler, series: Mapping[SeriesName, FloatArray], steps: Sequence[TimeStep]
) -> Iterator[object]:
    """Yield what a detector finds in the series, or a function in the steps."""
    if isinstance(handler, EventHandler):
        yield from handler.detect({name: series[name] for name in handler.variables})
        return
    for step in steps:
        noticed = handler(step)
        if noticed is not None:
            yield from [noticed] if isinstance(noticed, Event) else noticed


def _event(found: object) -> Event:
    if not isinstance(found, Event):
        raise TypeError(f"found {named(found)}, which is no event")
    return found


class Recording:
    """What is kept of a run while it goes."""

    def __init__(
        self,
        engine: Engine,
        start: AxiomInputs,
        names: Iterable[SeriesName],
        quantiles: tuple[float, ...],
        steps: int,
    ) -> None:
        size = start.size or 1
        self.series: dict[SeriesName, FloatArray] = {}
        self.bands: dict[SeriesName, FloatArray] = {}
        self._quantiles = quantiles
        self._moved: tuple[SeriesName, ...] = (*engine.moved, "score")
        self._lasts: dict[SeriesName, FloatArray] = {name: np.empty(size) for name in VARIABLES}
        for variable in VARIABLES:
            self._lasts[variable][:] = getattr(start, variable)
        self._lasts["score"] = engine.start_score.copy()
        for name in names:
            shape = (steps + 1, size)
            self.series[name] = np.empty(shape) if name in self._moved else np.broadcast_to(self._lasts[name], shape)
        for name in self._moved:
            if name in self.series:
                self.series[name][0] = self._lasts[name]
            if quantiles:
                self.bands[name] = np.empty((len(quantiles), steps + 1))
                self.bands[name][:, :1] = _quantiles(self._lasts[name][None, :], quantiles)

    def add(self, engine: Engine, most: int) -> None:
        """Let the engine make a block, and keep what is wanted of it."""
        block = engine.advance(most)
        end = block.first + len(block.score)
        if end == block.first:
            return
        for name in self._moved:
            rows = block.score if name == "score" else block.variables[name]
            if name in self.series:
                self.series[name][block.first : end] = rows
            if self._quantiles:
                self.bands[name][:, block.first : end] = _quantiles(rows, self._quantiles)
            self._lasts[name][:] = rows[-1]

    def end(self, last_step: int) -> None:
        """Leave out the steps that were not made."""
        self.series = {name: rows[: last_step + 1] for name, rows in self.series.items()}
        self.bands = {name: rows[:, : last_step + 1] for name, rows in self.bands.items()}

    def final(self) -> AxiomInputs:
        """Return the states of the last step, arrays (k,)."""
        return AxiomInputs.stack({name: self._lasts[name] for name in VARIABLES})


def _quantiles(rows: FloatArray, quantiles: tuple[float, ...]) -> FloatArray:
    """Return the quantiles of rows (n, k), shape (q, n)."""
    with np.errstate(over="ignore", invalid="ignore"):  # of the distance between two of the greatest floats
        bands = np.quantile(rows, quantiles, axis=1)
    return bands if np.isfinite(bands).all() else np.quantile(rows / 4.0, quantiles, axis=1) * 4.0


def _join(inputs: Sequence[AxiomInputs]) -> AxiomInputs:
    if not inputs:
        raise InvalidParameterError("inputs", "must have at least one scenario")
    if any(each.size is not None for each in inputs):
        raise InvalidParameterError("inputs", "must be floats in each scenario of a list")
    return AxiomInputs(**{name: np.array([getattr(each, name) for each in inputs]) for name in VARIABLES})

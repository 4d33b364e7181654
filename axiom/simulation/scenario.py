"""A simulation as plain data: to store, to share and to replay."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from axiom.equation import FloatArray, bound_terms
from axiom.simulation.detection import EventHandler
from axiom.simulation.inputs import INDEX, VARIABLES, AxiomInputs, VariableName
from axiom.simulation.parameters import finite, integer, mapping, sequence, under
from axiom.simulation.results import EnsembleResult, SimulationResult
from axiom.simulation.rulebook import read_event, read_rule, write
from axiom.simulation.rules import UpdateRule
from axiom.simulation.sphere import MOST_STEPS, OnProgress, TimeSphere
from core.errors import InvalidParameterError

MOST_SCENARIOS = 1_000_000
MOST_DETECTORS = 100
MOST_QUANTILES = 25
LONGEST_NAME = 200
DEEPEST = 64  # objects and lists within one another: each rule within a rule takes some of Python's stack
ENGINE_VERSION = 1  # raised when the same scenario would give other numbers
_DRAWS = 100  # where the seeds of drawn inputs begin, after those of the variables' noise
_NONE: Mapping[VariableName, "Spread"] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Spread:
    """How uncertain one input is.

    Attributes:
        kind: the distribution around the input.
        width: the standard deviation of a normal one, half the width of a uniform one; at least 0.
    """

    kind: Literal["normal", "uniform"] = "normal"
    width: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in {"normal", "uniform"}:
            raise InvalidParameterError("kind", f"must be normal or uniform, not {self.kind!r}")
        if finite("width", self.width) < 0.0:
            raise InvalidParameterError("width", f"must be at least 0, not {self.width}")
        object.__setattr__(self, "width", float(self.width))

    def draw(self, around: float, size: int, noise: np.random.Generator) -> FloatArray:
        """Return values of shape (size,)."""
        drawn = noise.standard_normal(size) if self.kind == "normal" else noise.uniform(-1.0, 1.0, size)
        return around + self.width * drawn


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Many scenarios at once, their inputs drawn around those given.

    Attributes:
        size: the number k of scenarios, up to 1,000,000.
        uncertainty: of the inputs that are not exact; a draw beyond the bounds of its term is moved to the nearer one.
        quantiles: the bands that are reported, each in [0, 1].
    """

    size: int = 1_000
    uncertainty: Mapping[VariableName, Spread] = field(default_factory=lambda: _NONE)
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", integer("size", self.size, 1, MOST_SCENARIOS))
        mapping("uncertainty", self.uncertainty, VARIABLES)
        if not 1 <= len(self.quantiles) <= MOST_QUANTILES:
            raise InvalidParameterError("quantiles", f"must be 1 to {MOST_QUANTILES}, not {len(self.quantiles)}")
        for at, each in enumerate(self.quantiles):
            if not 0.0 <= finite(f"quantiles[{at}]", each) <= 1.0:
                raise InvalidParameterError(f"quantiles[{at}]", f"must be in [0, 1], not {each}")
        object.__setattr__(self, "quantiles", tuple(float(each) for each in self.quantiles))

    @classmethod
    def from_dict(cls, given: object, path: str = "ensemble") -> "Ensemble":
        """Return what JSON says."""
        values = dict(mapping(path, given, (each.name for each in fields(cls))))
        if "uncertainty" in values:
            told = mapping(f"{path}.uncertainty", values["uncertainty"], VARIABLES)
            values["uncertainty"] = {
                name: _read_spread(each, f"{path}.uncertainty.{name}") for name, each in told.items()
            }
        if "quantiles" in values:
            values["quantiles"] = tuple(sequence(f"{path}.quantiles", values["quantiles"]))
        with under(path):
            return cls(**values)  # type: ignore[arg-type]  # checked by the class

    def to_dict(self) -> dict[str, object]:
        """Return JSON values."""
        spreads = {name: {"kind": each.kind, "width": each.width} for name, each in self.uncertainty.items()}
        return {"size": self.size, "uncertainty": spreads, "quantiles": list(self.quantiles)}

    def draw(self, inputs: AxiomInputs, seed: int) -> AxiomInputs:
        """Return the inputs of all scenarios, arrays (k,); a variable's draws depend on the seed and itself alone."""
        drawn: dict[VariableName, FloatArray] = {}
        for name, at in INDEX.items():
            around = float(getattr(inputs, name))
            spread = self.uncertainty.get(name)
            if spread is None:
                drawn[name] = np.full(self.size, around)
                continue
            noise = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(_DRAWS + at,))))
            drawn[name] = spread.draw(around, self.size, noise)
        terms = bound_terms(AxiomInputs(**drawn).terms())
        within = {name: getattr(terms, name[0]) if name in self.uncertainty else drawn[name] for name in VARIABLES}
        return AxiomInputs(**within)


@dataclass(frozen=True, slots=True)
class Scenario:
    """All that a simulation is made of.

    Attributes:
        inputs: the state of step 0.
        rules: of the variables that move; the others stay.
        steps: from 1 to 100,000.
        events: the detectors that look at it.
        seed: of all random numbers.
        ensemble: many scenarios at once; None for a single run.
        clamp_to_unit: whether the score clamps its terms.
        name: for people.

    Raises:
        InvalidParameterError: a field is wrong; names it.
    """

    inputs: AxiomInputs = field(default_factory=AxiomInputs)
    rules: Mapping[VariableName, UpdateRule] = field(default_factory=dict)
    steps: int = 100
    events: tuple[EventHandler, ...] = ()
    seed: int = 0
    ensemble: Ensemble | None = None
    clamp_to_unit: bool = True
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", integer("steps", self.steps, 1, MOST_STEPS))
        object.__setattr__(self, "seed", integer("seed", self.seed, 0, (1 << 63) - 1))
        if self.inputs.size is not None:
            raise InvalidParameterError("inputs", "must be floats; scenarios are drawn by `ensemble`")
        mapping("rules", self.rules, VARIABLES)
        if len(self.events) > MOST_DETECTORS:
            raise InvalidParameterError("events", f"must have at most {MOST_DETECTORS}, not {len(self.events):,}")
        if not isinstance(self.clamp_to_unit, bool):
            raise InvalidParameterError("clamp_to_unit", "must be true or false")
        if not isinstance(self.name, str) or len(self.name) > LONGEST_NAME:
            raise InvalidParameterError("name", f"must be a text of at most {LONGEST_NAME} characters")

    @classmethod
    def from_dict(cls, given: object) -> "Scenario":
        """Return what JSON says.

        Raises:
            InvalidParameterError: a field is wrong; names it by its path, such as `rules.A.slope`.
        """
        values = dict(mapping("", given, (each.name for each in fields(cls))))
        if "inputs" in values:
            values["inputs"] = AxiomInputs.from_dict(values["inputs"])
        if "rules" in values:
            told = mapping("rules", values["rules"], VARIABLES)
            _check_depth("rules", told)
            values["rules"] = {name: read_rule(each, f"rules.{name}") for name, each in told.items()}
        if "events" in values:
            listed = sequence("events", values["events"])[: MOST_DETECTORS + 1]
            values["events"] = tuple(read_event(each, f"events[{at}]") for at, each in enumerate(listed))
        if values.get("ensemble") is not None:
            values["ensemble"] = Ensemble.from_dict(values["ensemble"])
        return cls(**values)  # type: ignore[arg-type]  # checked by the class

    def to_dict(self) -> dict[str, object]:
        """Return JSON values, defaults filled in; `from_dict` takes them back.

        Raises:
            InvalidParameterError: a rule or detector is a function, which JSON cannot tell.
        """
        return {
            "name": self.name,
            "inputs": self.inputs.to_dict(),
            "rules": {name: write(self.rules[name], f"rules.{name}") for name in VARIABLES if name in self.rules},
            "steps": self.steps,
            "events": [write(each, f"events[{at}]") for at, each in enumerate(self.events)],
            "seed": self.seed,
            "ensemble": None if self.ensemble is None else self.ensemble.to_dict(),
            "clamp_to_unit": self.clamp_to_unit,
        }

    def fingerprint(self) -> bytes:
        """Return the SHA-256 of the canonical JSON, without the name: what gives the same numbers has the same one."""
        parts = (*self.rules.values(), *self.events)
        versions = sorted({version for part in parts for version in _versions(part)})
        told = self.to_dict() | {"name": "", "engine": ENGINE_VERSION, "versions": versions}
        canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(canonical.encode()).digest()

    def sphere(self, on_progress: OnProgress | None = None) -> TimeSphere:
        """Return what runs it."""
        sphere = TimeSphere(
            self.inputs, self.rules, seed=self.seed, clamp_to_unit=self.clamp_to_unit, on_progress=on_progress
        )
        for handler in self.events:
            sphere.add_event_handler(handler)
        return sphere

    def run(self, on_progress: OnProgress | None = None) -> SimulationResult | EnsembleResult:
        """Run it; twice gives the same bits.

        Args:
            on_progress: told (steps made, steps asked for) after each block; what it raises ends the run.
        """
        sphere = self.sphere(on_progress)
        if self.ensemble is None:
            return sphere.simulate(self.steps)
        inputs = self.ensemble.draw(self.inputs, self.seed)
        return sphere.simulate_ensemble(inputs, self.steps, keep=(), quantiles=self.ensemble.quantiles)


def _check_depth(path: str, told: object) -> None:
    level = [told]
    for _ in range(DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, Mapping | list)
            for inner in (each.values() if isinstance(each, Mapping) else each)
        ]
    if any(isinstance(each, Mapping | list) for each in level):
        raise InvalidParameterError(path, f"are nested too deeply: at most {DEEPEST} objects and lists in one another")


def _versions(part: object) -> Iterator[str]:
    """Yield the versions of the extensions in a rule or detector: another version may give other numbers."""
    version = getattr(part, "version", None)
    if version is not None:
        yield f"{getattr(part, 'kind', '')} {version}"
    inner = part if isinstance(part, tuple) else [getattr(part, each.name) for each in _fields_of(part)]
    for each in inner:
        yield from _versions(each)


def _fields_of(part: object) -> tuple[Field[Any], ...]:
    return fields(part) if is_dataclass(part) and not isinstance(part, type) else ()


def _read_spread(given: object, path: str) -> Spread:
    values = mapping(path, given, ("kind", "width"))
    with under(path):
        return Spread(**values)  # type: ignore[arg-type]  # checked by the class
